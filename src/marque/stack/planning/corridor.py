"""Corridor: the path our car means to follow, with everything the map says along it.

Rebuilt only when lanes change or the road ahead runs out, so that it stays still under the car.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.kernels.forecast import OPPOSITE
from marque.kernels.rollout import E_BIAS, E_FRONT, E_HALF_WIDTH, E_STEER
from marque.maps.area import DrivableArea
from marque.maps.field import Route
from marque.maps.oncoming import aside_along
from marque.maps.path import STEP_M, Path, build_path, trailed
from marque.maps.rescue import rescue_along
from marque.stack.planning.sideways import Beside, Leg, Pose, offsets, on_path, shifted
from marque.stack.planning.swept import SLOWEST_MPS, fitted
from marque.types.codes import ConflictKind, Control
from marque.types.road_map import NONE, RoadMap
from marque.types.style import Style

BEHIND_M = 25.0
CLEAR_M = 2.0  # from the lane's start to our front: our rear is then out of the junction
AT_LINE = (
    Control.YIELD, Control.STOP, Control.ALL_WAY_STOP, Control.RIGHT_BEFORE_LEFT,
    Control.ROUNDABOUT,
)  # fmt: skip
ENTRY_M = 0.5  # who waits inside a junction stays farther than this from the ways of others
LED_M = 5.0  # a path that is led by a point of the body ends so much before its last lane, at most
# the point of the body that keeps to the lane's middle, as a share of rear axle to front bumper:
# a compromise between front corners that swing out and rear wheels that cut in
LEAD_SHARE = 0.45
SHOULDER = "shoulder"  # the manoeuvre that ends on it


@dataclass(frozen=True, slots=True)
class Way:
    """The way of others who go first, or as early as we, over ours: path metres, their signal
    head, whether it crosses ours or joins it, and whether they come towards us. `lane`: their
    connector, and where on it ours begins."""

    begin_m: float
    end_m: float
    head: int
    crosses: bool
    towards: bool = False
    equal: bool = False
    lane: int = NONE
    meets_m: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Junction:
    """One connector on the way. All positions are path metres."""

    lane: int
    s_in_m: float
    s_out_m: float
    stop_m: float  # stop line
    head: int
    control: Control
    yields: bool  # some conflicting connector may go first
    wait_m: float  # inside: last point before the first path we yield to; inf if none
    turn: int
    clear_m: float = -np.inf  # end of the last way that crosses ours; -inf if none does
    ways: tuple[Way, ...] = ()  # of those we yield to

    @property
    def entry_m(self) -> float:
        """Where others see that we mean to go: our line where it says to give way, else the place
        inside at which we would wait for them."""
        if self.control in AT_LINE or not np.isfinite(self.wait_m):
            return self.stop_m
        return max(self.stop_m, self.wait_m - ENTRY_M)


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """One crosswalk on the way, path metres."""

    walk: int
    s_in_m: float
    s_out_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Corridor:
    """Path plus rules. `cap_mps` is what limit and curvature allow at each sample, `v_ref_mps`
    the same after comfortable braking towards what comes."""

    path: Path
    cap_mps: FloatArray  # [n]
    limit_mps: FloatArray  # [n]
    v_ref_mps: FloatArray  # [n]
    junctions: tuple[Junction, ...]
    crossings: tuple[Crossing, ...]
    keep_clear_m: FloatArray  # [Z, 2]
    end_m: float  # path metres where this lane sequence ends for us
    end_kind: str  # "goal", "lane_change", "dead_end", "horizon"
    goal_m: float  # path metres of the goal, inf if not on this path
    lanes_end_m: float  # where the last lane ends
    swing_left_m: FloatArray  # [n] how far our front corners reach beyond half our width
    swing_right_m: FloatArray
    manoeuvre: str  # "keep", "change_left", "change_right", "nudge", ...
    settled_m: float  # from here on the path is the plain centre line again
    rescue: bool = False  # beside the middle, with room for rescue vehicles
    leaves: int = 0  # side to which the route leaves at `end_m`: +1 left, -1 right
    out_m: float = math.inf  # with our bumper here, we begin to be in the way of oncoming traffic

    def committed(self, front_m: float) -> bool:
        """Whether we, our bumper at path metres `front_m`, are in the way of oncoming traffic:
        the sooner we are through, the better."""
        return self.manoeuvre == "nudge" and front_m > self.out_m


@jit
def backward_pass(cap: FloatArray, step: float, brake: float, jerk: float, out: FloatArray) -> None:
    """Highest speeds from which braking, eased off with `jerk`, meets every later cap."""
    n = cap.shape[0]
    out[n - 1] = cap[n - 1]
    a = 0.0
    for i in range(n - 2, -1, -1):
        v = out[i + 1]
        a = min(brake, a + jerk * step / max(v, 0.7))
        reach = (v * v + 2.0 * a * step) ** 0.5
        if reach >= cap[i]:
            out[i] = cap[i]
            a = min(brake, max(0.0, (cap[i] * cap[i] - v * v) / (2.0 * step)))
        else:
            out[i] = reach


def follow(
    road_map: RoadMap, route: Route, lane: int, s_m: float, length_m: float
) -> tuple[tuple[int, ...], str]:
    """Lanes from `lane` on, as the route wants, without lane change; and why they end."""
    lanes = [lane]
    gone = -s_m + float(road_map.lane_length_m[lane])
    while True:
        here = lanes[-1]
        if here == route.goal_lane and (len(lanes) > 1 or s_m <= route.goal_s_m + 1.0):
            return tuple(lanes), "goal"
        if _must_change_here(road_map, route, here) and (
            len(lanes) > 1 or s_m < route.last_chance_m[here]
        ):
            return tuple(lanes), "lane_change"
        if gone >= length_m:
            return tuple(lanes), "horizon"
        following = int(route.best_next[here])
        if following == NONE or not np.isfinite(route.cost_s[following]):
            return tuple(lanes), "dead_end"
        if following in lanes:
            return tuple(lanes), "horizon"
        lanes.append(following)
        gone += float(road_map.lane_length_m[following])


def _must_change_here(road_map: RoadMap, route: Route, lane: int) -> bool:
    """Whether the route leaves this lane sideways before it ends."""
    chance = float(route.last_chance_m[lane])
    return bool(route.best_side[lane] != 0 and chance <= float(road_map.lane_length_m[lane]) + 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The centre line of a lane sequence, as our rear axle follows it; `here_m` is where on it we
    asked for it."""

    path: Path
    here_m: float
    end_kind: str


