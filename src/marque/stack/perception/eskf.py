"""The arithmetic of localisation: one error-state Kalman filter, compiled.

State, in this order (planar, rear axle centre, map frame; SI):

    x, y       position
    psi        heading
    v, u       speed forwards and to the left
    bg         bias of the gyroscope, rad/s
    ba         bias of the accelerometer, m/s2; the slope of the road lies in it, too
    k          scale error of the wheels: they tell (1 + k) v
    ox, oy     slow error of the satellite fixes (first-order Gauss-Markov)

The nominal state moves by the full equations, the covariance by their linearisation about it; a
correction is added to the nominal state at once, the heading wrapped. Sources: Sola, "Quaternion
kinematics for the error-state Kalman filter" (2017), reduced to the plane; Dissanayake et al.,
IEEE Trans. Robotics and Automation 17 (2001), for the sideways constraint.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit

N = 10
X, Y, PSI, V, U, BG, BA, K, OX, OY = range(N)


@jit
def times(a: FloatArray, b: FloatArray) -> FloatArray:
    """a @ b for [N, N]; written out, because compiled `@` would need scipy."""
    out = np.zeros((N, N))
    for i in range(N):
        for k in range(N):
            if a[i, k] != 0.0:
                for j in range(N):
                    out[i, j] += a[i, k] * b[k, j]
    return out


@jit
def spread(cov: FloatArray, h: FloatArray) -> FloatArray:
    """cov @ h for a symmetric cov [N, N] and h [N]."""
    out = np.zeros(N)
    for k in range(N):
        if h[k] != 0.0:
            for i in range(N):
                out[i] += cov[k, i] * h[k]
    return out


@jit
def dot(a: FloatArray, b: FloatArray) -> float:
    """Inner product of two vectors [N]."""
    total = 0.0
    for i in range(N):
        total += a[i] * b[i]
    return total


@jit
def predict(
    state: FloatArray,
    cov: FloatArray,
    accel: float,
    yaw_rate: float,
    dt: float,
    noise: FloatArray,
    offset_rate: float,
) -> tuple[FloatArray, FloatArray]:
    """State and covariance `dt` seconds later.

    accel, yaw_rate: as measured, means over the interval. noise [N]: variance that each state
    gains per second. offset_rate: 1/s, how fast the slow error of fixes forgets itself.
    """
    turn = yaw_rate - state[BG]
    push = accel - state[BA]
    middle = state[PSI] + 0.5 * turn * dt
    c = math.cos(middle)
    s = math.sin(middle)
    v = state[V] + 0.5 * push * dt
    u = state[U]
    keep = math.exp(-offset_rate * dt)
    new = state.copy()
    new[X] += (v * c - u * s) * dt
    new[Y] += (v * s + u * c) * dt
    new[PSI] = wrap_angle(state[PSI] + turn * dt)
    new[V] += push * dt
    new[OX] *= keep
    new[OY] *= keep

    f = np.zeros((N, N))
    for i in range(N):
        f[i, i] = 1.0
    f[X, PSI] = -(v * s + u * c) * dt
    f[Y, PSI] = (v * c - u * s) * dt
    f[X, V] = c * dt
    f[Y, V] = s * dt
    f[X, U] = -s * dt
    f[Y, U] = c * dt
    f[X, BG] = -0.5 * dt * f[X, PSI]
    f[Y, BG] = -0.5 * dt * f[Y, PSI]
    f[X, BA] = -0.5 * dt * dt * c
    f[Y, BA] = -0.5 * dt * dt * s
    f[PSI, BG] = -dt
    f[V, BA] = -dt
    f[OX, OX] = keep
    f[OY, OY] = keep
    grown = times(f, times(f, cov).T)
    for i in range(N):
        grown[i, i] += noise[i] * dt
    return new, grown


@jit
def surprise(cov: FloatArray, h: FloatArray, residual: float, variance: float) -> float:
    """Normalised innovation squared of one scalar measurement with gradient h [N]."""
    return residual * residual / (dot(h, spread(cov, h)) + variance)


@jit
def correct(
    state: FloatArray, cov: FloatArray, h: FloatArray, residual: float, variance: float
) -> tuple[FloatArray, FloatArray]:
    """State and covariance after one scalar measurement."""
    ph = spread(cov, h)
    s = dot(h, ph) + variance
    new = state.copy()
    left = cov.copy()
    for i in range(N):
        new[i] += ph[i] * residual / s
        for j in range(N):
            left[i, j] -= ph[i] * ph[j] / s
    new[PSI] = wrap_angle(new[PSI])
    return new, left


@jit
def surprise_2(
    cov: FloatArray, hx: FloatArray, hy: FloatArray, rx: float, ry: float, variance: float
) -> float:
    """Normalised innovation squared of a measured point, both axes together."""
    px, py = spread(cov, hx), spread(cov, hy)
    a = dot(hx, px) + variance
    b = dot(hx, py)
    d = dot(hy, py) + variance
    return (d * rx * rx - 2.0 * b * rx * ry + a * ry * ry) / (a * d - b * b)


@jit
def correct_2(
    state: FloatArray,
    cov: FloatArray,
    hx: FloatArray,
    hy: FloatArray,
    rx: float,
    ry: float,
    variance: float,
) -> tuple[FloatArray, FloatArray]:
    """State and covariance after a measured point whose axes err independently."""
    step, cov = correct(np.zeros(N), cov, hx, rx, variance)
    step, cov = correct(step, cov, hy, ry - dot(hy, step), variance)
    new = state.copy()
    for i in range(N):
        new[i] += step[i]
    new[PSI] = wrap_angle(new[PSI])
    return new, cov
