"""How a scenario's road users move, and what conditions see of it, on roads of our own."""

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marque.sim.scenario.player import STEP_S, Player
from scenario_files import (
    LANE_M,
    after,
    at_lane,
    begin,
    event,
    of_entity,
    play_until,
    playing,
    set_variable,
    speed,
    story,
    teleport,
    text,
    when,
)

COUNT = '<VariableDeclaration name="n" variableType="double" value="0"/>'
SAME_FOLDER = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _pair(ego_mps: float = 10.0, other_mps: float = 10.0, gap_m: float = 50.0) -> str:
    return begin("Ego", teleport(at_lane(-1, 10.0)), speed(ego_mps)) + begin(
        "Other", teleport(at_lane(-1, 10.0 + gap_m)), speed(other_mps)
    )


def _play(folder: Path, init: str, *stories: str, curvature: float = 0.0) -> Player:
    content = text(init, "".join(stories), variables=COUNT)
    return playing(folder, content, curvature)


def _lateral(kind: str, target: str, dynamics: str) -> str:
    return (
        f"<PrivateAction><LateralAction><Lane{kind}Action><Lane{kind}ActionDynamics {dynamics}/>"
        f"<Lane{kind}Target>{target}</Lane{kind}Target></Lane{kind}Action></LateralAction>"
        "</PrivateAction>"
    )


@pytest.mark.parametrize("shape", ["linear", "cubic", "sinusoidal"])
@pytest.mark.parametrize(
    ("dimension", "by", "seconds"), [("time", 2.0, 2.0), ("distance", 30.0, 2.0), ("rate", 5.0, 0)]
)
def test_speeds_end_where_and_when_they_should(
    tmp_path: Path, shape: str, dimension: str, by: float, seconds: float
) -> None:
    change = event("go", speed(20.0, shape, dimension, by), when(after(1.0)))
    player = _play(tmp_path, _pair(), story("Other", change))
    body = player.bodies["Other"]
    taken = {"linear": 2.0, "cubic": 3.0, "sinusoidal": math.pi}[shape]
    seconds = seconds or taken
    play_until(player, 1.0)
    start = body.x_m
    speeds = [body.speed_mps]
    while player.t_s < 1.0 + seconds + STEP_S:
        player.step()
        speeds.append(body.speed_mps)
    assert speeds == sorted(speeds)
    assert speeds[-1] == pytest.approx(20.0)
    if dimension == "time":
        assert speeds[round(seconds / STEP_S) - 1] < 20.0
    gone = body.x_m - start
    assert gone == pytest.approx(15.0 * seconds, abs=20.0 * 2 * STEP_S)


def test_a_vehicle_changes_its_speed_no_faster_than_it_can(tmp_path: Path) -> None:
    change = event("go", speed(0.0, "linear", "rate", 30.0), when(after(1.0)))
    player = play_until(_play(tmp_path, _pair(), story("Other", change)), 1.5)
    assert player.bodies["Other"].speed_mps == pytest.approx(10.0 - 9.5 * 0.5)


def test_speeds_relative_to_another(tmp_path: Path) -> None:
    def relative(kind: str, value: float, continuous: str) -> str:
        return (
            "<PrivateAction><LongitudinalAction><SpeedAction><SpeedActionDynamics "
            'dynamicsShape="step" dynamicsDimension="time" value="0"/><SpeedActionTarget>'
            f'<RelativeTargetSpeed entityRef="Ego" value="{value}" continuous="{continuous}" '
            f'speedTargetValueType="{kind}"/></SpeedActionTarget></SpeedAction>'
            "</LongitudinalAction></PrivateAction>"
        )

    faster = story("Ego", event("up", speed(20.0), when(after(1.0))))
    for kind, value, wanted in (("delta", 5.0, (15.0, 25.0)), ("factor", 1.5, (15.0, 30.0))):
        for continuous in ("false", "true"):
            init = _pair() + begin("Other", relative(kind, value, continuous))
            player = play_until(_play(tmp_path, init, faster), 0.5)
            assert player.bodies["Other"].speed_mps == pytest.approx(wanted[0])
            play_until(player, 1.5)
            late = wanted[1] if continuous == "true" else wanted[0]
            assert player.bodies["Other"].speed_mps == pytest.approx(late)


