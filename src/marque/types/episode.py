"""Episode: one drive as it truly happened. Metrics, reports and fleets read this, never the stack.

Wall-clock figures stay outside: the same inputs and seed give the same Episode, bit for bit.
"""

from dataclasses import dataclass, field

from marque.core.arrays import FloatArray
from marque.types.codes import Reason
from marque.types.command import Command
from marque.types.health import FINE, Health
from marque.types.plan import Plan
from marque.types.platform import Platform
from marque.types.reading import Delivery
from marque.types.road_map import RoadMap
from marque.types.takeover import Order
from marque.types.verdict import Verdict
from marque.types.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One 100 ms frame: the truth, the plan in force (None before the first) and what was done."""

    world: World
    plan: Plan | None
    command: Command  # the last of the five in this frame
    verdicts: tuple[Verdict, ...]  # those that were not PASS, of the five in this frame
    reason: Reason
    ego_jerk_mps3: float  # from acceleration at 10 Hz
    health: Health = FINE  # as the stack saw its senses; not recorded, its changes are events
    orders: tuple[tuple[int, Order], ...] = ()  # new ones, (t_ns, order)


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something worth jumping to."""

    t_ns: int
    kind: str  # e.g. "collision", "red_light", "guard", "reroute", "teleport"
    text: str
    x_m: float
    y_m: float


@dataclass(slots=True, eq=False)
class Episode:
    """The growing record of a drive. Ticks are appended; nothing is ever changed."""

    road_map: RoadMap
    platform: Platform
    driver: str
    seed: int
    traffic: str  # label of the world, e.g. "SUMO 1.28.0"
    start_xy_m: tuple[float, float]
    goal_xy_m: tuple[float, float]
    goal_lane: int
    goal_s_m: float
    route_xy_m: FloatArray  # [R, 2] the planned route's centre line, for drawing
    route_length_m: float
    ticks: list[Tick] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    readings: list[Delivery] = field(default_factory=list)  # of a recorded drive, as they came
    end: str = ""  # "arrived", "timeout", "collision", "stopped by user", ...
