"""Who comes into our lane: braked for in time, passed ahead of, and left alone in its own lane."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rss import arc_path, shape_of
from worlds import CAR, User, detections, impact_mps, run

from marque.core.arrays import FloatArray
from marque.guard import cut_in, rss, watch
from marque.types.verdict import Action
from oracle import cut_in_twin as twin

LATE, RAMP, BRAKE = 0.3, 20.0, 8.3
UNTOLD = np.full(1, math.nan)  # nobody says how the lane under it runs
SHAPE = (0.0, 4.3, 1.9)
PATH = arc_path(0.0)


def beside(gap: float, side: float, speed: float, drift: float) -> User:
    """A car to our left, so far ahead and aside, coming in with `drift`."""
    heading, over_ground = math.atan2(-drift, speed), math.hypot(speed, drift)
    return User(gap + 4.3, side + 1.9, heading, over_ground, 4.3, 1.9)


def asked(
    user: User,
    speed: float,
    *,
    grows: float = 0.0,
    came: float = cut_in.BELIEVED,
    begun: float = 0.0,
) -> float:
    """Braking asked for one who is noted to come in."""
    notes = np.zeros((1, cut_in.NOTE))
    notes[0, cut_in.ENTERS] = came
    notes[0, cut_in.DRIFT] = user.speed * math.sin(user.heading)
    notes[0, cut_in.GROWS] = -grows
    objects = watch.now_at(detections([user], 0), 0)
    motion = (speed, begun, 0.0)
    coming = np.full(3, begun)
    return cut_in.assess(PATH, (0.0, 0.0), motion, objects, notes, coming, (BRAKE, RAMP), SHAPE)


def case_of(speed: float, gap: float, other: float, side: float, drift: float) -> dict[str, float]:
    """The same for the twin."""
    return {
        "speed": speed, "gap": gap, "other": other, "side": side, "drift": drift,
        "late": LATE, "ramp": RAMP,
    }  # fmt: skip


@given(
    st.floats(5.0, 36.0),
    st.floats(0.0, 40.0),
    st.floats(0.5, 60.0),
    st.floats(0.1, 2.0),
    st.floats(0.3, 2.0),
)
@settings(max_examples=40)
def test_asks_for_what_the_slow_twin_needs(
    speed: float, slower: float, gap: float, side: float, drift: float
) -> None:
    """Its speed sideways is steady, so the future is known; levels are half a metre apart."""
    other = max(2.0, speed - slower)
    got = asked(beside(gap, side, other, drift), speed)
    case = case_of(speed, gap, other, side, drift)
    if 0.0 < got < BRAKE:
        assert got >= cut_in.CALM_MPS2
        assert not twin.touches(got + 0.3, **case, front=-0.1)
        assert twin.touches(got - 1.3, **case, front=cut_in.FRONT_M + 0.1)
    if got == 0.0 and twin.touches(0.0, **case):  # later will do, or nothing does
        soon = {**case, "late": LATE + 0.2}
        calm = not twin.touches(cut_in.CALM_MPS2 + 0.3, **case, front=-0.1)
        assert calm or twin.touches(BRAKE, **case, front=0.6) or not twin.touches(BRAKE, **soon)


def test_passes_ahead_where_braking_would_meet_it() -> None:
    """20 m/s past one at 8 m/s that needs 1.6 s to our lane: we are gone by then."""
    user = beside(2.0, 1.6, 8.0, 1.0)
    case = case_of(20.0, 2.0, 8.0, 1.6, 1.0)
    assert not twin.touches(0.0, **case) and twin.touches(BRAKE, **case)
    assert asked(user, 20.0) == 0.0


def test_no_choice_is_made_before_it_must_be() -> None:
    """Its lateral speed still grows: we may pass ahead or not. Both are open for a while."""
    user = beside(14.0, 1.9, 8.0, 0.3)
    assert asked(user, 20.0, grows=1.5) == 0.0
    assert asked(beside(14.0, 1.2, 8.0, 1.2), 20.0) == BRAKE  # now it is known


def test_lost_either_way_is_braked_for_ahead_and_not_beside() -> None:
    assert asked(beside(1.0, 0.05, 5.0, 1.5), 25.0) == BRAKE
    assert asked(beside(-4.0, 0.05, 18.0, 1.5), 20.0) == 0.0


def test_braking_once_begun_goes_on_at_what_is_needed() -> None:
    user = beside(20.0, -0.5, 14.0, 0.0)
    assert asked(user, 17.0) == 0.0  # less than 2.5 m/s^2 would do
    assert 0.0 < asked(user, 17.0, begun=-1.0) < cut_in.CALM_MPS2


def test_only_who_is_believed_counts() -> None:
    user = beside(8.0, 0.3, 6.0, 1.0)
    assert asked(user, 20.0) == BRAKE and asked(user, 20.0, came=1.0) == 0.0


def noted(drifts: list[float], *, side: float = 1.6, gap: float = 12.0, speed: float = 20.0,
          other: float = 14.0) -> FloatArray:  # fmt: skip
    """Notes after deliveries 0.1 s apart in which it was seen to drift so (towards us positive)."""
    notes = np.zeros((1, cut_in.NOTE))
    for k, drift in enumerate(drifts):
        objects = watch.now_at(detections([beside(gap, side, other, drift)], 0), 0)
        known = np.array([k > 0])
        ego = (0.0, 0.0, speed, 0.0)
        notes = cut_in.note(notes, known, objects, PATH, ego, SHAPE, (0.5, BRAKE), 0.1, UNTOLD)
    return notes[0]


def test_sway_is_told_from_motion() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 0.1, 80).tolist()
    got = noted(noise)
    assert got[cut_in.SWAY] == pytest.approx(
        twin.sway(noise, cut_in.SWAY_SHARE, cut_in.SWAY_AT_FIRST), rel=0.05
    )
    many = np.mean([noted(rng.normal(0.0, 0.1, 40).tolist())[cut_in.SWAY] for _ in range(40)])
    assert 0.006 < many < 0.02  # 0.1 squared is 0.01
    steady = noted([0.0] * 30 + [0.15, 0.3, 0.45])
    assert steady[cut_in.SWAY] < 1e-5
    assert steady[cut_in.GROWS] == pytest.approx(-1.5, rel=0.1)  # to our right
    assert steady[cut_in.ENTERS] == cut_in.BELIEVED


def passing(
    path: FloatArray, headings: list[float], y0: float = 3.5, roads: list[float] | None = None
) -> FloatArray:
    """Notes of a car to our left, 14 m/s, after deliveries in which it had these headings. roads:
    those of the lane under it, where they are known."""
    notes, x, y = np.zeros((1, cut_in.NOTE)), 12.0, y0
    for k, heading in enumerate(headings):
        user = User(x, y, heading, 14.0, 4.3, 1.9)
        objects = watch.now_at(detections([user], 0), 0)
        ego = (0.0, 0.0, 20.0, 0.0)
        known = np.array([k > 0])
        told = roads[k] - roads[k - 1] if roads is not None and k > 0 else math.nan
        notes = cut_in.note(
            notes, known, objects, path, ego, SHAPE, (0.5, BRAKE), 0.1, np.array([told])
        )
        x, y = x + 1.4 * math.cos(heading), y + 1.4 * math.sin(heading)
    return notes[0]


def test_our_path_that_bends_towards_somebody_is_no_cut_in_of_theirs() -> None:
    """It drives straight on, our path turns left towards it: nearer, but not by its doing."""
    got = passing(arc_path(0.004), [0.0] * 12, y0=4.2)
    assert got[cut_in.DRIFT] < -0.5 and got[cut_in.ENTERS] == 0.0
    assert got[cut_in.OWN] == pytest.approx(0.0, abs=1e-9)


def test_who_turns_out_of_its_course_comes_in_by_its_own_doing() -> None:
    turns = [-0.01 * k for k in range(6)]
    got = passing(PATH, [0.0] * 8 + turns)
    assert got[cut_in.ENTERS] == cut_in.BELIEVED
    assert got[cut_in.OWN] == pytest.approx(got[cut_in.DRIFT], abs=0.02)


def test_who_follows_the_bend_beside_us_does_not_come_in_and_who_leaves_it_does() -> None:
    """A bend of 250 m to the left, it keeps its lane for 3 s; then it stops turning so much."""
    bend = 0.004
    rate = 14.0 * bend / (1.0 - 3.5 * bend) * 0.1
    along = 12.0 * bend
    kept = [along + rate * k for k in range(30)]
    y0 = 3.5 + 0.5 * bend * 12.0**2
    got = passing(arc_path(bend), kept, y0)
    assert got[cut_in.ENTERS] == 0.0
    got = passing(arc_path(bend), [*kept, *[kept[-1] - 0.012 * k for k in range(1, 6)]], y0)
    assert got[cut_in.ENTERS] == cut_in.BELIEVED


def test_who_turns_with_its_lane_does_not_come_in_where_the_lane_is_known() -> None:
    """Its lane begins to bend towards us, ours not yet: its own doing, unless the road is told."""
    turns = [0.0] * 8 + [-0.01 * k for k in range(6)]
    assert passing(PATH, turns)[cut_in.ENTERS] == cut_in.BELIEVED
    assert passing(PATH, turns, roads=turns)[cut_in.ENTERS] == 0.0
    straight = [0.0] * len(turns)
    assert passing(PATH, turns, roads=straight)[cut_in.ENTERS] == cut_in.BELIEVED
    leaps = [0.0] * 8 + [1.0 + k for k in range(6)]  # matched to other lanes each time: no bend
    assert passing(PATH, turns, roads=leaps)[cut_in.ENTERS] == cut_in.BELIEVED


def test_one_delivery_without_motion_does_not_end_a_cut_in_and_five_do() -> None:
    comes = [0.0] * 10 + [0.3] * 6
    assert noted([*comes, 0.0])[cut_in.ENTERS] == cut_in.BELIEVED
    assert noted([*comes, *[0.0] * 5])[cut_in.ENTERS] == 0.0


def test_a_driver_that_brakes_a_little_itself_has_not_begun_this_braking() -> None:
    user = beside(20.0, -0.5, 14.0, 0.0)
    objects = watch.now_at(detections([user], 0), 0)
    notes = np.zeros((1, cut_in.NOTE))
    notes[0, cut_in.ENTERS] = cut_in.BELIEVED
    for wanted, begun in ((-1.0, False), (0.0, True)):
        got = cut_in.assess(
            PATH, (0.0, 0.0), (17.0, -1.0, wanted), objects, notes, np.full(3, -1.0),
            (BRAKE, RAMP), SHAPE,
        )  # fmt: skip
        assert (got > 0.0) == begun


def test_gains_end_in_the_raw_speed_and_in_none() -> None:
    assert cut_in.gains(1e6) == pytest.approx((1.0, 1.0), abs=1e-3)
    small = cut_in.gains(0.01)
    assert 0.0 < small[0] < 0.2 and 0.0 < small[1] < 0.02
    assert cut_in.gains(0.5)[0] < cut_in.gains(2.0)[0]


@pytest.mark.parametrize("speed", [12.0, 20.0, 36.0])
def test_a_neighbour_that_sways_in_its_lane_is_left_alone(speed: float) -> None:
    """1.6 m beside, 6 m/s slower, 0.1 m/s of noise in its lateral speed, as near as it gets."""
    rng = np.random.default_rng(7)
    for _ in range(25):
        gap = 40.0
        notes = np.zeros((1, cut_in.NOTE))
        for k in range(80):
            drift = float(rng.normal(0.0, 0.1))
            user = beside(gap, 1.6 + float(rng.normal(0.0, 0.1)), speed - 6.0, drift)
            objects = watch.now_at(detections([user], 0), 0)
            ego = (0.0, 0.0, speed, 0.0)
            notes = cut_in.note(
                notes, np.array([k > 0]), objects, PATH, ego, SHAPE, (0.5, BRAKE), 0.1, UNTOLD
            )
            motion = (speed, 0.0, 0.0)
            assert (
                cut_in.assess(
                    PATH, (0.0, 0.0), motion, objects, notes, np.zeros(3), (BRAKE, RAMP), SHAPE
                )
                == 0.0
            )
            gap -= 0.6


def test_who_has_come_in_is_given_room_gently_unless_it_brakes() -> None:
    came = np.zeros(cut_in.NOTE)
    came[cut_in.ENTERS] = cut_in.BELIEVED
    assert cut_in.restoring(came) == cut_in.RESTORE_MPS2
    came[cut_in.BESIDE] = 1.0
    assert cut_in.restoring(came) == 0.0
    assert cut_in.restoring(np.zeros(cut_in.NOTE)) == math.inf
    jumped = User(CAR.front_m + 6.0 + 2.25, 0.0, 0.0, 15.0)
    objects = watch.now_at(detections([jumped], 0), 0)
    for most in (math.inf, cut_in.RESTORE_MPS2):
        braking, margin = rss.keep_distance(
            PATH, 0.0, 0.0, 15.0, 0.0, objects, rss.response_s(CAR), CAR.max_brake_mps2,
            shape_of(CAR), np.array([most]),
        )  # fmt: skip
        assert braking > cut_in.RESTORE_MPS2 if math.isinf(most) else braking == most
        assert margin < 1.0


def test_what_is_on_its_way_is_what_was_asked_within_the_delay() -> None:
    rows = watch.nothing_asked()
    rows[-3:] = [[1.0, -1.0], [1.1, -2.0], [1.2, -3.0]]
    assert watch.on_its_way(rows, 1.3, 0.3).tolist() == [-1.0, -2.0, -3.0]
    assert watch.on_its_way(rows, 1.32, 0.16).tolist() == [-2.0, -3.0]
    assert watch.on_its_way(rows, 9.0, 0.2).tolist() == [-3.0, -3.0]
    assert watch.on_its_way(watch.nothing_asked(), 1.0, 0.1).tolist() == [0.0]
    assert len(watch.on_its_way(rows, 1.3, 0.0)) == 0


@pytest.mark.parametrize("drift", [0.6, 1.4])
def test_the_whole_guard_brakes_for_a_cut_in_and_lets_go_again(drift: float) -> None:
    """28 m ahead, 8 m/s slower, into our lane; the driver goes on as if nobody were there."""

    def traffic(t_s: float, _: FloatArray) -> list[User]:
        begins = 1.0
        d = max(0.0, 3.5 - drift * max(0.0, t_s - begins))
        now = drift if t_s >= begins and d > 0.0 else 0.0
        x = CAR.front_m + 28.0 + 2.25 + 12.0 * t_s
        return [User(x, d, math.atan2(-now, 12.0), math.hypot(12.0, now))]

    got = run(CAR, 20.0, lambda _t, _c: (0.0, 0.0), traffic, 8.0)
    assert impact_mps(CAR, got) < 0.0
    rules = [v.rule for v in got.verdicts if v.action == Action.BRAKE]
    assert "cut_in" in rules
    assert not any(v.action == Action.BRAKE for v in got.verdicts[:50])
    assert min(v.command.accel_mps2 for v in got.verdicts) > -6.0


def test_of_two_who_come_in_the_worse_decides() -> None:
    near, far = beside(8.0, 0.3, 6.0, 1.0), beside(60.0, 0.3, 19.0, 1.0)
    notes = np.zeros((2, cut_in.NOTE))
    notes[:, cut_in.ENTERS] = cut_in.BELIEVED
    for i, user in enumerate((near, far)):
        notes[i, cut_in.DRIFT] = user.speed * math.sin(user.heading)
    objects = watch.now_at(detections([near, far], 0), 0)
    for rows in ([0, 1], [1, 0]):
        got = cut_in.assess(
            PATH, (0.0, 0.0), (20.0, 0.0, 0.0), objects[rows], notes[rows], np.zeros(3),
            (BRAKE, RAMP), SHAPE,
        )  # fmt: skip
        assert got == BRAKE
    assert asked(far, 20.0) == 0.0


def test_the_least_braking_of_a_weak_car_is_all_that_it_has() -> None:
    """It is in our lane already, and stands 12 m ahead."""
    way = np.empty((cut_in.STEPS + 1, 2))
    inside = np.full(cut_in.STEPS + 1, -1.0)
    it = (12.0, 0.0, 0.0, -1.0, 0.0, 8.6, 1.9)

    def least(brake: float, speed: float) -> float:
        return cut_in._least(way, (speed, 0.0, 0.0), np.zeros(3), inside, it, (brake, RAMP))

    assert least(0.4, 10.0) == 0.4  # weaker than the least of the levels
    assert least(BRAKE, 15.0) == BRAKE  # no level will do
    assert least(BRAKE, 5.0) in cut_in.LEVELS


def test_now_or_never_is_all_there_is() -> None:
    """As the gap shrinks: nothing, what is needed, and before it is lost all there is, at once."""
    got = [asked(beside(gap, 0.2, 8.0, 0.8), 20.0) for gap in np.arange(40.0, 0.0, -0.1)]
    first = next(i for i, braking in enumerate(got) if braking > 0.0)
    full = next(i for i, braking in enumerate(got) if braking == BRAKE)
    assert first < full
    assert all(braking >= cut_in.CALM_MPS2 for braking in got[first:full])
