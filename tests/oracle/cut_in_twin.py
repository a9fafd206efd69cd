"""Slow twins of the cut-in rule: 5 ms steps, no closed ways, no early ends."""

STEP_S = 0.005
HORIZON_S = 8.0


def touches(
    level: float,
    *,
    speed: float,
    gap: float,
    other: float,
    side: float,
    drift: float,
    late: float,
    ramp: float,
    lengths: float = 8.6,
    width: float = 1.9,
    front: float = 0.0,
) -> bool:
    """Whether our car touches one that keeps its speed and comes sideways until it is centred,
    if we brake with `level` from `late` on, until we are no faster than it."""
    accel = t = 0.0
    while t < HORIZON_S:
        if side <= 0.0 and -lengths < gap < front:
            return True
        wanted = -level if t >= late else 0.0
        accel = max(wanted, accel - ramp * STEP_S)
        before = speed
        speed = max(0.0, speed + accel * STEP_S)
        gap += (other - 0.5 * (before + speed)) * STEP_S
        side = max(-width, side - drift * STEP_S)
        t += STEP_S
    return False


def sway(raw: list[float], share: float, first: float) -> float:
    """The variance of the noise in a row of lateral speeds."""
    out = first
    change = 0.0
    for k in range(1, len(raw)):
        before, change = change, raw[k] - raw[k - 1]
        out += share * (max(0.0, -change * before) - out)
    return out
