"""Frames: whole, plain JSON, true to the tick; and the stage that they play on."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from episodes import car, drive, town
from marque.cockpit.energy import wheel_power_w
from marque.cockpit.frames import NEAR_M, Shown, begin_stage, frame
from marque.cockpit.road import other_ways, road_scene
from marque.cockpit.ways import AHEAD_S, ahead_on_lane
from marque.maps.field import plan_route
from marque.maps.places import to_latlon
from marque.types.codes import Reason
from marque.types.takeover import Cause, Mode, Order

EPISODE = drive(30.0)
ROAD = road_scene(EPISODE)
WORDS = Path(__file__).parents[2] / "src/marque/cockpit/web/src/words.ts"


def frames(episode, orders=None):
    stage = begin_stage(episode, np.array(ROAD["origin_m"]))
    shown, made = Shown(), []
    for k, tick in enumerate(episode.ticks):
        tick = replace(tick, orders=(orders or {}).get(k, ()))
        shown, one = frame(stage, shown, tick, [])
        made.append(one)
    return made


FRAMES = frames(EPISODE)


def test_frames_and_stage_are_strict_json_and_small() -> None:
    for one in (*FRAMES[::20], FRAMES[-1]):
        assert len(json.dumps(one, allow_nan=False, separators=(",", ":"))) < 8000
    assert json.loads(json.dumps(ROAD, allow_nan=False)) == ROAD


def test_a_frame_says_where_the_car_is_and_what_it_does() -> None:
    k = 200
    tick, one = EPISODE.ticks[k], FRAMES[k]
    assert one["ego"]["x"] + ROAD["origin_m"][0] == pytest.approx(tick.world.ego.x_m, abs=0.01)
    assert one["speed"]["mps"] == pytest.approx(tick.world.ego.speed_mps, abs=1e-3)
    assert one["t"] == pytest.approx(k * 0.1)
    assert one["speed"]["limit_mps"] is not None
    way = sum(0.1 * t.world.ego.speed_mps for t in EPISODE.ticks[: k + 1])
    assert one["trip"]["way_m"] == pytest.approx(way, abs=0.1)


def test_only_who_is_near_is_shown_the_nearest_first() -> None:
    one, world = FRAMES[100], EPISODE.ticks[100].world
    apart = np.hypot(world.users.x_m - world.ego.x_m, world.users.y_m - world.ego.y_m)
    shown = [row[0] for row in one["users"]]
    assert set(shown) == {int(u) for u in world.users.uid[apart <= NEAR_M]}
    ranks = [float(apart[world.users.uid == uid][0]) for uid in shown]
    assert ranks == sorted(ranks)


def test_every_stop_and_slowdown_has_a_reason() -> None:
    for tick, one in zip(EPISODE.ticks, FRAMES, strict=True):
        if tick.world.ego.accel_mps2 < -1.0:
            assert one["why"]["code"] not in ("NONE", "SPEED_UP")
    assert any(one["why"]["code"] == "RED_LIGHT" for one in FRAMES)


def test_the_guard_stays_on_the_page_for_a_while_and_is_counted_once() -> None:
    acts = next(k for k, tick in enumerate(EPISODE.ticks) if tick.verdicts)
    assert FRAMES[acts]["guard"] == {
        "now": True, "action": "BRAKE", "rule": "rss", "margin": -0.25, "warning": True,
    }  # fmt: skip
    assert FRAMES[acts + 10]["guard"]["now"] is False
    assert FRAMES[acts + 40]["guard"] is None
    assert FRAMES[acts]["trip"]["interventions"] == 1


def test_a_demand_counts_down_between_orders() -> None:
    demand = Order(Mode.DEMAND, Cause.EYES_OFF, visual=True, acoustic=True, countdown_s=10.0)
    told = frames(drive(6.0), {5: ((500_000_000, demand),)})
    assert told[4]["mode"]["asks"] == "" and not told[4]["mode"]["supervised"]
    assert (told[5]["mode"]["asks"], told[5]["mode"]["countdown_s"]) == ("takeover", 10.0)
    assert told[25]["mode"]["countdown_s"] == pytest.approx(8.0)
    hands = Order(Mode.ACTIVE, visual=True)
    eyes = replace(hands, acoustic=True)
    told = frames(drive(3.0), {5: ((0, hands),), 9: ((0, eyes),)})
    assert (told[6]["mode"]["asks"], told[10]["mode"]["asks"]) == ("hands", "eyes")


def test_power_is_zero_at_rest_and_negative_under_braking() -> None:
    assert wheel_power_w(car(), 0.0, 0.0) == 0.0
    assert wheel_power_w(car(), 20.0, -3.0) < 0.0
    steady = wheel_power_w(car(), 27.8, 0.0)
    assert 5_000.0 < steady < 25_000.0  # a mid-size car at 100 km/h


def test_where_somebody_goes_follows_the_lane() -> None:
    world = EPISODE.ticks[10].world
    row = int(np.flatnonzero((world.users.speed_mps > 2.0) & (world.users.lane >= 0))[0])
    ahead = ahead_on_lane(EPISODE.road_map, world.users, row)
    assert ahead.shape == (len(AHEAD_S), 2) and np.isfinite(ahead).all()
    still = replace(world.users, speed_mps=np.zeros(world.users.speed_mps.shape))
    assert ahead_on_lane(EPISODE.road_map, still, row).shape == (0, 2)


def test_the_stage_holds_every_lane_stop_and_head() -> None:
    road_map = EPISODE.road_map
    assert len(ROAD["lanes"]) == road_map.lane_count
    assert len(ROAD["heads"]) == len(road_map.head_group)
    drive_lane = ROAD["lanes"][0]
    assert drive_lane[0] == 0 and drive_lane[1] & 16
    x, y = drive_lane[3] / 100.0 + ROAD["origin_m"][0], drive_lane[4] / 100.0 + ROAD["origin_m"][1]
    assert math.hypot(x - road_map.points(0)[0, 0], y - road_map.points(0)[0, 1]) < 0.01
    latitude, longitude = ROAD["globe"]
    assert (latitude, longitude) == pytest.approx(to_latlon(road_map, *ROAD["origin_m"]), abs=1e-6)
    nowhere = replace(road_map, projection="")
    assert road_scene(replace(EPISODE, road_map=nowhere))["globe"] is None


def test_a_town_with_one_road_has_no_other_way() -> None:
    road_map = town()
    route = plan_route(road_map, EPISODE.goal_lane, EPISODE.goal_s_m)
    assert other_ways(road_map, route, 0, 5.0) == []


@pytest.mark.parametrize("reason", list(Reason), ids=lambda each: each.name)
def test_each_reason_and_mode_has_words_in_three_languages(reason: Reason) -> None:
    text = WORDS.read_text(encoding="utf-8")
    assert text.count(f"    {reason.name}: ") + text.count(f" {reason.name}: ") >= 3
    for mode in Mode:
        assert text.count(f"{mode.name}: ") >= 3
