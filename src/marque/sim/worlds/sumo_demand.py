"""Own demand: who drives where, drawn from a seed and kept at a wanted number.

Runs in SUMO's process. Arrivals are replaced, so that the number of road users present stays at
the target; nobody is inserted within sight of the ego. Cars, trucks, buses, motorcycles and
cyclists drive the fastest route by SUMO's own router, never with a U-turn; people on foot wander
along sidewalks and over crosswalks.
"""

import gzip
import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

from marque.core.errors import MarqueError

VEHICLES_PER_LANE_KM = 4.2  # about 200 in the Berlin district (48 lane-km)
STANDING_SHARE = 0.42
FEWEST, MOST = 20, 600
CYCLISTS_PER_VEHICLE = 0.07  # few: on one lane a cyclist sets the pace for all behind
WALKERS_PER_VEHICLE = 0.50
SHORTEST_TRIP_M = 500.0
CLEAR_OF_EGO_M = 200.0  # nobody appears nearer than this; beyond sensor range
FRINGE_WEIGHT = 2.0  # roads that enter or leave the map carry more traffic
TRIES = 200
ENOUGH_WAYS = 12  # with fewer known ways of a class, new ones are drawn in the drive too

# type id: (share, class, length, width, accel, decel, top speed m/s, speed factor)
TYPES: dict[str, tuple[float, str, float, float, float, float, float, str]] = {
    "marque_small": (0.22, "passenger", 3.8, 1.68, 2.6, 4.5, 47.0, "normc(1,0.1,0.7,1.3)"),
    "marque_compact": (0.28, "passenger", 4.3, 1.80, 2.8, 4.5, 50.0, "normc(1,0.1,0.7,1.3)"),
    "marque_saloon": (0.18, "passenger", 4.75, 1.85, 2.9, 4.5, 55.0, "normc(1.02,0.1,0.7,1.3)"),
    "marque_suv": (0.14, "passenger", 4.9, 1.95, 2.7, 4.5, 52.0, "normc(1,0.1,0.7,1.3)"),
    "marque_van": (0.08, "passenger", 5.9, 2.05, 2.2, 4.0, 40.0, "normc(0.97,0.1,0.7,1.2)"),
    "marque_truck": (0.03, "truck", 9.0, 2.50, 1.4, 3.8, 28.0, "normc(0.95,0.07,0.7,1.1)"),
    "marque_bus": (0.02, "bus", 12.0, 2.55, 1.2, 4.0, 27.0, "normc(0.95,0.07,0.7,1.1)"),
    "marque_motorcycle": (0.05, "motorcycle", 2.2, 0.85, 4.0, 6.0, 50.0, "normc(1.05,0.1,0.8,1.3)"),
}
CYCLIST, WALKER = "marque_cyclist", "marque_walker"
CYCLIST_PREFIX = "c"  # of the names of cyclists; other vehicles are m..., people on foot w...


def type_file() -> str:
    """The vehicle types as SUMO's additional file."""
    rows = [
        f'<vType id="{name}" vClass="{of}" length="{long}" width="{wide}" accel="{acc}" '
        f'decel="{dec}" maxSpeed="{top}" speedFactor="{factor}"/>'
        for name, (_, of, long, wide, acc, dec, top, factor) in TYPES.items()
    ]
    rows.append(
        f'<vType id="{CYCLIST}" vClass="bicycle" length="1.8" width="0.65" accel="1.2" '
        'decel="3.0" maxSpeed="7.5" speedFactor="normc(0.95,0.12,0.6,1.3)"/>'
    )
    rows.append(
        f'<vType id="{WALKER}" vClass="pedestrian" length="0.4" width="0.5" '
        'speedFactor="normc(0.95,0.15,0.6,1.4)"/>'
    )
    return "<additional>\n" + "\n".join(rows) + "\n</additional>\n"


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """How many road users are present, by sort."""

    vehicles: int
    cyclists: int
    walkers: int
    fluid: bool = False  # hold arrivals back while too many stand, so that no jam locks the roads