@pytest.mark.parametrize("entity", ["", "Ego"])
def test_a_profile_of_speeds(tmp_path: Path, entity: str) -> None:
    ref = f'entityRef="{entity}"' if entity else ""
    base = 12.0 if entity else 0.0
    profile = (
        f'<PrivateAction><LongitudinalAction><SpeedProfileAction {ref} followingMode="position">'
        '<SpeedProfileEntry speed="4" time="2"/><SpeedProfileEntry speed="8" time="1"/>'
        "</SpeedProfileAction></LongitudinalAction></PrivateAction>"
    )
    player = _play(
        tmp_path, _pair(12.0, 10.0), story("Other", event("go", profile, when(after(1.0))))
    )
    for time, wanted in ((1.0, 10.0), (2.0, 0.5 * (14.0 + base)), (3.0, 4.0 + base)):
        play_until(player, time)
        assert player.bodies["Other"].speed_mps == pytest.approx(wanted)
    play_until(player, 3.5)
    assert player.bodies["Other"].speed_mps == pytest.approx(6.0 + base)
    assert play_until(player, 5.0).bodies["Other"].speed_mps == pytest.approx(8.0 + base)


def test_lamps(tmp_path: Path) -> None:
    def lamp(name: str, mode: str) -> str:
        return (
            "<PrivateAction><AppearanceAction><LightStateAction><LightType><VehicleLight "
            f'vehicleLightType="{name}"/></LightType><LightState mode="{mode}"/>'
            "</LightStateAction></AppearanceAction></PrivateAction>"
        )

    stories = story("Other", event("on", lamp("indicatorLeft", "flashing"), when(after(0.2))),
                    event("off", lamp("indicatorLeft", "off"), when(after(0.5))))  # fmt: skip
    player = play_until(_play(tmp_path, _pair(), stories), 0.4)
    assert player.bodies["Other"].lamps == {"indicatorLeft"}
    assert play_until(player, 1.0).bodies["Other"].lamps == frozenset()


@pytest.mark.parametrize("shape", ["linear", "cubic", "sinusoidal"])
@pytest.mark.parametrize("dynamics", [("time", 3.0), ("rate", 1.5), ("distance", 40.0)])
@pytest.mark.parametrize("curvature", [0.0, 0.004])
def test_lane_changes_end_in_the_middle_of_the_lane(
    tmp_path: Path, shape: str, dynamics: tuple[str, float], curvature: float
) -> None:
    words = f'dynamicsShape="{shape}" dynamicsDimension="{dynamics[0]}" value="{dynamics[1]}"'
    change = _lateral("Change", '<RelativeTargetLane entityRef="Ego" value="-1"/>', words)
    player = _play(
        tmp_path,
        _pair(),
        story("Other", event("go", change, when(after(0.5)))),
        curvature=curvature,
    )
    body, offsets, gone = player.bodies["Other"], [], 0.0
    play_until(player, 0.5)
    while player.t_s < 6.0:
        before = body.x_m, body.y_m
        player.step()
        gone += math.hypot(body.x_m - before[0], body.y_m - before[1])
        assert body.place is not None
        offsets.append(body.place.t_m)
    assert offsets == sorted(offsets, reverse=True)
    assert offsets[-1] == pytest.approx(-1.5 * LANE_M, abs=1e-6)
    assert body.place is not None and body.place.lane_id == -2
    assert body.place.relative_heading_rad == pytest.approx(0.0)
    assert gone == pytest.approx(10.0 * 5.5, abs=0.02)  # going aside does not make it faster


