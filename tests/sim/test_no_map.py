"""Drives without a map, whole: senses, belief, driver, guard and car on a short motorway."""

import gc
import math
import re
from dataclasses import astuple, replace

import numpy as np
import pytest

from builders import Lane, tiny_map
from marque.core.errors import MarqueError
from marque.core.time import BASE_STEP_NS
from marque.maps.field import plan_route
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import open_ground
from marque.metrics.lane_keeping import lane_keeping
from marque.sensing.profile import load_profile
from marque.sim import drive
from marque.sim.drive import HANDED_OVER, LENGTH_DRIVEN, Blind, Setup, begin_episode, run_drive
from marque.sim.no_map import blind_trip, draw_blind_trip, no_motorway, reaches, straight_way
from marque.sim.senses import Senses, begin_fusing, begin_senses
from marque.sim.worlds.empty import EmptyWorld, nobody
from marque.stack.perception.fuse import fuse
from marque.types.codes import Indicator, LaneKind, Reaction, UserKind
from marque.types.episode import Episode
from marque.types.reading import Delivery, LaneMarks, Reading
from marque.types.road_map import NONE, RoadMap
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

WIDTH_M, FAST_MPS = 3.75, 36.11
CAR = load_platform("saloon_ev")


def line(bend_1pm: float, length_m: float, d_m: float, turn_over_m: float = 150.0) -> list:
    """A lane `d_m` left of an axis that runs east and is bent more and more, to `bend_1pm`."""
    s = np.arange(0.0, length_m + 1.0, 1.0)
    angle = np.cumsum(bend_1pm * np.clip((s - 100.0) / turn_over_m, 0.0, 1.0))
    x, y = np.cumsum(np.cos(angle)), np.cumsum(np.sin(angle))
    return list(zip((x - d_m * np.sin(angle)).tolist(), (y + d_m * np.cos(angle)).tolist(),
                    strict=True))  # fmt: skip


def motorway(
    bend_1pm: float = 0.0,
    length_m: float = 900.0,
    lanes: int = 3,
    limit: float = FAST_MPS,
    left_hand: bool = False,
) -> RoadMap:
    """One direction, lane 0 the rightmost."""
    return tiny_map(
        [
            Lane(
                line(bend_1pm, length_m, WIDTH_M * i), edge="m", width=WIDTH_M, limit=limit,
                left=i + 1 if i + 1 < lanes else NONE, right=i - 1,
            )
            for i in range(lanes)
        ],
        left_hand=left_hand,
    )  # fmt: skip


def setup_of(road_map: RoadMap, length_m: float, sensors: str = "ideal", lane: int = 1,
             set_mps: float | None = None) -> Setup:  # fmt: skip
    index = LaneIndex(road_map)
    trip = blind_trip(road_map, lane, 30.0, length_m)
    return Setup(road_map, index, CAR, "marks", trip, 3, load_profile(sensors), 120.0,
                 blind=Blind(length_m, set_mps))  # fmt: skip


def driven(setup: Setup, world: EmptyWorld | None = None) -> Episode:
    world = EmptyWorld(setup.road_map) if world is None else world
    trip = setup.trip
    route = plan_route(setup.road_map, trip.goal_lane, trip.goal_s_m)
    episode = begin_episode(setup, route, world)
    run_drive(setup, world, episode)
    return episode


def test_it_keeps_its_lane_through_a_bend_and_ends_after_its_length():
    setup = setup_of(motorway(-1.0 / 400.0, 600.0), 290.0)
    episode = driven(setup)
    kept = lane_keeping(episode, setup.index)
    assert episode.end == LENGTH_DRIVEN
    assert kept["lateral_max_m"] < 0.15
    assert kept["off_lane_s"] == 0.0
    assert kept["lanes_left"] == kept["takeovers"] == 0
    assert episode.ticks[-1].world.ego.speed_mps > 22.0  # 100 km/h until a sign is seen
    assert max(tick.world.ego.speed_mps for tick in episode.ticks) < 28.5


def test_left_hand_traffic_changes_nothing():
    """Nothing of the machine asks on which side of the road it drives."""
    ways = [
        [(t.world.ego.x_m, t.world.ego.y_m) for t in driven(setup_of(road, 60.0)).ticks]
        for road in (motorway(), motorway(left_hand=True))
    ]
    assert ways[0] == ways[1]


def test_it_drives_with_senses_that_err_and_keeps_to_the_set_speed():
    setup = setup_of(motorway(-1.0 / 600.0), 90.0, "standard", set_mps=10.0)
    episode = driven(setup)
    kept = lane_keeping(episode, setup.index)
    assert episode.end == LENGTH_DRIVEN
    assert kept["lateral_max_m"] < 0.4
    assert kept["off_lane_s"] == 0.0
    assert 9.0 < max(tick.world.ego.speed_mps for tick in episode.ticks) < 10.6


