"""The guard as a whole: its laws, its watchdog, its arbitration, its fall-back."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    CAR,
    DT_NS,
    SUV,
    User,
    drive_road,
    impact_mps,
    on_arc,
    plan,
    plan_of,
    reading,
    run,
    trajectory,
)

from marque.core.arrays import FloatArray
from marque.guard import corridor, fallback, watch
from marque.guard import path as paths
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.plan import Plan
from marque.types.platform import Platform
from marque.types.reading import Reading
from marque.types.verdict import Action, Verdict
from marque.vehicle import dynamics

MS = 1_000_000


def ask(accel: float = 0.0, curvature: float = 0.0, t_ns: int = 0) -> Command:
    return Command(t_ns, accel, curvature, Indicator.LEFT)


def at(speed: float = 10.0) -> FloatArray:
    return dynamics.initial(CAR, 0.0, 0.0, 0.0, speed)


def once(
    got: Reading, offered: Plan | None, command: Command, memory: GuardMemory | None = None
) -> tuple[GuardMemory, Verdict]:
    return guard(memory or GuardMemory(), got, offered, command, CAR)


def test_an_ordinary_command_passes_as_it_is() -> None:
    command = ask(1.0, 0.0001)
    _, verdict = once(reading(at(), [], 0), plan_of(at(), 0), command)
    assert verdict.action == Action.PASS and verdict.command is command
    assert verdict.rule == "" and not verdict.warning


def test_a_limited_command_keeps_its_indicator_and_names_the_rule() -> None:
    _, verdict = once(reading(at(), [], 0), plan_of(at(), 0), ask(4.0))
    assert (verdict.action, verdict.rule) == (Action.LIMIT, "accel")
    assert verdict.command.accel_mps2 == 2.0
    assert verdict.command.indicator == Indicator.LEFT
    assert verdict.margin == pytest.approx(0.5)


def test_a_warning_alone_lets_the_command_pass() -> None:
    gap = next(
        g
        for g in np.arange(30.0, 10.0, -0.25)
        if _look(g)[3] and not _look(g)[1]  # warned, no rule acts
    )
    wall = User(CAR.front_m + gap + 2.25, 0.0)
    _, verdict = once(reading(at(12.0), [wall], 0), plan_of(at(12.0), 0), ask(0.0))
    assert verdict.action == Action.PASS and verdict.warning


def _look(gap: float) -> tuple[float, int, float, bool]:
    wall = User(CAR.front_m + gap + 2.25, 0.0)
    got = reading(at(12.0), [wall], 0)
    path = paths.corridor(plan_of(at(12.0), 0).trajectory)
    return watch.look(path, got, watch.nothing_asked(), 0.0, 0.0, CAR)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["accel", "curvature", "ego", "object", "plan", "fallback"])
def test_what_is_not_a_number_is_refused(where: str, bad: float) -> None:
    memory, _ = once(reading(at(), [], 0), plan_of(at(), 0), ask())
    users = [User(bad if where == "object" else 50.0, 8.0)]
    got = reading(at(), users, 20 * MS)
    command = ask(bad if where == "accel" else 0.0, bad if where == "curvature" else 0.0, 20 * MS)
    offered = plan_of(at(), 20 * MS)
    if where == "ego":
        got = replace(got, ego=replace(got.ego, speed_mps=bad))
    if where in ("plan", "fallback"):
        field = "trajectory" if where == "plan" else "fallback"
        values = getattr(offered, field).speed_mps.copy()
        values[40] = bad
        offered = replace(offered, **{field: replace(getattr(offered, field), speed_mps=values)})
    memory, verdict = once(got, offered, command, memory)
    assert verdict.action == Action.FALLBACK and verdict.rule.endswith("not_finite")
    assert math.isfinite(verdict.command.accel_mps2 + verdict.command.curvature_1pm)
    assert verdict.command.accel_mps2 <= 0.0 and verdict.warning


def test_before_the_first_plan_a_standing_car_waits_150_ms_then_is_braked() -> None:
    memory = GuardMemory()
    seen = []
    for i in range(10):
        t_ns = i * DT_NS
        got = reading(at(0.0), [], t_ns)
        memory, verdict = guard(memory, got, None, ask(-0.8, 0.0, t_ns), CAR)
        seen.append((verdict.action, verdict.rule))
    assert seen[:8] == [(Action.PASS, "")] * 8
    assert seen[8:] == [(Action.FALLBACK, "no_plan")] * 2


def test_without_any_fall_back_it_brakes_in_lane_with_the_wheel_held() -> None:
    car = at(15.0)
    car[dynamics.STEER] = math.atan(0.01 * CAR.wheelbase_m)
    car[dynamics.YAW_RATE] = 0.01 * 15.0
    memory = GuardMemory()
    for i in range(20):
        t_ns = i * DT_NS
        memory, verdict = guard(memory, reading(car, [], t_ns), None, ask(0.0, 0.01, t_ns), CAR)
    assert verdict.rule == "no_plan"
    assert verdict.command.accel_mps2 == fallback.IN_LANE_MPS2
    assert verdict.command.curvature_1pm == pytest.approx(0.01, abs=1e-9)


def test_the_watchdog_stops_the_car_on_its_last_fall_back_and_lets_go_when_plans_return() -> None:
    def planned(t_s: float) -> bool:
        return t_s < 2.0 or t_s >= 4.0

    got = run(CAR, 12.0, lambda _t, _c: (0.3, 0.0), lambda _t, _c: [], 6.0, planned=planned)
    first = got.interventions[0]
    assert (first.action, first.rule) == (Action.FALLBACK, "plan_stale")
    assert first.t_ns == round((1.9 + 0.16) * 1e9)  # the last plan is in force from 1.9 s
    assert all(v.action == Action.PASS for v in got.verdicts[200:])
    assert got.cars[200][dynamics.SPEED] < 9.0


@given(
    st.sampled_from([CAR, SUV]),
    st.floats(3.0, 25.0),
    st.floats(-2.5, 2.5),
    st.floats(-5.0, 3.0),
    st.floats(-0.2, 0.2),
)
@settings(max_examples=25, deadline=None)
def test_a_stop_stays_in_the_corridor_of_the_fall_back(
    car: Platform, speed: float, lateral: float, accel: float, curvature: float
) -> None:
    """The driver goes silent in a bend and its last command points anywhere."""
    bend = max(-0.15, min(0.15, lateral / speed**2))
    p = dynamics.parameters(car)
    state = dynamics.initial(car, 0.0, 0.0, 0.0, speed)
    state[dynamics.STEER] = dynamics.steer_for(p, bend, speed)
    state[dynamics.YAW_RATE] = bend * speed
    ring = slice(dynamics.CURVATURE_RING, dynamics.CURVATURE_RING + dynamics.RING)
    state[ring] = bend
    offered = plan_of(state, 0, bend)
    memory, _ = guard(
        GuardMemory(), reading(state, [], 0), offered, Command(0, 0.0, bend, Indicator.OFF), car
    )
    for i in range(1, 600):
        t_ns = 200 * MS + i * DT_NS
        command = Command(t_ns, accel, curvature, Indicator.OFF)
        memory, verdict = guard(memory, reading(state, [], t_ns), offered, command, car)
        assert verdict.action == Action.FALLBACK
        assert verdict.command.accel_mps2 <= max(-car.max_brake_mps2, min(0.0, accel))
        state = dynamics.step(
            p, state, verdict.command.accel_mps2, verdict.command.curvature_1pm, 0.02
        )
        _, d, _ = paths.place_on(paths.corridor(offered.fallback), state[0], state[1])
        assert abs(d) < 0.3
        if state[dynamics.SPEED] == 0.0:
            break
    assert state[dynamics.SPEED] == 0.0


def test_a_fall_back_that_would_gain_speed_is_not_followed_in_that() -> None:
    go = trajectory(0.0, 0.0, 0.0, 5.0, accel=1.5)
    corridor = paths.corridor(go)
    accel, curvature = fallback.stop(corridor, reading(at(5.0), [], 0).ego, fallback.numbers(CAR))
    assert accel == 0.0 and curvature == pytest.approx(0.0)


def test_a_standing_car_on_its_fall_back_is_held() -> None:
    stand = trajectory(0.0, 0.0, 0.0, 0.0)
    accel, _ = fallback.stop(
        paths.corridor(stand), reading(at(0.0), [], 0).ego, fallback.numbers(CAR)
    )
    assert accel == fallback.HOLD_MPS2


def test_a_refused_plan_is_as_bad_as_none_and_the_next_good_one_is_taken() -> None:
    memory, _ = once(reading(at(), [], 0), plan_of(at(), 0), ask())
    far = replace(plan_of(at(), 20 * MS), fallback=trajectory(0.0, 5.0, 0.0, 10.0, accel=-3.0))
    memory, verdict = once(reading(at(), [], 20 * MS), far, ask(t_ns=20 * MS), memory)
    assert (verdict.action, verdict.rule) == (Action.FALLBACK, "fallback_elsewhere")
    memory, verdict = once(reading(at(), [], 40 * MS), far, ask(t_ns=40 * MS), memory)
    assert verdict.rule == "fallback_elsewhere"  # looked at once, remembered
    good = plan_of(at(), 60 * MS)
    memory, verdict = once(reading(at(), [], 60 * MS), good, ask(t_ns=60 * MS), memory)
    assert verdict.action == Action.PASS
    memory, verdict = once(reading(at(), [], 80 * MS), None, ask(t_ns=80 * MS), memory)
    assert verdict.action == Action.PASS  # the last one is still young


def test_stale_senses_stop_the_car() -> None:
    memory, _ = once(reading(at(), [], 0), plan_of(at(), 0), ask())
    late = reading(at(), [], 220 * MS, 0)
    offered = plan_of(at(), 200 * MS)
    _, verdict = once(late, offered, ask(t_ns=220 * MS), memory)
    assert (verdict.action, verdict.rule) == (Action.FALLBACK, "objects_stale")
    blind = reading(at(), [], 40 * MS)
    blind = replace(blind, ego=replace(blind.ego, t_ns=0))
    _, verdict = once(blind, offered, ask(0.0, 0.004, 40 * MS), memory)
    assert (verdict.action, verdict.rule) == (Action.FALLBACK, "ego_stale")
    assert verdict.command.accel_mps2 == fallback.IN_LANE_MPS2
    assert verdict.command.curvature_1pm == 0.0  # as asked last


def test_an_ego_that_never_was_a_number_is_braked_straight_on() -> None:
    got = reading(at(), [], 0)
    got = replace(got, ego=replace(got.ego, steer_rad=math.nan))
    _, verdict = once(got, None, ask(0.5))
    assert verdict.command.accel_mps2 == fallback.IN_LANE_MPS2
    assert verdict.command.curvature_1pm == 0.0


def test_a_fall_back_too_late_for_a_wall_is_braked_harder() -> None:
    memory, _ = once(reading(at(), [], 0), plan_of(at(), 0), ask())
    wall = User(CAR.front_m + 8.0 + 2.25, 0.0)
    got = reading(at(), [wall], 300 * MS)
    _, verdict = once(got, None, ask(t_ns=300 * MS), memory)
    assert verdict.action == Action.FALLBACK and verdict.rule in ("rss", "aeb_full")
    assert verdict.command.accel_mps2 < -6.0


def test_detections_are_moved_on_to_now() -> None:
    got = reading(at(), [User(50.0, 0.0, math.pi / 2, 10.0, 4.0, 2.0)], 100 * MS, 0)
    row = watch.now_at(got.detections, got.t_ns)[0]
    assert row[:3] == pytest.approx((50.0, 1.0, math.pi / 2))
    assert row[paths.HALF_LENGTH] == 2.0 and row[paths.RADIUS] == pytest.approx(math.sqrt(5.0))


@pytest.mark.parametrize(
    ("speed", "turn", "rate"),
    [
        (6.0, 0.15, 1.5),
        (6.0, 0.18, 10.0 / 6.0),
        (6.0, -0.3, -10.0 / 6.0),
        (6.0, 0.36, 0.0),
        (14.0, 0.06, 0.6),
        (14.0, 0.08, 10.0 / 14.0),
        (14.0, 0.16, 0.0),
        (0.9, 0.1, 0.0),
    ],
)
def test_nobody_turns_harder_than_a_car_can(speed: float, turn: float, rate: float) -> None:
    """`turn` within 0.1 s; far beyond what radius and tyre allow it is a jump of the heading."""
    eyes = watch.Eyes()
    for t_ns, heading in ((0, 0.0), (100 * MS, turn)):
        found = reading(at(), [User(30.0, 5.0, heading, speed)], t_ns).detections
        eyes = watch.look_again(eyes, found)
    assert eyes.yaw_rate_radps[0] == pytest.approx(rate)


def test_off_its_path_the_car_looks_along_the_arc_it_drives() -> None:
    path = paths.corridor(plan_of(at(), 0).trajectory)
    assert watch.ego_path(path, 1.0, 0.3, 0.1, 0.05) is path
    for away in (
        watch.ego_path(path, 1.0, 0.8, 0.0, 0.05),
        watch.ego_path(path, 1.0, 0.0, 0.4, 0.05),
    ):
        assert away is not path and away[10, paths.HEADING] > 0.1
    assert watch.ego_path(None, 1.0, 0.0, 0.0, 0.0)[10, paths.X] == pytest.approx(6.0)


def test_a_driver_that_leaves_its_plan_towards_a_wall_is_held_on_it() -> None:
    """The plan goes straight on; the commands turn right, where a wall stands."""
    wall = User(24.0, -9.0, 0.9, 0.0, 14.0, 1.0)
    straight = plan_of(at(8.0), 0)
    memory = GuardMemory()
    p = dynamics.parameters(CAR)
    car = at(8.0)
    rules, aside = set(), []
    for i in range(300):
        t_ns = i * DT_NS
        if i % 5 == 0:
            x = car[dynamics.X]
            straight = plan(
                trajectory(x, 0.0, 0.0, 8.0), trajectory(x, 0.0, 0.0, 8.0, accel=-3.0), t_ns
            )
        got = reading(car, [wall], t_ns)
        memory, verdict = guard(memory, got, straight, ask(0.5, -0.035, t_ns), CAR)
        rules.add(verdict.rule)
        car = dynamics.step(p, car, verdict.command.accel_mps2, verdict.command.curvature_1pm, 0.02)
        aside.append(abs(float(car[dynamics.Y])))
    assert max(aside) < corridor.WIDE_M + corridor.MORE_M
    assert "corridor" in rules and car[dynamics.SPEED] < 8.0


@given(
    st.floats(0.0, 30.0),
    st.floats(-15.0, 6.0),
    st.floats(-0.3, 0.3),
    st.lists(
        st.tuples(st.floats(-20, 60), st.floats(-15, 15), st.floats(-3.1, 3.1), st.floats(0, 15)),
        max_size=6,
    ),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_law_never_more_acceleration_than_the_command(
    speed: float,
    accel: float,
    curvature: float,
    others: list[tuple[float, float, float, float]],
    late: bool,
) -> None:
    users = [User(x, y, h, v) for x, y, h, v in others]
    car = at(speed)
    memory = GuardMemory()
    offered = plan_of(car, 0)
    for i in range(4):
        t_ns = (i + (10 if late and i else 0)) * DT_NS
        got = reading(car, users, t_ns)
        before = memory.curvature_1pm if i else 0.0
        memory, verdict = guard(memory, got, offered, ask(accel, curvature, t_ns), CAR)
        asked = verdict.command
        assert asked.accel_mps2 <= max(accel, -CAR.max_brake_mps2)
        assert asked.accel_mps2 >= min(accel, -CAR.max_brake_mps2)
        assert math.isfinite(asked.curvature_1pm) and 0.0 <= verdict.margin <= watch.FAR
        steps = 11 if late and i == 1 else 1
        most = 0.02 * min(5, steps) * 0.5 * (1 + (CAR.wheelbase_m * before) ** 2)
        assert abs(asked.curvature_1pm - before) <= most / CAR.wheelbase_m + 1e-9
        if verdict.action == Action.PASS:
            assert asked.accel_mps2 == max(accel, -CAR.max_brake_mps2)  # no car brakes harder
            assert asked.curvature_1pm == curvature


def test_the_same_comes_of_the_same() -> None:
    users = [User(20.0 + 5.0 * i, i % 3, 0.1 * i, 3.0) for i in range(20)]
    runs = [run(SUV, 14.0, lambda _t, _c: (1.0, 0.001), lambda _t, _c: users, 3.0) for _ in "ab"]
    one, two = (np.array(r.cars) for r in runs)
    assert np.array_equal(one, two)


def test_a_good_driver_on_a_busy_road_meets_the_guard_not_once() -> None:
    """Own lane with a leader, oncoming traffic, parked cars and walkers, on a bend of 120 m."""
    k, v = 1.0 / 120.0, 11.0

    def traffic(t_s: float) -> list[User]:
        def place(s: float, d: float, speed: float, back: bool = False, **size: float) -> User:
            x, y, h = on_arc(k, s + (-1 if back else 1) * speed * t_s / (1 - k * d), d)
            return User(x, y, h + (math.pi if back else 0.0), speed, **size)

        return [
            place(32.0, 0.0, v),
            *(place(40.0 + 30.0 * i, 3.3, 12.0, True) for i in range(6)),
            *(place(12.0 + 7.0 * i, -2.9, 0.0) for i in range(9)),
            *(place(9.0 + 11.0 * i, -4.6, 1.3, length=0.5, width=0.6) for i in range(6)),
        ]

    got = drive_road(CAR, v, k, traffic, 8.0)
    assert not got.interventions
    assert impact_mps(CAR, got) < 0.0
