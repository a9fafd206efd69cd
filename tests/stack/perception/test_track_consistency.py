"""The filters know how wrong they are: normalised errors and innovations within their bands.

The truth is drawn from the filter's own model here, so that the bands are exact (Bar-Shalom, Li,
Kirubarajan 2001, section 5.4). Bands are two-sided, 95 %, of the mean over independent runs.
"""

import math

import numpy as np

from marque.stack.perception.motion import correct, predict_vehicle, predict_walker
from marque.stack.perception.noise import kind_table
from marque.types.codes import UserKind

RUNS = 60
STEPS = 50
CAR = kind_table()[UserKind.CAR]
WALKER = kind_table()[UserKind.PEDESTRIAN]
SEEN = np.array([0.2, 0.2, 0.03, 0.25])  # sigma of x, y, heading (or vx), speed (or vy)


def band(freedom):
    """Of the mean of RUNS numbers that are chi-squared with `freedom` (normal approximation)."""
    half = 1.96 * math.sqrt(2.0 * freedom / RUNS)
    return freedom - half, freedom + half


def moved(predict, state):
    noise = np.zeros((6, 6))
    predict(state, noise)
    root = np.linalg.cholesky(noise + 1e-12 * np.eye(6))
    return state, root


def run(predict, first, spread, seed, used):
    """Per step: squared normalised innovation of four numbers, and error of the used states."""
    rng = np.random.default_rng(seed)
    truth = first + spread * rng.normal(size=6)
    m, p = first.copy(), np.diag(spread**2)
    nis, nees = [], []
    for _ in range(STEPS):
        truth, root = moved(predict, truth)
        truth = truth + root @ rng.normal(size=6) * used
        predict(m, p)
        told = truth[:4] + SEEN * rng.normal(size=4)
        fit = 0.0
        for i in range(4):
            fit += correct(m, p, np.eye(6)[i], told[i] - m[i], SEEN[i] ** 2)
        off = (truth - m)[used > 0]
        nis.append(fit)
        nees.append(off @ np.linalg.solve(p[np.ix_(used > 0, used > 0)], off))
    return np.array(nis), np.array(nees)


def shares_in_band(predict, first, spread, used):
    runs = [run(predict, first, spread, seed, used) for seed in range(RUNS)]
    nis = np.mean([one for one, _ in runs], axis=0)
    nees = np.mean([two for _, two in runs], axis=0)
    low, high = band(4)
    low2, high2 = band(int(used.sum()))
    return ((nis > low) & (nis < high)).mean(), ((nees > low2) & (nees < high2)).mean()


def test_a_vehicle_is_as_sure_as_it_may_be():
    nis, nees = shares_in_band(
        lambda m, p: predict_vehicle(m, p, 0.1, CAR, 0.5, 0.5),
        np.array([0.0, 0.0, 0.3, 14.0, 0.0, 0.0]),
        np.array([0.3, 0.3, 0.03, 0.5, 0.5, 0.002]),
        np.ones(6),
    )
    assert nis >= 0.88  # of 50 steps; 0.95 expected
    assert nees >= 0.85  # the motion is not linear


def test_a_walker_is_as_sure_as_it_may_be():
    nis, nees = shares_in_band(
        lambda m, p: predict_walker(m, p, 0.1, WALKER),
        np.array([0.0, 0.0, 1.0, 0.5, 0.0, 0.0]),
        np.array([0.3, 0.3, 0.5, 0.5, 0.0, 0.0]),
        np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
    )
    assert nis >= 0.88
    assert nees >= 0.88
