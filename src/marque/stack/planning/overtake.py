"""Fast roads of several lanes: overtaking on the left, back to the right, nobody passed on the
right, and where the route leaves, over there in good time.

All of this is for limits from 80 km/h on. On slower roads a lane is left for need alone.
Where traffic keeps left, left and right change places.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import nanoseconds
from marque.core.units import KPH
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_JERK
from marque.maps.field import Route
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor, backward_pass
from marque.stack.planning.gaps import Row, Us, row_on
from marque.stack.planning.interactions import Interactions
from marque.stack.planning.state import Memory, Option, Start, lane_at, neighbour, sample_at
from marque.types.codes import Indicator
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Tracks

FAST_MPS = 79.0 * KPH  # limit of a fast road
GAINS_MPS = 2.5  # overtaking has to be so much faster; the law asks for a marked difference
LOSES_MPS = 0.7  # and no more is lost by going back
REACHED_S = 9.0  # who is reached later than this does not hold us up yet,
FREE_S = 18.0  # nor on the lane that we go back to for so long
HEADWAY_S = 1.6  # at which we follow
OVERTAKES, BACK, RATE_1PMPS, MOST_RATE = 0.7, 0.7, 0.06, 0.6  # what they are worth
# to overtake there must be so much time before we have to be over for the route; and that much more
# for each lane that then has to be crossed
SPARE_S, LANE_S = 20.0, 12.0
HELD_NS = 1_500_000_000  # indicated after it was called for
_SIDE = {0: Indicator.OFF, 1: Indicator.LEFT, -1: Indicator.RIGHT}
_OF_CHANGE = {"change_left": Indicator.LEFT, "change_right": Indicator.RIGHT}
# whom we may pass on the right: a row on the left no faster than this, no more than that faster
SLOW_ROW_MPS, MORE_MPS = 60.0 * KPH, 20.0 * KPH
# where rows have formed on the lanes, the right one may be faster; by so much we are
ROW_COUNT, ROW_M, ROW_MORE_MPS = 3, 150.0, 10.0 * KPH
BEHIND_M = 6.0  # we stay so far behind the rear of who may not be passed
AS_FAST_MPS = 0.5  # who is hardly slower than we are will not be passed
LEAVES_M = 60.0  # a lane that leaves or ends within this and four seconds is no lane to compare


def fast(corridor: Corridor, s_m: float) -> bool:
    """Whether the road at path metres s is a fast one."""
    return float(corridor.limit_mps[sample_at(corridor, s_m)]) >= FAST_MPS


def keep_side(road_map: RoadMap) -> int:
    """The side that slow traffic keeps to: -1 right, +1 left."""
    return 1 if road_map.left_hand else -1


def crossings(road_map: RoadMap, route: Route, lane: int) -> int:
    """How many lanes have to be crossed, from `lane` on, by the route's wish."""
    count = 0
    while route.best_side[lane] != 0 and count < 8:
        lane = neighbour(road_map, lane, int(route.best_side[lane]))[0]
        if lane == NONE:
            break
        count += 1
    return count


def room_needed_m(road_map: RoadMap, route: Route, lane: int, v: float, looks_m: float) -> float:
    """Way before the last chance to leave `lane` from which on we do so whatever it costs."""
    return looks_m + LANE_S * v * crossings(road_map, route, lane)


def pace(row: Row, us: Us, wanted_mps: float, within_s: float) -> float:
    """How fast we get on in a lane for a while: as wanted, or as whom we come up to. Who drives
    ahead of the next one counts as well, if we come so far."""
    found = wanted_mps
    for i in np.flatnonzero(row.s_m > us.s_m).tolist():
        other = float(row.speed_mps[i])
        gap = float(row.s_m[i]) - float(row.half_m[i]) - us.s_m - us.front_m
        spare = gap - HEADWAY_S * other
        if other < found and spare < within_s * max(found - other, 0.1):
            found = other
    return found


def wanted_mps(corridor: Corridor, start: Start) -> float:
    """What the road allows here and in the next seconds."""
    i = sample_at(corridor, start.s_m)
    j = sample_at(corridor, start.s_m + 4.0 * max(start.speed_mps, 5.0))
    return float(corridor.v_ref_mps[i : j + 1].min())


