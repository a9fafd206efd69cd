"""Symmetric systems in a band, as fitted lines give them: each unknown knows its three neighbours
on either side."""

import math

from marque.core.arrays import FloatArray
from marque.core.jit import jit

WIDTH = 4  # entries of a row: (i, i), (i, i - 1), (i, i - 2), (i, i - 3)


@jit
def add_square(
    band: FloatArray, rhs: FloatArray, i: int, factors: FloatArray, wanted: float, weight: float
) -> None:
    """Add weight * (factors . x[i : i + len(factors)] - wanted)^2 to what is minimised.

    band [m, 4], rhs [m]: the normal equations. Unknowns outside of 0..m-1 are zero.
    """
    m = len(rhs)
    for a in range(len(factors)):
        row = i + a
        if row < 0 or row >= m:
            continue
        rhs[row] += weight * factors[a] * wanted
        for b in range(a + 1):
            if i + b >= 0:
                band[row, a - b] += weight * factors[a] * factors[b]


@jit
def solve_band(band: FloatArray, rhs: FloatArray) -> None:
    """Solve in place by Cholesky without pivoting; band [m, 4] is the lower half, rhs [m]."""
    m = len(rhs)
    for i in range(m):
        for d in range(min(WIDTH - 1, i), -1, -1):
            j = i - d
            total = band[i, d]
            for k in range(max(0, i - WIDTH + 1), j):
                total -= band[i, i - k] * band[j, j - k]
            band[i, d] = math.sqrt(max(total, 1e-12)) if d == 0 else total / band[j, 0]
    for i in range(m):
        for j in range(max(0, i - WIDTH + 1), i):
            rhs[i] -= band[i, i - j] * rhs[j]
        rhs[i] /= band[i, 0]
    for i in range(m - 1, -1, -1):
        for j in range(i + 1, min(m, i + WIDTH)):
            rhs[i] -= band[j, j - i] * rhs[j]
        rhs[i] /= band[i, 0]