def wanted(lane_km: float, density: int | None) -> Wanted:
    """The target: `density` vehicles, or 4.2 per km of driving lane (20 to 600).

    By the rule, nobody enters while more than 42 % of those present stand: a small network
    with one signalled junction would otherwise fill up and lock.
    """
    if density is not None and not 0 <= density <= 20_000:
        raise MarqueError(f"density is {density} vehicles; it must be between 0 and 20000")
    by_rule = max(FEWEST, min(MOST, round(lane_km * VEHICLES_PER_LANE_KM)))
    cars = by_rule if density is None else density
    return Wanted(
        cars, round(cars * CYCLISTS_PER_VEHICLE), round(cars * WALKERS_PER_VEHICLE), density is None
    )


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where a sort of road user may start and end; weights accumulated for drawing."""

    edges: tuple[str, ...]
    weight: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What drawing demand needs to know of a SUMO network."""

    places: dict[str, Places]  # by vehicle class
    turnarounds: frozenset[tuple[str, str]]
    walk_ends: dict[str, tuple[int, ...]]  # sidewalk edge -> the corners it touches
    corners: tuple[tuple[str, ...], ...]  # corner (areas joined by crossings) -> sidewalks
    walk_starts: Places  # sidewalks of streets; of anything where no street has one
    length_m: dict[str, float]
    ends: dict[str, tuple[float, float, float, float]]


def read_network(path: Path) -> Network:
    """Parse a SUMO network. MarqueError when it cannot be read."""
    edges: dict[str, Any] = {}
    insides: dict[str, str] = {}  # internal edge -> function
    joins: list[tuple[str, str, str]] = []
    try:
        opener: Any = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as file:
            for _, node in ElementTree.iterparse(file):
                if node.tag == "edge":
                    _take_edge(node, edges, insides)
                elif node.tag == "connection":
                    joins.append((node.get("from", ""), node.get("to", ""), node.get("dir", "")))
                if node.tag in ("edge", "connection", "junction", "tlLogic"):
                    node.clear()
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        raise MarqueError(f"the network {path} cannot be read: {error}") from error
    return _network(edges, insides, joins)


def _take_edge(node: Any, edges: dict[str, Any], insides: dict[str, str]) -> None:
    name = node.get("id", "")
    function = node.get("function", "normal")
    if function != "normal":
        insides[name] = function
        return
    lanes = [
        (_allowed(lane.get("allow"), lane.get("disallow")), float(lane.get("length", "0")), lane)
        for lane in node.iter("lane")
    ]
    if not lanes:
        return
    shape = lanes[0][2].get("shape", "").split()
    x1, y1 = (float(v) for v in shape[0].split(",")[:2])
    x2, y2 = (float(v) for v in shape[-1].split(",")[:2])
    edges[name] = ([allow for allow, _, _ in lanes], lanes[0][1], (x1, y1, x2, y2))


def _allowed(allow: str | None, disallow: str | None) -> Callable[[str], bool]:
    if allow is not None:
        may = frozenset(allow.split())
        return lambda who: "all" in may or who in may
    not_ = frozenset((disallow or "").split())
    return lambda who: "all" not in not_ and who not in not_


def _network(
    edges: dict[str, Any], insides: dict[str, str], joins: list[tuple[str, str, str]]
) -> Network:
    turnarounds = frozenset((a, b) for a, b, turn in joins if turn == "t")
    real = [(a, b) for a, b, turn in joins if a in edges and b in edges and turn != "t" and a != b]
    has_in = {b for _, b in real}
    has_out = {a for a, _ in real}
    places: dict[str, Places] = {}
    for who in sorted({row[1] for row in TYPES.values()} | {"bicycle"}):
        names, weights = [], []
        for name, (lanes, length, _) in edges.items():
            ok = who if who == "bicycle" else "passenger"  # start and end where cars may be
            count = sum(1 for allowed in lanes if allowed(who) and allowed(ok))
            if count == 0 or length < 8.0:
                continue
            fringe = (name not in has_in) != (name not in has_out)
            names.append(name)
            weights.append(length * count * (FRINGE_WEIGHT if fringe else 1.0))
        places[who] = Places(tuple(names), tuple(accumulate(weights)))
    walk_ends, corners = _walk_graph(edges, insides, joins)
    return Network(
        places,
        turnarounds,
        walk_ends,
        corners,
        _walk_starts(edges, walk_ends),
        {name: length for name, (_, length, _) in edges.items()},
        {name: ends for name, (_, _, ends) in edges.items()},
    )


