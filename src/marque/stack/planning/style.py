"""How the driver likes to drive. Style never touches a safety tier, nor the guard."""

from dataclasses import dataclass, replace

from marque.types.platform import Platform


@dataclass(frozen=True, slots=True)
class Style:
    """Parameters of the driver; the defaults are a brisk, smooth city driver."""

    accel_mps2: float = 1.75
    brake_mps2: float = 2.3  # comfortable, for stops and curves
    jerk_mps3: float = 1.0
    lateral_mps2: float = 2.3
    headway_s: float = 1.4
    standstill_gap_m: float = 2.0
    lane_change_s: float = 4.0
    lane_change_cost: float = 0.6  # what a change that the route does not need must bring
    limit_share: float = 1.0  # of the speed limit
    top_mps: float = 36.11  # never faster, whatever the road allows: 130 km/h


def able(style: Style, platform: Platform) -> Style:
    """The style as far as the car's steering can bring it on."""
    if style.lateral_mps2 <= platform.max_lateral_mps2:
        return style
    return replace(style, lateral_mps2=platform.max_lateral_mps2)
