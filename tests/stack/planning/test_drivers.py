"""What a driver does on small roads, judged by where the car is. Both drivers, where both can."""

import math
from dataclasses import replace

import numpy as np
import pytest

from builders import Conflict, Lane, arc, straight_road, street_grid, tiny_map
from marque.core.errors import MarqueError
from marque.core.registry import load
from marque.kernels.rollout import E_HEADWAY
from marque.maps.lookup import LaneIndex
from marque.stack.perception.direct import PerceptionMemory, perceive
from marque.stack.planning.driver import Marque, falling_in
from marque.stack.planning.lane import Lane as PlainLane
from marque.stack.planning.locate import locate
from marque.stack.planning.rules import RuleMemory
from marque.types.codes import Control, Reason, SignalState, Turn
from marque.types.mission import Mission
from marque.types.reading import EgoReading
from stage import CAR, Actor, Stage, _reading, standing, steady

RED, AMBER, GREEN = SignalState.RED, SignalState.AMBER, SignalState.GREEN
each_driver = pytest.mark.parametrize("driver", [Marque, PlainLane])
LINE_M, EXIT_M = 99.0, 120.0


def junction(control=Control.SIGNAL, crossing=True):
    """East through a junction at 100..120 m; another road comes from the south along x = 110."""
    lanes = [
        Lane([(0, 0), (100, 0)], succ=(1,), stop=LINE_M),
        Lane([(100, 0), (120, 0)], succ=(2,), connector=True, junction=0, control=control,
             head=0 if control == Control.SIGNAL else -1, turn=Turn.STRAIGHT),
        Lane([(120, 0), (320, 0)]),
        Lane([(110, -110), (110, -10)], succ=(4,), stop=99.0),
        Lane([(110, -10), (110, 10)], succ=(5,), connector=True, junction=0, turn=Turn.STRAIGHT),
        Lane([(110, 10), (110, 120)]),
    ]  # fmt: skip
    return tiny_map(
        lanes,
        conflicts=[Conflict(1, 4, 8.0, 12.0, 8.0, 12.0, priority=-1)] if crossing else (),
        heads=[(0, 0, (100.0, 0.0))] if control == Control.SIGNAL else (),
        junctions=[[(100, -10), (120, -10), (120, 10), (100, 10)]],
    )


def furthest(frames, until=math.inf):
    return max(f.front_m[0] for f in frames if f.t_s < until)


@each_driver
def test_red_is_waited_for_before_the_line_and_green_is_taken(driver):
    stage = Stage(junction(crossing=False), driver(), (2, 150.0), (0, 10.0), 10.0,
                  signals=lambda t: [RED if t < 20.0 else GREEN])  # fmt: skip
    frames = stage.play(32.0)
    waiting = [f for f in frames if 15.0 < f.t_s < 20.0]
    assert furthest(frames, 20.0) < LINE_M
    assert all(f.speed_mps < 0.3 for f in waiting)
    assert all(f.front_m[0] > LINE_M - 5.0 for f in waiting)
    assert {f.plan.reason for f in waiting} == {Reason.RED_LIGHT}
    assert frames[-1].x_m > EXIT_M


def test_red_holds_a_creeping_car_too():
    start = LINE_M - 0.7 - CAR.front_m - 1.84
    stage = Stage(junction(crossing=False), Marque(), (2, 150.0), (0, start), 0.4,
                  signals=lambda t: [RED])  # fmt: skip
    assert furthest(stage.play(10.0)) < LINE_M


@pytest.mark.parametrize(
    ("speed", "room_m"), [(0.0, 6.0), (0.1, 1.7), (0.8, 1.9), (1.5, 0.6), (2.0, 1.0), (3.0, 3.0)]
)
def test_red_holds_every_creeping_car(speed, room_m):
    start = LINE_M - 0.7 - CAR.front_m - room_m
    stage = Stage(junction(crossing=False), Marque(), (2, 150.0), (0, start), speed,
                  signals=lambda t: [RED])  # fmt: skip
    assert furthest(stage.play(5.0)) < LINE_M


@each_driver
@pytest.mark.parametrize(("room_m", "goes"), [(8.0, True), (60.0, False)])
def test_amber_is_decided_once(driver, room_m, goes):
    stage = Stage(junction(crossing=False), driver(), (2, 150.0),
                  (0, LINE_M - room_m - CAR.front_m), 12.0, signals=lambda t: [AMBER])  # fmt: skip
    frames = stage.play(12.0)
    assert (furthest(frames) > LINE_M) == goes
    if goes:
        assert min(f.speed_mps for f in frames[:10]) > 9.0


