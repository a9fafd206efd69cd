"""What OpenDRIVE's lanes are for, how fast they may be driven, and what their marks allow."""

from marque.core.units import KPH
from marque.maps.formats.opendrive.records import (
    Document,
    LaneRecord,
    Mark,
    RoadRecord,
    Section,
)
from marque.maps.formats.region import Region
from marque.maps.formats.sumo_net import ROAD_CLASSES

MOTOR = ROAD_CLASSES - {"pedestrian", "wheelchair", "bicycle", "scooter"}
LANE_USERS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            *("driving", "entry", "exit", "offRamp", "onRamp", "connectingRamp", "slipLane"),
            *("mwyEntry", "mwyExit"),
        ),
        MOTOR | {"bicycle"},
    ),
    "bus": frozenset(("bus", "coach", "taxi")),
    "taxi": frozenset(("taxi",)),
    "HOV": frozenset(("hov", "bus", "coach", "taxi")),
    "biking": frozenset(("bicycle",)),
    "sidewalk": frozenset(("pedestrian",)),
    "walking": frozenset(("pedestrian",)),
    "stop": frozenset(("emergency", "authority")),
    "shoulder": frozenset(("emergency", "authority")),
}
# types of lanes that are part of the road's cross-section and no lane to use
NO_LANE = frozenset(
    (
        *("none", "border", "restricted", "parking", "median", "curb", "roadWorks"),
        *("special1", "special2", "special3", "tram", "rail"),
    )
)
BOTH_WAYS = frozenset(("bidirectional",))  # read as geometry; no road map is made of it
KINDS = frozenset(LANE_USERS) | NO_LANE | BOTH_WAYS
RESTRICTED_USERS: dict[str, frozenset[str]] = {
    "passengerCar": frozenset(("passenger", "private", "evehicle", "hov", "vip", "army")),
    "bus": frozenset(("bus", "coach")),
    "truck": frozenset(("truck", "trailer")),
    "trucks": frozenset(("truck", "trailer")),
    "delivery": frozenset(("delivery",)),
    "emergency": frozenset(("emergency", "authority")),
    "taxi": frozenset(("taxi",)),
    "motorcycle": frozenset(("motorcycle", "moped")),
    "bicycle": frozenset(("bicycle", "scooter")),
    "pedestrian": frozenset(("pedestrian", "wheelchair")),
    "none": frozenset(),
    "autonomousTraffic": frozenset(),
    "simulator": frozenset(),
    "throughTraffic": frozenset(),
}
NO_BICYCLES = frozenset(("motorway", "townExpressway"))
SLOW_KINDS = frozenset(("lowSpeed", "townPlayStreet", "pedestrian"))
TOWN = "town"
BICYCLE_KPH = 25.0  # a road or lane for bicycles alone, a draft value
WALK_KPH = 5.0
CROSSABLE = frozenset(("none", "broken", "broken broken", "botts dots"))


def users_of(
    file: Document, road: RoadRecord, section: Section, lane: LaneRecord
) -> frozenset[str]:
    """SUMO's classes of who may use a lane; empty: no lane of a map.

    MarqueError: a lane for both directions, an access rule that is unknown or begins within the
    lane's section.
    """
    users = LANE_USERS.get(lane.kind, frozenset())
    if lane.kind in BOTH_WAYS or (users and lane.direction == "both" and users & MOTOR):
        raise file.error(
            lane.line, f"lane {lane.lane_id} is for both directions, of which no road map is made"
        )
    if users & MOTOR and kind_at(road, section.s_m) in NO_BICYCLES:
        users -= {"bicycle"}
    for rule in lane.access:
        if rule.s_m > section.s_m + 1e-3:
            raise file.error(
                lane.line,
                f"lane {lane.lane_id} has an <access> that begins within its lane section; split "
                f"the section there",
            )
        for name in rule.users:
            if name not in RESTRICTED_USERS:
                raise file.error(
                    lane.line,
                    f"lane {lane.lane_id} has access for '{name}'; have "
                    f"[{', '.join(sorted(RESTRICTED_USERS))}]",
                )
    return _after_access(lane, users)


def _after_access(lane: LaneRecord, users: frozenset[str]) -> frozenset[str]:
    allowed: frozenset[str] = frozenset()
    for rule in lane.access:
        named: frozenset[str] = frozenset().union(*(RESTRICTED_USERS[name] for name in rule.users))
        if rule.allow:
            allowed |= named
        elif "none" not in rule.users:
            users -= named
    return users & allowed if allowed else users


def kind_at(road: RoadRecord, s: float) -> str:
    """The road's type in force at s; "" if there is none."""
    found = [one.kind for one in road.types if one.s_m <= s + 1e-6]
    return found[-1] if found else ""


def limit_at(
    road: RoadRecord, lane: LaneRecord, users: frozenset[str], s: float, region: Region
) -> tuple[float, bool]:
    """(speed limit, whether it is a default of the region): the lane's, else the road's, else by
    the road's type."""
    own = [one for one in lane.limits if one.s_m <= s + 1e-6]
    kinds = [one for one in road.types if one.s_m <= s + 1e-6]
    told = own[-1] if own else kinds[-1].limit if kinds else None
    if told is not None:
        return (region.motorway * KPH if told.speed_mps is None else told.speed_mps), False
    if not users & MOTOR:
        return (BICYCLE_KPH if "bicycle" in users else WALK_KPH) * KPH, True
    return _default_kph(kind_at(road, s), region) * KPH, True


def _default_kph(kind: str, region: Region) -> float:
    if kind == "motorway":
        return region.motorway
    if kind == "rural":
        return region.rural
    if kind in SLOW_KINDS:
        return region.living_street
    if kind == "bicycle":
        return min(BICYCLE_KPH, region.urban)
    return region.urban


def mark_at(lane: LaneRecord, s: float) -> Mark | None:
    """The mark on a lane's outer border (of lane 0: between the sides) at s."""
    found = [mark for mark in lane.marks if mark.s_m <= s + 1e-6]
    return found[-1] if found else None


def may_cross(mark: Mark | None, outwards: bool) -> bool:
    """Whether a mark may be crossed, away from lane 0 or towards it. No mark: yes.

    A double mark is named from inside to outside; its line on one's own side binds.
    """
    if mark is None:
        return True
    words = mark.kind.split()
    if mark.kind not in CROSSABLE and len(words) == 2 and set(words) == {"solid", "broken"}:
        return words[0 if outwards else 1] == "broken"
    return mark.kind in CROSSABLE


def may_change(mark: Mark | None, inner: int, outer: int, outwards: bool) -> bool:
    """Whether one may change between the lanes `inner` and `outer` over the mark between them."""
    if mark is None or not mark.lane_change:
        return may_cross(mark, outwards)
    to, start = (outer, inner) if outwards else (inner, outer)
    if mark.lane_change == "both":
        return True
    return mark.lane_change == ("increase" if to > start else "decrease")
