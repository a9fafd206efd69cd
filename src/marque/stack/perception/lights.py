"""Signals as believed: what a camera reads, steadied.

One scan may be wrong or miss a head. A state is believed when two scans in a row say it; until then
the last one holds. A head that is not read keeps its state for a moment, red for longer: the eyes
may be wrong in one direction only.
"""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, IntArray, freeze_arrays
from marque.core.time import NS_PER_S
from marque.types.codes import SignalState
from marque.types.reading import SignalReading

SURE = 2  # scans in a row that say the same
KEEP_NS, KEEP_RED_NS = NS_PER_S // 2, 2 * NS_PER_S
OLD_NS = NS_PER_S  # a reading older than this says nothing about now


@dataclass(frozen=True, slots=True, eq=False)
class Lights:
    """Belief about the H signal heads of a map. Stamps are -1 before the first reading."""

    state: Int8Array  # [H] SignalState
    since_ns: IntArray  # [H] when it was first believed
    seen_ns: IntArray  # [H] when it was last read as believed
    said: Int8Array  # [H] what the last scan that read it said,
    times: IntArray  # [H] and how many in a row said so
    read_ns: int = -1  # stamp of the last scan that was taken in
    refused: int = 0  # scans that were out of order, from the future or of another map

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def since_s(self, t_ns: int) -> FloatArray:
        """[H] seconds that each state has been believed."""
        return (t_ns - self.since_ns) / NS_PER_S


def no_lights(heads: int, t_ns: int = 0) -> Lights:
    """Belief before the first scan: nothing is known."""
    unknown = np.full(heads, np.int8(SignalState.UNKNOWN))
    stamps = np.full(heads, t_ns, dtype=np.int64)
    return Lights(unknown, stamps, stamps, unknown, np.zeros(heads, dtype=np.int64))


def watch_lights(lights: Lights, reading: SignalReading | None, t_ns: int) -> Lights:
    """Belief at `t_ns`, after the newest scan. A scan that was taken in before changes nothing."""
    fresh = reading is not None and reading.t_ns != lights.read_ns
    if reading is None or not fresh:
        return _forgotten(lights, t_ns)
    bad = len(reading.state) != len(lights.state)
    bad |= reading.t_ns < lights.read_ns or reading.t_ns > t_ns or t_ns - reading.t_ns > OLD_NS
    if bad:
        return _forgotten(_counted(lights), t_ns)
    read = reading.state != SignalState.UNKNOWN
    again = read & (reading.state == lights.said)
    times = np.where(again, lights.times + 1, np.where(read, 1, lights.times))
    said = np.where(read, reading.state, lights.said).astype(np.int8)
    sure = read & (times >= SURE)
    changed = sure & (said != lights.state)
    state = np.where(changed, said, lights.state).astype(np.int8)
    since = np.where(changed, reading.t_ns, lights.since_ns)
    seen = np.where(read & (said == state), reading.t_ns, lights.seen_ns)
    return _forgotten(Lights(state, since, seen, said, times, reading.t_ns, lights.refused), t_ns)


def _forgotten(lights: Lights, t_ns: int) -> Lights:
    """Heads that were not read for too long are unknown again."""
    keep = np.where(lights.state == SignalState.RED, KEEP_RED_NS, KEEP_NS)
    gone = (lights.state != SignalState.UNKNOWN) & (t_ns - lights.seen_ns > keep)
    if not gone.any():
        return lights
    unknown = np.int8(SignalState.UNKNOWN)
    return Lights(
        np.where(gone, unknown, lights.state),
        np.where(gone, t_ns, lights.since_ns),
        lights.seen_ns,
        np.where(gone, unknown, lights.said),
        np.where(gone, 0, lights.times),
        lights.read_ns,
        lights.refused,
    )


def _counted(lights: Lights) -> Lights:
    return Lights(
        lights.state,
        lights.since_ns,
        lights.seen_ns,
        lights.said,
        lights.times,
        lights.read_ns,
        lights.refused + 1,
    )