class Led(EmptyWorld):
    """A car 40 m ahead in our lane that drives 8 m/s, and one in the lane beside."""

    def _world(self, ego: EgoTruth) -> World:
        seen = super()._world(ego)
        if not hasattr(self, "_from"):
            self._from = ego
        a = self._from.heading_rad
        way = 45.0 + 8.0 * self._t_ns / 1e9
        x = np.array([self._from.x_m + way, self._from.x_m + way - 30.0])
        y = np.array([self._from.y_m, self._from.y_m + WIDTH_M])
        n = 2
        users = RoadUsers(
            uid=np.arange(1, 3), kind=np.full(n, UserKind.CAR, np.int8), x_m=x, y_m=y,
            heading_rad=np.full(n, a), speed_mps=np.full(n, 8.0), accel_mps2=np.zeros(n),
            length_m=np.full(n, 4.6), width_m=np.full(n, 1.85), indicator=np.zeros(n, np.int8),
            lane=np.full(n, NONE, np.int32),
        )  # fmt: skip
        return replace(seen, users=users)


def test_it_follows_who_is_in_its_lane_and_passes_who_is_not():
    setup = setup_of(motorway(), 230.0)
    world = Led(setup.road_map)
    episode = driven(setup, world)
    last = episode.ticks[-1].world
    gap = float(last.users.x_m[0]) - last.ego.x_m - CAR.front_m - 2.3
    assert episode.end == LENGTH_DRIVEN
    assert last.ego.speed_mps == pytest.approx(8.0, abs=0.6)
    assert 8.0 < gap < 25.0  # 1.4 s and 2 m
    assert last.ego.x_m > float(last.users.x_m[1]) - 100.0


