"""Somebody at the wheel: what they ask for is taken at the right moment, or refused in words."""

from dataclasses import replace

import pytest

from episodes import car, drive
from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS
from marque.maps.lookup import LaneIndex
from marque.sim.at_wheel import AtWheel, Held, another_trip
from marque.sim.drive import begin_episode, run_drive
from marque.sim.order import Order, open_ground, open_world, prepare, with_limit
from marque.sim.person import Attended, cabin
from marque.sim.person import Mind as NoMind
from marque.types.takeover import Mode
from marque.vehicle.domain import load_domain
from marque.vehicle.market import load_market

R171 = load_market("un_r171")
ATTENDED = Attended(R171, load_domain("anywhere"))


def standing():
    episode = drive(1.0, users=2)
    tick = episode.ticks[-1]
    ego = replace(tick.world.ego, speed_mps=0.0, x_m=40.0, y_m=-1.6, heading_rad=0.0)
    episode.ticks.append(replace(tick, world=replace(tick.world, ego=ego)))
    return episode, LaneIndex(episode.road_map)


def test_a_button_is_pressed_in_the_frame_that_comes_and_once() -> None:
    wheel = AtWheel(ATTENDED, car())
    wheel.t_ns = 7 * PLAN_STEP_NS
    wheel.does("button")
    wheel.is_now("eyes-off")
    told = [cabin(wheel.cues(), NoMind(), R171, t * 20_000_000) for t in range(35, 50)]
    assert [each.button for each in told] == [False] * 5 + [True] + [False] * 9
    assert [each.eyes_on for each in told] == [True] * 5 + [False] * 10
    assert wheel.facts()["state"] == "eyes-off" and not wheel.facts()["eyes"]


def test_another_destination_changes_goal_and_way() -> None:
    episode, index = standing()
    trip, limit_s = another_trip(episode, index, "xy:300,-1.6")
    assert trip.start_lane == 0 and trip.start_s_m == pytest.approx(40.0, abs=0.5)
    assert episode.goal_lane == trip.goal_lane == 6
    assert episode.goal_xy_m == pytest.approx((300.0, -1.6), abs=0.5)
    assert episode.route_length_m == pytest.approx(260.0, abs=2.0)
    assert limit_s > 180.0


@pytest.mark.parametrize(
    ("place", "why"),
    [("xy:20,-1.6", "no way|behind us"), ("xy:1e5,0", "off map"), ("nonsense", "no place")],
)
def test_places_that_cannot_be_gone_to_change_nothing(place: str, why: str) -> None:
    episode, index = standing()
    goal = episode.goal_xy_m
    with pytest.raises(MarqueError, match=why):
        another_trip(episode, index, place)
    assert episode.goal_xy_m == goal


def test_destinations_are_taken_at_standstill_alone() -> None:
    episode = drive(8.0, users=2)
    with pytest.raises(MarqueError, match="standstill"):
        another_trip(episode, LaneIndex(episode.road_map), "xy:300,-1.6")


@pytest.mark.prove
def test_taking_over_driving_and_handing_back() -> None:
    """On empty roads of Berlin: the button, the brake, the accelerator, the button again."""
    order = Order(map_name="berlin", traffic="none", seed=3, market="un_r171")
    ready = with_limit(prepare(order, open_ground(order)), 60.0)
    world = open_world(ready)
    episode = begin_episode(ready.setup, ready.route, world)
    wheel = AtWheel(ready.setup.attended, ready.setup.platform)
    modes: list[Mode] = []

    def watch(tick) -> None:
        k = len(episode.ticks)
        modes.extend(order.mode for _, order in tick.orders)
        if k == 40:
            wheel.does("button")
        elif k == 50:
            wheel.held = Held(brake=0.5)
        elif k == 90:
            assert abs(tick.world.ego.speed_mps) < 0.05
            wheel.held = Held(accelerator=0.5)
        elif k == 105:
            assert tick.world.ego.speed_mps > 1.0
            wheel.held = Held(brake=0.5)
        elif k == 130:
            wheel.held = Held()
        elif k == 135:
            wheel.does("button")
        elif k == 200:
            wheel.wants(set_mps=4.0)
        elif k == 290:
            assert tick.world.ego.speed_mps < 4.5
            episode.end = "seen enough"

    run_drive(ready.setup, world, episode, watch, wheel=wheel)
    world.close()
    assert modes == [Mode.ACTIVE, Mode.READY, Mode.ACTIVE]
    assert {"deactivation", "activation"} <= {event.kind for event in episode.events}
