"""The invariants that the guard is held to, as properties (numbers as in the planner's research):

I2 distance is kept by induction · I4 no ground is entered before those who go first · I7 nothing is
asked that the actuators cannot do · I8 there is always something to track, and the watchdog waits
150 ms · I9 no style reaches the guard · I11 same in, same out · I12 distances grow with the
platform's own delay. I3 stands in `test_interlock.py`, I6 in `test_guard.py` and
`test_guard_corridor.py`, I10 in `test_takeover.py`.
"""

import ast
import inspect
import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from roads import Entry, Zone, approach, fronts, map_road, seen_from, straight_in
from worlds import CAR, DT_NS, SUV, User, plan_of, reading

from marque.guard import aeb, envelope, rss, ways_ahead
from marque.guard import guard as whole
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator, SignalState
from marque.types.command import Command
from marque.types.verdict import Action
from marque.vehicle import dynamics

GUARD = Path(inspect.getfile(whole)).parent
WILD = st.one_of(st.floats(-30.0, 30.0), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e9]))
ROAD = map_road(
    [Entry(straight_in(60.0))],
    [Zone([(70.0, y) for y in np.arange(-60.0, 15.1, 3.0)], (14.0, 18.0), (58.0, 62.0))],
)


@given(
    speed=st.floats(0.0, 40.0), lead=st.floats(0.0, 40.0), more=st.floats(0.0, 30.0),
    brakes=st.floats(0.0, 1.0), accel=st.floats(-9.0, 2.0),
)  # fmt: skip
def test_i2_a_safe_distance_stays_safe_under_the_full_response(speed, lead, more, brakes, accel):
    """1-D, with a brake that answers after rho: from every state with d(b), whoever is ahead and
    brakes with no more than is assumed is not touched, and every state on the way is safe again."""
    rho, most = 0.3, rss.FULL_SHARE * CAR.max_brake_mps2
    hardest = max(rss.LEAD_BRAKE_MPS2, most)
    gap = rss.safe_distance(speed, lead, accel, rho, most) + more
    v, f, left, dt = speed, lead, rho, 0.01
    while v > 0.0:
        a = max(0.0, accel) if left > 0.0 else -most
        if left <= 0.0:  # from here on it brakes already: nothing is lost before
            assert gap >= rss.safe_distance(v, f, 0.0, 0.0, most) - rss.STAND_M - 0.02 - v * dt
        next_v, next_f = max(0.0, v + a * dt), max(0.0, f - brakes * hardest * dt)
        gap += 0.5 * (f + next_f - v - next_v) * dt
        v, f, left = next_v, next_f, left - dt
    assert gap > 0.0


@settings(max_examples=3)
@given(speed=st.floats(4.0, 14.0), ahead_s=st.floats(-2.5, 4.0), theirs=st.floats(5.0, 16.0))
def test_i4_we_are_never_on_the_ground_of_somebody_who_goes_first(speed, ahead_s, theirs):
    """They keep their speed; our driver keeps ours, whatever comes."""
    road = replace(ROAD, entry_signal=np.array([SignalState.OFF], np.int8))
    meet_s = (68.0 - CAR.front_m) / speed + ahead_s
    begin = -2.0 - 2.25 - theirs * meet_s

    def traffic(t):
        return [User(70.0, begin + theirs * t, math.pi / 2.0, theirs)]

    run = approach(CAR, speed, lambda _t: road, 68.0 / speed + 5.0, traffic=traffic)
    front = fronts(CAR, run)
    both = [
        68.0 < x < 72.0 + CAR.length_m and -2.0 - 2.25 < users[0].y < 2.0 + 2.25
        for x, users in zip(front, run.users, strict=True)
    ]
    assert sum(both) * 0.02 < 0.15  # 0.15 s is what the last moment is blind to


def asked(draw_accel: float, draw_bend: float, t_ns: int) -> Command:
    return Command(t_ns, draw_accel, draw_bend, Indicator.OFF)


