"""Why the car is slower than it could be, and what it tells the others."""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.kernels.overlap import EGO_STEP_M
from marque.kernels.rollout import R_CAUSE
from marque.stack.planning.corridor import Corridor
from marque.stack.planning.impaired import degraded
from marque.stack.planning.interactions import UNSEEN, Interactions
from marque.stack.planning.overtake import fast
from marque.stack.planning.propose import NORMAL, Policy
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.forecast import Forecast
from marque.types.plan import Trajectory
from marque.types.scene import Scene

ASKS_M = 80.0  # before a lane change that we need, we ask to be let in,
FAST_ASKS_M = 320.0  # and on a fast road, as long before as an acceleration lane may be


def explain(
    scene: Scene,
    forecast: Forecast,
    corridor: Corridor,
    policy: Policy,
    it: Interactions,
    result: FloatArray,
    trajectory: Trajectory,
    s_m: float,
) -> tuple[Reason, int]:
    """The one reason why the car is slower than it could be, and the road user behind it."""
    soon = slice(1, 31)
    slow = trajectory.speed_mps[soon]
    i = np.minimum((s_m + trajectory.s_m[soon]) / EGO_STEP_M, len(corridor.cap_mps) - 1).astype(int)
    gap = corridor.limit_mps[i] - slow
    if policy.mode != NORMAL:
        return Reason.FALLBACK, -1
    if float(gap.max()) < 0.6:
        return Reason.NONE, -1
    braking = float(trajectory.accel_mps2[soon].min()) < -0.15
    standing = float(slow.max()) < 0.3
    cause = int(result[0, R_CAUSE])
    held = standing or braking or float(trajectory.accel_mps2[soon].max()) < 0.4
    if policy.stop is not None and held:
        room = policy.stop.at_m - s_m - 0.5 * float(it.length[0] if len(it.length) else 0.0)
        v = float(trajectory.speed_mps[0])
        holds = cause < 0 or standing_at(policy, s_m, room, v)
        if holds and room < max(15.0, v * v / 2.0 + 3.0 * v):
            return policy.stop.reason, policy.stop.uid
    if cause >= 0 and held:
        track = int(forecast.track[cause])
        return _for_user(scene, track, policy), int(scene.tracks.uid[track])
    if policy.scale < 1.0:
        return Reason.YIELD, -1
    ref = it.v_ref[policy.corridor][i]
    lower = corridor.v_ref_mps[i] - ref
    if float(lower.max()) > 0.5 and float((ref - slow).min()) < 0.5:
        uid = int(it.beside[policy.corridor])
        if uid == UNSEEN:
            return Reason.OCCLUSION, -1
        if uid < 0 and degraded(scene):
            return Reason.SENSES, -1
        if uid < 0 and (scene.chart.limits or math.isfinite(scene.chart.limit_mps)):
            return Reason.SPEED_LIMIT_AHEAD, -1
        return _beside(scene, uid), uid
    if braking or float((ref - slow).max()) < 1.0:
        lower = corridor.limit_mps[i] - corridor.cap_mps[i]
        if float(lower.max()) > 0.5 or float(gap.max()) > 0.6:
            return Reason.CURVE, -1
    return Reason.SPEED_UP, -1


def standing_at(policy: Policy, s_m: float, room: float, v: float) -> bool:
    """Whether the stop target, not a leader, is what holds the car."""
    return policy.stop is not None and room < max(2.0, 0.5 * v)


def _beside(scene: Scene, uid: int) -> Reason:
    """Why we pass somebody slowly."""
    who = scene.tracks.kind[scene.tracks.uid == uid]
    return Reason.PEDESTRIAN if (who == UserKind.PEDESTRIAN).any() else Reason.YIELD


def _for_user(scene: Scene, track: int, policy: Policy) -> Reason:
    if policy.virtual >= 0:
        return Reason.MERGE
    kind = int(scene.tracks.kind[track])
    if kind == UserKind.PEDESTRIAN:
        return Reason.PEDESTRIAN
    if kind == UserKind.BICYCLE:
        return Reason.CYCLIST
    if kind == UserKind.BUS and float(scene.tracks.still_s[track]) > 3.0:
        return Reason.BUS_STOP
    return Reason.LEAD


def indicate(corridor: Corridor, s_m: float, trajectory: Trajectory) -> Indicator:
    """What to tell the others: a lane change, the next turn, or a lane change that we need."""
    if corridor.manoeuvre == "change_left":
        return Indicator.LEFT
    if corridor.manoeuvre == "change_right":
        return Indicator.RIGHT
    reach = s_m + max(25.0, 3.0 * float(trajectory.speed_mps[0]))
    for junction in corridor.junctions:
        if junction.s_out_m > s_m and junction.s_in_m < reach:
            if junction.turn in (2, 4):
                return Indicator.LEFT
            if junction.turn == 3:
                return Indicator.RIGHT
    asks_m = max(ASKS_M, 2.0 * (reach - s_m))
    if fast(corridor, s_m):  # there others need to know sooner, and we to be let in at speed
        asks_m = max(asks_m, FAST_ASKS_M)
    if corridor.leaves and corridor.end_m < s_m + asks_m:
        return Indicator.LEFT if corridor.leaves > 0 else Indicator.RIGHT
    return Indicator.OFF
