"""Forecast: where each road user may go, as paths with rules."""

from dataclasses import dataclass

from marque.core.arrays import FloatArray, Int32Array, freeze_arrays

STEP_M = 1.0  # spacing of path samples


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """K hypotheses, each one possible path of one track (middle of its box), map frame.

    Path k is `x_m[off[k]:off[k+1]]`, one sample each `STEP_M`, sample 0 where the track is now.
    """

    track: Int32Array  # [K] index into Tracks
    probability: FloatArray  # [K]
    off: Int32Array  # [K+1]
    x_m: FloatArray  # [S]
    y_m: FloatArray
    heading_rad: FloatArray
    lane: Int32Array  # [S] lane of each sample, NONE off the lanes
    limit_mps: FloatArray  # [K] free speed on this path
    stop_m: FloatArray  # [K] distance at which it must stop (red light, stop line); inf if none
    connector: Int32Array  # [K] first connector ahead or under it, NONE if none
    connector_m: FloatArray  # [K] distance to that connector's start, negative when inside
    walk: Int32Array  # [K] crosswalk that this path enters from the kerb, NONE if none
    lead: Int32Array  # [K] track that drives or stands ahead on this path, NONE if free
    lead_m: FloatArray  # [K] path metres of that track's middle, inf if free

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """K."""
        return len(self.track)