def centre_line(
    road_map: RoadMap,
    route: Route,
    ego: FloatArray,
    area: DrivableArea,
    before: tuple[int, ...],
    lane: int,
    s_m: float,
    ahead_m: float,
    rescue: bool = False,
) -> Line:
    """The line from (lane, s) on: `before` are the lanes just driven (for what follows behind);
    `rescue`: beside the middle, so that rescue vehicles get through."""
    lanes, end_kind = follow(road_map, route, lane, s_m, ahead_m)
    back = s_m
    head: list[int] = []
    for previous in reversed(before):
        if back >= BEHIND_M or previous in lanes or previous in head:
            break
        head.insert(0, previous)
        back += float(road_map.lane_length_m[previous])
    start = max(0.0, back - BEHIND_M)
    front_m = float(ego[E_FRONT])
    path = build_path(road_map, (*head, *lanes), start, ahead_m + BEHIND_M + front_m)
    path = shifted(path, aside_along(road_map, path.lane, path.lane_s_m, STEP_M))
    if ego[E_BIAS] != 0.0 and not rescue:
        path = shifted(path, np.full(len(path.lane), float(ego[E_BIAS])))
    if rescue:
        half_m = float(ego[E_HALF_WIDTH])
        path = shifted(path, rescue_along(road_map, path.lane, STEP_M, half_m))
    path = trailed(path, LEAD_SHARE * front_m)
    return Line(fitted(path, ego, area), back - start, end_kind)