def test_offsets_in_a_lane_keep_to_their_acceleration(tmp_path: Path) -> None:
    move = _lateral("Offset", '<AbsoluteTargetLaneOffset value="1.2"/>',
                    'dynamicsShape="sinusoidal" maxLateralAcc="0.4"').replace(
        "<LaneOffsetAction>", '<LaneOffsetAction continuous="false">')  # fmt: skip
    player = _play(tmp_path, _pair(), story("Other", event("go", move, when(after(0.5)))))
    body, t = player.bodies["Other"], []
    play_until(player, 0.5)
    while player.t_s < 7.0:
        player.step()
        t.append(body.y_m)
    assert t[-1] == pytest.approx(-0.5 * LANE_M + 1.2)
    bends = [abs(a - 2 * b + c) / STEP_S**2 for a, b, c in zip(t, t[1:], t[2:], strict=False)]
    assert max(bends) <= 0.4 + 1e-3
    taken = math.pi * math.sqrt(1.2 / 0.8)
    moving = [i for i, (a, b) in enumerate(itertools.pairwise(t)) if a != b]
    assert len(moving) * STEP_S == pytest.approx(taken, abs=2 * STEP_S)


def test_who_does_nothing_keeps_lane_offset_heading_and_speed(tmp_path: Path) -> None:
    init = begin("Other", teleport(at_lane(1, 200.0, 0.5)), speed(10.0)) + begin(
        "Ego", teleport(at_lane(-1, 200.0, -0.3, "3.14159265358979")), speed(10.0)
    )
    player = play_until(_play(tmp_path, init, curvature=0.01), 5.0)
    for name, lane, offset in (("Other", 1, 0.5), ("Ego", -1, -0.3)):
        body = player.bodies[name]
        radius = 100.0 - (1 if lane > 0 else -1) * 0.5 * LANE_M - offset
        assert body.place is not None
        assert (body.place.lane_id, body.place.lane_offset_m) == (lane, pytest.approx(offset))
        turned = (200.0 - body.place.s_m) / 100.0
        assert turned * radius == pytest.approx(50.0, abs=1e-6)
        centre = math.hypot(body.x_m, body.y_m - 100.0)
        assert centre == pytest.approx(radius, abs=1e-6)


def test_positions(tmp_path: Path) -> None:
    def position(inside: str) -> str:
        return f"<Position>{inside}</Position>"

    base = begin("Ego", teleport(at_lane(-2, 100.0, 0.5)))
    rows = {
        '<WorldPosition x="3" y="4" h="0.5"/>': (3.0, 4.0, 0.5),
        '<RoadPosition roadId="0" s="30" t="2"/>': (30.0, 2.0, 0.0),
        '<RelativeWorldPosition entityRef="Ego" dx="1" dy="-2"/>': (101.0, -6.75, 0.0),
        '<RelativeObjectPosition entityRef="Ego" dx="-5" dy="1"><Orientation type="relative" '
        'h="0.25"/></RelativeObjectPosition>': (95.0, -3.75, 0.25),
        '<RelativeLanePosition entityRef="Ego" dLane="1" ds="10" offset="-0.25"/>': (
            110.0, -2.0, 0.0,
        ),
        '<RelativeLanePosition entityRef="Ego" dLane="2" ds="10"/>': (110.0, 1.75, math.pi),
        '<RelativeRoadPosition entityRef="Ego" ds="10" dt="1"/>': (110.0, -3.75, 0.0),
    }  # fmt: skip
    for inside, (x, y, heading) in rows.items():
        player = _play(tmp_path, base + begin("Other", teleport(position(inside))))
        body = player.bodies["Other"]
        assert (body.x_m, body.y_m) == pytest.approx((x, y), abs=1e-9), inside
        assert math.cos(body.heading_rad - heading) == pytest.approx(1.0), inside


