"""Exact intervals for counts and shares, without a statistics package.

Poisson: Garwood, Biometrika 28 (1936). Shares: Clopper and Pearson, Biometrika 26 (1934), and
Wilson, JASA 22 (1927).
"""

import math
from collections.abc import Callable
from statistics import NormalDist


def poisson_interval(count: int, exposure: float, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a rate: events per unit of `exposure`. Raises ValueError."""
    _check(count >= 0 and exposure > 0.0, level)
    tail = 0.5 * (1.0 - level)
    low = 0.0 if count == 0 else _gamma_quantile(float(count), tail)
    high = _gamma_quantile(count + 1.0, 1.0 - tail)
    return low / exposure, high / exposure


def share_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a share (Clopper-Pearson). Raises ValueError."""
    _check(0 <= successes <= trials and trials > 0, level)
    tail = 0.5 * (1.0 - level)
    k, n = successes, trials
    low = 0.0 if k == 0 else _root(lambda p: beta_share(k, n - k + 1, p) - tail, 0.0, 1.0)
    high = 1.0 if k == n else _root(lambda p: beta_share(k + 1, n - k, p) - 1.0 + tail, 0.0, 1.0)
    return low, high


def wilson_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a share, shorter than the exact one. Raises ValueError."""
    _check(0 <= successes <= trials and trials > 0, level)
    z = NormalDist().inv_cdf(0.5 + 0.5 * level)
    p = successes / trials
    scale = 1.0 + z * z / trials
    middle = (p + 0.5 * z * z / trials) / scale
    half = z / scale * math.sqrt(p * (1.0 - p) / trials + 0.25 * z * z / trials**2)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return low, high


def gamma_share(a: float, x: float) -> float:
    """Regularised lower incomplete gamma function P(a, x), a > 0, x >= 0."""
    if x <= 0.0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:  # the series converges fast here, the fraction there
        term = total = 1.0 / a
        n = a
        while term > total * 1e-17:
            n += 1.0
            term *= x / n
            total += term
        return min(1.0, front * total)
    return max(0.0, 1.0 - front * _fraction(_gamma_terms(a, x)))


def beta_share(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1."""
    if x <= 0.0 or x >= 1.0:
        return min(1.0, max(0.0, x))
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_share(b, a, 1.0 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    return front / a * _fraction(_beta_terms(a, b, x))


Terms = Callable[[int], tuple[float, float]]


def _gamma_terms(a: float, x: float) -> Terms:
    def term(n: int) -> tuple[float, float]:
        top = 1.0 if n == 0 else -n * (n - a)
        return top, x + 1.0 - a + 2.0 * n

    return term


def _beta_terms(a: float, b: float, x: float) -> Terms:
    def term(n: int) -> tuple[float, float]:
        m = n // 2
        if n == 0:
            return 1.0, 1.0
        if n % 2 == 0:
            return m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)), 1.0
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)), 1.0

    return term


def _fraction(term: Terms) -> float:
    """Continued fraction a0/(b0 + a1/(b1 + ...)) by the method of Lentz."""
    tiny = 1e-300
    value = c = tiny
    d = 0.0
    for n in range(100_000):
        top, bottom = term(n)
        d = bottom + top * d
        d = 1.0 / (d if d != 0.0 else tiny)
        c = bottom + top / c
        c = c if c != 0.0 else tiny
        value *= c * d
        if n > 0 and abs(c * d - 1.0) < 1e-15:
            break
    return value


def _gamma_quantile(a: float, share: float) -> float:
    high = a + 10.0
    while gamma_share(a, high) < share:
        high *= 2.0
    return _root(lambda x: gamma_share(a, x) - share, 0.0, high)


def _root(rise: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is zero, by halving, to the last bit that halving can give."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if rise(middle) < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _check(fine: bool, level: float) -> None:
    if not fine or not 0.0 < level < 1.0:
        raise ValueError("a rate needs count >= 0, exposure > 0 and a level between 0 and 1")