def build_corridor(
    road_map: RoadMap,
    route: Route,
    style: Style,
    ego: FloatArray,
    area: DrivableArea,
    before: tuple[int, ...],
    lane: int,
    s_m: float,
    ahead_m: float,
    rescue: bool = False,
) -> Corridor:
    """Corridor along the centre line from (lane, s)."""
    line = centre_line(road_map, route, ego, area, before, lane, s_m, ahead_m, rescue)
    built = with_rules(road_map, route, style, ego, line.path, line.end_kind, "keep", 0.0)
    return replace(built, rescue=rescue)


def corridor_beside(
    road_map: RoadMap,
    route: Route,
    style: Style,
    ego: FloatArray,
    line: Line,
    state: Beside,
    legs: tuple[Leg, ...],
    manoeuvre: str,
    pose: Pose,
) -> tuple[Corridor, float]:
    """Corridor that leaves the line by `legs`, and our place on it. Settled after the last leg."""
    s = np.arange(len(line.path.xy_m), dtype=np.float64) * STEP_M
    path = shifted(line.path, offsets(s, state, legs))
    here, _ = on_path(path, pose.x_m, pose.y_m, state.s_m, 12.0)
    settled = here + legs[-1].begin_m + legs[-1].length_m
    corridor = with_rules(road_map, route, style, ego, path, line.end_kind, manoeuvre, settled)
    return corridor, here


def swing(path: Path, front_m: float) -> tuple[FloatArray, FloatArray]:
    """[n] how far the front corners reach to the left and to the right beyond half our width."""
    count = max(1, int(front_m / STEP_M))
    padded = np.pad(path.curvature_1pm, (count - 1, 0), mode="edge")
    behind = np.convolve(padded, np.full(count, 1.0 / count), "valid")
    out = np.clip(0.5 * front_m * front_m * behind, -2.0, 2.0)
    return np.maximum(0.0, -out), np.maximum(0.0, out)


def with_rules(
    road_map: RoadMap,
    route: Route,
    style: Style,
    ego: FloatArray,
    path: Path,
    end_kind: str,
    manoeuvre: str,
    settled: float,
) -> Corridor:
    """Read caps, junctions and crosswalks from the map along a path."""
    front_m = float(ego[E_FRONT])
    limit = np.minimum(road_map.lane_limit_mps[path.lane] * style.limit_share, style.top_mps)
    curve = np.sqrt(style.lateral_mps2 / np.maximum(_widest(np.abs(path.curvature_1pm)), 1e-5))
    bend = np.abs(np.gradient(path.curvature_1pm, STEP_M))
    wheel = ego[E_STEER] / np.maximum(_widest(bend), 1e-5)
    left, right = swing(path, front_m)
    cap = np.maximum(SLOWEST_MPS, np.minimum(np.minimum(limit, curve), wheel))
    v_ref = np.empty_like(cap)
    backward_pass(cap, STEP_M, style.brake_mps2, style.jerk_mps3, v_ref)
    last = len(path.lanes) - 1
    goal = end = np.inf
    if end_kind == "goal":
        goal = path.place_m(last, route.goal_s_m)
        end = goal
    elif end_kind in ("lane_change", "dead_end"):
        lane = path.lanes[last]
        chance = float(route.last_chance_m[lane])
        length = float(road_map.lane_length_m[lane])
        chance = max(chance, front_m + CLEAR_M)  # nobody waits for a gap inside the junction before
        end = path.place_m(last, min(chance, length))
    if end > path.length_m + LED_M:  # it lies beyond what is built yet
        end_kind, goal = "horizon", np.inf
    end = min(end, path.length_m)
    goal = min(goal, path.length_m) if end_kind == "goal" else goal
    junctions = []
    crossings = []
    clear: list[tuple[float, float]] = []
    for i, lane in enumerate(path.lanes):
        s_in = float(path.start_m[i])
        if s_in > path.length_m:
            break
        for j in range(road_map.cross_off[lane], road_map.cross_off[lane + 1]):
            a = path.place_m(i, float(road_map.cross_s_in_m[j]))
            b = path.place_m(i, float(road_map.cross_s_out_m[j]))
            crossings.append(Crossing(int(road_map.cross_walk[j]), a, b))
            clear.append((a, b))
        if not road_map.lane_connector[lane]:
            continue
        junctions.append(_junction(road_map, path, i, clear))
    return Corridor(
        path=path,
        cap_mps=cap,
        limit_mps=limit,
        v_ref_mps=v_ref,
        swing_left_m=left,
        swing_right_m=right,
        junctions=tuple(junctions),
        crossings=tuple(sorted(crossings, key=lambda c: c.s_in_m)),
        keep_clear_m=np.array(clear).reshape(-1, 2),
        end_m=end,
        end_kind=end_kind,
        goal_m=goal,
        lanes_end_m=path.place_m(last, float(road_map.lane_length_m[path.lanes[last]])),
        manoeuvre=manoeuvre,
        settled_m=settled,
        leaves=int(route.best_side[path.lanes[last]]) if end_kind == "lane_change" else 0,
    )


