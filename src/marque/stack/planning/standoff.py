"""Who stands because of us, and waits for ever unless we go first; and who stands in our way, and
has to go before we can."""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array, IntArray
from marque.kernels.following import stop_distance
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_JERK
from marque.stack.planning.interactions import Interactions
from marque.stack.planning.rules import LINE_MARGIN_M, ZONE_MARGIN_M, Stop
from marque.stack.planning.state import NOBODY, Memory, Option
from marque.types.codes import Reason, UserKind
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Scene, Tracks

STANDOFF_S = 3.0  # two who have both stood for so long may wait for each other for ever
# the grant: until they move, for those within this distance; none is given while we drive
MOVES_MPS, GRANTED_M, GRANTS_MPS = 0.4, 30.0, 5.0
PASSING_M = 3.0  # from our front bumper to the middle of somebody
UNDER_WAY_MPS = 1.0
SAME_WAY = 0.7  # cosine of headings
# who is across our way and still slow; by the cosine of headings; what is kept to them at least
OUT_MPS, OUT_COS, OUT_LEAST_M = 2.0, 0.5, 2.0
TRAFFIC_MPS, TRAFFIC_M, TRAFFIC_PAST_M = 2.0, 40.0, 5.0  # who comes near somebody that stands


def granted(memory: Memory, scene: Scene) -> IntArray:
    """uids of users who have stood as long as we have: they wait for us, and we may go first.
    The grant holds until they move or lie behind: who has begun to cross before them does not
    stop in their way because they might set off after all."""
    if len(memory.granted) == 0 and scene.ego.speed_mps > GRANTS_MPS:
        return NOBODY
    tracks = scene.tracks
    known = np.isin(tracks.uid, memory.granted)
    keeps = known & (tracks.speed_mps < MOVES_MPS)
    if scene.ego.speed_mps > GRANTS_MPS:
        near = np.hypot(tracks.x_m - scene.ego.x_m, tracks.y_m - scene.ego.y_m) < GRANTED_M
        held: IntArray = tracks.uid[keeps & near & (tracks.kind != UserKind.PEDESTRIAN)]
        return held
    if memory.stood_s > STANDOFF_S:
        stands = (tracks.speed_mps < 0.1) & (tracks.still_s > STANDOFF_S)
        keeps |= stands
    # they may wait for somebody else; but whom we are about to pass has seen us come, and who sees
    # us under way does not begin to move into our way
    away = np.hypot(tracks.x_m - scene.ego.x_m, tracks.y_m - scene.ego.y_m)
    passing = known & (away < memory.context.ego[E_FRONT] + PASSING_M)
    if scene.ego.speed_mps < UNDER_WAY_MPS:
        keeps &= passing | ~wait_for_traffic(tracks, keeps)
    chosen: IntArray = tracks.uid[keeps & (tracks.kind != UserKind.PEDESTRIAN)]
    return chosen


def wait_for_traffic(tracks: Tracks, who: BoolArray) -> BoolArray:
    """[n] those of `who` whom somebody comes near: they may wait for that one, and not for us.
    Nobody waits for who comes up behind them."""
    found = np.zeros(tracks.count, dtype=np.bool_)
    moves = (tracks.speed_mps > TRAFFIC_MPS) & (tracks.kind != UserKind.PEDESTRIAN)
    cos, sin = np.cos(tracks.heading_rad[moves]), np.sin(tracks.heading_rad[moves])
    for i in np.flatnonzero(who).tolist():
        dx, dy = tracks.x_m[i] - tracks.x_m[moves], tracks.y_m[i] - tracks.y_m[moves]
        comes = (np.hypot(dx, dy) < TRAFFIC_M) & (dx * cos + dy * sin > -TRAFFIC_PAST_M)
        hx, hy = math.cos(tracks.heading_rad[i]), math.sin(tracks.heading_rad[i])
        comes &= (dx * hx + dy * hy < 0.0) | (cos * hx + sin * hy < SAME_WAY)
        found[i] = bool(comes.any())
    return found


def let_out(
    it: Interactions,
    c: int,
    option: Option,
    ego: FloatArray,
    road_map: RoadMap,
    tracks: Tracks,
    track: Int32Array,
) -> Stop | None:
    """Where we wait, on corridor c, for somebody who stands or sets off across it in a junction:
    before all of the way on which they leave it, for as we drive up to them we shut them in; and
    before the junction, or no deeper in it than we are, for while we wait others have green. None
    where nobody does. `track` [K] of each path."""
    start = option.start
    front = start.s_m + float(ego[E_FRONT])
    least = stop_distance(start.speed_mps, start.accel_mps2, ego[E_BRAKE], ego[E_JERK])
    lane = tracks.lane[track]
    turns = (lane != NONE) & road_map.lane_connector[np.where(lane == NONE, 0, lane)]
    here = (it.first[c, : len(track)] == 0) & (it.lo[c, : len(track), 0] > front)
    here &= turns & (it.speed <= OUT_MPS) & (it.limit > 0.0)
    here &= (it.cosr[c, : len(track), 0] < OUT_COS) & (it.walker == 0) & (it.doubt == 0)
    here &= it.k_off[c, : len(track)] < -1e8  # who turns onto our way drives on ahead of us
    found: Stop | None = None
    for k in np.flatnonzero(here).tolist():
        place = float(it.lo[c, k].min()) - ZONE_MARGIN_M
        for junction in option.corridor.junctions:
            if junction.stop_m - LINE_MARGIN_M < place < junction.s_out_m:
                place = junction.stop_m - LINE_MARGIN_M
        place = max(place, front + least)
        near = place < float(it.lo[c, k, 0]) - OUT_LEAST_M
        if near and (found is None or place < found.at_m):
            found = Stop(place, Reason.YIELD, int(tracks.uid[track[k]]))
    return found
