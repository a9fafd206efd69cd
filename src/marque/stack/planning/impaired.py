"""Driving with senses that are not all in order: slower and with more headway, or to a stop.

The one place where the health of the senses touches the plan. A hard stop is not planned here: our
pose may then not be used, and the guard brakes.
"""

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import PLAN_STEP_S
from marque.kernels.following import stop_distance
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_HEADWAY, E_JERK
from marque.stack.planning.interactions import Interactions
from marque.stack.planning.rules import Rules, Stop
from marque.stack.planning.state import Halt, Option, Start
from marque.types.codes import Reaction, Reason
from marque.types.scene import Scene
from marque.types.takeover import Mode

# What one sensor less may cost: it is seen a list or two later, so the same gap has to hold half
# again as long; and four fifths of the speed need about two thirds of the way to stop.
SPEED_SHARE, FASTEST_MPS, HEADWAY_SHARE = 0.8, 25.0, 1.5
STANDS_MPS = 0.3
ROLLS_MPS = 3.0  # to a place of rest that is farther than a soft stop
SPARE_M = 0.2


def degraded(scene: Scene) -> bool:
    """Whether we drive slower because of our senses."""
    return scene.health.level >= Reaction.DEGRADE


def brought_to_rest(scene: Scene) -> bool:
    """Whether nobody took over, and we end the drive by ourselves."""
    return scene.order.mode in (Mode.MANOEUVRE, Mode.STANDSTILL) or (
        scene.order.mode == Mode.EMERGENCY and scene.order.hazard
    )


def halts(scene: Scene) -> bool:
    """Whether we stop, or stay where we are: nobody needs ten seconds to take over a standing
    car."""
    level = scene.health.level
    if brought_to_rest(scene):
        return True
    return level >= Reaction.STOP or (
        level == Reaction.TAKEOVER and scene.ego.speed_mps < STANDS_MPS
    )


def wary(scene: Scene, ego: FloatArray) -> FloatArray:
    """Our parameters, with more headway while the senses are impaired."""
    if not degraded(scene):
        return ego
    ego = ego.copy()
    ego[E_HEADWAY] *= HEADWAY_SHARE
    return ego


def slow_down(scene: Scene, it: Interactions) -> None:
    """Lower the speeds that we aim for; who is faster than that lets the car roll out. On the way
    to rest nobody speeds up again."""
    if degraded(scene):
        np.minimum(SPEED_SHARE * it.v_ref, FASTEST_MPS, out=it.v_ref)
    if brought_to_rest(scene):
        np.minimum(it.v_ref, max(ROLLS_MPS, scene.ego.speed_mps), out=it.v_ref)


def coming_to_rest(scene: Scene, ego: FloatArray, start: Start, before: Halt | None) -> Halt | None:
    """Where a soft stop ends, kept from plan to plan; None while we drive. What has been driven
    since is taken from the way that was left: the place does not depend on corridors."""
    if not halts(scene):
        return None
    v = start.speed_mps
    if before is None:
        way = stop_distance(v, max(0.0, start.accel_mps2), ego[E_BRAKE], ego[E_JERK])
        return Halt(way + SPARE_M, v)
    gone = 0.5 * (before.speed_mps + v) * PLAN_STEP_S
    return Halt(max(0.0, before.left_m - gone), v)


def halt(
    scene: Scene, place: Halt | None, ego: FloatArray, options: list[Option], rules: list[Rules]
) -> None:
    """Stop there, in lane."""
    if place is None:
        return
    reason = Reason.TAKEOVER if brought_to_rest(scene) else Reason.SENSES
    for one, each in zip(options, rules, strict=True):
        at = one.start.s_m + float(ego[E_FRONT]) + place.left_m
        each.binding.append(Stop(at, reason))