def _way(road_map: RoadMap, lane: int, row: int, begin: float, end: float) -> Way:
    other = int(road_map.conf_lane[row])
    turn = road_map.pt_heading_rad[road_map.pt_off[[other, lane]]]
    return Way(
        begin,
        end,
        int(road_map.lane_head[other]),
        bool(road_map.conf_kind[row] == ConflictKind.CROSS),
        bool(np.cos(turn[0] - turn[1]) < OPPOSITE),
        bool(road_map.conf_priority[row] == 0),
        other,
        float(road_map.conf_other_in_m[row]),
    )


def _widest(values: FloatArray) -> FloatArray:
    """[n] greatest of each value and its two neighbours on either side."""
    padded = np.pad(values, 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5)
    widest: FloatArray = np.max(windows, axis=1)
    return widest


def _junction(road_map: RoadMap, path: Path, i: int, clear: list[tuple[float, float]]) -> Junction:
    lane = path.lanes[i]
    s_in = float(path.start_m[i])
    stop = s_in
    if i > 0:
        before = path.lanes[i - 1]
        line = float(road_map.lane_stop_m[before])
        if np.isfinite(line):
            stop = path.place_m(i - 1, line)
    rows = range(road_map.conf_off[lane], road_map.conf_off[lane + 1])
    wait = np.inf
    yields = False
    box_end = -np.inf
    ways: list[Way] = []
    for j in rows:
        if road_map.conf_kind[j] == ConflictKind.DIVERGE:
            continue
        begin = path.place_m(i, float(road_map.conf_s_in_m[j]))
        end = path.place_m(i, float(road_map.conf_s_out_m[j]))
        crosses = bool(road_map.conf_kind[j] == ConflictKind.CROSS)
        if crosses:
            clear.append((begin, end))
            box_end = max(box_end, end)
        if road_map.conf_priority[j] <= 0:
            yields = True
            wait = min(wait, begin)
            ways.append(_way(road_map, lane, j, begin, end))
    return Junction(
        lane=lane,
        s_in_m=s_in,
        s_out_m=path.place_m(i, float(road_map.lane_length_m[lane])),
        stop_m=stop,
        head=int(road_map.lane_head[lane]),
        control=Control(int(road_map.lane_control[lane])),
        yields=yields,
        wait_m=wait,
        turn=int(road_map.lane_turn[lane]),
        clear_m=box_end,
        ways=tuple(ways),
    )