def worth(
    memory: Memory,
    corridor: Corridor,
    start: Start,
    own: Row,
    other: Row,
    here: Us,
    us: Us,
    side: int,
) -> float | None:
    """What a change to one side is worth that the route does not need, None: nothing. `own` and
    `here` count along our lane, `other` and `us` along the one beside."""
    want = wanted_mps(corridor, start)
    ours = pace(own, here, want, REACHED_S)
    if side == keep_side(memory.context.mission.road_map):
        there = pace(other, us, want, FREE_S)
        return BACK if there >= min(want, ours) - LOSES_MPS else None
    there = pace(other, us, want, REACHED_S)
    gain = there - ours
    if gain < GAINS_MPS:
        return None
    return OVERTAKES + min(MOST_RATE, RATE_1PMPS * gain)


def announced(
    memory: Memory, t_ns: int, options: list[Option], wish_side: int
) -> tuple[list[Option], Indicator, int]:
    """On a fast road: the options without changes of lanes that we have not indicated for as
    long as the market asks; what to indicate for them; and when that was last called for.
    `wish_side`: where we need to go and cannot yet."""
    first = options[0]
    if not fast(first.corridor, first.start.s_m) or first.corridor.manoeuvre.startswith("change"):
        return options, Indicator.OFF, memory.asked_ns
    kept, asks = [first], _SIDE[wish_side]
    announced_ns = nanoseconds(memory.context.market.announced_s)
    for one in options[1:]:
        side = _OF_CHANGE.get(one.corridor.manoeuvre)
        if side is None:
            kept.append(one)
            continue
        if asks == Indicator.OFF:
            asks = side
        if memory.shown == side and t_ns - memory.shown_ns >= announced_ns:
            kept.append(one)
    if asks != Indicator.OFF:
        return kept, asks, t_ns
    if t_ns - memory.asked_ns < HELD_NS:
        return kept, memory.shown, memory.asked_ns
    return kept, Indicator.OFF, memory.asked_ns


def stay_behind(
    memory: Memory,
    it: Interactions,
    c: int,
    corridor: Corridor,
    start: Start,
    ego: FloatArray,
    tracks: Tracks,
) -> None:
    """Lower `it.v_ref` for a corridor, so that nobody on the faster lane beside is passed on the
    wrong side: a row there that is slow already by no more than is allowed."""
    road_map, route = memory.context.mission.road_map, memory.context.route
    lane, lane_s = lane_at(corridor, start.s_m)
    other, _ = neighbour(road_map, lane, -keep_side(road_map))
    if other == NONE or not fast(corridor, start.s_m) or road_map.lane_connector[lane]:
        return
    if not _through(road_map, route, corridor, start, lane, lane_s):
        return
    share = float(road_map.lane_length_m[other]) / max(float(road_map.lane_length_m[lane]), 1.0)
    row = row_on(road_map, route, other, tracks)
    front = lane_s * share + float(ego[E_FRONT])
    n = int(it.n[c])
    cap = it.v_ref[c, :n]
    lowered = False
    ahead = int(((row.s_m > front) & (row.s_m < front + ROW_M)).sum())
    for i in np.flatnonzero(row.s_m + row.half_m > front).tolist():
        v = float(row.speed_mps[i])
        rear = float(row.s_m[i] - row.half_m[i])
        if rear < front or v > start.speed_mps + AS_FAST_MPS:
            continue  # beside us already, or driving away
        most = v + (MORE_MPS if v <= SLOW_ROW_MPS else ROW_MORE_MPS if ahead >= ROW_COUNT else 0.0)
        if most >= start.speed_mps + AS_FAST_MPS:
            continue
        at = start.s_m + max(0.0, rear - front - BEHIND_M)
        # nobody brakes hard for this: where it would take more, we are past before it matters
        soft = start.speed_mps**2 - 2.0 * 0.6 * float(ego[E_BRAKE]) * (at - start.s_m)
        k = min(n - 1, int(at / STEP_M))
        target = max(most, math.sqrt(max(0.0, soft)))
        if (cap[k:] > target).any():
            cap[k:] = np.minimum(cap[k:], target)
            lowered = True
    if lowered:
        backward_pass(cap.copy(), STEP_M, float(ego[E_BRAKE]), float(ego[E_JERK]), cap)


def _through(
    road_map: RoadMap, route: Route, corridor: Corridor, start: Start, lane: int, lane_s: float
) -> bool:
    """Whether our lane goes on beside the other: on one that leaves, or ends, everybody drives as
    they can."""
    if corridor.end_kind in ("lane_change", "dead_end"):
        return False
    ends = float(road_map.lane_length_m[lane]) - lane_s
    if ends > LEAVES_M + 4.0 * start.speed_mps:
        return True
    over = int(route.best_next[lane])
    beyond = int(route.best_next[over]) if over != NONE else NONE
    return beyond != NONE and neighbour(road_map, beyond, -keep_side(road_map))[0] != NONE
