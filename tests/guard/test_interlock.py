"""The interlock: red lines and the ground of those who go first."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roads import (
    GREEN,
    RED,
    YIELD,
    Entry,
    Zone,
    approach,
    fronts,
    map_road,
    seen_from,
    straight_in,
    with_signals,
)
from worlds import CAR, SUV, User, plan, plan_of, reading, trajectory

from marque.guard import clauses, interlock, watch, ways_ahead
from marque.guard import path as paths
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator, SignalState
from marque.types.command import Command
from marque.types.platform import Platform
from marque.types.takeover import DRIVES, Mode, Order
from marque.types.verdict import Action
from marque.vehicle import dynamics

LINE_M = 80.0
FREE = interlock.Lock()
STRAIGHT = straight_in(LINE_M)
TURNS = [
    *[(x, 0.0) for x in np.arange(74.0, 81.0)],
    *[(81.0 + 8.0 * math.sin(a), 8.0 - 8.0 * math.cos(a)) for a in np.arange(0.1, 1.6, 0.1)],
]
ROAD = map_road([Entry(STRAIGHT)])
LATE_S = CAR.brake.dead_s + CAR.brake.lag_s
SIDE = [(LINE_M + 10.0, y) for y in np.arange(-60.0, 15.1, 3.0)]  # from the right, north
CROSSED = map_road(
    [Entry(STRAIGHT, SignalState.OFF)], [Zone(SIDE, (14.0, 18.0), (58.0, 62.0))]
)  # our ground begins 8 m behind the line, theirs at y = -2


def rules(run) -> set[str]:
    return {v.rule for v in run.interventions}


# red


@settings(max_examples=6)
@given(
    speed=st.floats(1.0, 30.0),
    push=st.floats(0.0, 2.0),
    line=st.floats(60.0, 110.0),
    platform=st.sampled_from([CAR, SUV]),
)
def test_who_ignores_a_red_light_stops_before_its_line(speed, push, line, platform: Platform):
    """I3: whatever is asked for, wherever the line is that can still be stopped at."""
    road = map_road([Entry(straight_in(line))])
    room = line - platform.front_m
    brake = platform.brake
    late = brake.dead_s + brake.lag_s
    if (
        ways_ahead.needed(room - 1.0, speed, push, late, brake.rate, 0.8 * platform.max_brake_mps2)
        > 5
    ):
        return
    run = approach(platform, speed, lambda _t: road, room / speed + 6.0, asks=lambda *_: push)
    assert fronts(platform, run).max() <= line
    assert fronts(platform, run)[-1] > line - 3.0
    assert rules(run) == {"red_light"}


def test_a_stop_is_not_harder_than_it_has_to_be():
    run = approach(CAR, 14.0, lambda _t: ROAD, 10.0)
    begins = next(i for i, v in enumerate(run.verdicts) if v.rule)
    asked = [v.command.accel_mps2 for v in run.verdicts]
    assert all(a == 0.0 for a in asked[:begins])
    assert asked[begins] == pytest.approx(-5.0, abs=0.1)  # the last moment, not sooner
    assert min(asked) >= -6.2
    assert LINE_M - 0.5 < fronts(CAR, run)[-1] < LINE_M
    first = run.verdicts[begins]
    assert first.action == Action.BRAKE and first.warning
    assert first.margin == pytest.approx(CAR.max_brake_mps2 / 5.0, rel=0.02)
    assert first.clause == "Convention on Road Signs and Signals, article 23"


def test_a_driver_that_stops_at_the_line_never_meets_the_guard():
    """With a comfortable stop 0.7 m before the line, and standing there for long."""

    def calm(_t, car):
        m = dynamics.ego_truth(car)
        left = LINE_M - 0.7 - m.x_m - CAR.front_m - m.speed_mps * LATE_S
        if m.speed_mps < 0.6:
            return -0.8
        return -min(3.0, m.speed_mps**2 / (2.0 * max(left, 0.3))) if left < 45.0 else 0.0

    for speed in (4.0, 14.0):
        run = approach(CAR, speed, lambda _t: ROAD, 80.0 / speed + 8.0, asks=calm)
        assert not run.interventions, speed
        assert LINE_M - 2.0 < fronts(CAR, run)[-1] < LINE_M


def test_whoever_cannot_stop_any_more_drives_on():
    """Red comes when 25 m are left at 20 m/s."""

    def road(t):
        return ROAD if t >= 2.5 else with_signals(ROAD, SignalState.AMBER)

    run = approach(CAR, 20.0, road, 5.0)
    assert not run.interventions
    assert fronts(CAR, run)[-1] > LINE_M + 10.0


def test_a_red_that_was_seen_in_time_binds_to_the_end_and_green_sets_free():
    run = approach(
        CAR, 12.0, lambda t: with_signals(ROAD, RED if t < 12.0 else GREEN), 18.0,
        asks=lambda _t, _car: 1.0,
    )  # fmt: skip
    front = fronts(CAR, run)
    assert front[590] < LINE_M
    assert dynamics.ego_truth(run.cars[590]).speed_mps < 0.3
    assert front[-1] > LINE_M + 5.0
    assert all(v.action == Action.PASS for v in run.verdicts[620:])


@pytest.mark.parametrize("state", [SignalState.RED_AMBER, RED])
def test_the_red_lamp_counts_with_amber_too(state):
    assert rules(approach(CAR, 12.0, lambda _t: with_signals(ROAD, state), 7.0)) == {"red_light"}


@pytest.mark.parametrize(
    "state",
    [GREEN, YIELD, SignalState.AMBER, SignalState.OFF, SignalState.STOP_THEN_GO,
     SignalState.UNKNOWN],
)  # fmt: skip
def test_no_other_state_is_braked_for(state):
    run = approach(CAR, 12.0, lambda _t: with_signals(ROAD, state), 7.0)
    assert not run.interventions


def test_what_was_seen_red_stays_red_while_it_is_out_of_sight():
    def road(t):
        return with_signals(ROAD, RED if t < 4.0 else SignalState.UNKNOWN)

    run = approach(CAR, 12.0, road, 9.0, asks=lambda *_: 1.0)
    assert fronts(CAR, run).max() <= LINE_M
    over = approach(CAR, 12.0, lambda t: road(t) if t < 5.5 else with_signals(ROAD, GREEN), 12.0)
    assert fronts(CAR, over).max() > LINE_M


@pytest.mark.parametrize(("aside", "stops"), [(0.0, True), (1.5, True), (3.2, False)])
def test_a_line_binds_its_own_lane(aside, stops):
    road = map_road([Entry(straight_in(LINE_M, y=aside))])
    assert bool(approach(CAR, 12.0, lambda _t: road, 7.0).interventions) == stops


def test_a_line_for_those_who_cross_or_come_towards_us_is_not_ours():
    back = [(2.0 * LINE_M - x, 0.5) for x, _ in STRAIGHT]
    across = [(LINE_M, y - LINE_M) for y, _ in STRAIGHT]
    for line in (back, across):
        assert not approach(
            CAR, 12.0, lambda _t, line=line: map_road([Entry(line)]), 6.0
        ).interventions


@pytest.mark.parametrize(("turn", "straight", "stops"), [
    (RED, GREEN, False), (GREEN, RED, True), (RED, RED, True),
])  # fmt: skip
def test_the_way_that_is_planned_decides_which_signal_counts(turn, straight, stops):
    """Our plan goes straight on, far over the line."""
    road = map_road([Entry(STRAIGHT, straight), Entry(TURNS, turn)])
    run = approach(CAR, 12.0, lambda _t: road, 7.0)
    assert bool(run.interventions) == stops


def test_where_the_plan_leaves_the_way_open_one_green_will_do():
    """The plan stops before the line, the command does not."""

    def stops(car, t_ns):
        m = dynamics.ego_truth(car)
        way = max(0.5, LINE_M - 1.0 - CAR.front_m - m.x_m)
        here = (m.x_m, m.y_m, m.heading_rad, m.speed_mps)
        short = trajectory(*here, accel=-max(2.5, m.speed_mps**2 / (2.0 * way)))
        return plan(short, short, t_ns)

    for turn, over in ((RED, False), (GREEN, True)):
        road = map_road([Entry(STRAIGHT, RED), Entry(TURNS, turn)])
        run = approach(CAR, 8.0, lambda _t, road=road: road, 13.0, planned=stops)
        assert (fronts(CAR, run)[-1] > LINE_M) == over


def test_nobody_is_held_by_the_line_that_lies_behind():
    """Our axle is over it, or only our bumper when we set off."""
    for line in (-5.0, CAR.front_m - 0.5):
        road = map_road([Entry(straight_in(line))])
        run = approach(CAR, 0.5, lambda _t, road=road: road, 6.0, asks=lambda *_: 1.0)
        assert "red_light" not in rules(run)


def test_whoever_stands_right_before_a_red_line_is_held_if_asked_to_move_and_not_else():
    road = map_road([Entry(straight_in(CAR.front_m + 0.15))])
    run = approach(CAR, 0.0, lambda _t: road, 5.0, asks=lambda *_: 1.5)
    assert fronts(CAR, run)[-1] < CAR.front_m + 0.15
    assert rules(run) == {"red_light"}
    assert not approach(CAR, 0.0, lambda _t: road, 2.0, asks=lambda *_: -0.8).interventions


# priority


def comes(at_s: float, speed: float = 12.0, **what):
    """Traffic from the right whose nose is at our ground after `at_s`."""
    y = -2.0 - 2.25 - speed * at_s
    return lambda t: [User(LINE_M + 10.0, y + speed * t, math.pi / 2.0, speed, **what)]


def reaches_s(speed: float) -> float:
    return (LINE_M + 8.0 - CAR.front_m) / speed


def test_ground_is_not_entered_before_somebody_who_goes_first():
    """They would be there while we are; the emergency brake expects them to wait."""
    run = approach(CAR, 8.0, lambda _t: CROSSED, 16.0, traffic=comes(reaches_s(8.0) - 0.2))
    told = next(v for v in run.verdicts if v.rule == "priority")
    assert told.action == Action.BRAKE
    assert told.clause == "Convention on Road Traffic, article 18"
    first = next(i for i, v in enumerate(run.verdicts) if v.rule == "priority")
    there = run.users[first][0].y
    assert there < -2.0 - 2.25, "they are not on the ground yet"
    left = [v.rule for v in run.verdicts[-200:]]
    assert left == [""] * 200  # once they have passed, we may


@pytest.mark.parametrize("late_s", [-3.0, 3.5])
def test_who_passes_well_before_or_after_us_is_no_reason(late_s):
    run = approach(CAR, 8.0, lambda _t: CROSSED, 14.0, traffic=comes(reaches_s(8.0) + late_s))
    assert "priority" not in rules(run)


def zoned(**change):
    return replace(CROSSED, **{k: np.array(v) for k, v in change.items()})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"entry_signal": np.array([GREEN], np.int8)}, {}),  # protected: theirs is red
        ({"zone_signal": np.array([RED], np.int8)}, {}),
        ({"zone_sure_m": np.array([65.0])}, {}),  # they may still turn off
        ({}, {"speed": 0.5}),  # stands
        ({}, {"speed": -1.0}),  # they have gone over the ground, and drive away
        ({"zone_in_m": np.array([-14.0]), "zone_out_m": np.array([-10.0])}, {}),  # behind us
    ],
    ids=["green", "their_red", "may_turn", "stands", "gone", "behind"],
)
def test_who_does_not_go_first_is_no_reason(change, what):
    assert judged(replace(CROSSED, **change), **what).rule == 0


def test_who_goes_first_is_a_reason_in_the_same_place():
    for signal in (SignalState.OFF, YIELD, SignalState.UNKNOWN):
        road = replace(CROSSED, entry_signal=np.array([signal], np.int8))
        found = judged(road)
        assert interlock.RULES[found.rule] == "priority"
        assert 5.0 <= found.braking_mps2 <= 6.5


def objects(*rows: tuple[float, float, float, float, float]):
    """x, y, heading, speed, braking."""
    out = np.zeros((len(rows), paths.OBJECT))
    for o, (x, y, heading, speed, braking) in zip(out, rows, strict=True):
        o[[paths.X, paths.Y, paths.HEADING, paths.VELOCITY, paths.BRAKING]] = (
            x, y, heading, speed, braking,
        )  # fmt: skip
        o[[paths.COS, paths.SIN]] = math.cos(heading), math.sin(heading)
        o[[paths.HALF_LENGTH, paths.HALF_WIDTH, paths.RADIUS]] = 2.25, 0.9, 2.42
    return out


def judged(road=CROSSED, speed=10.0, aside=0.0, turned=0.0, braking=0.0, y=-14.0, asked=0.0,
           lock=FREE):  # fmt: skip
    """One look at 10 m/s, when braking with 5 to 6 m/s^2 is needed before the ground."""
    need = 10.0 * LATE_S + 100.0 / 11.0 + 10.0 * 5.5 / (2.0 * CAR.brake.rate)
    x = LINE_M + 8.0 - interlock.STOP_M - need - CAR.front_m
    car = dynamics.initial(CAR, x, 0.0, 0.0, 10.0)
    ego = reading(car, [], 0).ego
    if speed < 0.0:
        y, speed = 20.0, 10.0
    them = objects((LINE_M + 10.0 + aside, y, math.pi / 2.0 + turned, speed, braking))
    way = paths.corridor(plan_of(car, 0).trajectory)
    seen = seen_from(road, x, 0.0, 0.0, 0)
    return interlock.look(lock, seen, way, ego, (0.0, asked), them, CAR, 0)[1]


@pytest.mark.parametrize(
    ("what", "counts"),
    [
        ({"aside": 1.8}, True), ({"aside": 2.0}, False), ({"aside": -2.0}, False),
        ({"turned": 0.4}, True), ({"turned": 0.6}, False), ({"turned": math.pi}, False),
        ({"braking": 4.0}, True), ({"braking": 7.0}, False),
        ({"y": -70.0}, False), ({"y": -40.0}, False), ({"y": 1.0}, False),
        ({"asked": -6.0}, False),  # the command itself stops before
    ],
    ids=str,
)  # fmt: skip
def test_who_drives_on_a_way_that_crosses_ours(what, counts):
    assert (judged(**what).rule == interlock.PRIORITY) == counts


def test_what_is_braked_for_is_braked_for_until_it_is_free():
    """Even if more braking is needed than there is."""
    close = zoned(zone_in_m=[9.0], zone_out_m=[13.0])
    assert judged(close).rule == 0
    holds = interlock.Lock(-1, interlock.PRIORITY, 0)
    assert judged(close, lock=holds).braking_mps2 == CAR.max_brake_mps2
    assert judged(close, lock=holds, y=20.0).rule == 0


# braking, times


@given(
    speed=st.floats(0.5, 30.0), accel=st.floats(-6.0, 2.0), room=st.floats(0.5, 150.0),
    late=st.floats(0.05, 0.5), rate=st.floats(10.0, 40.0),
)  # fmt: skip
def test_the_braking_that_is_needed_is_enough_and_not_much_more(speed, accel, room, late, rate):
    """I12: against a brake that answers late and ramps up, integrated in small steps."""
    need = ways_ahead.needed(room, speed, accel, late, rate, 9.0)

    def way(braking: float) -> float:
        v, a, gone, t = speed, accel, 0.0, 0.0
        while v > 0.0:
            t += 0.001
            if t > late:
                a = max(-braking, min(a, 0.0) - rate * 0.001) if a > -braking else -braking
            v += a * 0.001
            gone += max(0.0, v) * 0.001
            if t > 200.0:
                return math.inf
        return gone

    if need == math.inf:
        assert way(40.0) > 0.6 * room
    elif 0.05 < need <= 9.0:
        assert way(need) <= room + 0.05 + 0.01 * room
        assert way(0.7 * need) > room - 0.6 - 0.1 * room or way(need) < 0.2 * room


def test_needed_by_hand():
    assert ways_ahead.needed(10.0, 10.0, 0.0, 0.0, 1e9, 9.0) == pytest.approx(5.0)
    assert ways_ahead.needed(12.0, 10.0, 0.0, 0.2, 1e9, 9.0) == pytest.approx(5.0)
    assert ways_ahead.needed(2.0, 10.0, 0.0, 0.2, 20.0, 9.0) == math.inf
    assert ways_ahead.needed(0.0, 0.0, 0.0, 0.2, 20.0, 9.0) == 0.0
    assert ways_ahead.needed(-0.1, 0.0, 0.0, 0.2, 20.0, 9.0) == math.inf
    assert ways_ahead.needed(3.0, 2.0, -4.0, 1.0, 20.0, 9.0) == 0.0  # stands before it answers
    assert ways_ahead.needed(0.4, 2.0, -4.0, 1.0, 20.0, 9.0) == math.inf


def test_times_by_hand():
    assert ways_ahead.commanded_s(10.0, 5.0, 0.0) == 2.0
    assert ways_ahead.commanded_s(10.0, 0.0, 0.0) == ways_ahead.AGES_S
    assert ways_ahead.commanded_s(10.0, 0.0, 5.0) == 2.0
    assert ways_ahead.commanded_s(10.0, 5.0, -2.0) == ways_ahead.AGES_S
    way = paths.corridor(trajectory(0.0, 0.0, 0.0, 10.0))
    assert ways_ahead.planned_s(way, 0.0, 20.2) == pytest.approx(2.02)
    assert ways_ahead.planned_s(way, 3.0, 20.2) == pytest.approx(2.02)
    assert ways_ahead.planned(way) == pytest.approx(80.0, abs=0.5)
    assert ways_ahead.planned(paths.arc(0.0, 0.0, 0.0, 0.0)) == 0.0


def test_the_pose_at_the_stamp_of_the_road():
    ego = replace(
        reading(dynamics.initial(CAR, 10.0, 5.0, 0.0, 10.0), [], 100_000_000).ego, heading_rad=0.1,
        yaw_rate_radps=0.2, speed_mps=10.0,
    )  # fmt: skip
    x, y, heading = interlock.pose_at(ego, 0)
    assert heading == pytest.approx(0.08)
    assert (x, y) == pytest.approx((10.0 - math.cos(0.09), 5.0 - math.sin(0.09)))


# road ahead that is missing or wrong


@pytest.mark.parametrize(
    ("road", "note"),
    [
        (lambda _: None, "road_missing"),
        (lambda t: replace(ROAD, t_ns=t - 201_000_000), "road_stale"),
        (lambda t: replace(ROAD, t_ns=t + 21_000_000), "road_stamp_ahead"),
        (lambda t: replace(ROAD, t_ns=t, line_xy_m=np.nan * ROAD.line_xy_m), "road_not_finite"),
        (lambda t: replace(ROAD, t_ns=t, entry_stop_m=np.array([np.inf])), "road_not_finite"),
        (lambda t: replace(ROAD, t_ns=t - 200_000_000), ""),
        (lambda t: replace(map_road([]), t_ns=t), ""),
    ],
)
def test_without_eyes_the_rule_is_silent_and_says_so(road, note):
    car = dynamics.initial(CAR, LINE_M - 20.0 - CAR.front_m, 0.0, 0.0, 14.0)
    t_ns = 10**9
    got = replace(reading(car, [], t_ns), road_ahead=road(t_ns))
    command = Command(t_ns, 0.0, 0.0, Indicator.OFF)
    memory, verdict = guard(GuardMemory(), got, plan_of(car, t_ns), command, CAR)
    assert verdict.note == note == memory.lock.note
    assert verdict.action == Action.PASS


def test_who_is_held_at_rest_stays_held_while_the_eyes_are_shut_and_who_drives_is_let_go():
    def road(t):
        return ROAD if t < 9.0 else None

    run = approach(CAR, 12.0, road, 12.0, asks=lambda *_: 1.0)
    assert dynamics.ego_truth(run.cars[-1]).x_m + CAR.front_m < LINE_M
    held = interlock.Lock(3, interlock.RED_LIGHT, -1)
    ego = reading(dynamics.initial(CAR, 0.0, 0.0, 0.0, 5.0), [], 0).ego
    lock, found = interlock.look(
        held, None, paths.arc(0.0, 0.0, 0.0, 0.0), ego, (0.0, 0.0), watch.NOBODY, CAR, 0
    )
    assert (lock, found) == (interlock.Lock(note="road_missing"), interlock.Ruling())


def test_a_person_who_drives_is_not_held():
    car = dynamics.initial(CAR, LINE_M - 12.0 - CAR.front_m, 0.0, 0.0, 10.0)
    got = replace(reading(car, [], 0), road_ahead=seen_from(ROAD, LINE_M - 12.0 - CAR.front_m,
                                                            0.0, 0.0, 0))  # fmt: skip
    command = Command(0, 0.0, 0.0, Indicator.OFF)
    person = Order(Mode.READY, drives=False, may_move=False)
    _, verdict = guard(GuardMemory(), got, plan_of(car, 0), command, CAR, person)
    assert verdict.rule == ""
    _, verdict = guard(GuardMemory(), got, plan_of(car, 0), command, CAR, DRIVES)
    assert verdict.rule == "red_light"


def test_a_stop_on_the_fall_back_ends_before_the_line_too():
    """No plan comes any more; the last fall-back would end behind the line."""
    run = approach(CAR, 20.0, lambda _t: ROAD, 9.0, planned=lambda car, _t: plan_of(car, 0))
    assert fronts(CAR, run)[-1] < LINE_M
    assert any(v.action == Action.FALLBACK and v.rule == "red_light" for v in run.verdicts)


def test_every_rule_of_the_interlock_has_a_clause_and_so_has_every_other():
    assert {*interlock.RULES, *watch.RULES} <= set(clauses.CLAUSES)
    assert all(clauses.CLAUSES[rule] for rule in clauses.CLAUSES if rule)
