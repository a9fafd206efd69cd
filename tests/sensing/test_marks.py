"""Lane marks: where the lines are, how they err."""

from pathlib import Path

import numpy as np
import pytest

from builders import straight_road
from marque.kernels.paint import lane_paint
from marque.sensing.marks import find_marks, strewn
from marque.sensing.objects import mounted
from marque.sensing.profile import load_equipment
from marque.types.world import EgoTruth
from marque.vehicle.catalog import load_platform

FLAWLESS = str(Path(__file__).parent / "flawless.toml")
CAR = load_platform("saloon_ev")
ROAD = straight_road(300.0, 2)  # centre lines at y = 0 and 3.2
EGO = EgoTruth(100.0, 0.4, 0.05, 8.0, 0.0, 0.0, 0.0, 0.0)


def scan(profile: str, ego: EgoTruth, seed: int = 1, **changes: float):
    equipment = load_equipment(profile)
    rules = equipment.marks.model_copy(update=changes)
    mount = mounted(0, equipment.sensor[0], CAR)
    paint = strewn(lane_paint(ROAD), rules.range_m)
    return find_marks(mount, rules, paint, ego, 5, np.random.default_rng(seed))


def on_map(marks, ego: EgoTruth):
    c, s = np.cos(ego.heading_rad), np.sin(ego.heading_rad)
    return (
        ego.x_m + c * marks.x_m - s * marks.y_m,
        ego.y_m + s * marks.x_m + c * marks.y_m,
        ego.heading_rad + marks.heading_rad,
    )


def test_each_line_stands_once_and_says_whether_it_may_be_crossed():
    paint = lane_paint(ROAD)
    lines = {round(float(y), 3): bool(solid) for y, solid in paint[:, [1, 3]]}
    assert lines == {-1.6: True, 1.6: False, 4.8: True}
    assert len(paint) == len(np.unique(paint, axis=0))


def test_without_errors_marks_lie_on_the_lines_ahead():
    marks = scan(FLAWLESS, EGO)
    x, y, heading = on_map(marks, EGO)
    assert marks.count > 50 and marks.t_ns == 5
    assert sorted(set(np.round(y, 6))) == [-1.6, 1.6, 4.8]
    assert heading == pytest.approx(np.zeros(marks.count), abs=1e-9)
    assert (x > EGO.x_m).all() and (np.hypot(marks.x_m, marks.y_m) < 85.0).all()
    assert marks.solid.tolist() == (np.round(y, 3) != 1.6).tolist()


def test_errors_lie_across_the_line_and_turn_together():
    off, mean = [], []
    for seed in range(300):
        marks = scan("standard", EGO, seed, across_growth=0.0, turn_sigma_deg=0.0)
        y = on_map(marks, EGO)[1]
        off.extend(y - np.array([-1.6, 1.6, 4.8])[np.abs(y[:, None] - [-1.6, 1.6, 4.8]).argmin(1)])
        turned = scan("standard", EGO, seed, heading_sigma_deg=0.0, across_sigma_m=0.0)
        mean.append(np.median(on_map(turned, EGO)[2]))
    assert np.std(off) == pytest.approx(0.05, rel=0.05)
    assert np.degrees(np.std(mean)) == pytest.approx(0.15, rel=0.15)