def test_a_distance_is_kept_in_meters_or_seconds(tmp_path: Path) -> None:
    def gap(words: str, continuous: str, freespace: str) -> str:
        return (
            "<PrivateAction><LongitudinalAction><LongitudinalDistanceAction "
            f'entityRef="Ego" {words} continuous="{continuous}" freespace="{freespace}" '
            'coordinateSystem="entity"/></LongitudinalAction></PrivateAction>'
        )

    leading, trailing = "leadingReferencedEntity", "trailingReferencedEntity"
    for words, freespace, wanted in (
        (f'distance="20" displacement="{leading}"', "true", 10.0 + 25.0),
        (f'timeGap="2" displacement="{leading}"', "true", 10.0 + 2 * 12.0 + 5.0),
        (f'distance="4" displacement="{trailing}"', "false", 6.0),
    ):
        init = _pair(12.0, 12.0) + begin("Other", gap(words, "false", freespace))
        assert _play(tmp_path, init).bodies["Other"].x_m == pytest.approx(wanted)
    held = begin("Other", gap(f'distance="20" displacement="{leading}"', "true", "false"))
    slower = story("Ego", event("slow", speed(4.0, "linear", "rate", 2.0), when(after(0.5))))
    player = play_until(_play(tmp_path, _pair() + held, slower), 5.0)
    assert player.bodies["Other"].x_m - player.bodies["Ego"].x_m == pytest.approx(20.0, abs=1e-6)
    assert player.bodies["Other"].speed_mps == pytest.approx(4.0)


MEASURES = {
    # (condition on Ego, when it first holds): Ego at 10 m with 20 m/s, Other at 60 m with 10 m/s,
    # 5 m long each, so that the free space is 45 - 10 t
    '<RelativeDistanceCondition entityRef="Other" relativeDistanceType="longitudinal" value="25" '
    'freespace="true" rule="lessThan" coordinateSystem="{0}"/>': 2.05,
    '<RelativeDistanceCondition entityRef="Other" relativeDistanceType="longitudinal" value="25" '
    'freespace="false" rule="lessOrEqual" coordinateSystem="{0}"/>': 2.5,
    '<TimeHeadwayCondition entityRef="Other" relativeDistanceType="longitudinal" value="1" '
    'freespace="true" rule="lessThan" coordinateSystem="{0}"/>': 2.55,
    '<TimeToCollisionCondition freespace="true" rule="lessThan" value="1.52" '
    'relativeDistanceType="longitudinal" coordinateSystem="{0}"><TimeToCollisionConditionTarget>'
    '<EntityRef entityRef="Other"/></TimeToCollisionConditionTarget></TimeToCollisionCondition>':
        3.0,
    '<CollisionCondition><EntityRef entityRef="Other"/></CollisionCondition>': 4.5,
    '<CollisionCondition><ByType type="vehicle"/></CollisionCondition>': 4.5,
    '<TraveledDistanceCondition value="29.99"/>': 1.5,
    '<SpeedCondition value="19" rule="greaterThan"/>': 0.0,
    '<RelativeSpeedCondition entityRef="Other" value="9" rule="greaterThan" '
    'direction="longitudinal"/>': 0.0,
    '<ReachPositionCondition tolerance="0.5"><Position><LanePosition roadId="0" laneId="-1" '
    's="50"/></Position></ReachPositionCondition>': 2.0,
    '<DistanceCondition value="20" freespace="false" rule="lessThan"><Position><WorldPosition '
    'x="10" y="-1.75"/></Position></DistanceCondition>': 0.0,
    '<AngleCondition angleType="heading" angle="0" angleTolerance="0.01"/>': 0.0,
    '<AngleCondition angleType="heading" angle="1.5" angleTolerance="1" '
    'coordinateSystem="lane"/>': None,
    '<RelativeAngleCondition entityRef="Other" angleType="heading" angle="0.01" '
    'angleTolerance="0.02"/>': 0.0,
    '<StandStillCondition duration="0.5"/>': None,
    '<EndOfRoadCondition duration="0"/>': None,
}  # fmt: skip


@pytest.mark.parametrize("condition", sorted(MEASURES))
@pytest.mark.parametrize("frame", ["entity", "road"])
def test_conditions_hold_when_they_should(tmp_path: Path, condition: str, frame: str) -> None:
    found = of_entity("Ego", condition.format(frame))
    mark = story("Ego", event("e", set_variable("n", "1"), when(found)))
    player = _play(tmp_path, _pair(20.0, 10.0), mark)
    player.step()
    while player.variables["n"].value == 0.0 and player.t_s < 6.0:
        player.step()
    wanted = MEASURES[condition]
    if wanted is None:
        assert player.t_s >= 6.0
    else:
        assert player.t_s - STEP_S == pytest.approx(wanted, abs=STEP_S + 1e-6)