@settings(max_examples=10)
@given(
    wild=st.lists(st.tuples(WILD, WILD, st.booleans()), min_size=30, max_size=30),
    speed=st.floats(0.0, 30.0), platform=st.sampled_from([CAR, SUV]), seen=st.booleans(),
)  # fmt: skip
def test_i7_i8_i11_whatever_comes_something_is_asked_that_can_be_done(wild, speed, platform, seen):
    """Commands that may be no numbers, plans that come or do not, a wall ahead or not."""
    told = []
    for _ in "ab":
        car = dynamics.initial(platform, 0.0, 0.0, 0.0, speed)
        p = dynamics.parameters(platform)
        memory, plan, last, verdicts = GuardMemory(), None, 0.0, []
        walls = [User(60.0, 0.0, length=0.5, width=8.0)] if seen else []
        began = 0
        for i, (accel, bend, comes) in enumerate(wild):
            t_ns = i * DT_NS
            if comes:
                plan, began = plan_of(car, t_ns), t_ns
            m = dynamics.ego_truth(car)
            ahead = seen_from(ROAD, m.x_m, m.y_m, m.heading_rad, t_ns)
            got = replace(reading(car, walls, t_ns), road_ahead=ahead)
            memory, verdict = guard(memory, got, plan, asked(accel, bend, t_ns), platform)
            do = verdict.command
            assert math.isfinite(do.accel_mps2) and math.isfinite(do.curvature_1pm)
            assert -platform.max_brake_mps2 <= do.accel_mps2 <= envelope.MAX_ACCEL_MPS2
            flex = 1.0 + (platform.wheelbase_m * last) ** 2
            step = 0.02 * platform.steer.rate * flex / platform.wheelbase_m
            assert abs(do.curvature_1pm - last) <= step + 1e-9 or i == 0
            last = do.curvature_1pm
            if math.isfinite(accel):
                assert do.accel_mps2 <= max(accel, -platform.max_brake_mps2) + 1e-9
            if t_ns - began > 150_000_000:  # I8: the watchdog
                assert verdict.action == Action.FALLBACK
            verdicts.append((do.accel_mps2, do.curvature_1pm, verdict.rule, verdict.margin))
            car = dynamics.step(p, car, do.accel_mps2, do.curvature_1pm, 0.02)
        told.append(pickle.dumps(verdicts))
    assert told[0] == told[1]  # I11


def test_i9_no_style_reaches_the_guard():
    """By imports: types and core alone; by names: no style, brand or character in any of them."""
    for file in GUARD.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("marque."):
                assert node.module.split(".")[1] in ("core", "types", "guard"), file.name
            names = [getattr(node, key, "") for key in ("id", "arg", "attr", "name")]
            words = {w for n in names if isinstance(n, str) for w in n.lower().split("_")}
            assert not words & {"style", "brand", "character", "taste"}, (file.name, words)


@given(
    late=st.floats(0.0, 0.5), later=st.floats(0.01, 0.5), speed=st.floats(1.0, 40.0),
    lead=st.floats(0.0, 40.0), accel=st.floats(0.0, 2.0), room=st.floats(1.0, 200.0),
)  # fmt: skip
def test_i12_distances_grow_with_the_delay_of_the_platform(late, later, speed, lead, accel, room):
    def with_delay(dead_s):
        return replace(CAR, brake=replace(CAR.brake, dead_s=dead_s))

    a, b = with_delay(late), with_delay(late + later)
    assert rss.response_s(b) - rss.response_s(a) >= later - 1e-9
    assert aeb.delay_s(b) - aeb.delay_s(a) >= later - 1e-9
    near, far = (
        rss.safe_distance(speed, lead, accel, rss.response_s(p), CAR.max_brake_mps2) for p in (a, b)
    )
    assert far >= near and (near <= rss.STAND_M or far >= near + later * speed * 0.99)
    soon, late_need = (
        ways_ahead.needed(room, speed, accel, p.brake.dead_s + p.brake.lag_s, p.brake.rate, 9.0)
        for p in (a, b)
    )
    assert late_need >= soon
