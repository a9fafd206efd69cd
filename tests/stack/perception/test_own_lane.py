"""The own lane from marks alone: what is exact, what is symmetric, and what is said when unsure."""

import math
from dataclasses import replace

import numpy as np
import pytest

from marque.core.time import PLAN_STEP_NS
from marque.stack.perception.own_lane import LaneMemory, begin_lane, watch_lane
from marque.types.codes import Furniture, Integrity, Reaction, UserKind
from marque.types.own_lane import OwnLane
from marque.types.reading import LaneMarks, Sightings
from marque.vehicle.catalog import load_platform
from painted import WIDTH_M, Road, nobody, reading, unwatched, users, watched

SPEED = 25.0


def lane_of(memory: LaneMemory) -> OwnLane:
    assert memory.lane is not None
    return memory.lane


@pytest.mark.parametrize("bend", [0.0, 1.0 / 1000.0, -1.0 / 400.0])
@pytest.mark.parametrize("lanes", [1, 2])
def test_exact_marks_give_the_exact_lane(bend, lanes):
    left = 0.0 if lanes == 1 else 0.5 * WIDTH_M  # of four, ours lies left of the road's middle
    lane = lane_of(watched(Road(bend, 0.4 - left), 60, SPEED, lanes=lanes))
    assert lane.offset_m == pytest.approx(0.4, abs=2e-3)
    assert lane.slope_rad == pytest.approx(0.0, abs=2e-4)
    assert lane.bend_1pm == pytest.approx(bend / (1.0 - left * bend), abs=1e-5)
    assert lane.width_m == pytest.approx(WIDTH_M, abs=5e-3)
    assert lane.integrity == Integrity.KNOWN
    assert 50.0 < lane.ahead_m < 60.0
    assert not lane.left.solid


def test_left_and_right_are_alike():
    one = lane_of(watched(Road(1.0 / 600.0, 0.3), 30))
    other = lane_of(watched(Road(-1.0 / 600.0, -0.3), 30))
    assert one.offset_m == pytest.approx(-other.offset_m, abs=1e-9)
    assert one.bend_1pm == pytest.approx(-other.bend_1pm, abs=1e-12)
    assert one.width_m == pytest.approx(other.width_m, abs=1e-9)
    assert np.allclose(np.diag(one.covariance), np.diag(other.covariance))


def test_a_lane_that_turns_off_our_heading_is_seen_as_such():
    """At rest nothing moves: the belief is that of the scans alone."""
    lane = lane_of(watched(Road(1.0 / 800.0, -0.5, 0.04), 60, 0.0))
    assert lane.offset_m == pytest.approx(-0.5, abs=5e-3)
    assert lane.slope_rad == pytest.approx(0.04, abs=1e-3)


@pytest.mark.parametrize("side", ["l", "r"])
def test_one_line_is_enough_to_keep_to(side):
    road = Road(1.0 / 900.0)
    memory = watched(road, 30)
    lane = lane_of(watched(road, 60, memory=memory, sides=side))
    assert lane.offset_m == pytest.approx(0.0, abs=0.02)
    assert lane.integrity == Integrity.KNOWN
    assert lane.width_m == pytest.approx(WIDTH_M, abs=0.03)


def test_one_line_alone_is_no_lane_to_begin_with():
    assert watched(Road(), 20, sides="l").lane is None


def test_one_line_missing_for_long_is_said():
    road = Road()
    memory = watched(road, 110, memory=watched(road, 30), sides="r")
    assert memory.judging.health.level == Reaction.DEGRADE
    assert "left line not seen" in memory.judging.health.text


def test_nothing_at_all_is_no_lane_and_asks():
    memory = unwatched(begin_lane(load_platform("saloon_ev")), 3.0, 0.0)
    assert memory.lane is None
    assert memory.judging.health.level == Reaction.TAKEOVER


