"""Who stands because of us, and waits for ever unless we go first."""

import math

import numpy as np

from marque.core.arrays import BoolArray, IntArray
from marque.kernels.rollout import E_FRONT
from marque.stack.planning.state import NOBODY, Memory
from marque.types.codes import UserKind
from marque.types.scene import Scene, Tracks

STANDOFF_S = 3.0  # two who have both stood for so long may wait for each other for ever
PASSING_M = 3.0  # from our front bumper to the middle of somebody
UNDER_WAY_MPS = 1.0
SAME_WAY = 0.7  # cosine of headings
TRAFFIC_MPS, TRAFFIC_M, TRAFFIC_PAST_M = 2.0, 40.0, 5.0  # who comes near somebody that stands


def granted(memory: Memory, scene: Scene) -> IntArray:
    """uids of users who have stood as long as we have: they wait for us, and we may go first.
    The grant holds until they move or we are well on our way."""
    if scene.ego.speed_mps > 5.0:
        return NOBODY
    tracks = scene.tracks
    known = np.isin(tracks.uid, memory.granted)
    keeps = known & (tracks.speed_mps < 0.4)
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
