"""Who else is in a situation: drawn from a seed, written as SUMO's demand.

Times are those of the traffic's own clock; our car starts at `Case.begin_s`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from xml.sax.saxutils import quoteattr

import numpy as np

from marque.core.time import PLAN_STEP_S
from marque.prove.roads import Roads, lane_name

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of vehicle: SUMO's class, sizes, and how it drives."""

    kind: str
    length_m: float
    width_m: float
    accel_mps2: float
    top_mps: float


SORTS = {
    "car": Sort("passenger", 4.4, 1.82, 2.0, 50.0),
    "small": Sort("passenger", 3.8, 1.68, 2.0, 45.0),
    "suv": Sort("passenger", 4.9, 1.95, 2.0, 50.0),
    "van": Sort("passenger", 5.9, 2.05, 1.7, 40.0),
    "truck": Sort("truck", 9.5, 2.5, 1.2, 25.0),
    "bus": Sort("bus", 12.0, 2.55, 1.1, 25.0),
    "motorcycle": Sort("motorcycle", 2.2, 0.85, 2.6, 50.0),
    "bicycle": Sort("bicycle", 1.8, 0.65, 1.0, 6.5),
    "barrier": Sort("container", 0.6, 1.2, 1.0, 1.0),
}
MIX = (
    ("car", 0.4), ("small", 0.2), ("suv", 0.15), ("van", 0.08), ("truck", 0.07), ("bus", 0.03),
    ("motorcycle", 0.07),
)  # fmt: skip
# comfortable braking of everybody: who has to brake harder than 3 m/s^2 was surprised
DECEL_MPS2 = 2.5


@dataclass(frozen=True, slots=True)
class Stop:
    """A halt on the road, or beside it in a bay (`bay`), at `end_m` of a car lane."""

    edge: str
    end_m: float
    duration_s: float
    lane: int = 0
    bay: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """A vehicle that drives. `speed_mps` None: as fast as it may; `at_m` None: where the road
    begins. `factor`: of the speed limit. `calm`: keeps its lane."""

    name: str
    sort: str
    depart_s: float
    edges: tuple[str, ...]
    lane: int | None = None
    at_m: float | None = None
    speed_mps: float | None = None
    stops: tuple[Stop, ...] = ()
    factor: float = 1.0
    top_mps: float | None = None
    decel_mps2: float = DECEL_MPS2
    calm: bool = True


