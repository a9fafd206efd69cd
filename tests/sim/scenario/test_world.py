"""A scenario as a world around our car."""

from dataclasses import replace
from pathlib import Path

import pytest

from marque.core.errors import MarqueError
from marque.sim.order import Order, open_ground, open_world, prepare
from marque.sim.scenario.play import read_play
from marque.sim.worlds.port import EndingWorld, RoadWorld
from marque.types.codes import UserKind
from marque.vehicle.catalog import load_platform
from scenario_files import (
    CAR,
    after,
    at_lane,
    begin,
    event,
    of_entity,
    set_variable,
    speed,
    story,
    teleport,
    text,
    when,
    write,
)

ACTIVATE = (
    "<PrivateAction><ControllerAction><ActivateControllerAction lateral='true' "
    "longitudinal='true'/></ControllerAction></PrivateAction>"
)
INIT = begin("Ego", teleport(at_lane(-2, 10.0)), speed(20.0)) + begin(
    "Other", teleport(at_lane(-2, 60.0)), speed(15.0)
)
HAND_OVER = story("Ego", event("on", ACTIVATE, when(after(1.0))))
STOP = when(after(3.0), tag="StopTrigger")
SPEED_UP = event("up", speed(25.0), when(after(2.0)))


def _file(folder: Path, init: str = INIT, stories: str = HAND_OVER, stop: str = STOP) -> Path:
    child = CAR.replace('name="car"', 'name="bike"').replace('"car"', '"bicycle"', 1)
    objects = f'<ScenarioObject name="Bike">{child}</ScenarioObject>'
    return write(
        folder,
        text(init + begin("Bike", teleport(at_lane(1, 90.0))), stories, stop, objects=objects),
    )


def test_the_file_drives_until_it_hands_over(tmp_path: Path) -> None:
    play = read_play(_file(tmp_path))
    world = play.world()
    assert isinstance(world, RoadWorld) and isinstance(world, EndingWorld)
    assert world.begin_s == pytest.approx(1.0, abs=0.051)
    start = world.start
    assert start.x_m == pytest.approx(10.0 + 20.0 * world.begin_s)
    assert (start.y_m, start.speed_mps) == (pytest.approx(-5.25), 20.0)
    assert world.goal[:2] == pytest.approx((500.0, -5.25), abs=2.0)
    truth = world.reset(start)
    assert truth.t_ns == 0 and sorted(world.names.values()) == ["Bike", "Other"]
    users = truth.users
    row = users.uid.tolist().index(next(u for u, n in world.names.items() if n == "Other"))
    assert users.x_m[row] == pytest.approx(60.0 + 15.0 * world.begin_s + 1.4)  # the box's middle
    assert users.kind[row] == UserKind.CAR
    assert users.kind[1 - row] == UserKind.BICYCLE
    lanes = [play.road_map.lane_name[lane] for lane in users.lane.tolist()]
    assert lanes[row] != lanes[1 - row] and len(set(lanes)) == 2


def test_others_go_by_what_our_car_does(tmp_path: Path) -> None:
    """Who waits for our car to come near starts when it does, not when the file's ego would."""
    near = of_entity(
        "Ego",
        '<RelativeDistanceCondition entityRef="Bike" relativeDistanceType="longitudinal" '
        'value="30" freespace="false" rule="lessThan" coordinateSystem="entity"/>',
    )
    stories = HAND_OVER + story("Bike", event("go", speed(4.0), when(near))).replace(
        'name="s"', 'name="s2"'
    )
    for speed_mps in (20.0, 5.0):
        world = read_play(_file(tmp_path, stories=stories, stop="<StopTrigger/>")).world()
        ego = world.start
        users = world.reset(ego).users
        row = users.uid.tolist().index(next(u for u, n in world.names.items() if n == "Bike"))
        while users.speed_mps[row] == 0.0:
            assert ego.x_m < 70.0
            ego = replace(ego, x_m=ego.x_m + 0.1 * speed_mps, speed_mps=speed_mps)
            users = world.step(ego).users
        assert 60.0 < ego.x_m < 60.0 + 0.21 * speed_mps