def _walk_graph(
    edges: dict[str, Any], insides: dict[str, str], joins: list[tuple[str, str, str]]
) -> tuple[dict[str, tuple[int, ...]], tuple[tuple[str, ...], ...]]:
    """Sidewalks (lanes for people on foot alone) joined through walking areas and crossings."""
    sidewalks = {
        name
        for name, (lanes, length, _) in edges.items()
        if length > 3.0
        and any(
            allowed("pedestrian") and not allowed("passenger") and not allowed("bus")
            for allowed in lanes
        )
    }
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    touch: set[tuple[str, str]] = set()
    walkable = {"walkingarea", "crossing"}
    for a, b, _ in joins:
        a_in, b_in = insides.get(a) in walkable, insides.get(b) in walkable
        if a_in and b_in:
            root[find(a)] = find(b)
        elif a_in and b in sidewalks:
            touch.add((b, a))
        elif b_in and a in sidewalks:
            touch.add((a, b))
    at: dict[str, set[str]] = {}
    for edge, area in touch:
        at.setdefault(find(area), set()).add(edge)
    groups = sorted(tuple(sorted(group)) for group in at.values() if len(group) > 1)
    ends: dict[str, list[int]] = {}
    for corner, group in enumerate(groups):
        for edge in group:
            ends.setdefault(edge, []).append(corner)
    return {edge: tuple(found) for edge, found in sorted(ends.items())}, tuple(groups)


def _walk_starts(edges: dict[str, Any], walk_ends: dict[str, tuple[int, ...]]) -> Places:
    """People set out where cars drive too; weighted by length."""
    streets = [
        name for name in walk_ends if any(allowed("passenger") for allowed in edges[name][0])
    ]
    names = streets or list(walk_ends)
    return Places(tuple(names), tuple(accumulate(edges[name][1] for name in names)))


class Traffic(Protocol):
    """The few verbs of SUMO that demand needs."""

    def route(self, start: str, end: str, kind: str) -> tuple[tuple[str, ...], float]: ...
    def add_vehicle(self, name: str, kind: str, route: tuple[str, ...]) -> None: ...
    def add_walker(self, name: str, at_m: float, route: tuple[str, ...]) -> None: ...


