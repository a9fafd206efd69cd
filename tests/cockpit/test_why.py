"""The line that says why: never blank while the car brakes or stands."""

from dataclasses import replace

from episodes import drive
from marque.cockpit.why import LINGERS_NS, NO_REASON, SETS_OFF_NS, UNEXPLAINED, why_of
from marque.core.time import PLAN_STEP_NS
from marque.types.codes import Reason
from marque.types.verdict import Action, Verdict

TICK = drive(0.5).ticks[-1]


def tick(reason: Reason, t_ns: int, speed=10.0, accel=0.0, verdicts=()):
    ego = replace(TICK.world.ego, speed_mps=speed, accel_mps2=accel)
    world = replace(TICK.world, ego=ego, t_ns=t_ns)
    return replace(TICK, world=world, reason=reason, verdicts=verdicts)


def brake(t_ns: int) -> Verdict:
    return Verdict(t_ns, Action.BRAKE, TICK.command, "rss", -0.2, True)


def test_the_planners_reason_is_shown_and_its_time_counted() -> None:
    why = why_of(NO_REASON, tick(Reason.YIELD, PLAN_STEP_NS))
    later = why_of(why, tick(Reason.YIELD, 5 * PLAN_STEP_NS))
    assert (why.code, why.t_ns) == ("YIELD", PLAN_STEP_NS)
    assert later.t_ns == PLAN_STEP_NS and later.holds


def test_braking_without_a_reason_keeps_the_last_one_for_a_while() -> None:
    why = why_of(NO_REASON, tick(Reason.LEAD, 0))
    soon = why_of(why, tick(Reason.NONE, LINGERS_NS, accel=-2.0))
    late = why_of(why, tick(Reason.NONE, LINGERS_NS + 1, accel=-2.0))
    assert (soon.code, late.code) == ("LEAD", UNEXPLAINED)


def test_the_guard_is_named_where_the_planner_names_nothing() -> None:
    why = why_of(NO_REASON, tick(Reason.NONE, 0, accel=-2.0, verdicts=(brake(0),)))
    assert (why.code, why.rule) == ("GUARD", "rss")
    acts = why_of(NO_REASON, tick(Reason.GUARD, 0, verdicts=(brake(0),)))
    assert (acts.code, acts.rule) == ("GUARD", "rss")


def test_standing_is_setting_off_only_for_a_while() -> None:
    first = why_of(NO_REASON, tick(Reason.SPEED_UP, 0, speed=0.0))
    assert first.code == "SPEED_UP"
    late = why_of(first, tick(Reason.SPEED_UP, SETS_OFF_NS + PLAN_STEP_NS, speed=0.0))
    assert late.code == UNEXPLAINED


def test_gentle_braking_on_a_free_road_needs_no_reason() -> None:
    assert why_of(NO_REASON, tick(Reason.NONE, 0, accel=-0.8)).code == "NONE"
