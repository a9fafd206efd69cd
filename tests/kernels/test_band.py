"""Normal equations in a band, against the dense solution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.kernels.band import WIDTH, add_square, solve_band


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_a_banded_system_has_the_dense_solution(m, seed):
    rng = np.random.default_rng(seed)
    band, rhs = np.zeros((m, WIDTH)), np.zeros(m)
    dense, right = np.zeros((m, m)), np.zeros(m)
    rows = [(i, rng.normal(size=n)) for i in range(-3, m) for n in (1, 3, 4)]
    for i, factors in rows:
        wanted, weight = rng.normal(), rng.uniform(0.5, 2.0)
        add_square(band, rhs, i, factors, wanted, weight)
        whole = np.zeros(m)
        for a, factor in enumerate(factors):
            if 0 <= i + a < m:
                whole[i + a] = factor
        dense += weight * np.outer(whole, whole)
        right += weight * wanted * whole
    solve_band(band, rhs)
    assert rhs == pytest.approx(np.linalg.solve(dense, right), rel=1e-6, abs=1e-6)
