"""Character from motion: numbers that can be had by hand, and none where there is nothing."""

import math

import numpy as np
import pytest

from marque.metrics.character import GROUPS, Motion, fingerprint, windows


def moved(seconds, speed, gap=math.nan, offset=0.0, accel=0.0):
    n = round(seconds * 10)

    def full(value):
        return np.full(n, float(value))

    return Motion(full(speed), full(accel), full(0.0), full(gap), full(0.0), full(offset))


def test_a_minute_is_one_window_and_each_half_minute_more_another():
    assert len(windows(moved(59.9, 10.0))) == 0
    assert len(windows(moved(60.0, 10.0))) == 1
    assert len(windows(moved(120.0, 10.0))) == 3


def test_who_stands_shows_no_character():
    assert windows(moved(60.0, 0.0)) == []


def test_numbers_of_a_steady_follower():
    (seen,) = windows(moved(60.0, 10.0, gap=15.0, offset=0.05))
    assert set(seen) == set(GROUPS)
    assert seen["speed"] == [10.0, 10.0, 10.0]
    assert math.isnan(seen["gap"][0]) and seen["gap"][1:] == [1.5, 1.5]
    assert seen["offset"] == pytest.approx([0.05] * 3)


def test_a_fingerprint_is_of_all_drives_together():
    found = fingerprint([moved(10.0, 10.0, offset=0.1), moved(30.0, 10.0, offset=-0.1)])
    assert found["lane_offset_p50_m"] == pytest.approx(-0.1)
    assert math.isnan(found["headway_p50_s"])
