"""Mission: what a driver is asked to do, and with what."""

from dataclasses import dataclass

from marque.types.market import Market
from marque.types.platform import Platform
from marque.types.road_map import RoadMap
from marque.types.style import Style


@dataclass(frozen=True, slots=True, eq=False)
class Mission:
    """Drive `platform` on `road_map` to `goal_s_m` on `goal_lane`; on a map without lanes, on and
    on."""

    road_map: RoadMap
    platform: Platform
    goal_lane: int
    goal_s_m: float
    seed: int
    set_speed_mps: float | None = None  # that the person has set, for drivers that ask
    market: Market | None = None  # whose law holds; None: the usual one
    style: Style | None = None  # of the brand; None: the driver's own
    keeps_lane: bool = False  # no lane is changed, and the line of our own is never crossed