def test_the_road_ends_and_so_does_the_drive(tmp_path: Path) -> None:
    mark = story("Ego", event("e", set_variable("n", "1"), when(
        of_entity("Ego", '<EndOfRoadCondition duration="1"/>'))))  # fmt: skip
    init = begin("Ego", teleport(at_lane(-1, 480.0)), speed(10.0))
    player = play_until(_play(tmp_path, init, mark), 2.9)
    assert player.variables["n"].value == 0.0
    play_until(player, 4.0)
    assert player.variables["n"].value == 1.0
    assert player.bodies["Ego"].speed_mps == 0.0 and player.bodies["Ego"].x_m <= 500.0


def test_off_the_road(tmp_path: Path) -> None:
    mark = story("Ego", event("e", set_variable("n", "1"), when(
        of_entity("Ego", '<OffroadCondition duration="0.5"/>'))))  # fmt: skip
    for offset, wanted in ((-5.0, 0.0), (-5.5, 1.0)):
        init = begin("Ego", teleport(at_lane(-1, 10.0, offset)), speed(1.0))
        player = play_until(_play(tmp_path, init, mark), 1.0)
        assert player.variables["n"].value == wanted


FOLLOW = (
    "<PrivateAction><RoutingAction><FollowTrajectoryAction><TrajectoryRef>"
    '<Trajectory name="way" closed="false"><Shape><Polyline>{0}</Polyline></Shape></Trajectory>'
    '</TrajectoryRef><TimeReference>{1}</TimeReference><TrajectoryFollowingMode '
    'followingMode="position"/></FollowTrajectoryAction></RoutingAction></PrivateAction>'
)  # fmt: skip


def _way(*corners: tuple[float, float, float]) -> str:
    return "".join(
        f'<Vertex time="{time}"><Position><WorldPosition x="{x}" y="{y}"/></Position></Vertex>'
        for x, y, time in corners
    )


def test_a_trajectory_by_its_own_times(tmp_path: Path) -> None:
    timing = '<Timing domainAbsoluteRelative="relative" scale="2" offset="0.5"/>'
    way = _way((20.0, -1.75, 0.0), (30.0, -1.75, 2.0), (50.0, -1.75, 4.0))
    player = _play(
        tmp_path, _pair(), story("Other", event("go", FOLLOW.format(way, timing), when(after(1.0))))
    )
    play_until(player, 1.0)
    for time in (1.25, 1.75, 2.5):
        play_until(player, time)
        at = (time - 1.0) * 2.0 + 0.5
        x = 20.0 + 5.0 * at if at < 2.0 else 30.0 + 10.0 * (at - 2.0)
        assert player.bodies["Other"].x_m == pytest.approx(x)
    play_until(player, 4.0)
    assert player.bodies["Other"].x_m > 55.0  # and on along the lane


def test_a_trajectory_tail_first(tmp_path: Path) -> None:
    way = FOLLOW.format(_way((100.0, -1.75, 0.0), (60.0, -1.75, 1.0)), "<None/>")
    player = play_until(_play(tmp_path, begin("Other", speed(-5.0), way)), 2.0)
    body = player.bodies["Other"]
    assert body.x_m == pytest.approx(90.0)
    assert body.heading_rad == pytest.approx(0.0)
    assert body.moved_m == pytest.approx(10.0)


