"""Never block the box: enter a junction only if there will be room for us beyond it.

Everybody ahead of us on our path closes up to whoever stands before them; where we would come to
rest behind them follows. Positions are path metres.
"""

from dataclasses import dataclass

import numpy as np

from marque.stack.planning.corridor import Corridor, Junction
from marque.stack.planning.interactions import Interactions
from marque.stack.planning.rules import LINE_MARGIN_M, Stop
from marque.types.codes import Reason
from marque.types.forecast import Forecast
from marque.types.scene import Tracks

GAP_M = 2.0  # between those who stand in a queue
SPARE_M = 0.5  # between our rear and the last way that crosses
AGAIN_M = 1.0  # more room than that to start again
FLOWS_MPS = 4.0  # nobody this fast is expected to stand before we are through
EASY_MPS2, LATEST_MPS2 = 1.5, 2.5  # looked at from a gentle stop on; not after a firm one
LONGEST_S = 6.0
COMES_MPS = 1.5


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Somebody in our way: where the bumpers are."""

    rear_m: float
    front_m: float
    speed_mps: float
    accel_mps2: float
    uid: int


def exit_stops(
    corridor: Corridor,
    c: int,
    it: Interactions,
    front_m: float,
    speed_mps: float,
    length_m: float,
    tracks: Tracks,
    forecast: Forecast,
) -> list[Stop]:
    """The line of the first junction ahead that cannot be left again, if there is one."""
    queue: list[_Ahead] | None = None
    for junction in corridor.junctions:
        room = junction.stop_m - LINE_MARGIN_M - front_m
        if room < -0.5 or junction.clear_m <= junction.stop_m:
            continue
        if room > speed_mps + speed_mps * speed_mps / (2.0 * EASY_MPS2) + 3.0:
            break
        if speed_mps * speed_mps > 2.0 * LATEST_MPS2 * max(room, 0.1):
            continue
        if queue is None:
            queue = _queue(c, it, front_m, tracks, forecast)
        found = _blocked(junction, queue, front_m, speed_mps, length_m)
        if found is not None:
            return [Stop(junction.stop_m - LINE_MARGIN_M, Reason.EXIT_BLOCKED, found)]
    return []


def _queue(
    c: int, it: Interactions, front_m: float, tracks: Tracks, forecast: Forecast
) -> list[_Ahead]:
    """Those who drive ahead of us on our path now, or are about to come onto it inside a
    junction; the farthest first."""
    ahead: dict[int, _Ahead] = {}
    for k in range(forecast.count):
        i = int(forecast.track[k])
        if it.first[c, k] == 0 and it.cosr[c, k, 0] > 0.5:
            rear, front = float(it.lo[c, k, 0]), float(it.hi[c, k, 0])
        elif it.first[c, k] > 0 and it.k_off[c, k] > -1e8 and _comes(it, forecast, k):
            middle = -float(it.k_off[c, k])
            rear, front = middle - 0.5 * it.length[k], middle + 0.5 * it.length[k]
        else:
            continue
        if rear < front_m or i in ahead:
            continue
        ahead[i] = _Ahead(rear, front, float(it.speed[k]), float(it.accel[k]), int(tracks.uid[i]))
    return sorted(ahead.values(), key=lambda a: -a.front_m)


def _comes(it: Interactions, forecast: Forecast, k: int) -> bool:
    """Whether somebody inside a junction is on the move: who stands there waits, for us perhaps."""
    return bool(forecast.connector_m[k] <= 0.0 and it.speed[k] > COMES_MPS)


def _blocked(
    junction: Junction, queue: list[_Ahead], front_m: float, speed_mps: float, length_m: float
) -> int | None:
    """uid of who leaves us no room beyond the junction, None if there is room."""
    needs = junction.clear_m + SPARE_M + length_m + GAP_M
    if speed_mps < 0.5:
        needs += AGAIN_M
    time_s = min(LONGEST_S, (junction.clear_m - front_m) / max(speed_mps, 4.0))
    tail, who = np.inf, -1
    for other in queue:
        gains = time_s * max(0.0, other.speed_mps + 0.5 * max(0.0, other.accel_mps2) * time_s)
        if other.speed_mps > FLOWS_MPS and other.accel_mps2 > -1.0:
            gains += 1e3 if tail == np.inf else 0.0
        front = min(other.front_m + gains, tail - GAP_M)
        tail, who = front - (other.front_m - other.rear_m), other.uid
    return who if tail < needs else None
