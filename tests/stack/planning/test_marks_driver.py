"""The driver `marks`, and where others go without a map, on a lane that is given."""

import math
from dataclasses import replace

import numpy as np
import pytest

from builders import straight_road
from marque.core.errors import MarqueError
from marque.kernels.strip import beside, strip_of
from marque.kernels.tables import map_tables
from marque.maps.open_ground import open_ground
from marque.stack.planning.marks import Marks
from marque.stack.prediction.lanes import predict
from marque.types.codes import Indicator, Integrity, Reaction, Reason, UserKind
from marque.types.health import FINE, Finding, Health
from marque.types.mission import Mission
from marque.types.own_lane import LimitSign, Mark, OwnLane
from marque.types.plan import Plan
from marque.types.scene import EgoBelief, Scene, Tracks
from marque.vehicle.catalog import load_platform
from marque.vehicle.market import load_market
from painted import users

NOTHING = open_ground("no map", "", "")
TABLES = map_tables(NOTHING)
CAR = load_platform("saloon_ev")
LANE = OwnLane(
    0, 0.0, 0.0, 0.0, 0.0, 3.75, np.eye(5) * 1e-4, Integrity.KNOWN, 60.0, Mark(0), Mark(0)
)


def scene_of(speed_mps: float, lane: OwnLane | None = LANE, tracks: Tracks | None = None,
             health: Health = FINE) -> Scene:  # fmt: skip
    ego = EgoBelief(10.0, -4.0, 0.3, speed_mps, 0.0, 0.0, 0.0, -1, 0.0, 0.0)
    none = np.zeros(0, np.int8)
    return Scene(0, ego, users() if tracks is None else tracks, none, np.zeros(0), health,
                 own_lane=lane)  # fmt: skip


def ahead(x_m: float, y_m: float, speed_mps: float, kind: UserKind = UserKind.CAR,
          turn_rad: float = 0.0, indicator: Indicator = Indicator.OFF) -> Tracks:  # fmt: skip
    """One road user at a place in the car's frame, on the map of `scene_of`."""
    c, s = math.cos(0.3), math.sin(0.3)
    one = users(
        (kind, 10.0 + c * x_m - s * y_m, -4.0 + s * x_m + c * y_m, 0.3 + turn_rad, speed_mps)
    )
    return replace(one, indicator=np.array([indicator], np.int8))


def planned(scene: Scene, set_mps: float | None = None) -> Plan:
    driver = Marks()
    memory = driver.start(Mission(NOTHING, CAR, -1, 0.0, 1, set_mps))
    _, plan = driver.drive(memory, scene, predict(TABLES, scene))
    return plan


def end_speed(plan: Plan) -> float:
    return float(plan.trajectory.speed_mps[-1])


def test_a_map_is_refused():
    with pytest.raises(MarqueError, match="give --no-map"):
        Marks().start(Mission(straight_road(), CAR, 0, 100.0, 1))


@pytest.mark.parametrize("bend", [0.0, 1.0 / 500.0, -1.0 / 500.0])
def test_the_plan_runs_along_the_middle_and_its_fallback_stands(bend):
    lane = replace(LANE, offset_m=0.4, bend_1pm=bend)
    plan = planned(scene_of(25.0, lane))
    line = strip_of(lane, (-30.0, 300.0), 0.5)
    c, s = math.cos(0.3), math.sin(0.3)
    for path in (plan.trajectory, plan.fallback):
        dx, dy = path.x_m - 10.0, path.y_m + 4.0
        _, d, _ = beside(line, c * dx + s * dy, -s * dx + c * dy)
        assert np.abs(d).max() < 0.01
        assert np.allclose(path.curvature_1pm, bend, atol=1e-4)
    assert plan.fallback.speed_mps[-1] < 0.3
    assert plan.indicator == Indicator.OFF


@pytest.mark.parametrize(
    "limit, set_mps, speed",
    [
        (math.inf, None, 27.78),  # 100 km/h until a sign is seen
        (math.inf, 20.0, 20.0),
        (22.2, None, 22.2),
        (22.2, 20.0, 20.0),  # never above what the person has set
        (55.6, None, 36.11),  # nor above 130 km/h
    ],
)
def test_what_holds(limit, set_mps, speed):
    plan = planned(scene_of(speed, replace(LANE, limit_mps=limit)), set_mps)
    assert end_speed(plan) == pytest.approx(speed, abs=0.2)


def test_a_lower_limit_ahead_is_braked_for_softly():
    lane = replace(LANE, limit_mps=36.1, signs=(LimitSign(60.0, 22.2),))
    plan = planned(scene_of(33.0, lane))
    assert end_speed(plan) < 23.5
    assert plan.trajectory.accel_mps2.min() > -3.0


def test_short_sight_and_impaired_senses_make_it_slower():
    assert end_speed(planned(scene_of(27.0, replace(LANE, ahead_m=24.0)))) < 18.0
    ill = Health(Reaction.DEGRADE, (Finding("x", "y", Reaction.DEGRADE, 0),), 0)
    plan = planned(scene_of(27.0, LANE, health=ill))
    assert end_speed(plan) < 23.0
    assert plan.reason == Reason.SENSES