def test_marks_lost_for_a_second_slow_us_down_and_no_more():
    road = Road(1.0 / 1000.0)
    yaw = SPEED * road.bend
    memory = unwatched(watched(road, 60), 1.0, SPEED, yaw)
    lane = lane_of(memory)
    assert lane.integrity == Integrity.COASTING
    assert memory.judging.health.level == Reaction.DEGRADE
    assert lane.ahead_m < 40.0  # what was seen is driven over
    # the car turned as the road does, so the road still lies straight before it
    assert lane.offset_m == pytest.approx(0.0, abs=0.05)
    memory = watched(road, 25, memory=memory)
    assert memory.judging.health.level == Reaction.NONE
    assert lane_of(memory).integrity == Integrity.KNOWN


def test_marks_lost_for_ten_seconds_ask_then_stop_for_good():
    road = Road()
    memory = unwatched(watched(road, 60), 1.7)
    assert memory.judging.health.level == Reaction.TAKEOVER
    memory = unwatched(memory, 8.0)
    assert lane_of(memory).integrity == Integrity.UNKNOWN
    assert lane_of(memory).ahead_m == 0.0
    assert memory.judging.health.level == Reaction.STOP
    memory = watched(road, 40, memory=memory)
    assert lane_of(memory).integrity == Integrity.KNOWN
    assert memory.judging.health.level == Reaction.STOP  # a stop in motion is for good


def test_doubt_grows_while_nothing_is_seen():
    memory = watched(Road(), 60)
    before = lane_of(memory)
    after = lane_of(unwatched(memory, 1.0))
    assert after.spread_m(0.0) > 1.5 * before.spread_m(0.0)
    assert before.spread_m(50.0) > before.spread_m(0.0)


def test_doubt_is_calibrated():
    """Noise as large as we think it is: the normalised error squared is about 1 for each number."""
    off = []
    for seed in range(16):
        draw = np.random.default_rng(seed)
        road = Road(1.0 / 1500.0)
        memory = watched(road, 25, sigma_m=0.15, draw=draw)
        lane = lane_of(memory)
        error = np.array(
            [lane.offset_m, lane.slope_rad, lane.bend_1pm - road.bend, lane.twist_1pm2,
             lane.width_m - WIDTH_M]
        )  # fmt: skip
        off.append(error**2 / np.diag(lane.covariance))
    mean = np.mean(off, axis=0)
    assert (mean < 1.3).all()  # never surer than right,
    assert (mean > 0.01).all()  # nor useless


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_marks_that_are_no_numbers_are_left_out(bad):
    road = Road()
    clean = watched(road, 30)
    t_ns = clean.t_ns + PLAN_STEP_NS
    marks = road.marks(t_ns)
    x, y, h = marks.x_m.copy(), marks.y_m.copy(), marks.heading_rad.copy()
    x[0], y[1], h[2] = bad, bad, bad
    spoilt = LaneMarks(t_ns, x, y, h, marks.solid)
    after = watch_lane(clean, reading(t_ns, SPEED, 0.0, spoilt), nobody())
    assert np.isfinite(after.state).all()
    assert lane_of(after).integrity == Integrity.KNOWN
    assert after.seen_ns == t_ns


def test_our_own_motion_that_is_no_number_is_left_out():
    clean = watched(Road(), 30)
    t_ns = clean.t_ns + PLAN_STEP_NS
    after = watch_lane(clean, reading(t_ns, math.nan, math.nan, Road().marks(t_ns)), nobody())
    assert np.isfinite(after.state).all()
    assert lane_of(after).offset_m == pytest.approx(0.0, abs=0.05)


def test_empty_old_repeated_and_future_scans_say_nothing():
    memory = watched(Road(), 30)
    nothing = LaneMarks(memory.t_ns + PLAN_STEP_NS, *(np.zeros(0),) * 3, np.zeros(0, np.bool_))
    shifted = Road(0.0, 0.5)
    for marks in (
        nothing,
        shifted.marks(memory.scan_ns),
        shifted.marks(memory.t_ns - 600_000_000),
        shifted.marks(memory.t_ns + 10 * PLAN_STEP_NS),
    ):
        t_ns = memory.t_ns + PLAN_STEP_NS
        after = watch_lane(memory, reading(t_ns, SPEED, 0.0, marks), nobody())
        assert after.seen_ns == memory.seen_ns
        assert lane_of(after).offset_m == pytest.approx(0.0, abs=1e-3)


