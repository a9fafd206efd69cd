"""Who drives ahead of us round a ring, and comes up behind us at the end of the lap."""

import numpy as np

from marque.kernels.overlap import FREE
from marque.stack.planning.interactions import leave_out_laps


def row(places: list[tuple[float, float]]) -> tuple[np.ndarray, ...]:
    """first, last, lo, hi, cos of one path: (where it begins to block our way, cosine)."""
    lo = np.array([[place for place, _ in places]])
    hi = np.where(lo < FREE, lo + 5.0, -FREE)
    cos = np.array([[cosine for _, cosine in places]])
    taken = np.flatnonzero(lo[0] < FREE)
    first, last = (np.array([taken[i]], dtype=np.int32) for i in (0, -1))
    return first, last, lo, hi, cos


def cut(places: list[tuple[float, float]]) -> tuple[int, np.ndarray]:
    first, last, lo, hi, cos = row(places)
    leave_out_laps(0, first, last, lo, hi, cos)
    assert ((lo[0] < FREE) == (hi[0] > -FREE)).all()
    return int(last[0]), lo[0]


AWAY = (FREE, 1.0)


def test_the_lap_that_ends_behind_us_is_left_out() -> None:
    last, lo = cut([(12.0, 1.0), (14.0, 1.0), (16.0, 1.0), AWAY, AWAY, (2.0, 1.0), (3.0, 1.0)])
    assert last == 4
    assert (lo[3:] == FREE).all()
    assert lo[2] == 16.0


def test_who_drives_on_ahead_of_us_stays() -> None:
    assert cut([(12.0, 1.0), (14.0, 1.0), AWAY, (20.0, 1.0)])[0] == 3


def test_who_turns_round_and_comes_towards_us_stays() -> None:
    assert cut([(12.0, 1.0), (14.0, 0.2), (13.0, -0.6), (9.0, -1.0), (4.0, -1.0)])[0] == 4


def test_who_comes_towards_us_all_the_time_stays() -> None:
    assert cut([(40.0, -1.0), (30.0, -1.0), (20.0, -1.0)])[0] == 2


def test_a_lap_that_passes_our_line_again_where_it_did_before_stays() -> None:
    assert cut([(12.0, 0.8), (14.0, 1.0), AWAY, AWAY, (12.0, 0.8)])[0] == 4
