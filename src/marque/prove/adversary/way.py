"""The way of a drive: the lane that our car stands on and those that follow, as a line with the
speeds that its bends and limits allow."""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import project
from marque.core.jit import jit
from marque.maps.path import STEP_M, Path, build_path, trailed
from marque.stack.planning.trajectory import along
from marque.types.codes import Allow, Turn
from marque.types.plan import STEP_S, STEPS, Trajectory
from marque.types.road_map import RoadMap

BACK_M, AHEAD_M = 15.0, 800.0
LEAST_M = 120.0  # of way ahead; whose way ends sooner is not taken
LATERAL_MPS2, BRAKING_MPS2 = 2.5, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A path of the rear axle with the speed allowed at each of its samples."""

    path: Path
    arc_m: FloatArray  # [n]
    allowed_mps: FloatArray  # [n]
    edges: tuple[str, ...]

    def place_m(self, x_m: float, y_m: float) -> float:
        """Path metres of a place."""
        last = len(self.arc_m) - 1
        s_m, _, _ = project(self.path.xy_m, self.arc_m, x_m, y_m, 0, last)
        return float(s_m)

    def aside_m(self, x_m: float, y_m: float) -> float:
        """How far a place is beside the way, unsigned."""
        last = len(self.arc_m) - 1
        _, d_m, _ = project(self.path.xy_m, self.arc_m, x_m, y_m, 0, last)
        return abs(float(d_m))

    def roll(
        self, s_m: float, speed_mps: float, gain_mps2: float, braking_mps2: float, free: bool
    ) -> Trajectory:
        """Along the way from a place: speeding up by `gain_mps2` to what is allowed (`free`:
        beyond it), or down to rest if `braking_mps2` is above 0."""
        s, v, a = _rolled(self.allowed_mps, s_m, speed_mps, gain_mps2, braking_mps2, free)
        return along(self.path, s, v, a)


def find_way(
    road_map: RoadMap, lane: int, x_m: float, y_m: float, edges: tuple[str, ...], lead_m: float
) -> Way | None:
    """Along `edges` as far as the lanes lead there, else straight on; None where it soon ends."""
    points = road_map.points(lane)
    s_m, _, _ = project(points, road_map.arc(lane), x_m, y_m, 0, len(points) - 1)
    lanes, begin_m = [lane], float(s_m) - BACK_M
    while begin_m < 0.0:
        before = [each for each in road_map.predecessors(lanes[0]).tolist() if each not in lanes]
        if not before:
            break
        lanes.insert(0, before[0])
        begin_m += float(road_map.lane_length_m[before[0]])
    far_m = float(road_map.lane_length_m[lane]) - float(s_m)
    wanted = set(edges)
    while far_m < AHEAD_M and (after := _after(road_map, lanes, wanted)) is not None:
        lanes.append(after)
        far_m += float(road_map.lane_length_m[after])
    if far_m < LEAST_M:
        return None
    path = build_path(road_map, tuple(lanes), max(0.0, begin_m), BACK_M + AHEAD_M)
    path = trailed(path, lead_m)
    limits: FloatArray = road_map.lane_limit_mps[path.lane]
    bends: FloatArray = np.sqrt(LATERAL_MPS2 / np.maximum(1e-4, np.abs(path.curvature_1pm)))
    allowed = _with_braking(np.asarray(np.minimum(limits, bends), dtype=np.float64))
    rows = [each for each in lanes if not road_map.lane_connector[each]]
    names = dict.fromkeys(road_map.edge_name[int(road_map.lane_edge[each])] for each in rows)
    arc_m = STEP_M * np.arange(len(path.xy_m), dtype=np.float64)
    return Way(path, np.asarray(arc_m, dtype=np.float64), allowed, tuple(names))


def _after(road_map: RoadMap, lanes: list[int], wanted: set[str]) -> int | None:
    """The lane that follows: towards the wanted edges, else the straightest that cars may use."""
    best, rank = None, -1
    for each in road_map.successors(lanes[-1]).tolist():
        if each in lanes or not road_map.lane_allow[each] & Allow.CAR:
            continue
        onward = road_map.successors(each).tolist() if road_map.lane_connector[each] else [each]
        names = {road_map.edge_name[int(road_map.lane_edge[one])] for one in onward}
        turn = road_map.lane_turn[each]
        mark = 2 if names & wanted else int(turn in (Turn.NONE, Turn.STRAIGHT))
        if mark > rank:
            best, rank = each, mark
    return best


@jit
def _with_braking(allowed: FloatArray) -> FloatArray:
    """The same speeds, each low enough to brake softly for what follows."""
    out = allowed.copy()
    for i in range(len(out) - 2, -1, -1):
        out[i] = min(out[i], np.sqrt(out[i + 1] ** 2 + 2.0 * BRAKING_MPS2 * STEP_M))
    return out


@jit
def _rolled(
    allowed: FloatArray, s: float, v: float, gain: float, braking: float, free: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Place, speed and acceleration each STEP_S."""
    out_s = np.empty(STEPS)
    out_v = np.empty(STEPS)
    out_a = np.empty(STEPS)
    last = len(allowed) - 1
    for k in range(STEPS):
        a = -braking
        if braking <= 0.0:
            ahead = allowed[min(last, max(0, int((s + 0.5 * v) / STEP_M)))]
            a = gain if free else min(gain, max(-3.0, (ahead - v) / 0.5))
        after = max(0.0, v + a * STEP_S)
        out_s[k], out_v[k], out_a[k] = s, v, (after - v) / STEP_S
        s += 0.5 * (v + after) * STEP_S
        v = after
    return out_s, out_v, out_a