def test_who_goes_on_at_amber_and_is_held_up_stops_after_all():
    """The one ahead brakes from 12 m/s to a crawl and creeps over the line."""

    def creeps(t):
        brakes = min(t, 1.75)
        way = 12.0 * brakes - 3.0 * brakes * brakes + 1.5 * (t - brakes)
        return LINE_M - 12.5 + way, 0.0, 0.0, max(1.5, 12.0 - 6.0 * t)

    lights = {"signals": lambda t: [AMBER if t < 3.0 else RED]}
    stage = Stage(junction(crossing=False), Marque(), (2, 150.0),
                  (0, LINE_M - 24.0 - CAR.front_m), 12.0, [Actor(creeps)], **lights)  # fmt: skip
    assert stage.play(0.2)[0].plan.reason != Reason.AMBER_LIGHT
    frames = stage.play(8.0)
    assert furthest(frames) < LINE_M
    assert not any(f.touching for f in frames)


class StoppedElsewhere(Marque):
    """It still knows that it stopped at amber before another junction."""

    def start(self, mission):
        return replace(super().start(mission), rules=RuleMemory(amber_stop=frozenset({99})))


def test_what_was_decided_at_one_junction_does_not_hold_at_the_next():
    stage = Stage(junction(crossing=False), StoppedElsewhere(), (2, 150.0),
                  (0, LINE_M - 8.0 - CAR.front_m), 12.0, signals=lambda t: [AMBER])  # fmt: skip
    assert furthest(stage.play(6.0)) > LINE_M


@each_driver
def test_a_leader_is_followed_without_contact(driver):
    leader = Actor(steady(50.0, 0.0, 0.0, 5.0))
    frames = Stage(straight_road(400.0, 1), driver(), (0, 390.0), (0, 5.0), 12.0, [leader]).play(30)
    assert not any(f.touching for f in frames)
    assert frames[-1].speed_mps == pytest.approx(5.0, abs=0.5)
    gap = 50.0 + 5.0 * frames[-1].t_s - 2.25 - frames[-1].front_m[0]
    assert 2.0 < gap < 20.0
    assert frames[-1].plan.reason == Reason.LEAD
    assert frames[-1].plan.reason_uid == 0


@each_driver
def test_who_stands_in_the_lane_is_not_touched(driver):
    block = Actor(standing(120.0, 0.0))
    frames = Stage(straight_road(300.0, 1), driver(), (0, 290.0), (0, 5.0), 13.0, [block]).play(20)
    assert not any(f.touching for f in frames)
    assert frames[-1].speed_mps < 0.1
    assert 100.0 < frames[-1].front_m[0] < 117.75


@pytest.mark.parametrize(("tail_m", "enters"), [(117.0, False), (126.0, True)])
def test_a_junction_is_entered_only_with_room_beyond_it(tail_m, enters):
    block = Actor(standing(tail_m, 0.0))
    stage = Stage(junction(), Marque(), (2, 150.0), (0, 20.0), 10.0, [block],
                  signals=lambda t: [GREEN])  # fmt: skip
    frames = stage.play(20.0)
    assert (furthest(frames) > LINE_M) == enters
    if not enters:
        assert frames[-1].plan.reason == Reason.EXIT_BLOCKED


@each_driver
def test_priority_traffic_goes_first(driver):
    crossing = Actor(steady(110.0, -75.0, math.pi / 2, 9.0))
    frames = Stage(junction(Control.YIELD), driver(), (2, 150.0), (0, 25.0), 9.0, [crossing]).play(
        25
    )
    assert not any(f.touching for f in frames)
    passed_s = (75.0 + 3.0) / 9.0
    assert furthest(frames, passed_s) < 109.0
    assert frames[-1].x_m > EXIT_M


def test_a_junction_whose_exit_is_blocked_is_not_entered():
    block = Actor(standing(125.0, 0.0))
    stage = Stage(junction(), Marque(), (2, 150.0), (0, 20.0), 9.0, [block],
                  signals=lambda t: [GREEN])  # fmt: skip
    frames = stage.play(20.0)
    last = frames[-1]
    assert last.speed_mps < 0.2
    assert last.front_m[0] < 108.0 or last.x_m - CAR.rear_overhang_m > 112.0
    assert not any(f.touching for f in frames)


@each_driver
def test_the_lane_that_the_route_needs_is_reached_through_a_gap(driver):
    frames = Stage(straight_road(400.0, 2), driver(), (1, 390.0), (0, 5.0), 10.0).play(25)
    assert frames[-1].y_m == pytest.approx(3.2, abs=0.3)
    assert "change_left" in {f.plan.manoeuvre for f in frames}


