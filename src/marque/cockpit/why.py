"""Why the car is slower than it could be, as one line on the page is bound to it.

1. The planner's active reason, whenever it gives one.
2. Where it gives none, but the car brakes or stands: what the guard does, if it does something;
   else the reason that held until a moment ago (a plan changes before the car has answered).
3. Where there is neither: the page says so, with the code `UNEXPLAINED`. It is never left blank.
"""

from dataclasses import dataclass

from marque.core.time import NS_PER_S
from marque.types.codes import Reason
from marque.types.episode import Tick
from marque.types.verdict import Action

FREE = (Reason.NONE, Reason.SPEED_UP)
BRAKES_MPS2 = -1.0
STANDS_MPS = 0.1
LINGERS_NS = 3 * NS_PER_S
SETS_OFF_NS = 5 * NS_PER_S  # standing without a reason before this is setting off
UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class Why:
    """What the line says since `t_ns`; `uid`: of the road user behind it, -1 if none."""

    code: str = Reason.NONE.name
    uid: int = -1
    t_ns: int = 0
    rule: str = ""  # of the guard
    told_ns: int = -LINGERS_NS  # when the planner or the guard gave it last
    still_ns: int = -1  # standing since, -1: moving

    @property
    def holds(self) -> bool:
        """Whether it is a reason to be slow."""
        return self.code not in (Reason.NONE.name, Reason.SPEED_UP.name)


NO_REASON = Why()


def why_of(before: Why, tick: Tick) -> Why:
    """The line after this tick."""
    t_ns, ego = tick.world.t_ns, tick.world.ego
    stands = abs(ego.speed_mps) < STANDS_MPS
    still_ns = (before.still_ns if before.still_ns >= 0 else t_ns) if stands else -1
    acting = [each for each in tick.verdicts if each.action != Action.PASS]
    if tick.reason == Reason.GUARD and acting:
        rule = max(acting, key=lambda each: each.action).rule
        return _since(before, Reason.GUARD.name, -1, t_ns, rule, t_ns, still_ns)
    if tick.reason not in FREE:
        uid = int(tick.plan.reason_uid) if tick.plan is not None else -1
        return _since(before, tick.reason.name, uid, t_ns, "", t_ns, still_ns)
    waits = stands and t_ns - still_ns > SETS_OFF_NS
    if not waits and ego.accel_mps2 > BRAKES_MPS2:
        return _since(before, tick.reason.name, -1, t_ns, "", before.told_ns, still_ns)
    if acting:
        rule = max(acting, key=lambda each: each.action).rule
        return _since(before, Reason.GUARD.name, -1, t_ns, rule, t_ns, still_ns)
    if before.holds and before.code != UNEXPLAINED and t_ns - before.told_ns <= LINGERS_NS:
        return _since(before, before.code, before.uid, t_ns, before.rule, before.told_ns, still_ns)
    return _since(before, UNEXPLAINED, -1, t_ns, "", before.told_ns, still_ns)


def _since(
    before: Why, code: str, uid: int, t_ns: int, rule: str, told_ns: int, still_ns: int
) -> Why:
    same = (before.code, before.uid, before.rule) == (code, uid, rule)
    return Why(code, uid, before.t_ns if same else t_ns, rule, told_ns, still_ns)
