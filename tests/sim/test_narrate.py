"""Events of a drive: a missed turn is noticed, told to the world, and told once."""

from dataclasses import replace

import numpy as np
import pytest

from builders import Lane, tiny_map
from episodes import drive
from marque.maps.field import plan_route
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.sensing.profile import load_exact
from marque.sim.drive import Setup, _End, at_goal, touched_row
from marque.sim.narrate import LOOK_FRAMES, Narrator, edges_ahead
from marque.sim.worlds.empty import EmptyWorld, nobody
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.command import Command
from marque.types.episode import Episode, Event, Tick
from marque.types.verdict import Action, Verdict
from marque.types.world import EgoTruth, RoadUsers, World

# 0 -> connector 1 -> 2 -> connector 3 -> goal 4;  0 -> connector 5 -> 6 -> connector 7 -> 4
ROADS = tiny_map(
    [
        Lane([(0, 0), (100, 0)], succ=[1, 5], edge="start"),
        Lane([(100, 0), (110, 0)], succ=[2], connector=True),
        Lane([(110, 0), (200, 0)], succ=[3], edge="straight"),
        Lane([(200, 0), (210, 0)], succ=[4], connector=True),
        Lane([(210, 0), (400, 0)], edge="goal"),
        Lane([(100, 0), (110, -10)], succ=[6], connector=True),
        Lane([(110, -10), (110, -80), (150, -80)], succ=[7, 9], edge="detour"),
        Lane([(150, -80), (205, -80), (210, 0)], succ=[4], connector=True),
        Lane([(0, 60), (300, 60)], edge="apart"),
        Lane([(150, -80), (160, -80)], succ=[10], connector=True),
        Lane([(160, -80), (400, -80)], edge="nowhere"),
    ]
)


