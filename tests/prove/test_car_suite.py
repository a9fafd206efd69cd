"""`marque prove car`: what it measures is what it says, on a stretch of the cycle."""

import numpy as np
import pytest

from marque.prove.car import suite
from marque.prove.car.requests import Trace, asked, wltc
from marque.vehicle.catalog import load_platform


def test_the_cycle_is_that_of_the_regulation() -> None:
    speed = wltc().speed_mps
    assert len(speed) == 90_000
    assert float(np.sum(speed)) * 0.02 == pytest.approx(23_266.0, rel=1e-3)
    assert float(speed.max()) == pytest.approx(131.3 / 3.6, abs=0.05)


def test_requests_have_no_more_jerk_than_ours() -> None:
    trace = Trace("step", np.repeat([0.0, 10.0], 200))
    last, rows = 0.0, []
    for step in range(400):
        last = asked(trace, step, 0.0, last)
        rows.append(last)
    assert max(rows) <= 2.0 and float(np.abs(np.diff(rows)).max()) <= 4.0 * 0.02 + 1e-9


@pytest.mark.parametrize("name", ["bmw_530li", "xiaomi_su7"])
def test_a_stretch_is_tracked_dry_and_uphill(name: str) -> None:
    car = load_platform(name)
    part = Trace("part", wltc().speed_mps[30_000:34_000])
    for grade in suite.GRADES:
        assert suite._tracked(car, part, grade) < suite.RMS_MPS2


def test_stops_are_where_they_are_declared() -> None:
    for name in ("saloon_ev", "mercedes_e300l", "bao_5", "aito_m9_erev"):
        car = load_platform(name)
        got = suite._stop_m(car, 20.0, car.max_brake_mps2, 1e9)
        assert got == pytest.approx(suite._declared_m(car, 20.0), rel=suite.EMERGENCY)


def test_a_car_that_does_not_brake_as_declared_fails() -> None:
    from dataclasses import replace

    car = load_platform("saloon_ev")
    lied = replace(car, max_brake_mps2=5.0)
    got = suite._stop_m(lied, 20.0, 5.0, 1e9)
    assert abs(got / suite._declared_m(car, 20.0) - 1.0) > 0.3
