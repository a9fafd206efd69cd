"""Machine code is loaded before a drive's clock runs."""

import math
from dataclasses import fields, replace

import numpy as np

from marque.core.time import BASE_STEP_NS, NS_PER_S, PLAN_STEP_NS
from marque.sim.senses import Senses
from marque.stack.tick import StackMemory, tick
from marque.types.codes import Indicator, UserKind
from marque.types.platform import Platform
from marque.types.road_map import NONE
from marque.types.world import RoadUsers, World
from marque.vehicle import dynamics

LEADER_M, LEADER_MPS = 5.0, 3.0  # of whom nothing but machine code is learned


def warm(stack: StackMemory, senses: Senses, truth: World) -> None:
    """Load machine code before the clock runs: ticks whose outcome is thrown away, and a step of
    the car. Much is not called before somebody is near, so somebody is."""
    senses.observe(with_a_leader(truth, stack.platform))
    for part in range(3 * PLAN_STEP_NS // BASE_STEP_NS + 1):
        stack, _ = tick(stack, senses.receive(truth.ego, truth.t_ns + part * BASE_STEP_NS))
    dynamics.step(
        dynamics.parameters(stack.platform),
        dynamics.initial(stack.platform, 0.0, 0.0, 0.0, 0.0),
        0.0,
        0.0,
        BASE_STEP_NS / NS_PER_S,
    )


def with_a_leader(truth: World, platform: Platform) -> World:
    """The same world with one more car, a length before our bumper, driving slowly."""
    ego, users = truth.ego, truth.users
    away = platform.wheelbase_m + platform.length_m + LEADER_M
    leader = RoadUsers(
        uid=np.array([users.uid.max(initial=0) + 1]),
        kind=np.array([UserKind.CAR], dtype=np.int8),
        x_m=np.array([ego.x_m + away * math.cos(ego.heading_rad)]),
        y_m=np.array([ego.y_m + away * math.sin(ego.heading_rad)]),
        heading_rad=np.array([ego.heading_rad]),
        speed_mps=np.array([LEADER_MPS]),
        accel_mps2=np.zeros(1),
        length_m=np.array([platform.length_m]),
        width_m=np.array([platform.width_m]),
        indicator=np.array([Indicator.OFF], dtype=np.int8),
        lane=np.array([NONE], dtype=np.int32),
    )
    both = {
        each.name: np.concatenate((getattr(users, each.name), getattr(leader, each.name)))
        for each in fields(RoadUsers)
    }
    return replace(truth, users=RoadUsers(**both))