def test_a_late_scan_is_carried_to_now():
    """Marks of 0.1 s ago, while we turn: they lie elsewhere now."""
    road, late = Road(1.0 / 300.0), 1
    yaw = SPEED * road.bend
    memory = begin_lane(load_platform("saloon_ev"))
    for frame in range(1, 60):
        t_ns = frame * PLAN_STEP_NS
        marks = road.marks(t_ns - late * PLAN_STEP_NS)
        memory = watch_lane(memory, reading(t_ns, SPEED, yaw, marks), nobody())
    lane = lane_of(memory)
    assert lane.offset_m == pytest.approx(0.0, abs=0.01)
    assert lane.bend_1pm == pytest.approx(road.bend, abs=5e-5)


def test_at_a_fork_the_lane_that_goes_straight_is_kept():
    """A second lane bends away to the right from 30 m on; in all else the road goes on."""
    road, exit_ = Road(), Road(-1.0 / 150.0)
    memory = watched(road, 30)
    for frame in range(20):
        t_ns = memory.t_ns + PLAN_STEP_NS
        begin = 30.0 - 0.1 * SPEED * frame
        a, b = road.marks(t_ns), exit_.marks(t_ns)
        keep = b.x_m > max(begin, 3.0)
        move = 0.5 * max(begin, 3.0) ** 2 / 150.0  # so that it leaves where it begins
        both = LaneMarks(
            t_ns,
            np.concatenate((a.x_m, b.x_m[keep])),
            np.concatenate((a.y_m, b.y_m[keep] + move)),
            np.concatenate((a.heading_rad, b.heading_rad[keep])),
            np.concatenate((a.solid, b.solid[keep])),
        )
        memory = watch_lane(memory, reading(t_ns, SPEED, 0.0, both), nobody())
        assert abs(lane_of(memory).offset_m) < 0.1
        assert abs(lane_of(memory).slope_rad) < 0.02


@pytest.mark.parametrize("side", ["l", "r"])
def test_where_one_line_ends_so_does_the_lane(side):
    road = Road()
    memory = watched(road, 30)
    for _ in range(4):
        t_ns = memory.t_ns + PLAN_STEP_NS
        marks = road.marks(t_ns)
        left = marks.y_m > 0.0
        keep = (marks.x_m < 25.0) | (left != (side == "l"))
        some = LaneMarks(t_ns, marks.x_m[keep], marks.y_m[keep], marks.heading_rad[keep],
                         marks.solid[keep])  # fmt: skip
        memory = watch_lane(memory, reading(t_ns, 0.0, 0.0, some), nobody())
    assert lane_of(memory).ends_m == pytest.approx(24.0, abs=3.5)
    assert "own lane ends ahead" in memory.judging.health.text
    assert memory.judging.health.level == Reaction.TAKEOVER


def test_a_gap_in_both_lines_ends_no_lane():
    road = Road()
    memory = watched(road, 30)
    for _ in range(6):
        t_ns = memory.t_ns + PLAN_STEP_NS
        marks = road.marks(t_ns)
        keep = (marks.x_m < 15.0) | (marks.x_m > 38.0)
        some = LaneMarks(t_ns, marks.x_m[keep], marks.y_m[keep], marks.heading_rad[keep],
                         marks.solid[keep])  # fmt: skip
        memory = watch_lane(memory, reading(t_ns, 0.0, 0.0, some), nobody())
    assert math.isinf(lane_of(memory).ends_m)
    assert memory.judging.health.level == Reaction.NONE


