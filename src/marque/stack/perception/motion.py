"""How a believed road user goes on, and how one number that was measured changes the belief.

Two models share arrays of six. A vehicle goes where it points, without slipping sideways, at an
acceleration and a curvature that fade out (CTRA written with the curvature, so that who stands
cannot turn): x, y, heading, speed, acceleration, curvature. A walker keeps its velocity: x, y,
vx, vy, and two unused entries that stay zero. Map frame, SI.

Sources: Schubert, Richter, Wanielik, "Comparison and evaluation of advanced motion models for
vehicle tracking", FUSION 2008 (CTRA); Singer, "Estimating optimal tracking filter performance for
manned maneuvering targets", 1970 (fading acceleration); Bar-Shalom, Li, Kirubarajan,
"Estimation with Applications to Tracking and Navigation", 2001, chapters 5 and 6.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.stack.perception.noise import (
    ACCEL,
    ACCEL_TAU,
    CURVATURE,
    CURVATURE_TAU,
    HEADING_NOISE,
    LATERAL,
    SLIP_NOISE,
)

SIZE = 6
X, Y, H, V, A, K = range(6)  # a vehicle
VX, VY = 2, 3  # a walker
REST_M2PS = 1e-5  # what nobody moves is still not known to the last millimetre
FASTEST_MPS = 90.0
REVERSE_MPS = 3.0
# Who does not do what vehicles do (skids, is towed, was believed to point elsewhere) is not held
# to it: from this share of the spread on, heading and place may change by themselves, by up to so
# much per square root of a second.
WILD_FROM = 0.5
SKID_RAD = 0.3
SKID_M = 0.5
UNBEND_S = 10.0  # nobody turns for ever


@jit
def predict_vehicle(
    m: FloatArray, p: FloatArray, dt: float, kind: FloatArray, surge: float, sway: float
) -> None:
    """Move mean m [6] and covariance p [6, 6] of a vehicle on by dt >= 0, in place.

    `kind` is its row of the kind table; surge and sway in (0, 1] are the shares of its spreads
    along and across that are to be reckoned with now. Braking ends at rest.
    """
    v = m[V]
    a = m[A]
    end = v + a * dt
    stops = v * end < 0.0
    d = -0.5 * v * v / a if stops else v * dt + 0.5 * a * dt * dt
    d_v = dt if not stops else 0.5 * dt
    d_a = 0.5 * dt * dt
    k = m[K]
    middle = m[H] + 0.5 * k * d
    c = math.cos(middle)
    s = math.sin(middle)
    fade_a = math.exp(-dt / kind[ACCEL_TAU])
    fade_k = math.exp(-dt / UNBEND_S)
    bend = 0.5 * d * k
    f = _rows(
        -d * s, (c - s * bend) * d_v, (c - s * bend) * d_a, -0.5 * d * d * s,
        d * c, (s + c * bend) * d_v, (s + c * bend) * d_a, 0.5 * d * d * c,
        k * d_v, k * d_a, d, dt, fade_a, fade_k,
    )  # fmt: skip
    m[X] += d * c
    m[Y] += d * s
    m[H] = wrap_angle(m[H] + k * d)
    m[V] = 0.0 if stops else end
    m[A] = 0.0 if stops else a * fade_a
    m[K] = k * fade_k
    _spread(p, f)
    _shake_vehicle(p, v, c, s, dt, kind, surge, sway)


@jit
def _rows(
    xh: float, xv: float, xa: float, xk: float,
    yh: float, yv: float, ya: float, yk: float,
    hv: float, ha: float, hk: float, va: float, aa: float, kk: float,
) -> tuple[float, float, float, float, float, float, float,
           float, float, float, float, float, float, float]:  # fmt: skip
    """The entries of the Jacobian that are neither 0 nor 1, by name: row, column."""
    return xh, xv, xa, xk, yh, yv, ya, yk, hv, ha, hk, va, aa, kk


@jit
def _spread(
    p: FloatArray,
    f: tuple[float, float, float, float, float, float, float,
             float, float, float, float, float, float, float],
) -> None:  # fmt: skip
    """p = F p F' with the Jacobian of `_rows`: first the rows, then the columns."""
    xh, xv, xa, xk, yh, yv, ya, yk, hv, ha, hk, va, aa, kk = f
    for j in range(SIZE):
        h = p[H, j]
        v = p[V, j]
        a = p[A, j]
        k = p[K, j]
        p[X, j] += xh * h + xv * v + xa * a + xk * k
        p[Y, j] += yh * h + yv * v + ya * a + yk * k
        p[H, j] = h + hv * v + ha * a + hk * k
        p[V, j] = v + va * a
        p[A, j] = aa * a
        p[K, j] = kk * k
    for i in range(SIZE):
        h = p[i, H]
        v = p[i, V]
        a = p[i, A]
        k = p[i, K]
        p[i, X] += xh * h + xv * v + xa * a + xk * k
        p[i, Y] += yh * h + yv * v + ya * a + yk * k
        p[i, H] = h + hv * v + ha * a + hk * k
        p[i, V] = v + va * a
        p[i, A] = aa * a
        p[i, K] = kk * k


@jit
def curvature_spread(v: float, kind: FloatArray) -> float:
    """How much a vehicle at speed v may turn, 1/m: by its wheels when slow, by grip and manners
    when fast."""
    return float(min(0.5 * kind[CURVATURE], kind[LATERAL] / max(v * v, 1.0)))


