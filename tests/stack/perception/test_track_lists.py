"""What sensors deliver is not believed unseen: left out by name, and counted."""

from dataclasses import replace

import numpy as np
import pytest
from trackworld import SENSORS, Body, Generator, Senses, ego_at, lane, pack

from marque.stack.perception import intake
from marque.stack.perception.tracking import start, track
from marque.types.codes import UserKind
from marque.types.reading import ObjectList

EGO = lane(0, 10)
NOW = 1_000_000_000


def one_list(sensor=2, t_ns=NOW - 80_000_000, count=1):
    bodies = [Body(k, UserKind.CAR, 4.5, 1.8, lane(4.0 * k, 10, 30)) for k in range(count)]
    made = Generator(EGO, bodies, Senses(drop=0.0, false=0.0)).look(sensor, t_ns / 1e9)
    return replace(made, t_ns=t_ns)


def dropped(*lists, times=1):
    memory = start(SENSORS)
    for _ in range(times):
        memory, (tracks, doubt) = track(memory, ego_at(EGO, 1.0), lists, NOW)
        assert np.isfinite(tracks.x_m).all() and np.isfinite(doubt.along_sigma_m).all()
    return memory.dropped


def changed(column, value, count=2):
    base = one_list(count=count)
    cells = getattr(base, column).copy()
    cells[0] = value
    return replace(base, **{column: cells})


def test_a_good_list_is_taken_whole():
    assert dropped(one_list()) == {}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (one_list(t_ns=NOW + 1), intake.FUTURE),
        (one_list(t_ns=NOW - 500_000_000), intake.STALE),
        (replace(one_list(), sensor=7), intake.UNKNOWN_SENSOR),
        (replace(one_list(), sensor=-1), intake.UNKNOWN_SENSOR),
        (changed("x_m", np.nan), intake.NOT_FINITE),
        (changed("vx_mps", np.inf), intake.NOT_FINITE),
        (changed("length_m", -1.0), intake.OUT_OF_RANGE),
        (changed("score", 1.5), intake.OUT_OF_RANGE),
        (changed("kind", 99), intake.OUT_OF_RANGE),
        (changed("x_m", 5000.0), intake.OUT_OF_RANGE),
        (changed("vy_mps", 900.0), intake.OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_is_named(made: ObjectList, reason):
    assert dropped(made) == {reason: 1}


def test_the_same_list_counts_once():
    one = one_list()
    assert dropped(one, one) == {intake.REPEATED: 1}
    assert dropped(one, times=2) == {intake.REPEATED: 1}


def test_a_row_that_comes_twice_counts_once():
    base = one_list()
    twice = replace(
        base,
        **{
            name: np.repeat(getattr(base, name), 2)
            for name in ObjectList.__slots__
            if name not in ("sensor", "t_ns")
        },
    )
    assert dropped(twice) == {intake.DUPLICATE: 1}


def test_without_own_motion_nothing_is_placed():
    memory = start(SENSORS)
    lost = replace(ego_at(EGO, 1.0), x_m=float("nan"))
    memory, (tracks, _) = track(memory, lost, (one_list(),), NOW)
    assert memory.dropped == {intake.NO_POSE: 1}
    assert tracks.count == 0


def test_more_rows_than_anybody_can_hold_are_cut():
    rng = np.random.default_rng(1)
    rows = [
        {
            "x_m": rng.uniform(-80, 80), "y_m": rng.uniform(-80, 80), "score": 0.6,
            "has_kind": False, "kind": 0, "has_box": False, "heading_rad": 0.0, "length_m": 0.0,
            "width_m": 0.0, "has_velocity": False, "vx_mps": 0.0, "vy_mps": 0.0,
            "has_rate": False, "rate_mps": 0.0, "has_indicator": False, "indicator": 0,
        }
        for _ in range(250)
    ]  # fmt: skip
    assert dropped(pack(1, NOW - 50_000_000, rows)) == {intake.TOO_MANY: 50}
