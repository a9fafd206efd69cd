"""Where our car was when a measurement was true."""

from math import cos, pi, sin
from typing import NamedTuple

from marque.core.time import NS_PER_S, seconds
from marque.types.reading import EgoReading

KEEP_NS = NS_PER_S  # older poses are of no use to any list that is still taken
BEYOND_NS = NS_PER_S // 2  # farther than this from every known pose nothing is guessed


class Pose(NamedTuple):
    """x, y, heading in the map frame; rear axle."""

    x_m: float
    y_m: float
    heading_rad: float


Past = tuple[EgoReading, ...]  # by stamp, no two alike


def remember(past: Past, ego: EgoReading) -> Past:
    """The past with one more; a reading with a number that is none is left out."""
    total = ego.x_m + ego.y_m + ego.heading_rad + ego.speed_mps + ego.yaw_rate_radps
    if total - total != 0.0:
        return past
    kept = [one for one in past if one.t_ns != ego.t_ns and ego.t_ns - one.t_ns <= KEEP_NS]
    return tuple(sorted((*kept, ego), key=lambda one: one.t_ns))


def pose_at(past: Past, t_ns: int) -> Pose | None:
    """Our pose at a stamp; None where no known one is near enough.

    Between two known poses: both driven towards each other on an arc, weighted by nearness.
    """
    before = next((one for one in reversed(past) if one.t_ns <= t_ns), None)
    after = next((one for one in past if one.t_ns >= t_ns), None)
    known = [one for one in (before, after) if one and abs(t_ns - one.t_ns) <= BEYOND_NS]
    if not known:
        return None
    poses = [_driven(one, seconds(t_ns - one.t_ns)) for one in known]
    if len(poses) == 1 or known[0].t_ns == known[1].t_ns:
        return poses[0]
    w = (t_ns - known[0].t_ns) / (known[1].t_ns - known[0].t_ns)
    a, b = poses
    turn = (b.heading_rad - a.heading_rad + pi) % (2.0 * pi) - pi
    return Pose(
        a.x_m + w * (b.x_m - a.x_m), a.y_m + w * (b.y_m - a.y_m), a.heading_rad + w * turn
    )  # fmt: skip


def _driven(ego: EgoReading, dt: float) -> Pose:
    """On along an arc at the speed, acceleration and yaw rate of then (dt may be negative)."""
    way = ego.speed_mps * dt + 0.5 * ego.accel_mps2 * dt * dt
    turn = ego.yaw_rate_radps * dt
    middle = ego.heading_rad + 0.5 * turn
    return Pose(ego.x_m + way * cos(middle), ego.y_m + way * sin(middle), ego.heading_rad + turn)