@jit
def _shake_vehicle(
    p: FloatArray, v: float, c: float, s: float, dt: float, kind: FloatArray, surge: float,
    sway: float,
) -> None:  # fmt: skip
    """Add what may have happened within dt: white jerk and white change of curvature that keep
    both within their spreads in the long run; joints of paths and slip while in motion."""
    spread = surge * kind[ACCEL]
    q = 2.0 * spread * spread / kind[ACCEL_TAU]
    p[A, A] += spread * spread * (1.0 - math.exp(-2.0 * dt / kind[ACCEL_TAU]))
    p[V, V] += q * dt**3 / 3.0
    p[V, A] += 0.5 * q * dt * dt
    p[A, V] += 0.5 * q * dt * dt
    spread = sway * curvature_spread(v, kind)
    q = 2.0 * spread * spread / kind[CURVATURE_TAU]
    p[K, K] += q * dt
    p[H, H] += q * v * v * dt**3 / 3.0
    p[H, K] += 0.5 * q * v * dt * dt
    p[K, H] += 0.5 * q * v * dt * dt
    moving = min(1.0, abs(v))
    wild = max(0.0, sway - WILD_FROM) / (1.0 - WILD_FROM)
    p[H, H] += ((moving * sway * kind[HEADING_NOISE]) ** 2 + (wild * SKID_RAD) ** 2) * dt
    slip = ((moving * kind[SLIP_NOISE]) ** 2 + (wild * SKID_M) ** 2) * dt
    p[X, X] += slip * s * s + REST_M2PS * dt
    p[Y, Y] += slip * c * c + REST_M2PS * dt
    p[X, Y] -= slip * s * c
    p[Y, X] -= slip * s * c


@jit
def predict_walker(m: FloatArray, p: FloatArray, dt: float, kind: FloatArray) -> None:
    """Move mean m [6] and covariance p [6, 6] of a walker on by dt >= 0, in place."""
    m[X] += m[VX] * dt
    m[Y] += m[VY] * dt
    for j in range(4):
        p[X, j] += dt * p[VX, j]
        p[Y, j] += dt * p[VY, j]
    for i in range(4):
        p[i, X] += dt * p[i, VX]
        p[i, Y] += dt * p[i, VY]
    q = kind[ACCEL] ** 2
    for axis in range(2):
        p[axis, axis] += q * dt**3 / 3.0 + REST_M2PS * dt
        p[axis + 2, axis + 2] += q * dt
        p[axis, axis + 2] += 0.5 * q * dt * dt
        p[axis + 2, axis] += 0.5 * q * dt * dt


@jit
def correct(m: FloatArray, p: FloatArray, h: FloatArray, off: float, var: float) -> float:
    """Kalman update by one number, in place; returns its squared normalised innovation.

    h [6] is how the number depends on the state, `off` measured minus expected, `var` the
    variance of the measurement.
    """
    gain = np.zeros(SIZE)
    total = var
    for i in range(SIZE):
        for j in range(SIZE):
            gain[i] += p[i, j] * h[j]
        total += h[i] * gain[i]
    for i in range(SIZE):
        m[i] += gain[i] * off / total
        for j in range(SIZE):
            p[i, j] -= gain[i] * gain[j] / total
    return off * off / total


@jit
def keep_sane(m: FloatArray, p: FloatArray, kind: FloatArray) -> None:
    """Hold a vehicle within what vehicles can do; one that drives backwards fast was turned."""
    if m[V] < -REVERSE_MPS and m[V] * m[V] > 4.0 * p[V, V]:
        turn_round(m, p)
    m[H] = wrap_angle(m[H])
    m[V] = min(FASTEST_MPS, max(-FASTEST_MPS, m[V]))
    m[K] = min(kind[CURVATURE], max(-kind[CURVATURE], m[K]))


@jit
def turn_round(m: FloatArray, p: FloatArray) -> None:
    """The same motion of a vehicle that points the other way."""
    m[H] = wrap_angle(m[H] + math.pi)
    for i in (V, A, K):
        m[i] = -m[i]
        for j in range(SIZE):
            p[i, j] = -p[i, j]
            p[j, i] = -p[j, i]


@jit
def to_vehicle(m: FloatArray, p: FloatArray, body: float, kind: FloatArray) -> None:
    """A walker's belief as that of a vehicle, in place; `body` is where its box points."""
    v = math.hypot(m[VX], m[VY])
    var_x, var_y, cov = p[VX, VX], p[VY, VY], p[VX, VY]
    heading = math.atan2(m[VY], m[VX])
    if v < 1.0 or v * v < 4.0 * (var_x + var_y):
        heading = body
        v = m[VX] * math.cos(body) + m[VY] * math.sin(body)
    c = math.cos(heading)
    s = math.sin(heading)
    along = c * c * var_x + s * s * var_y + 2.0 * c * s * cov
    aside = s * s * var_x + c * c * var_y - 2.0 * c * s * cov
    for i in range(2, SIZE):
        for j in range(SIZE):
            p[i, j] = 0.0
            p[j, i] = 0.0
    m[H], m[V], m[A], m[K] = heading, v, 0.0, 0.0
    p[H, H] = min(0.3, aside / max(v * v, 0.25))
    p[V, V] = along
    p[A, A] = kind[ACCEL] ** 2
    p[K, K] = curvature_spread(v, kind) ** 2


@jit
def to_walker(m: FloatArray, p: FloatArray) -> None:
    """A vehicle's belief as that of a walker, in place."""
    c = math.cos(m[H])
    s = math.sin(m[H])
    v = m[V]
    along = p[V, V]
    aside = v * v * p[H, H] + 0.01
    for i in range(2, SIZE):
        for j in range(SIZE):
            p[i, j] = 0.0
            p[j, i] = 0.0
    m[VX], m[VY], m[A], m[K] = v * c, v * s, 0.0, 0.0
    p[VX, VX] = c * c * along + s * s * aside
    p[VY, VY] = s * s * along + c * c * aside
    p[VX, VY] = c * s * (along - aside)
    p[VY, VX] = p[VX, VY]
