"""The reference driver: bounds, monotony, and agreement with the published cut-in cases."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.metrics.fuzzy import (
    BRAKE_CAP_MPS2,
    JERK_MPS3,
    STEP_S,
    avoids,
    concerns,
    critical,
    demand,
    next_accel,
    proactive,
)
from oracle.metrics_fuzzy import cut_in_collides

gap = st.floats(0.0, 200.0)
speed = st.floats(0.0, 40.0)
accel = st.floats(-7.6, 2.0)


@given(gap, speed, accel, speed)
def test_demands_are_bounded_and_never_grow_with_distance(
    gap_m: float, v: float, a: float, lead: float
) -> None:
    assert 0.0 <= proactive(gap_m, v, lead) <= 1.0
    assert 0.0 <= critical(gap_m, v, a, lead) <= 1.0
    assert 0.0 <= demand(gap_m, v, a, lead) <= 6.0
    assert proactive(gap_m + 1.0, v, lead) <= proactive(gap_m, v, lead)
    assert critical(gap_m + 1.0, v, a, lead) <= critical(gap_m, v, a, lead)


def test_known_distances() -> None:
    # at 50 km/h behind an equal car: safe beyond 24.8 m, unsafe below 14.7 m, margins included
    v = 50 / 3.6
    assert proactive(24.8, v, v) == 0.0 < proactive(24.7, v, v)
    assert proactive(14.8, v, v) < 1.0 == proactive(14.7, v, v)


@given(accel, st.floats(0.0, 12.0))
def test_braking_builds_up_at_the_jerk_limit_and_is_capped(a: float, wanted: float) -> None:
    after = next_accel(a, wanted, 0.1)
    assert after >= min(a, -0.0) - JERK_MPS3 * 0.1 - 1e-9
    assert after >= -BRAKE_CAP_MPS2 - 1e-9 or after >= a


def test_lateral_check() -> None:
    assert concerns(0.0, 0.0, 10.0, 9.0, 10.0, 10.0)
    assert not concerns(1.0, 0.0, 10.0, 9.0, 10.0, 5.0)
    assert concerns(1.0, 1.0, 10.0, 9.0, 10.0, 5.0)
    assert not concerns(5.0, 1.0, 10.0, 9.0, 10.0, 5.0)


def _wants(
    side: float, drift: float, gap_m: float, lengths: float, v: float, a: float, lead: float
) -> float:
    return demand(gap_m, v, a, lead) if concerns(side, drift, gap_m, lengths, v, lead) else 0.0


@pytest.mark.data
def test_published_cut_ins(shared_data: Path) -> None:
    table = np.genfromtxt(
        shared_data / "r157" / "cut_in_reference.csv.gz",
        delimiter=",", skip_header=1, usecols=(1, 2, 3, 4, 6),
    )  # fmt: skip
    rows = table[::23]
    ours = np.array(
        [
            cut_in_collides(v / 3.6, w / 3.6, gap_m, lateral, _wants, next_accel, 8)
            for v, w, gap_m, lateral, _ in rows.tolist()
        ]
    )
    theirs = rows[:, 4] > 0.5
    assert (ours == theirs).mean() > 0.985
    assert abs(ours.mean() - theirs.mean()) < 0.01


def _run(other: np.ndarray, own: float = 15.0, steps: int = 200) -> bool:
    path = np.array([[0.0, 0.0], [1000.0, 0.0]])
    own_s = own * STEP_S * np.arange(steps)
    return bool(
        avoids(
            path, np.array([0.0, 1000.0]), np.zeros(2), own_s, np.full(steps, own),
            3.7, 4.6, 1.9, other, np.ones(steps, dtype=np.bool_), 4.5, 1.8,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("x", "v", "clear"), [(100.0, 0.0, True), (10.0, 0.0, False), (40.0, 14.0, True)]
)
def test_replay_behind_a_lead(x: float, v: float, clear: bool) -> None:
    k = np.arange(200)
    other = np.column_stack((x + v * STEP_S * k, 0.0 * k, 0.0 * k, v + 0.0 * k))
    assert _run(other) == clear


def test_replay_ignores_those_that_never_come_into_the_way() -> None:
    k = np.arange(200)
    other = np.column_stack((20.0 + 0.0 * k, 3.0 + 0.0 * k, 0.0 * k, 0.0 * k))
    assert _run(other)