def short_link(length):
    """Out of a turn onto two lanes that are `length` long; beyond the crossing the left one of
    them leads to the goal (lane 7), the right one elsewhere."""
    end, over = 46.0 + length, 46.0 + length + 10.0
    return tiny_map(
        [
            Lane([(40.0, -60.0), (40.0, -6.0)], succ=[1]),
            Lane(arc((46.0, -6.0), 6.0, math.pi, 0.5 * math.pi), succ=[2], connector=True),
            Lane([(46.0, 0.0), (end, 0.0)], succ=[4], edge="link", left=3),
            Lane([(46.0, 3.2), (end, 3.2)], succ=[5], edge="link", right=2),
            Lane([(end, 0.0), (over, 0.0)], succ=[6], connector=True),
            Lane([(end, 3.2), (over, 3.2)], succ=[7], connector=True),
            Lane([(over, 0.0), (over + 80.0, 0.0)], edge="on", left=7, left_ok=False),
            Lane([(over, 3.2), (over + 80.0, 3.2)], edge="on", right=6, right_ok=False),
        ]
    )


@pytest.mark.parametrize("length", [12.0, 14.0, 25.0])
def test_a_lane_hardly_longer_than_a_change_is_left_in_time(length):
    road = short_link(length)
    frames = Stage(road, Marque(), (7, 60.0), (0, 10.0), 8.0).play(40)
    assert frames[-1].y_m == pytest.approx(3.2, abs=0.3)
    assert frames[-1].x_m > 46.0 + length + 30.0


@each_driver
def test_nobody_is_hit_by_a_lane_change(driver):
    beside = [Actor(steady(x, 3.2, 0.0, 10.0)) for x in (-14.0, -2.0, 10.0, 22.0)]
    frames = Stage(straight_road(400.0, 2), driver(), (1, 390.0), (0, 5.0), 10.0, beside).play(25)
    assert not any(f.touching for f in frames)


@each_driver
def test_the_goal_is_where_the_car_stops(driver):
    last = Stage(straight_road(300.0, 1), driver(), (0, 150.0), (0, 5.0), 8.0).play(30)[-1]
    assert last.speed_mps < 0.1
    assert last.x_m == pytest.approx(150.0, abs=1.5)


@each_driver
def test_the_same_again_is_the_same_to_the_last_bit(driver):
    def once():
        town = street_grid(3, 3)
        names = {n: i for i, n in enumerate(town.lane_name)}
        others = [Actor(steady(60.0, -1.6, 0.0, 4.0)), Actor(standing(118.0, 70.0))]
        return Stage(town, driver(), (names["1,0>1,1"], 60.0), (names["0,0>1,0"], 10.0), 6.0,
                     others).play(12)  # fmt: skip

    for one, two in zip(once(), once(), strict=True):
        for line in ("trajectory", "fallback"):
            a, b = getattr(one.plan, line), getattr(two.plan, line)
            assert all(np.array_equal(getattr(a, n), getattr(b, n)) for n in a.__dataclass_fields__)
        assert (one.plan.reason, one.plan.margins) == (two.plan.reason, two.plan.margins)


@each_driver
def test_off_every_lane_is_one_sentence(driver):
    road = straight_road(300.0, 1)
    stage = Stage(road, driver(), (0, 150.0), (0, 5.0))
    stage.actors = ()
    import stage as module

    place, module._place = module._place, lambda *_: (50.0, 500.0, 0.0)
    try:
        with pytest.raises(MarqueError, match="no lane"):
            stage.play(0.2)
    finally:
        module._place = place


def test_both_drivers_are_found_by_name():
    assert load("driver", "marque") is Marque
    assert load("driver", "lane") is PlainLane


def test_behind_a_lane_change_the_headway_opens_slowly():
    """It is what the style wants before any change, short on one, and grows after it."""
    road = straight_road(400.0, 2)
    stage = Stage(road, Marque(), (0, 390.0), (0, 5.0), 13.0)
    memory = Marque().start(Mission(road, CAR, 0, 390.0, 0))
    ego = EgoReading(0, 5.0, float(road.points(0)[0, 1]), 0.0, 13.0, 0.0, 0.0, 0.0)
    _, scene = perceive(PerceptionMemory(road, LaneIndex(road)), _reading(stage, ego, 0.0))
    _, corridor, _ = locate(memory, scene)
    wanted = memory.context.ego[E_HEADWAY]

    def headway(manoeuvre, after_s):
        changed = replace(memory, changed_ns=scene.t_ns - round(after_s * 1e9))
        return falling_in(changed, scene, replace(corridor, manoeuvre=manoeuvre))[E_HEADWAY]

    assert falling_in(memory, scene, corridor)[E_HEADWAY] == wanted
    on, soon, later = headway("change_left", 2.0), headway("keep", 2.0), headway("keep", 60.0)
    assert on < soon < later == wanted