class Worn:
    """Senses that find no marks from some instant on."""

    def __init__(self, senses: Senses, from_s: float) -> None:
        self.senses, self.from_ns = senses, round(from_s * 1e9)

    def observe(self, world: World) -> None:
        self.senses.observe(world)

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading | Delivery:
        came = self.senses.receive(ego, t_ns)
        if t_ns < self.from_ns:
            return came
        none = LaneMarks(t_ns, np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
        return replace(came, marks=none if isinstance(came, Reading) else (none,))


def test_marks_that_stay_away_end_in_a_stop_with_hazard_lights(monkeypatch):
    begin = drive.begin_senses
    monkeypatch.setattr(drive, "begin_senses", lambda *a, **k: Worn(begin(*a, **k), 6.0))
    setup = setup_of(motorway(1.0 / 800.0), 800.0, set_mps=12.0)
    episode = driven(setup)
    levels = [tick.health.level for tick in episode.ticks]
    at = {level: next(i for i, one in enumerate(levels) if i > 30 and one >= level) / 10.0
          for level in (Reaction.DEGRADE, Reaction.TAKEOVER, Reaction.STOP)}  # fmt: skip
    assert 6.4 <= at[Reaction.DEGRADE] <= 6.9
    assert 7.4 <= at[Reaction.TAKEOVER] <= 7.9
    assert at[Reaction.STOP] <= 10.2
    assert episode.end.startswith(HANDED_OVER)
    assert "lane marks lost" in episode.end
    assert episode.ticks[-1].world.ego.speed_mps < 0.1
    assert episode.ticks[-1].command.indicator == Indicator.HAZARD
    kept = lane_keeping(episode, setup.index)
    assert kept["off_lane_s"] == 0.0
    assert kept["takeovers"] == 1
    assert min(tick.world.ego.accel_mps2 for tick in episode.ticks) > -5.0


def test_where_the_lane_ends_it_stops_and_asks():
    """The left of two lanes ends after 220 m; the other goes on."""
    lanes = [
        Lane(line(0.0, 220.0, 0.0), succ=[2], edge="a", width=WIDTH_M, limit=22.3, left=1),
        Lane(line(0.0, 220.0, WIDTH_M), edge="a", width=WIDTH_M, limit=22.3, right=0),
        Lane([(x + 221.0, y) for x, y in line(0.0, 300.0, 0.0)], edge="b", width=WIDTH_M,
             limit=22.3),
    ]  # fmt: skip
    road_map = tiny_map(lanes)
    setup = replace(setup_of(road_map, 150.0, lane=1), blind=Blind(900.0, 14.0))
    episode = driven(setup)
    assert "own lane ends ahead" in episode.end
    assert episode.ticks[-1].world.ego.x_m + CAR.front_m < 222.0


# ---------------------------------------------------------------- doors


def test_nothing_of_the_true_map_can_be_reached_from_the_machine():
    """Every object that hangs on the stack's memory is looked at: none is the map, or an array of
    it, and none has a lane."""
    for sensors in ("ideal", "standard"):
        setup = setup_of(motorway(), 300.0, sensors)
        stack = drive.begin_stack(setup)
        true = {id(setup.road_map), id(setup.index), id(setup.trip), id(setup)}
        true |= {
            id(getattr(setup.road_map, name))
            for name in setup.road_map.__dataclass_fields__
            if isinstance(getattr(setup.road_map, name), np.ndarray)
        }
        seen: set[int] = set()
        todo: list[object] = [stack]
        while todo:
            one = todo.pop()
            if id(one) in seen or isinstance(one, type) or callable(one):
                continue
            seen.add(id(one))
            assert id(one) not in true
            assert not isinstance(one, RoadMap) or one.lane_count == 0
            todo += [each for each in gc.get_referents(one) if not isinstance(each, type(gc))]
        assert len(seen) > 100


def test_satellites_move_nothing_of_its_frame():
    """Fixes that are 500 m off, or none: the same readings."""
    road_map, profile = motorway(), load_profile("standard")
    nothing = open_ground("no map", "", "")
    began = EgoTruth(100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    senses = begin_senses(profile, CAR, road_map, 1)
    heard, deaf = (begin_fusing((profile, CAR, nothing, LaneIndex(nothing)), began, 1)
                   for _ in range(2))  # fmt: skip
    for step in range(150):
        t_ns = step * BASE_STEP_NS
        t = 0.02 * step
        ego = replace(began, x_m=100.0 + 0.5 * t * t, speed_mps=t, accel_mps2=1.0)
        if step % 5 == 0:
            senses.observe(World(t_ns, ego, nobody(), np.zeros(0, np.int8)))
        came = senses.receive(ego, t_ns)
        off = tuple(replace(fix, x_m=fix.x_m + 500.0) for fix in came.gnss)
        heard, one = fuse(heard, replace(came, gnss=off))
        deaf, other = fuse(deaf, replace(came, gnss=()))
        assert astuple(one.ego) == astuple(other.ego)
    assert heard.watching.health.level == Reaction.NONE
    assert one.ego.t_ns == t_ns  # and the place is of use
    assert one.ego.speed_mps == pytest.approx(t, abs=0.1)


# ---------------------------------------------------------------- where it may be


def test_the_way_straight_on_takes_the_branch_that_turns_least():
    lanes = [
        Lane([(0.0, 0.0), (100.0, 0.0)], succ=[1, 2], limit=30.0),
        Lane([(100.0, 0.0), (110.0, -2.0)], succ=[3], connector=True, limit=30.0),
        Lane([(100.0, 0.0), (110.0, 0.0)], succ=[4], connector=True, limit=30.0),
        Lane([(110.0, -2.0), (200.0, -40.0)], limit=30.0),
        Lane([(110.0, 0.0), (300.0, 0.0)], limit=30.0),
    ]
    road_map = tiny_map(lanes)
    assert straight_way(road_map, 0, 10.0, 200.0) == [0, 2, 4]
    assert reaches(road_map, 0, 10.0, 150.0)
    assert not reaches(road_map, 0, 10.0, 280.0)
    trip = blind_trip(road_map, 0, 10.0, 150.0)
    assert (trip.goal_lane, round(trip.goal_s_m)) == (4, 50)
    with pytest.raises(MarqueError, match="inside a junction"):
        blind_trip(road_map, 1, 1.0, 50.0)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"limit": 13.89}, "limit of 50 km/h"),
        ({"opposite": 1}, "oncoming traffic beside it"),
    ],
)
def test_what_is_no_motorway_is_refused_by_name(change, words):
    lanes = [
        Lane([(0.0, 0.0), (500.0, 0.0)], name="here", **({"limit": 30.0} | change)),
        Lane([(500.0, 3.5), (0.0, 3.5)], limit=30.0),
    ]
    road_map = tiny_map(lanes)
    why = no_motorway(road_map, 0)
    assert words in why
    with pytest.raises(MarqueError, match=f"lane 'here' of tiny {re.escape(why)}"):
        blind_trip(road_map, 0, 10.0, 300.0)


def test_a_map_without_a_motorway_has_no_seeded_drive():
    with pytest.raises(MarqueError, match=r"has none of 0\.4 km"):
        draw_blind_trip(motorway(limit=13.89), 1, 400.0)
    trip = draw_blind_trip(motorway(), 1, 400.0)
    assert trip == draw_blind_trip(motorway(), 1, 400.0)
    assert math.isclose(trip.goal_s_m - trip.start_s_m, 400.0)


def test_lanes_of_other_kinds_draw_no_start():
    road_map = tiny_map([Lane([(0.0, 0.0), (900.0, 0.0)], kind=LaneKind.BUS, limit=30.0)])
    with pytest.raises(MarqueError, match="none of"):
        draw_blind_trip(road_map, 1, 300.0)