def test_the_scenario_ends_the_drive(tmp_path: Path) -> None:
    world = read_play(_file(tmp_path)).world()
    ego = world.start
    world.reset(ego)
    steps = 0
    while not world.over and steps < 40:
        world.step(ego)
        steps += 1
    assert world.over == "scenario over"
    assert steps * 0.1 == pytest.approx(3.0 - world.begin_s, abs=0.16)
    assert world.facts()["others"] == "Other, Bike"
    assert world.counts().inserted == 2
    world.close()


def test_our_cars_own_size_counts(tmp_path: Path) -> None:
    platform = load_platform("saloon_ev")
    world = read_play(_file(tmp_path)).world(platform)
    build = world.player.bodies["Ego"].build
    assert (build.length_m, build.width_m) == (platform.length_m, platform.width_m)
    assert build.front_m == pytest.approx(platform.front_m)


def test_without_a_controller_it_is_handed_over_at_once(tmp_path: Path) -> None:
    mark = story("Ego", event("e", set_variable("n", "1"), when(after(9.0))))
    path = _file(tmp_path, stories=mark)
    content = path.read_text().replace(
        "<VariableDeclarations>",
        '<VariableDeclarations><VariableDeclaration name="n" variableType="double" value="0"/>',
    )
    path.write_text(content)
    assert read_play(path).world().begin_s == 0.0


@pytest.mark.parametrize(
    ("init", "stories", "stop", "words"),
    [
        (INIT.replace('value="20.0"', 'value="-20.0"'), "", STOP, "backwards"),
        (INIT.replace('entityRef="Ego"', 'entityRef="Other"'), "", STOP, "never says where 'Ego'"),
        (
            INIT,
            HAND_OVER.replace('value="1.0"', 'value="9.0"'),
            STOP,
            "before its ego's controller is activated",
        ),
    ],
)
def test_what_our_car_cannot_take_over(
    tmp_path: Path, init: str, stories: str, stop: str, words: str
) -> None:
    with pytest.raises(MarqueError, match=words):
        read_play(_file(tmp_path, init, stories, stop)).world()


def test_a_scenario_without_an_ego(tmp_path: Path) -> None:
    path = write(tmp_path, text(begin("Other", teleport(at_lane(-1, 5.0))), entities=("Other",)))
    with pytest.raises(MarqueError, match="no entity 'Ego'"):
        read_play(path).world()


def test_an_order_for_a_scenario(tmp_path: Path) -> None:
    order = Order(scenario=str(_file(tmp_path)))
    ready = prepare(order, open_ground(order))
    assert ready.setup.begin is not None and ready.setup.begin.speed_mps == 20.0
    trip, road_map = ready.setup.trip, ready.setup.road_map
    x, y, heading = road_map.place(trip.start_lane, trip.start_s_m)
    assert (x, y) == pytest.approx((ready.setup.begin.x_m, ready.setup.begin.y_m), abs=0.2)
    assert heading == pytest.approx(0.0, abs=1e-6)
    assert ready.traffic_title == "OpenSCENARIO one.xosc"
    world = open_world(ready)
    assert world.reset(ready.setup.begin).users.uid.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"map_name": "berlin"}, "--map has no place beside --scenario"),
        ({"start": "xy:0,0"}, "--from has no place"),
        ({"traffic": "none"}, "--traffic has no place"),
        ({"density": 5}, "--density has no place"),
        ({"no_map": True}, "--no-map has no place"),
    ],
)
def test_words_that_a_scenario_excludes(
    tmp_path: Path, words: dict[str, object], said: str
) -> None:
    with pytest.raises(MarqueError, match=said):
        open_ground(Order(scenario=str(_file(tmp_path)), **words))  # type: ignore[arg-type]


def test_parameters_without_a_scenario() -> None:
    with pytest.raises(MarqueError, match="--set names a parameter of a scenario"):
        open_ground(Order(given=(("v", "1"),)))