def sighted(memory: LaneMemory, kind: Furniture, x_m: float, y_m: float, value: float
            ) -> LaneMemory:  # fmt: skip
    t_ns = memory.t_ns + PLAN_STEP_NS
    seen = Sightings(t_ns, np.array([kind], np.int8), np.array([x_m]), np.array([y_m]),
                     np.zeros(1), np.array([value]))  # fmt: skip
    came = replace(reading(t_ns, SPEED, 0.0, Road().marks(t_ns)), sightings=seen)
    return watch_lane(memory, came, nobody())


def test_a_sign_of_our_lane_holds_from_where_it_stands():
    memory = watched(Road(), 30)
    for k in range(4):
        memory = sighted(memory, Furniture.LIMIT, 50.0 - 2.5 * k, 0.2, 22.2)
    assert [round(one.limit_mps, 1) for one in lane_of(memory).signs] == [22.2]
    assert lane_of(memory).signs[0].s_m == pytest.approx(42.5, abs=0.5)
    assert math.isinf(lane_of(memory).limit_mps)
    memory = watched(Road(), 20, memory=memory)
    assert lane_of(memory).limit_mps == pytest.approx(22.2)
    assert lane_of(memory).signs == ()


def test_a_sign_of_the_lane_beside_is_not_ours():
    memory = watched(Road(), 30)
    for k in range(4):
        memory = sighted(memory, Furniture.LIMIT, 50.0 - 2.5 * k, -WIDTH_M, 16.7)
    memory = watched(Road(), 25, memory=memory)
    assert math.isinf(lane_of(memory).limit_mps)


STRANGERS = [
    ((UserKind.PEDESTRIAN, 30.0, 5.0, 1.0, 1.3), "people on foot", 1),
    ((UserKind.BICYCLE, 30.0, -3.0, 0.0, 5.0), "bicycles", 1),
    ((UserKind.CAR, 40.0, 6.0, -1.57, 8.0), "traffic across", 3),
    ((UserKind.CAR, 40.0, 3.5, 3.1, 15.0), "oncoming traffic", 3),
]


@pytest.mark.parametrize(("who", "words", "many"), STRANGERS)
def test_what_motorways_do_not_have_is_noticed(who, words, many):
    memory = watched(Road(), 30)
    kind, x, *rest = who
    for _ in range(21):
        t_ns = memory.t_ns + PLAN_STEP_NS
        came = reading(t_ns, 0.0, 0.0, Road().marks(t_ns))
        rows = [(kind, x + 10.0 * k, *rest) for k in range(many)]
        memory = watch_lane(memory, came, users(*rows))
    assert words in memory.judging.health.text
    assert memory.judging.health.level == Reaction.TAKEOVER


@pytest.mark.parametrize("who", [STRANGERS[2][0], STRANGERS[3][0]])
def test_one_ghost_that_drives_against_us_is_no_reason_to_stop(who):
    memory = watched(Road(), 30)
    for _ in range(40):
        t_ns = memory.t_ns + PLAN_STEP_NS
        came = reading(t_ns, 0.0, 0.0, Road().marks(t_ns))
        memory = watch_lane(memory, came, users(who))
    assert memory.judging.health.level == Reaction.NONE


def test_cars_of_the_motorway_are_nothing_strange():
    memory = watched(Road(), 30)
    rows = [
        (UserKind.CAR, 40.0, 3.7, 0.05, 30.0),
        (UserKind.TRUCK, 50.0, -3.7, 0.0, 22.0),
        (UserKind.CAR, 40.0, 20.0, math.pi, 30.0),  # the other carriageway
    ]
    for _ in range(20):
        t_ns = memory.t_ns + PLAN_STEP_NS
        memory = watch_lane(memory, reading(t_ns, 0.0, 0.0, Road().marks(t_ns)), users(*rows))
    assert memory.judging.health.level == Reaction.NONE


@pytest.mark.parametrize("kind", [Furniture.SIGNAL, Furniture.STOP_LINE])
def test_signals_and_stop_lines_are_noticed(kind):
    memory = watched(Road(), 30)
    for _ in range(12):
        memory = sighted(memory, kind, 40.0, 0.0, 1.0)
    assert "no motorway" in memory.judging.health.text
