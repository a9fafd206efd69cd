"""Takeover: who drives, and who is asked to: the person's side, and what the automaton orders."""

from dataclasses import dataclass
from enum import IntEnum


class Mode(IntEnum):
    """Who drives."""

    OFF = 0  # ignition off
    READY = 1  # the person drives
    ACTIVE = 2  # the system drives
    DEMAND = 3  # it drives, and demands to be taken over
    MANOEUVRE = 4  # nobody took over: it brings the car to rest (minimal risk manoeuvre)
    EMERGENCY = 5  # it drives, and brakes or steers against an imminent collision
    OVERRIDE = 6  # the person drives against it
    STANDSTILL = 7  # at rest after the manoeuvre; it does not move off


class Cause(IntEnum):
    """Why a mode was entered. Values are stable: they stand in logs."""

    NONE = 0
    BUTTON = 1
    WHEEL = 2
    BRAKE_PEDAL = 3
    ACCELERATOR = 4
    HANDS_TAKEN = 5  # the person took the wheel when asked to
    EYES_OFF = 6
    HANDS_OFF = 7
    UNAVAILABLE = 8  # asleep, or otherwise not able to take over
    SEAT = 9
    BELT = 10
    DOOR = 11
    IGNITION = 12
    MINOR_FAILURE = 13
    SEVERE_FAILURE = 14
    PLANNED_EXIT = 15  # the border of the operational domain comes nearer
    UNPLANNED_EXIT = 16  # the domain was left without notice
    EMERGENCY_STOP = 17  # an emergency manoeuvre ended at rest
    ATTENTION_BACK = 18
    RELEASED = 19  # of the accelerator


class Failure(IntEnum):
    """Of the system or the vehicle."""

    NONE = 0
    MINOR = 1  # it can still drive on for as long as a demand lasts
    SEVERE = 2  # it cannot


class Wheel(IntEnum):
    """How hard the person turns the steering wheel."""

    FREE = 0
    LIGHT = 1  # deliberate, of somebody who looks at the road
    FIRM = 2  # never by accident


class Domain(IntEnum):
    """Where we are with respect to the operational domain."""

    INSIDE = 0
    NEAR_EXIT = 1  # its border comes within the time that a planned demand needs
    OUTSIDE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Cabin:
    """What the cabin tells of the person, at `t_ns`. Pressed buttons are told once."""

    t_ns: int
    ignition: bool = True
    button: bool = False
    seated: bool = True
    belted: bool = True
    doors_shut: bool = True
    available: bool = True  # by at least two criteria of the last 30 s: awake, responds
    eyes_on: bool = True  # on the road; the dashboard is not the road
    hands_on: bool = True
    wheel_n: float = 0.0  # force at the rim, against what the system steers
    brake: bool = False  # harder than the system brakes
    accelerator: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """What the car's rain sensor, cameras and tyres tell of the weather."""

    visibility_m: float = 10_000.0
    rain_mmph: float = 0.0
    friction: float = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the automaton orders now."""

    mode: Mode = Mode.ACTIVE
    cause: Cause = Cause.NONE  # why it came to that mode
    detail: str = ""  # and what exactly, where that is known
    visual: bool = False  # the warnings that are given to the person
    acoustic: bool = False
    haptic: bool = False
    countdown_s: float = float("inf")  # until the manoeuvre begins
    hazard: bool = False  # hazard lights
    drives: bool = True  # the system's commands go to the car
    may_move: bool = True  # it may set off from rest
    brake_cap_mps2: float = float("inf")  # of planned braking
    may_activate: bool = False  # pressing the button would
    suppressed: bool = False  # the person's pedal or button is not followed now
    most_mps: float = float("inf")  # no faster; 0: the guard stops the car, whatever is planned

    @property
    def news(self) -> tuple[int, int, bool, bool, bool, bool, bool]:
        """What is worth telling when it changes."""
        warned = (self.visual, self.acoustic, self.haptic)
        return (self.mode, self.cause, *warned, self.hazard, self.suppressed)


DRIVES = Order()  # a system that nobody supervises