class Told(EmptyWorld):
    """An empty road that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(ROADS)
        self.routes: list[tuple[str, ...]] = []

    def set_route(self, edges: tuple[str, ...]) -> None:
        self.routes.append(edges)


def episode_on() -> Episode:
    base = drive(10, 0, seed=1)
    return replace(
        base, road_map=ROADS, goal_lane=4, goal_s_m=100.0, goal_xy_m=(310.0, 0.0), ticks=[],
        events=[],
    )  # fmt: skip


def tick_at(k: int, x: float, y: float, heading: float = 0.0, **more: object) -> Tick:
    ego = EgoTruth(x, y, heading, 5.0, 0.0, 0.0, 0.0, 0.0)
    t_ns = k * 100_000_000
    world = World(t_ns, ego, nobody(), np.zeros(0, dtype=np.int8))
    command = Command(t_ns, 0.0, 0.0, Indicator.OFF)
    tick = Tick(world, None, command, (), Reason.NONE, 0.0)
    return replace(tick, **more)  # type: ignore[arg-type]


@pytest.fixture
def told() -> Told:
    return Told()


def test_edges_ahead_leave_out_junctions():
    route = plan_route(ROADS, 4, 100.0)
    assert edges_ahead(ROADS, route, 0, 10.0) == ("start", "straight", "goal")
    assert edges_ahead(ROADS, route, 6, 0.0) == ("detour", "goal")


def test_the_planned_way_is_quiet(told):
    episode = episode_on()
    narrator = Narrator(episode, LaneIndex(ROADS), told)
    for k in range(60):
        narrator.look(tick_at(k, 5.0 + 6.0 * k, 0.0))
    assert told.routes == []
    assert episode.events == []


def test_a_missed_turn_is_told_once(told):
    episode = episode_on()
    narrator = Narrator(episode, LaneIndex(ROADS), told)
    for k in range(3 * LOOK_FRAMES):
        narrator.look(tick_at(k, 20.0 + k, 0.0))
    for k in range(6 * LOOK_FRAMES):
        narrator.look(tick_at(3 * LOOK_FRAMES + k, 110.0, -15.0 - k, -np.pi / 2))
    assert told.routes == [("detour", "goal")]
    assert [event.kind for event in episode.events] == ["reroute"]
    assert "lane6" in episode.events[0].text


def test_a_glimpse_of_another_road_is_no_missed_turn(told):
    episode = episode_on()
    narrator = Narrator(episode, LaneIndex(ROADS), told)
    narrator.look(tick_at(0, 20.0, 0.0))
    for k in range(1, 10 * LOOK_FRAMES):
        strange = k == 2 * LOOK_FRAMES  # one look alone
        narrator.look(tick_at(k, 40.0, 60.0 if strange else 0.0))
    assert told.routes == []


def test_a_road_without_a_way_to_the_goal_is_said(told):
    episode = episode_on()
    narrator = Narrator(episode, LaneIndex(ROADS), told)
    narrator.look(tick_at(0, 20.0, 0.0))
    for k in range(1, 10 * LOOK_FRAMES):
        narrator.look(tick_at(k, 200.0 + k, -80.0))
    assert told.routes == []
    assert [event.kind for event in episode.events] == ["no_route"]


def test_news_of_the_traffic_become_events_once(told):
    episode = episode_on()
    narrator = Narrator(episode, LaneIndex(ROADS), told)
    narrator.look(tick_at(0, 20.0, 0.0))
    told.events.append(Event(5, "traffic_teleport", "'x' was removed", 1.0, 2.0))
    for k in range(1, 20):
        narrator.look(tick_at(k, 20.0 + k, 0.0))
    assert [event.kind for event in episode.events] == ["traffic_teleport"]


def test_the_guard_is_told_at_its_beginning(told):
    episode = episode_on()
    narrator = Narrator(episode, LaneIndex(ROADS), told)

    def verdict(rule: str, action: Action) -> tuple[Verdict, ...]:
        return (Verdict(0, action, Command(0, 0.0, 0.0, Indicator.OFF), rule, 0.1, True),)

    for k in range(100):
        acts = verdict("rss", Action.BRAKE) if k < 30 or k > 70 else ()
        narrator.look(tick_at(k, 20.0, 0.0, verdicts=acts))
    narrator.look(tick_at(100, 20.0, 0.0, verdicts=verdict("watchdog", Action.FALLBACK)))
    texts = [event.text for event in episode.events]
    assert len(texts) == 3
    assert "brakes: rss" in texts[0]
    assert texts[0] == texts[1]
    assert "takes over: watchdog" in texts[2]


def test_a_contact_names_who(told):
    episode = episode_on()
    users = RoadUsers(
        uid=np.array([7, 8]), kind=np.array([UserKind.BUS, UserKind.BICYCLE], dtype=np.int8),
        x_m=np.array([90.0, 23.0]), y_m=np.array([0.0, 0.4]), heading_rad=np.zeros(2),
        speed_mps=np.zeros(2), accel_mps2=np.zeros(2), length_m=np.array([12.0, 1.8]),
        width_m=np.array([2.5, 0.6]), indicator=np.zeros(2, dtype=np.int8),
        lane=np.zeros(2, dtype=np.int32),
    )  # fmt: skip
    truth = replace(tick_at(0, 20.0, 0.0).world, users=users)
    row = touched_row(truth, episode.platform)
    assert row == 1
    Narrator(episode, LaneIndex(ROADS), told).contact(truth, row)
    assert "bicycle at 5.0 m/s" in episode.events[0].text
    assert touched_row(tick_at(0, 20.0, 0.0).world, episode.platform) == -1


def setup_on(limit_s: float = 1000.0) -> Setup:
    return Setup(
        ROADS, LaneIndex(ROADS), episode_on().platform, "marque", Trip(0, 10.0, 4, 100.0), 1,
        load_exact(), limit_s,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("x", "y", "there"), [(310.0, 0.0, True), (290.0, 0.0, False), (310.0, 2.5, False)]
)
def test_the_goal_is_a_place_on_its_lane(x, y, there):
    assert at_goal(episode_on(), tick_at(0, x, y).world.ego) is there


def test_a_drive_ends_standing_at_its_goal_or_when_it_drove_past(told):
    episode = episode_on()
    ends = _End(setup_on(), episode, Narrator(episode, LaneIndex(ROADS), told))
    assert [ends.look(tick_at(k, 200.0 + k, 0.0)) for k in range(100)] == [""] * 100
    assert ends.look(tick_at(101, 308.0, 0.0)) == ""
    parked = tick_at(102, 308.0, 0.0)
    still = replace(parked, world=replace(parked.world, ego=EgoTruth(308.0, *(0.0,) * 7)))
    assert ends.look(still) == "arrived"
    assert episode.events == []
    assert ends.look(tick_at(103, 326.0, 0.0)) == "arrived"
    assert [event.kind for event in episode.events] == ["passed_goal"]


def test_time_is_limited(told):
    episode = episode_on()
    ends = _End(setup_on(5.0), episode, Narrator(episode, LaneIndex(ROADS), told))
    assert ends.look(tick_at(49, 20.0, 0.0)) == ""
    assert ends.look(tick_at(50, 20.0, 0.0)) == "timeout"