class Demand:
    """The stream of road users. Everything it decides follows from its seed and SUMO's state."""

    def __init__(self, network: Network, target: Wanted, seed: int) -> None:
        self.network = network
        self.target = target
        self.random = random.Random(seed)
        self.walk_random = random.Random(seed * 1_000_003 + 17)
        self.serial = 0
        self.refused = 0  # draws with no route, a U-turn or too short a way
        self.starts = network.walk_starts
        self.ways: dict[str, list[tuple[str, ...]]] = {}  # by class, as drawn so far
        shares = [row[0] for row in TYPES.values()]
        self._shares = tuple(accumulate(shares))
        if target.vehicles and not network.places["passenger"].edges:
            raise MarqueError("the network has no road for cars, so no demand can be drawn on it")

    def save(self) -> dict[str, Any]:
        """What must be kept with a saved SUMO state (vehicles alone; walkers start afresh)."""
        return {
            "random": self.random.getstate(),
            "serial": self.serial,
            "refused": self.refused,
            "ways": self.ways,
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Continue from `save`."""
        version, numbers, gauss = kept["random"]
        self.random.setstate((version, tuple(numbers), gauss))
        self.ways = {of: [tuple(way) for way in ways] for of, ways in kept["ways"].items()}
        self.serial = kept["serial"]
        self.refused = kept["refused"]

    def tend(
        self,
        traffic: Traffic,
        present: tuple[int, int, int],
        standing: int,
        ego: tuple[float, float] | None,
    ) -> None:
        """Replace who arrived: vehicles, cyclists, walkers now present or waiting to enter."""
        total = present[0] + present[1]
        locked = self.target.fluid and standing > STANDING_SHARE * total and total >= FEWEST
        for _ in range(0 if locked else min(25, self.target.vehicles - present[0])):
            kind = tuple(TYPES)[self._draw(self._shares, self.random)]
            self._vehicle(traffic, kind, TYPES[kind][1], ego)
        if self.network.places["bicycle"].edges and not locked:
            for _ in range(min(5, self.target.cyclists - present[1])):
                self._vehicle(traffic, CYCLIST, "bicycle", ego)
        if self.starts.edges:
            for _ in range(self.target.walkers - present[2]):
                self._walker(traffic, ego)

    def _vehicle(
        self, traffic: Traffic, kind: str, of: str, ego: tuple[float, float] | None
    ) -> None:
        route = self._known_way(of, ego) if ego is not None else None
        route = route or self._new_way(traffic, kind, of, ego)
        if route is None:
            return
        self.serial += 1
        sort = CYCLIST_PREFIX if kind == CYCLIST else "m"
        traffic.add_vehicle(f"{sort}{self.serial}", kind, route)

    def _known_way(self, of: str, ego: tuple[float, float] | None) -> tuple[str, ...] | None:
        """A way that somebody took in the warm-up: routing is dear, and a drive is short."""
        ways = self.ways.get(of, [])
        if len(ways) < ENOUGH_WAYS:
            return None
        for _ in range(TRIES):
            way = ways[int(self.random.random() * len(ways))]
            if not self._in_sight(way[0], ego):
                return way
        return None

    def _new_way(
        self, traffic: Traffic, kind: str, of: str, ego: tuple[float, float] | None
    ) -> tuple[str, ...] | None:
        """Draw ends until SUMO knows a way between them that is long enough and has no U-turn."""
        places = self.network.places[of]
        for _ in range(TRIES if places.edges else 0):
            start = places.edges[self._draw(places.weight, self.random)]
            end = places.edges[self._draw(places.weight, self.random)]
            if start == end or self._in_sight(start, ego):
                continue
            route, length = traffic.route(start, end, kind)
            turns = self.network.turnarounds
            u_turn = any(pair in turns for pair in pairwise(route))
            if not route or length < SHORTEST_TRIP_M or u_turn:
                self.refused += 1
                continue
            self.ways.setdefault(of, []).append(route)
            return route
        return None

    def _walker(self, traffic: Traffic, ego: tuple[float, float] | None) -> None:
        draw = self.walk_random
        for _ in range(TRIES):
            here = self.starts.edges[self._draw(self.starts.weight, draw)]
            if self._in_sight(here, ego):
                continue
            at = draw.uniform(1.0, self.network.length_m[here] - 1.0)
            route = self._wander(here, draw.uniform(200.0, 900.0))
            if len(route) > 1:
                self.serial += 1
                traffic.add_walker(f"w{self.serial}", at, tuple(route))
                return

    def _wander(self, here: str, far_m: float) -> list[str]:
        """A walk from one sidewalk to the next, through it and out at its other end."""
        route, walked, came = [here], 0.0, -1
        while walked < far_m:
            ways = [corner for corner in self.network.walk_ends[route[-1]] if corner != came]
            if not ways:
                break
            came = self.walk_random.choice(ways)
            onward = [edge for edge in self.network.corners[came] if edge != route[-1]]
            route.append(self.walk_random.choice(onward))
            walked += self.network.length_m[route[-1]]
        return route

    def _in_sight(self, edge: str, ego: tuple[float, float] | None) -> bool:
        if ego is None:
            return False
        x1, y1, x2, y2 = self.network.ends[edge]
        dx, dy = x2 - x1, y2 - y1
        length2 = dx * dx + dy * dy
        along = ((ego[0] - x1) * dx + (ego[1] - y1) * dy) / length2 if length2 > 0.0 else 0.0
        along = min(1.0, max(0.0, along))
        px, py = x1 + along * dx - ego[0], y1 + along * dy - ego[1]
        return px * px + py * py < CLEAR_OF_EGO_M**2

    @staticmethod
    def _draw(cumulative: tuple[float, ...], draw: random.Random) -> int:
        at = draw.random() * cumulative[-1]
        return min(bisect_right(cumulative, at), len(cumulative) - 1)