@dataclass(frozen=True, slots=True)
class Parked:
    """A vehicle at rest for good, `along_m` from the start node of a straight edge (its front),
    its middle `left_m` to the left of the road's axis (negative: on the edge's own side).

    `angle_rad`: against the direction of the edge. SUMO's drivers take no notice of it.
    """

    name: str
    sort: str
    edge: str
    along_m: float
    left_m: float
    angle_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class Walker:
    """A person on foot along sidewalks and crosswalks of `edges`, from `at_m` of the first."""

    name: str
    depart_s: float
    edges: tuple[str, ...]
    at_m: float
    speed_mps: float
    end_m: float | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody but us."""

    actors: tuple[Actor, ...] = ()
    parked: tuple[Parked, ...] = ()
    walkers: tuple[Walker, ...] = ()


def reach_s(distance_m: float, limit_mps: float, accel_mps2: float = 1.55) -> float:
    """Time that a car at rest needs for a distance (0 if negative) on an empty road."""
    distance_m = max(0.0, distance_m)
    ramp_m = limit_mps * limit_mps / (2.0 * accel_mps2)
    if distance_m <= ramp_m:
        return math.sqrt(2.0 * distance_m / accel_mps2)
    return limit_mps / accel_mps2 + (distance_m - ramp_m) / limit_mps


def some_sort(rng: Rng) -> str:
    """By the usual shares."""
    names = [name for name, _ in MIX]
    return names[int(rng.choice(len(names), p=[share for _, share in MIX]))]


def mixed_gaps(
    rng: Rng, short_s: tuple[float, float], long_s: tuple[float, float], long_share: float
) -> Callable[[], float]:
    """Time gaps of a dense stream in which, every now and then, a wide one comes."""

    def gap() -> float:
        low, high = long_s if rng.random() < long_share else short_s
        return float(rng.uniform(low, high))

    return gap


def stream(
    rng: Rng,
    name: str,
    edges: tuple[str, ...],
    begin_s: float,
    end_s: float,
    gap: Callable[[], float],
    lane: int | None = 0,
    sort: str | None = None,
) -> list[Actor]:
    """Vehicles one after another from the start of a road."""
    found: list[Actor] = []
    t = begin_s + float(rng.uniform(0.0, 2.0))
    while t < end_s:
        kind = sort if sort is not None else some_sort(rng)
        factor = float(np.clip(rng.normal(0.97, 0.07), 0.8, 1.1))
        found.append(Actor(f"{name}{len(found)}", kind, t, edges, lane, factor=factor))
        t += gap()
    return found


def platoons(
    rng: Rng,
    name: str,
    edges: tuple[str, ...],
    travel_s: float,
    rests: list[tuple[float, float]],
    end_s: float,
    gap: Callable[[], float],
    sort: str | None = None,
) -> list[Actor]:
    """A stream that leaves the place `travel_s` from its start free during `rests`, so that
    streams from several sides leave it free together."""
    found: list[Actor] = []
    at = float(rng.uniform(0.0, 3.0)) + travel_s
    while at < end_s:
        rest = next((rest for rest in rests if rest[0] <= at < rest[1]), None)
        if rest is not None:
            at = rest[1] + float(rng.uniform(0.0, 1.5))
            continue
        kind = sort if sort is not None else some_sort(rng)
        factor = float(np.clip(rng.normal(1.0, 0.02), 0.95, 1.05))
        found.append(Actor(f"{name}{len(found)}", kind, at - travel_s, edges, 0, factor=factor))
        at += gap()
    return found


def rests(
    rng: Rng, begin_s: float, end_s: float, busy_s: tuple[float, float], rest_s: tuple[float, float]
) -> list[tuple[float, float]]:
    """Times of rest between busy times, one after another."""
    found: list[tuple[float, float]] = []
    t = begin_s + float(rng.uniform(0.0, busy_s[1]))
    while t < end_s:
        rest = float(rng.uniform(*rest_s))
        found.append((t, t + rest))
        t += rest + float(rng.uniform(*busy_s))
    return found


def demand_xml(roads: Roads, cast: Cast) -> str:
    """SUMO's route file."""
    rows: list[tuple[float, int, str]] = []
    for i, actor in enumerate(cast.actors):
        rows.append((actor.depart_s, i, _actor(roads, actor)))
    for i, parked in enumerate(cast.parked):
        rows.append((0.0, -1000 + i, _parked_vehicle(roads, parked)))
    for i, walker in enumerate(cast.walkers):
        rows.append((walker.depart_s, 1000 + i, _walker(walker)))
    rows.sort(key=lambda row: row[:2])
    return "<routes>\n" + "\n".join(row[2] for row in rows) + "\n</routes>\n"


def places_xml(roads: Roads, cast: Cast) -> str:
    """SUMO's additional file: where the parked vehicles stand."""
    rows = [_parking_place(roads, parked) for parked in cast.parked]
    return "<additional>\n" + "\n".join(rows) + "\n</additional>\n"


def _type(name: str, sort: Sort, actor: Actor | None) -> str:
    top = sort.top_mps if actor is None or actor.top_mps is None else actor.top_mps
    factor = 1.0 if actor is None else actor.factor
    decel = DECEL_MPS2 if actor is None else actor.decel_mps2
    calm = (
        'lcStrategic="-1" lcKeepRight="0" lcSpeedGain="0" lcCooperative="0" '
        if actor is not None and actor.calm and actor.lane is not None
        else ""
    )
    # beside the road SUMO counts a halt down by the time between decisions at every step: of who
    # decides every fifth step, a fifth would be left
    steps = (
        f'actionStepLength="{PLAN_STEP_S:g}" '
        if actor is not None and any(stop.bay for stop in actor.stops)
        else ""
    )
    return (
        f'<vType id="t_{name}" vClass="{sort.kind}" length="{sort.length_m:g}" '
        f'width="{sort.width_m:g}" accel="{sort.accel_mps2:g}" decel="{decel:g}" '
        f'emergencyDecel="8" sigma="0.2" tau="1.2" minGap="2" maxSpeed="{top:g}" '
        f'speedFactor="{factor:.3f}" speedDev="0" {calm}{steps}/>'
    )


