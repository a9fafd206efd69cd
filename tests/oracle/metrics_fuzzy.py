"""A slow twin of the reference driver on the published cut-in grid, from the recurrence alone."""

from collections.abc import Callable

CAR_LENGTH_M, CAR_WIDTH_M = 4.3, 1.9
STEP_S = 0.1


def cut_in_collides(
    ego_mps: float,
    other_mps: float,
    gap_m: float,
    lateral_mps: float,
    wants: Callable[[float, float, float, float, float, float, float], float],
    brake: Callable[[float, float, float], float],
    reaction_steps: int,
) -> bool:
    """Speed of the next step from the present state, then position; boxes along the axes.

    `wants(side_gap, side_speed, gap, lengths, speed, accel, lead)` is the braking wanted,
    `brake(accel, wanted, step)` the acceleration of the next step.
    """
    ramp_s = lateral_mps / 1.5
    begin = -int(ramp_s / STEP_S + 0.999999)
    x, speed, accel = 0.0, ego_mps, 0.0
    ahead = gap_m + CAR_LENGTH_M + (ego_mps - other_mps) * -begin * STEP_S
    reacts_at: int | None = None
    for k in range(begin, 350):
        aside, drift = _aside(k * STEP_S, lateral_mps, ramp_s)
        if abs(ahead - x) < CAR_LENGTH_M and aside < CAR_WIDTH_M:
            return True
        gap = ahead - x - CAR_LENGTH_M
        wanted = 0.0
        if gap > 0.0:
            side = aside - CAR_WIDTH_M
            wanted = wants(side, drift, gap, 2 * CAR_LENGTH_M, speed, accel, other_mps)
        if wanted > 0.0 and reacts_at is None:
            reacts_at = k + reaction_steps
        if reacts_at is None or k < reacts_at:
            wanted = 0.0
        accel = brake(accel, wanted, STEP_S)
        speed = max(0.0, speed + accel * STEP_S)
        x += speed * STEP_S
        ahead += other_mps * STEP_S
    return False


def _aside(t: float, lateral: float, ramp_s: float) -> tuple[float, float]:
    """(distance between centre lines, speed towards us) at t; the ramp ends at t = 0."""
    if t < -ramp_s:
        return 3.5 + 0.5 * lateral * ramp_s, 0.0
    if t < 0.0:
        return 3.5 + 0.5 * lateral * ramp_s - 0.75 * (t + ramp_s) ** 2, 1.5 * (t + ramp_s)
    at = 3.5 - lateral * t
    return (at, lateral) if at > 0.0 else (0.0, 0.0)
