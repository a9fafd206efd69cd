"""What the driver does when nobody takes over: to rest in lane, or on a shoulder that is free."""

import pytest

from builders import Lane, tiny_map
from marque.stack.planning.driver import Marque
from marque.types.codes import Indicator, LaneKind, Reason
from marque.types.road_map import RoadMap
from marque.types.takeover import DRIVES, Cause, Mode, Order
from stage import Actor, Frame, Stage, standing, steady

SPEED_MPS, LANE_M, SHOULDER_M, CAP_MPS2 = 16.0, 3.75, 2.5, 4.0
FROM_S = 1.0


def road(shoulder_m: float = SHOULDER_M, left_hand: bool = False) -> RoadMap:
    """A straight lane of 1,200 m; beside it, on the slow side, a shoulder where one is wanted."""
    out = 1.0 if left_hand else -1.0
    lanes = [Lane([(0.0, 0.0), (1200.0, 0.0)], edge="road", width=LANE_M, limit=SPEED_MPS)]
    if shoulder_m:
        y = out * 0.5 * (LANE_M + shoulder_m)
        side = {"left": 1} if left_hand else {"right": 1}
        lanes[0] = Lane(
            [(0.0, 0.0), (1200.0, 0.0)], edge="road", width=LANE_M, limit=SPEED_MPS, **side
        )
        lanes.append(
            Lane([(0.0, y), (1200.0, y)], edge="road", width=shoulder_m, kind=LaneKind.SHOULDER)
        )
    return tiny_map(lanes, left_hand=left_hand)


def to_rest(
    road_map: RoadMap, actors: tuple[Actor, ...] = (), speed: float = SPEED_MPS
) -> list[Frame]:
    """A drive in which the manoeuvre begins after a second."""
    manoeuvre = Order(Mode.MANOEUVRE, Cause.EYES_OFF, hazard=True, may_move=False)
    stage = Stage(
        road_map, Marque(), (0, 1150.0), (0, 50.0), speed, actors,
        order=lambda t: DRIVES if t < FROM_S else manoeuvre,
    )  # fmt: skip
    return stage.play(15.0)


def judged(frames: list[Frame]) -> Frame:
    """The last frame of a drive that came softly to rest, with hazard lights."""
    last = frames[-1]
    assert last.speed_mps == pytest.approx(0.0, abs=0.05)
    assert min(frame.accel_mps2 for frame in frames) >= -CAP_MPS2
    after = [frame for frame in frames if frame.t_s > FROM_S]
    assert all(frame.plan.indicator == Indicator.HAZARD for frame in after)
    assert any(frame.plan.reason == Reason.TAKEOVER for frame in after)
    assert not any(frame.touching for frame in frames)
    for early, late in zip(after, after[10:], strict=False):
        eases_m = 0.5 * max(0.0, early.accel_mps2) ** 2  # at 1 m/s^3, as it was speeding up
        assert late.speed_mps <= early.speed_mps + eases_m + 0.2
    return last


def test_it_rests_on_a_free_shoulder_also_where_traffic_keeps_left():
    last = judged(to_rest(road(left_hand=True)))
    assert last.y_m == pytest.approx(0.5 * (LANE_M + SHOULDER_M), abs=0.15)
    assert abs(last.heading_rad) < 0.01


def test_a_slow_car_gets_there_too():
    last = judged(to_rest(road(), speed=4.0))
    assert last.y_m == pytest.approx(-0.5 * (LANE_M + SHOULDER_M), abs=0.15)


def test_beside_a_shoulder_too_narrow_for_us_it_rests_in_lane():
    last = judged(to_rest(road(1.9)))
    assert last.y_m == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    "motion",
    [
        pytest.param(standing(140.0, -3.1), id="somebody stands there"),
        pytest.param(
            steady(45.0, -3.1, 0.0, 16.0), id="somebody comes along it", marks=pytest.mark.prove
        ),
    ],
)
def test_a_shoulder_that_is_not_free_is_left_alone(motion):
    last = judged(to_rest(road(), (Actor(motion),)))
    assert last.y_m == pytest.approx(0.0, abs=0.1)


def test_nothing_changes_while_the_system_drives():
    demand = Order(Mode.DEMAND, Cause.EYES_OFF)
    drives = []
    for order in (DRIVES, demand):
        stage = Stage(
            road(), Marque(), (0, 1150.0), (0, 50.0), SPEED_MPS, order=lambda t, o=order: o
        )
        drives.append([(f.x_m, f.speed_mps, f.plan.indicator) for f in stage.play(2.0)])
    assert drives[0] == drives[1]
