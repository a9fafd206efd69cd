"""What the reference drivers would have done in the same case, in our car's place.

They drive along the middle of the lane from where the file hands our car over, at that speed, and
only ever brake: the fuzzy model (`metrics.fuzzy`) and the careful human (`prove.cut_in.models`).
The file's others do what they do for our car: what they do relative to the ego, they do to them.

Whoever is wholly behind somebody else in our way is hidden from them.
"""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length, headings
from marque.maps.route_line import route_line
from marque.metrics import fuzzy
from marque.prove.alks.play import Played, touched
from marque.prove.cut_in.models import FUZZY, HAZARD_TTC_S, HUMAN, NAMES, NEVER, REACTION_STEPS
from marque.prove.cut_in.models import braked as braking
from marque.sim.drive import trip_route
from marque.types.platform import Platform
from marque.types.world import EgoTruth, RoadUsers

STEP_S = 0.1
COVERS_M = 0.3  # who juts out less beside somebody ahead of it is hidden
BEYOND_M = 100.0  # a path goes straight on beyond its end


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The middle of the lane."""

    xy_m: FloatArray  # [n, 2]
    s_m: FloatArray  # [n]
    heading_rad: FloatArray  # [n]

    def pose(self, s_m: float) -> tuple[float, float, float]:
        """x, y, heading at s metres."""
        x = float(np.interp(s_m, self.s_m, self.xy_m[:, 0]))
        y = float(np.interp(s_m, self.s_m, self.xy_m[:, 1]))
        return x, y, float(np.interp(s_m, self.s_m, self.heading_rad))


def lane_path(played: Played) -> Path:
    """From the hand-over to the end of the roads, and straight on."""
    setup = played.setup
    route, _ = trip_route(setup.road_map, setup.trip)
    xy = route_line(setup.road_map, route, setup.trip.start_lane, setup.trip.start_s_m)
    turn = float(headings(xy)[-1])
    xy = np.vstack((xy, xy[-1] + BEYOND_M * np.array([np.cos(turn), np.sin(turn)])))
    return Path(xy, arc_length(xy), np.unwrap(headings(xy)))


@dataclass(frozen=True, slots=True)
class Avoided:
    """What one model made of a case."""

    model: str
    avoids: bool
    contact_mps: float = 0.0  # its speed at the contact, if there was one


def references(played: Played) -> tuple[Avoided, ...]:
    """Both models. MarqueError: the file cannot be played with them."""
    path = lane_path(played)
    return tuple(_drive(played, path, model) for model in (FUZZY, HUMAN))


def _drive(played: Played, path: Path, model: int) -> Avoided:
    platform = played.setup.platform
    world = played.play.world(platform)
    speed, s, accel = world.start.speed_mps, 0.0, 0.0
    truth = world.reset(_ego(path, s, speed, accel))
    reacts, step = NEVER, 0
    while not world.over and step * STEP_S < played.setup.limit_s:
        wanted, hazard = _wanted(model, truth.users, path, platform, (s, speed, accel))
        if hazard and reacts == NEVER:
            reacts = step + REACTION_STEPS[model]
        accel = braking(model, step, reacts, wanted, accel)
        speed = max(0.0, speed + accel * STEP_S)
        s += speed * STEP_S
        before, truth = truth, world.step(_ego(path, s, speed, accel))
        if touched(before, truth, platform) is not None:
            return Avoided(NAMES[model], False, round(speed, 2))
        step += 1
    return Avoided(NAMES[model], True)


def _ego(path: Path, s: float, speed: float, accel: float) -> EgoTruth:
    return EgoTruth(*path.pose(s), speed, accel, 0.0, 0.0, 0.0)


def _wanted(
    model: int,
    users: RoadUsers,
    path: Path,
    platform: Platform,
    own: tuple[float, float, float],
) -> tuple[float, bool]:
    """(braking that it wants now, whether that is a hazard to react to)."""
    s, speed, accel = own
    seen = []
    for row in range(len(users.uid)):
        at, beside, along, across, lead, drift = fuzzy.place(
            path.xy_m, path.s_m, path.heading_rad,
            float(users.x_m[row]), float(users.y_m[row]), float(users.heading_rad[row]),
            float(users.speed_mps[row]), float(users.length_m[row]), float(users.width_m[row]),
        )  # fmt: skip
        gap = at - along - s - platform.front_m
        if gap > 0.0:
            seen.append((gap, beside, along, across, lead, drift))
    seen.sort()
    most, hazard = 0.0, False
    hides: list[tuple[float, float]] = []
    for gap, beside, along, across, lead, drift in seen:
        left, right = beside + across, beside - across
        if any(a - COVERS_M <= right and left <= b + COVERS_M for a, b in hides):
            continue
        side = abs(beside) - across - 0.5 * platform.width_m
        if side <= 0.0:
            hides.append((right, left))
        if model == HUMAN:
            closing = side <= 0.0 and speed > lead + 1e-9
            most = max(most, fuzzy.BRAKE_CAP_MPS2 if closing else 0.0)
            hazard |= closing and gap <= HAZARD_TTC_S * (speed - lead)
            continue
        towards = -drift if beside > 0.0 else drift
        lengths = platform.length_m + 2.0 * along
        if fuzzy.concerns(side, towards, gap, lengths, speed, lead):
            most = max(most, fuzzy.demand(gap, speed, accel, lead))
            hazard |= most > 0.0
    return most, hazard
