"""Style: how a brand wants its cars to drive. It never touches a safety tier, nor the guard."""

from dataclasses import dataclass, replace

from marque.types.platform import Platform


@dataclass(frozen=True, slots=True)
class Style:
    """Parameters of the driver; the defaults are a brisk, smooth city driver. What belongs to law
    or to safety (who goes first, how hard to brake for a contact) is no style."""

    accel_mps2: float = 1.75
    brake_mps2: float = 2.3  # comfortable, for stops and curves
    jerk_mps3: float = 1.0
    launch_jerk_mps3: float = 1.0  # from rest up to walking pace and a little more
    stop_jerk_mps3: float = 1.0  # with which the brake is let go before rest
    lateral_mps2: float = 2.3
    lane_bias_m: float = 0.0  # beside the middle of the lane, left positive
    headway_s: float = 1.4
    standstill_gap_m: float = 2.0
    lane_change_s: float = 4.0
    lane_change_cost: float = 0.6  # what a change that the route does not need must bring
    gap_s: float = 0.0  # more room, in time, for who comes from behind where we change lanes
    courtesy: float = 1.0  # weight of what others have to brake for us
    walkers_m: float = 0.0  # more room beside people on foot, else we are slower
    limit_share: float = 1.0  # of the speed limit
    top_mps: float = 36.11  # never faster, whatever the road allows: 130 km/h


def able(style: Style, platform: Platform) -> Style:
    """The style as far as the car's steering can bring it on."""
    if style.lateral_mps2 <= platform.max_lateral_mps2:
        return style
    return replace(style, lateral_mps2=platform.max_lateral_mps2)
