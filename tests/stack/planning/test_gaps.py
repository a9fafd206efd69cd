"""Gaps on the lane beside us: who is held by whom behind us."""

import numpy as np

from marque.stack.planning.gaps import PRESSING, Row, Us, entry, fits

HALF_M = 2.2
US = Us(50.0, 0.0, 0.0, 3.7, 1.0, 13.9)  # we stand, our rear end at 49 m


def row(*cars):
    """Cars as (bumper to our rear end in m, speed, whether it lets us in), sorted from behind."""
    back, speed, lets = zip(*sorted(cars, key=lambda car: -car[0]), strict=True)
    s = US.s_m - US.rear_m - np.array(back) - HALF_M
    return Row(np.arange(len(cars)), s, np.array(speed), np.full(len(cars), HALF_M), np.array(lets))


def test_who_waits_behind_one_that_lets_us_in_is_no_threat():
    first = (2.5, 0.0, True)
    second = (2.5 + 2.0 * HALF_M + 1.5, 0.0, False)  # may set off, but not through the first
    assert fits(row(first), US, PRESSING, entry(US))
    assert fits(row(first, second), US, PRESSING, entry(US))


def test_who_sets_off_next_behind_us_is_one():
    assert not fits(row((2.5, 0.0, False)), US, PRESSING, entry(US))


def test_who_comes_fast_behind_one_far_behind_is_one():
    slow, fast = (30.0, 1.0, False), (30.0 + 2.0 * HALF_M + 30.0, 14.0, False)
    assert fits(row(slow), US, PRESSING, entry(US))
    assert not fits(row((30.0, 14.0, False)), US, PRESSING, entry(US))
    assert fits(row(slow, fast), US, PRESSING, entry(US))  # it brakes for the slow one, not for us
