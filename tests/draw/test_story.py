"""The story of a drive leaves nothing out and counts every stop once."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from episodes import drive, town
from marque.draw.story import (
    FREE,
    SHORT_S,
    WORDS,
    Curves,
    curves,
    limits,
    pauses,
    seconds_per_reason,
    segments,
)
from marque.types.codes import Reason

REASONS = st.lists(
    st.tuples(st.sampled_from(list(Reason)), st.integers(1, 40)), min_size=1, max_size=12
).map(lambda runs: np.array([int(r) for r, n in runs for _ in range(n)], dtype=np.int64))


def made(speed: list[float], reason: list[Reason]) -> Curves:
    """A drive along x with given speeds and reasons."""
    v = np.array(speed)
    zero = np.zeros(len(v))
    s = np.concatenate(([0.0], np.cumsum(v[:-1] * 0.1)))
    return Curves(
        t_s=0.1 * np.arange(len(v)),
        s_m=s,
        x_m=s,
        y_m=zero,
        heading_rad=zero,
        speed_mps=v,
        accel_mps2=zero,
        lat_accel_mps2=zero,
        jerk_mps3=zero,
        reason=np.array([int(r) for r in reason], dtype=np.int64),
    )


@given(REASONS)
def test_segments_cover_everything_once(reason: np.ndarray) -> None:
    found = segments(reason)
    assert found[0][0] == 0 and found[-1][1] == len(reason)
    for (_, end, before), (start, _, after) in pairwise(found):
        assert end == start
        assert before != after
    short = round(SHORT_S / 0.1)
    assert all(b - a >= short for a, b, _ in found[1:])


@given(REASONS)
def test_seconds_add_up(reason: np.ndarray) -> None:
    line = made([5.0] * len(reason), [Reason(r) for r in reason.tolist()])
    assert sum(seconds_per_reason(line).values()) == pytest.approx(0.1 * len(reason))


@given(REASONS, st.data())
def test_every_stop_with_a_reason_is_told_once(reason: np.ndarray, data: st.DataObject) -> None:
    n = len(reason)
    speed = data.draw(st.lists(st.sampled_from([0.0, 0.0, 5.0]), min_size=n, max_size=n))
    found = pauses(made(speed, [Reason(r) for r in reason.tolist()]))
    ticks = [k for pause in found for k in range(pause.first, pause.last + 1)]
    assert len(ticks) == len(set(ticks))
    assert [p.number for p in found if p.number] == list(
        range(1, 1 + sum(1 for p in found if p.number))
    )
    for pause in found:
        still = sum(1 for k in range(pause.first, pause.last + 1) if speed[k] < 0.1)
        if pause.number:
            assert pause.stand_s == pytest.approx(0.1 * still)


def test_reason_that_changes_while_standing_is_one_stop() -> None:
    speed = [10.0] * 10 + [5.0] * 10 + [0.0] * 40 + [3.0] * 30
    reason = [Reason.NONE] * 10 + [Reason.RED_LIGHT] * 40 + [Reason.LEAD] * 40
    stop, rest = pauses(made(speed, reason))
    assert (stop.number, stop.stand_s) == (1, pytest.approx(4.0))
    assert stop.words == "red light, then following a slower road user"
    assert (stop.from_mps, stop.low_mps) == (5.0, 0.0)
    assert rest.number == 0
    assert rest.words == "following a slower road user"
    assert rest.first == stop.last + 1


def test_standing_that_nothing_explains_says_so() -> None:
    found = pauses(made([5.0] * 20 + [0.0] * 50 + [5.0] * 20, [Reason.NONE] * 90))
    assert [pause.words for pause in found] == ["no reason given"]
    assert found[0].number == 1
    assert pauses(made([5.0] * 90, [Reason.NONE] * 90)) == []


def test_setting_off_is_no_stop() -> None:
    assert pauses(made([0.0] * 10 + [5.0] * 50, [Reason.SPEED_UP] * 60)) == []


def test_made_up_drive() -> None:
    episode = drive(75.0, users=5)
    line = curves(episode)
    assert line.s_m[-1] == pytest.approx(float(np.trapezoid(line.speed_mps, line.t_s)), rel=0.02)
    found = pauses(line)
    assert [pause.reasons[0][0] for pause in found if pause.number] == [
        Reason.RED_LIGHT,
        Reason.CROSSWALK,
    ]
    assert all(pause.reasons[0][0] not in FREE for pause in found)
    red = found[0]
    assert red.t_s == pytest.approx(18.0, abs=0.2)
    assert line.speed_mps[red.first] > 12.0


def test_limits_come_from_the_lane_under_the_car() -> None:
    episode = drive(30.0, users=0)
    found = limits(town(), curves(episode))
    assert np.nanmin(found) == np.nanmax(found) == 13.89
    west = [
        dataclasses.replace(
            t,
            world=dataclasses.replace(
                t.world, ego=dataclasses.replace(t.world.ego, y_m=1.6, heading_rad=np.pi)
            ),
        )
        for t in episode.ticks
    ]
    episode.ticks[:] = west
    line = curves(episode)
    assert set(limits(town(), line)[line.x_m < 195.0]) == {8.33}  # no lane west in the junction


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)
