"""What viewers show is what the tick says."""

import numpy as np
import pytest

from episodes import drive, town
from marque.record import viewer
from marque.record.schemas import FOXGLOVE_SET, MARQUE_SET
from marque.types.codes import SignalState, UserKind
from oracle.protobuf_twin import decode


def entities(data: bytes) -> dict[str, dict]:
    update = decode(FOXGLOVE_SET, "foxglove.SceneUpdate", data)
    return {each["id"]: each for each in update["entities"]}


def test_scene_shows_every_near_user_where_it_is() -> None:
    tick = drive(8.0, users=60).ticks[70]
    box = viewer.ego_box(4.7, 1.85, 1.45, 1.4)
    found = entities(viewer.scene(tick, box))
    users, ego = tick.world.users, tick.world.ego
    near = np.hypot(users.x_m - ego.x_m, users.y_m - ego.y_m) <= viewer.NEAR_M
    assert 0 < near.sum() < len(users.uid)
    for kind in UserKind:
        index = np.flatnonzero(near & (users.kind == kind))
        cubes = found[kind.name.lower()].get("cubes", [])
        assert len(cubes) == len(index)
        for cube, i in zip(cubes, index, strict=True):
            at, turn = cube["pose"]["position"], cube["pose"]["orientation"]
            assert (at["x"], at["y"]) == (users.x_m[i], users.y_m[i])
            assert 2.0 * np.arctan2(turn["z"], turn["w"]) == pytest.approx(users.heading_rad[i])
            assert cube["size"]["x"] == users.length_m[i]
            assert cube["size"]["y"] == users.width_m[i]
    (plan,) = found["plan"]["lines"]
    assert plan["points"][0]["x"] == tick.plan.trajectory.x_m[0]
    assert len(plan["points"]) == 41
    assert found["ego"]["frame_id"] == "ego"
    assert found["ego"]["cubes"][0]["pose"]["position"]["x"] == 1.4


def test_scene_of_an_empty_road_before_the_first_plan() -> None:
    tick = drive(1.0, users=0).ticks[0]
    found = entities(viewer.scene(tick, viewer.ego_box(4.0, 1.8, 1.5, 1.2)))
    assert "plan" not in found
    assert all(not found[kind.name.lower()].get("cubes") for kind in UserKind)


def test_signals_stand_on_their_stop_lines_in_their_colours() -> None:
    road = town()
    bars = viewer.signal_bars(viewer.sketch(road, np.zeros((0, 2))))
    heads = np.array(
        [SignalState.RED, SignalState.GREEN, SignalState.AMBER, SignalState.OFF], dtype=np.int8
    )
    found = entities(viewer.signals(7, heads, bars, 310.0, 0.0))["signals"]["cubes"]
    red, green = found  # the others are more than 200 m away
    assert red["color"]["r"] > 0.8 > red["color"]["g"]
    assert green["color"]["g"] > 0.7 > green["color"]["r"]
    assert red["pose"]["position"]["x"] == road.head_xy_m[0, 0]
    assert red["size"]["y"] == road.lane_width_m[1]


def test_map_scene_covers_the_lanes() -> None:
    road = town()
    found = entities(viewer.map_scene(viewer.sketch(road, np.array([[0.0, 0.0], [9.0, 0.0]]))))
    (surface,) = found["map road"]["triangles"]
    xy = np.array([(p["x"], p["y"]) for p in surface["points"]]).reshape(-1, 3, 2)
    u, v = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    area = 0.5 * np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum()
    lanes = (road.lane_kind <= 1) & ~road.lane_connector
    assert area == pytest.approx((road.lane_length_m * road.lane_width_m)[lanes].sum(), rel=1e-3)
    (stops,) = found["map stop lines"]["lines"]
    assert len(stops["points"]) == 2 * np.isfinite(road.lane_stop_m).sum()
    assert stops["points"][0]["x"] == pytest.approx(199.0)
    assert len(found["route"]["lines"]) == 1


def test_state_tells_the_reason_in_words() -> None:
    tick = drive(20.0, users=8).ticks[190]
    found = decode(MARQUE_SET, "marque.State", viewer.state(tick))
    assert found["reason"] == tick.reason.name == "RED_LIGHT"
    assert found["speed_mps"] == tick.world.ego.speed_mps
    assert found["manoeuvre"] == "keep"