def test_who_is_in_the_lane_is_followed_and_who_is_beside_is_not():
    lead = planned(scene_of(25.0, LANE, ahead(45.0, 0.2, 15.0)))
    assert lead.reason == Reason.LEAD
    assert end_speed(lead) < 18.0
    free = planned(scene_of(25.0, LANE, ahead(45.0, 3.75, 15.0)))
    assert end_speed(free) > 24.9


def test_a_leader_round_the_bend_is_in_the_lane():
    lane = replace(LANE, bend_1pm=1.0 / 400.0)
    x, y = 400.0 * math.sin(0.2), 400.0 * (1.0 - math.cos(0.2))
    plan = planned(scene_of(25.0, lane, ahead(x, y, 12.0, turn_rad=0.2)))
    assert plan.reason == Reason.LEAD
    straight = planned(scene_of(25.0, lane, ahead(80.0, 0.0, 12.0, turn_rad=0.2)))
    assert straight.reason != Reason.LEAD


@pytest.mark.parametrize("integrity", [Integrity.KNOWN, Integrity.UNKNOWN])
def test_a_stop_for_the_senses_stands_with_hazard_lights(integrity):
    ill = Health(Reaction.STOP, (Finding("lane marks", "lost", Reaction.STOP, 0),), 0)
    plan = planned(scene_of(20.0, replace(LANE, integrity=integrity), health=ill))
    assert plan.indicator == Indicator.HAZARD
    hardest = -float(plan.trajectory.accel_mps2.min())
    assert hardest < load_market().manoeuvre_brake_mps2 + 0.5
    assert (hardest > 2.8) == (integrity == Integrity.UNKNOWN)


def test_before_the_end_of_the_lane_it_stops():
    plan = planned(scene_of(12.0, replace(LANE, ends_m=50.0)))
    assert plan.reason == Reason.BLOCKED_LANE
    assert end_speed(plan) < 1.0
    assert plan.trajectory.s_m[-1] + CAR.front_m < 50.0
    fast = planned(scene_of(36.0, replace(LANE, ends_m=50.0)))  # too late to stop before it
    assert fast.trajectory.accel_mps2.min() > -7.0


def test_without_any_lane_it_goes_no_faster():
    plan = planned(scene_of(8.0, None))
    assert end_speed(plan) < 8.2
    assert planned(scene_of(0.0, None)).trajectory.s_m[-1] < 12.0


# ---------------------------------------------------------------- where others go


def way_of(tracks: Tracks, lane: OwnLane | None = LANE) -> tuple[np.ndarray, np.ndarray]:
    """(s, d) along our lane of the one path that is foreseen."""
    scene = scene_of(25.0, lane, tracks)
    seen = predict(TABLES, scene)
    assert seen.count == tracks.count == 1
    assert math.isclose(float(seen.probability[0]), 1.0)
    line = strip_of(LANE if lane is None else lane, (-50.0, 400.0), 1.0)
    c, s = math.cos(0.3), math.sin(0.3)
    dx, dy = seen.x_m - 10.0, seen.y_m + 4.0
    along, across, _ = beside(line, c * dx + s * dy, -s * dx + c * dy)
    return along, across


def test_others_bend_with_the_lane_beside_which_they_drive():
    lane = replace(LANE, bend_1pm=1.0 / 500.0)
    s, d = way_of(ahead(0.0, 3.75, 25.0), lane)
    assert np.abs(d - 3.75).max() < 0.05
    assert s[-1] == pytest.approx(200.0, abs=2.0)


def test_who_moves_sideways_or_indicates_comes_into_our_lane():
    _, drifts = way_of(ahead(30.0, 3.75, 20.0, turn_rad=-0.05))
    assert 1.5 < drifts[-1] < 2.2  # one metre a second, for two
    _, shows = way_of(ahead(30.0, -3.75, 20.0, indicator=Indicator.LEFT))
    assert -2.2 < shows[-1] < -1.5
    _, away = way_of(ahead(30.0, -3.75, 20.0, indicator=Indicator.RIGHT))
    assert away[-1] == pytest.approx(-3.75, abs=0.05)
    _, noise = way_of(ahead(30.0, 3.75, 20.0, turn_rad=-0.01))
    assert noise[-1] == pytest.approx(3.75, abs=0.05)


def test_who_comes_towards_us_and_whoever_is_there_without_a_lane_goes_straight():
    s, d = way_of(ahead(150.0, 15.0, 10.0, turn_rad=math.pi))
    assert s[-1] == pytest.approx(70.0, abs=1.0)
    assert d[-1] == pytest.approx(15.0, abs=0.01)
    s, _ = way_of(ahead(20.0, 0.0, 10.0), None)
    assert s[-1] == pytest.approx(100.0, abs=1.0)


def test_nobody_goes_nowhere():
    assert predict(TABLES, scene_of(20.0)).count == 0


@pytest.mark.parametrize("gap_m", [15.0, 40.0, 90.0])
def test_who_follows_us_does_not_make_our_way_to_stop_an_emergency(gap_m):
    plan = planned(scene_of(25.0, LANE, ahead(-gap_m, 0.0, 25.0)))
    assert dict(plan.margins)["fallback_contact_s"] == math.inf
    assert plan.fallback.accel_mps2.min() > -6.0
