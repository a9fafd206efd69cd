"""Somebody at the wheel of a running drive: what they do and ask for, how attentive they are.

Wishes come from outside between two ticks (the cockpit's page); a drive with somebody at the wheel
is therefore repeatable only by its log. While the system drives, pedals and wheel are what the
cabin's sensors tell of them. While the person drives, they are the command, with the guard beside
(`guard.assist`); there is no reverse gear.
"""

import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS, seconds
from marque.guard.assist import AssistMemory, assist
from marque.maps.field import plan_route, route_length_m
from marque.maps.places import parse_place
from marque.maps.route_line import route_line
from marque.maps.trips import Trip
from marque.metrics.optimal import trip_optimal_time_s
from marque.sim.person import ATTENTIVE, Attended, Cue, Occupied
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.episode import Episode
from marque.types.platform import Platform
from marque.types.reading import Delivery, Reading
from marque.types.verdict import Verdict
from marque.types.world import EgoTruth

STANDS_MPS = 0.1
FELT = 0.05  # of a pedal's way, from which on it counts as pressed
FIRM_N = 80.0  # at the rim, of somebody who turns the wheel
TURNED = 0.15  # of its way, from which on that is so
PUSH_MPS2, BRAKE_MPS2, ROLLS_MPS2 = 3.0, 8.0, 0.25  # of pedals pressed down, and of neither
SIDEWAYS_MPS2 = 4.0  # of the wheel turned fully, at speed
MORE_TIME = (6.0, 180.0)  # of the time-optimal profile, and s: as for a drive


@dataclass(frozen=True, slots=True)
class Held:
    """Pedals 0 to 1, wheel -1 to 1, left positive."""

    steer: float = 0.0
    accelerator: float = 0.0
    brake: float = 0.0


class AtWheel:
    """The person, as told from outside."""

    def __init__(self, attended: Attended, platform: Platform) -> None:
        self.attended = attended
        self.platform = platform
        self.state = attended.person[-1].word if attended.person else ATTENTIVE
        self.held = Held()
        self.set_mps: float | None = None
        self.headway_s: float | None = None
        self.asked_ns = -1  # when speed or gap were asked for last
        self.t_ns = 0
        self.goes: tuple[Trip, float] | None = None  # another trip, and until when
        self.driver = ""  # who drives it, "": who did
        self._cues: list[Cue] = []
        self._assist = AssistMemory()

    def is_now(self, state: str) -> None:
        """How attentive the person is from now on."""
        self.state = state
        self._cues.append(Cue(state, self.t_ns + PLAN_STEP_NS))

    def does(self, what: str) -> None:
        """What the person does now: button, brake, accelerator, wheel."""
        self._cues.append(Cue(what, self.t_ns + PLAN_STEP_NS))  # in the frame that comes

    def wants(self, set_mps: float | None = None, headway_s: float | None = None) -> None:
        """Another set speed, or another gap."""
        self.set_mps = set_mps if headway_s is None else self.set_mps
        self.headway_s = headway_s if headway_s is not None else self.headway_s
        self.asked_ns = self.t_ns

    def sits_in(self, senses: Occupied) -> "Watched":
        """The senses of a car that they sit in."""
        return Watched(senses, self)

    def cues(self) -> tuple[Cue, ...]:
        """What was told, in the order of time."""
        return tuple(sorted((*self.attended.person, *self._cues), key=lambda cue: cue.at_ns))

    def driven(self, reading: Reading, platform: Platform) -> Verdict:
        """The command of hands and feet, with the guard beside them."""
        ego, held = reading.ego, self.held
        accel = PUSH_MPS2 * held.accelerator - BRAKE_MPS2 * held.brake
        if held.accelerator < FELT and held.brake < FELT:
            accel = -ROLLS_MPS2
        accel = min(accel, platform.max_accel_mps2)
        if ego.speed_mps < STANDS_MPS and accel < 0.0:
            accel = min(0.0, -ego.speed_mps)
        most = math.tan(platform.max_steer_rad) / platform.wheelbase_m
        most = min(most, SIDEWAYS_MPS2 / max(ego.speed_mps, 1.0) ** 2)
        command = Command(reading.t_ns, accel, held.steer * most, Indicator.OFF)
        self._assist, verdict = assist(self._assist, reading, command, platform)
        return verdict

    def warm(self, reading: Reading, platform: Platform) -> None:
        """Load the machine code of `driven`; nothing of it is kept."""
        self.driven(reading, platform)
        self._assist = AssistMemory()

    def facts(self) -> dict[str, Any]:
        """For the page."""
        lost = self.state
        return {
            "state": lost,
            "eyes": lost not in ("eyes-off", "asleep", "out-of-seat"),
            "hands": lost not in ("hands-off", "asleep", "out-of-seat"),
            "belted": lost not in ("unbelted", "out-of-seat"),
            "seated": lost != "out-of-seat",
        }


class Watched(Occupied):
    """Senses of a car whose person is told from outside."""

    def __init__(self, senses: Occupied, wheel: AtWheel) -> None:
        super().__init__(senses.senses, senses.attended)
        self.mind = senses.mind
        self.wheel = wheel

    def __copy__(self) -> "Watched":
        again = Watched(Occupied(copy(self.senses), self.attended), self.wheel)
        again.mind = self.mind
        return again

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading | Delivery:
        """What has arrived by `t_ns`."""
        self.attended = replace(self.attended, person=self.wheel.cues())
        came = super().receive(ego, t_ns)
        held, cabin = self.wheel.held, came.cabin
        assert cabin is not None
        touched = held != Held()
        told = replace(
            cabin,
            brake=cabin.brake or held.brake > FELT,
            accelerator=cabin.accelerator or held.accelerator > FELT,
            wheel_n=FIRM_N if abs(held.steer) > TURNED else cabin.wheel_n,
            hands_on=cabin.hands_on or touched,
        )
        return replace(came, cabin=told)


def another_trip(episode: Episode, index: Any, place: str) -> tuple[Trip, float]:
    """From where our car stands to a place, and the time that it may take. Changes the episode's
    goal and way. MarqueError: it moves, it stands on no lane, or there is no way."""
    ego = episode.ticks[-1].world.ego if episode.ticks else None
    if ego is None or abs(ego.speed_mps) > STANDS_MPS:
        raise MarqueError("another destination is taken at standstill alone")
    road_map = episode.road_map
    here = index.nearest(ego.x_m, ego.y_m, ego.heading_rad)
    if here is None or road_map.lane_connector[here[0]]:
        raise MarqueError("our car stands in a junction or beside every lane; drive on a little")
    goal = parse_place(road_map, index, place)
    trip = Trip(here[0], here[1], *goal)
    route = plan_route(road_map, *goal)
    length = route_length_m(road_map, route, here[0], here[1])
    if not length > 1.0:
        raise MarqueError("that place lies here, or behind us on the same lane")
    episode.goal_lane, episode.goal_s_m = goal
    episode.goal_xy_m = road_map.place(*goal)[:2]
    episode.route_xy_m = route_line(road_map, route, here[0], here[1])
    episode.route_length_m = length
    factor, extra = MORE_TIME
    t_s = seconds(episode.ticks[-1].world.t_ns)
    return trip, t_s + factor * trip_optimal_time_s(road_map, trip) + extra
