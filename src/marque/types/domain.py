"""Domain: where and in what assisted driving is meant to work, and the road as far as that asks."""

from dataclasses import dataclass
from enum import IntFlag

from marque.types.codes import Reaction


class Trait(IntFlag):
    """What a stretch of road is like."""

    NONE = 0
    SEPARATED = 1  # from oncoming traffic
    MOTOR_ONLY = 2  # neither people on foot nor bicycles
    SIGNALS = 4
    CROSSWALKS = 8
    CROSSINGS = 16  # ways of others cross ours on the level
    ROUNDABOUT = 32
    MAPPED = 64  # a map says so; without it nothing but the road's marks is known


@dataclass(frozen=True, slots=True)
class Stretch:
    """Road of one kind along our route, from `begin_m` ahead of us on."""

    begin_m: float
    limit_mps: float
    traits: Trait


@dataclass(frozen=True, slots=True)
class OperationalDomain:
    """What is declared. A road has all traits of `needs` and none of `bars`."""

    name: str
    title: str
    needs: Trait
    bars: Trait
    least_limit_mps: float  # of a road's own speed limit
    most_speed_mps: float  # of our car
    least_visibility_m: float
    most_rain_mmph: float
    least_friction: float
    worst_senses: Reaction  # with which we may drive on