def test_synchronised_ones_arrive_together(tmp_path: Path) -> None:
    meet = (
        '<PrivateAction><SynchronizeAction masterEntityRef="Ego"><TargetPositionMaster>'
        '<LanePosition roadId="0" laneId="-1" s="110"/></TargetPositionMaster><TargetPosition>'
        '<LanePosition roadId="0" laneId="-2" s="140"/></TargetPosition><FinalSpeed>'
        '<AbsoluteSpeed value="8"><TargetDistanceSteadyState distance="16"/></AbsoluteSpeed>'
        "</FinalSpeed></SynchronizeAction></PrivateAction>"
    )
    init = begin("Ego", teleport(at_lane(-1, 10.0)), speed(12.0)) + begin(
        "Other", teleport(at_lane(-2, 60.0)), speed(9.0)
    )
    player = _play(tmp_path, init, story("Other", event("meet", meet, when(after(0.5)))))
    play_until(player, 100.0 / 12.0)
    ego, other = player.bodies["Ego"], player.bodies["Other"]
    assert ego.x_m == pytest.approx(110.0, abs=12.0 * STEP_S)
    assert other.x_m == pytest.approx(140.0, abs=8.0 * 2 * STEP_S)
    assert other.speed_mps == pytest.approx(8.0)


@SAME_FOLDER
@given(
    st.floats(1.0, 30.0), st.floats(0.5, 9.0), st.sampled_from(("linear", "cubic", "sinusoidal"))
)
def test_the_same_file_plays_the_same(
    tmp_path: Path, target: float, rate: float, shape: str
) -> None:
    change = story("Other", event("go", speed(target, shape, "rate", rate), when(after(0.3))))
    plays = [play_until(_play(tmp_path, _pair(), change, curvature=0.002), 2.0) for _ in range(2)]
    for name in ("Ego", "Other"):
        a, b = (play.bodies[name] for play in plays)
        assert (a.x_m, a.y_m, a.heading_rad, a.speed_mps) == (
            b.x_m,
            b.y_m,
            b.heading_rad,
            b.speed_mps,
        )


def test_a_given_entity_is_moved_by_others_and_seen_by_conditions(tmp_path: Path) -> None:
    found = of_entity("Ego", '<TraveledDistanceCondition value="5"/>')
    mark = event("e", set_variable("n", "1"), when(found))
    ignored = event("jump", teleport(at_lane(-2, 300.0)), when(after(0.2)))
    player = _play(tmp_path, _pair(), story("Ego", mark, ignored))
    player.step()
    player.give("Ego")
    for number in range(40):
        player.step()
        player.place("Ego", 10.0 + 0.25 * (number + 1), -1.75, 0.0, 5.0)
    assert player.bodies["Ego"].x_m == pytest.approx(20.0)
    assert player.variables["n"].value == 1.0


def test_signals_by_their_controllers_and_by_actions(tmp_path: Path) -> None:
    def phase(name: str, seconds: float, state: str) -> str:
        return (
            f'<Phase name="{name}" duration="{seconds}"><TrafficSignalState '
            f'trafficSignalId="7" state="{state}"/></Phase>'
        )

    network = (
        '<LogicFile filepath="road.xodr"/><TrafficSignals><TrafficSignalController name="c" '
        f'delay="0.5">{phase("stop", 1.0, "red")}{phase("go", 2.0, "green")}'
        "</TrafficSignalController></TrafficSignals>"
    )
    forced = (
        "<GlobalAction><InfrastructureAction><TrafficSignalAction><TrafficSignalControllerAction "
        'trafficSignalControllerRef="c" phase="stop"/></TrafficSignalAction>'
        "</InfrastructureAction></GlobalAction>"
    )
    seen = (
        '<ByValueCondition><TrafficSignalControllerCondition trafficSignalControllerRef="c" '
        'phase="go"/></ByValueCondition>'
    )
    stories = story(
        "Ego",
        event("see", set_variable("n", "1"), when(seen)),
        event("set", forced, when(after(2.5))),
    )
    content = text(_pair(), stories, variables=COUNT, network=network)
    player = playing(tmp_path, content)
    play_until(player, 0.6)
    assert player.signals() == {"7": "red"}
    play_until(player, 2.0)
    assert player.signals() == {"7": "green"} and player.variables["n"].value == 1.0
    play_until(player, 3.0)
    assert player.signals() == {"7": "red"}