def _actor(roads: Roads, actor: Actor) -> str:
    sort = SORTS[actor.sort]
    lane = "best"
    if actor.lane is not None:
        lane = lane_name(roads, actor.edges[0], actor.lane).rsplit("_", 1)[1]
    if actor.sort == "bicycle":
        lane = "best" if actor.lane is None else lane
    at = "base" if actor.at_m is None else f"{actor.at_m:.2f}"
    speed = "max" if actor.speed_mps is None else f"{actor.speed_mps:.2f}"
    stops = "".join(
        f'<stop lane={quoteattr(lane_name(roads, stop.edge, stop.lane))} endPos="{stop.end_m:.2f}" '
        f'duration="{stop.duration_s:.1f}" parking="{"true" if stop.bay else "false"}"/>'
        for stop in actor.stops
    )
    return (
        f"{_type(actor.name, sort, actor)}\n"
        f'<vehicle id="{actor.name}" type="t_{actor.name}" depart="{actor.depart_s:.1f}" '
        f'departLane="{lane}" departPos="{at}" departSpeed="{speed}">'
        f'<route edges="{" ".join(actor.edges)}"/>{stops}</vehicle>'
    )


def _parked_vehicle(roads: Roads, parked: Parked) -> str:
    return (
        f"{_type(parked.name, SORTS[parked.sort], None)}\n"
        f'<vehicle id="{parked.name}" type="t_{parked.name}" depart="0" departPos="stop" '
        f'departSpeed="0"><route edges="{parked.edge}"/>'
        f'<stop parkingArea="p_{parked.name}" duration="100000"/></vehicle>'
    )


def _parking_place(roads: Roads, parked: Parked) -> str:
    """A parking place of its own for one vehicle. SUMO puts the front bumper at the place's point
    and counts its angle from south, counter-clockwise."""
    x, y, heading = beside(roads, parked.edge, parked.along_m, parked.left_m)
    sort = SORTS[parked.sort]
    # turned about the middle of the body
    half = 0.5 * sort.length_m
    angle = heading + parked.angle_rad
    x += half * (math.cos(angle) - math.cos(heading))
    y += half * (math.sin(angle) - math.sin(heading))
    x, y = roads.turned(x, y)
    from_south = math.degrees(0.5 * math.pi + angle + roads.turn_rad) % 360.0
    lane = lane_name(roads, parked.edge, 0)
    end = max(parked.along_m, sort.length_m + 3.0)
    return (
        f'<parkingArea id="p_{parked.name}" lane="{lane}" startPos="{end - sort.length_m - 2:.2f}" '
        f'endPos="{end:.2f}" friendlyPos="true" roadsideCapacity="0"><space x="{x:.3f}" '
        f'y="{y:.3f}" width="{sort.width_m:g}" length="{sort.length_m:g}" '
        f'angle="{from_south:.3f}"/></parkingArea>'
    )


def beside(roads: Roads, edge: str, along_m: float, left_m: float) -> tuple[float, float, float]:
    """(x, y, heading) in the local frame of a point beside a straight edge's axis."""
    of = roads.edge(edge)
    a, b = roads.node(of.start), roads.node(of.end)
    heading = math.atan2(b.y_m - a.y_m, b.x_m - a.x_m)
    c, s = math.cos(heading), math.sin(heading)
    return a.x_m + along_m * c - left_m * s, a.y_m + along_m * s + left_m * c, heading


def _walker(walker: Walker) -> str:
    end = "" if walker.end_m is None else f' arrivalPos="{walker.end_m:.2f}"'
    return (
        f'<vType id="t_{walker.name}" vClass="pedestrian" length="0.4" width="0.5" '
        f'maxSpeed="{walker.speed_mps:.2f}" speedFactor="1" speedDev="0"/>\n'
        f'<person id="{walker.name}" type="t_{walker.name}" depart="{walker.depart_s:.1f}" '
        f'departPos="{walker.at_m:.2f}"><walk edges="{" ".join(walker.edges)}"{end}/></person>'
    )


def shifted(actor: Actor, seconds: float) -> Actor:
    """The same, later."""
    return replace(actor, depart_s=actor.depart_s + seconds)
