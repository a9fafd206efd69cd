"""The three plans: a town, a motorway, a grid. The same seed draws the same map."""

import itertools
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import unknown
from marque.maps.made.build import road_map_of
from marque.maps.made.plan import CAR_CLASSES, EQUAL, JOIN, LANE_M, PRIORITY, SIGNAL, Plan
from marque.types.road_map import RoadMap

Draw = np.random.Generator
TOWN_SIDE, TOWN_STEP_M, TOWN_JITTER_M = 6, 140.0, 14.0
RING_M, RING_NODE_M = 19.0, 6.5
GRID_SIDE, GRID_STEP_M = 6, 160.0
MOTORWAY_M, EXITS_M, HALF_GAP_M = 6000.0, (1500.0, 4200.0), 8.0
RAMP_M, AUX_M = 260.0, 250.0
MOTORWAY_MPS, RAMP_MPS, COUNTRY_MPS = 120.0 / 3.6, 60.0 / 3.6, 70.0 / 3.6


def make_map(kind: str, seed: int) -> RoadMap:
    """A map of our own making. MarqueError: unknown kind."""
    if kind not in KINDS:
        raise unknown("kind of map", kind, KINDS)
    return road_map_of(KINDS[kind](np.random.Generator(np.random.PCG64([seed, 11]))))


def town(draw: Draw) -> Plan:
    """Streets of irregular blocks: a main street of two lanes each way with signals, a second one
    across it, a roundabout, one-way streets, crosswalks, bus stops."""
    plan = Plan("town")
    side, main = TOWN_SIDE, TOWN_SIDE // 2
    ring = (1, 1) if draw.random() < 0.5 else (1, side - 2)
    for row in range(side):
        for col in range(side):
            shift = draw.uniform(-TOWN_JITTER_M, TOWN_JITTER_M, 2)
            if row == main:
                shift[1] = 0.0
            if col == main:
                shift[0] = 0.0
            x, y = np.array([col, row]) * TOWN_STEP_M + shift
            signal = (row == main or col == main) and 0 < row < side - 1 and 0 < col < side - 1
            edge = row in (0, side - 1) or col in (0, side - 1)
            kind = SIGNAL if signal else EQUAL if not edge and draw.random() < 0.6 else PRIORITY
            radius = 15.0 if signal else 10.0
            walks = signal or draw.random() < 0.4
            plan.node(f"n{row}{col}", x, y, kind=kind, radius_m=radius, walks=walks)
    one_way = int(draw.integers(1, main)), int(draw.integers(main + 1, side - 1))
    for row in range(side):
        for col in range(side):
            if col + 1 < side:
                _town_street(plan, draw, (row, col), (row, col + 1), row == main, row, one_way)
            if row + 1 < side:
                _town_street(plan, draw, (row, col), (row + 1, col), col == main, -1, one_way)
    _roundabout(plan, f"n{ring[0]}{ring[1]}")
    return plan


def _town_street(
    plan: Plan,
    draw: Draw,
    a: tuple[int, int],
    b: tuple[int, int],
    main: bool,
    row: int,
    one_way: tuple[int, int],
) -> None:
    start, end = f"n{a[0]}{a[1]}", f"n{b[0]}{b[1]}"
    if main:
        plan.street(start, end, lanes=2, major=True)
        plan.roads[f"{start}{end}"].stops = [float(draw.uniform(25.0, 70.0))]
        return
    limit = (30.0 if draw.random() < 0.4 else 50.0) / 3.6
    outer = row in (0, TOWN_SIDE - 1) or (a[1] == b[1] and a[1] in (0, TOWN_SIDE - 1))
    if row == one_way[0]:
        plan.road(start, end, limit_mps=limit)
    elif row == one_way[1]:
        plan.road(end, start, limit_mps=limit)
    else:
        plan.street(start, end, limit_mps=limit, major=outer)


def _roundabout(plan: Plan, name: str) -> None:
    """A ring in the place of a node: one of its own for each arm, joined counter-clockwise."""
    middle = plan.nodes.pop(name).xy_m
    arms: list[tuple[int, str]] = []
    for road in list(plan.roads.values()):
        if name not in (road.start, road.end):
            continue
        far = plan.nodes[road.start if road.end == name else road.end].xy_m
        angle = math.atan2(far[1] - middle[1], far[0] - middle[0])
        quarter = round(angle / (0.5 * math.pi)) % 4
        at = f"{name}r{quarter}"
        turned = quarter * 0.5 * math.pi
        if at not in plan.nodes:
            x, y = middle + RING_M * np.array([math.cos(turned), math.sin(turned)])
            plan.node(at, x, y, radius_m=RING_NODE_M, ring=True)
            arms.append((quarter, at))
        road.start, road.end = (at if end == name else end for end in (road.start, road.end))
        road.line_m = np.array([plan.nodes[road.start].xy_m, plan.nodes[road.end].xy_m])
    arms.sort()
    for k, (quarter, at) in enumerate(arms):
        after, following = arms[(k + 1) % len(arms)]
        span = (after - quarter) % 4 or 4
        turn = np.linspace(0.0, span * 0.5 * math.pi, 4 * span + 1) + quarter * 0.5 * math.pi
        line = middle + (RING_M - 0.5 * LANE_M) * np.column_stack((np.cos(turn), np.sin(turn)))
        plan.road(at, following, line_m=line, ring=True, limit_mps=35.0 / 3.6)


def grid(draw: Draw) -> Plan:
    """Straight streets that cross at right angles; signals at all inner crossings."""
    plan = Plan("grid")
    two = {int(draw.integers(1, GRID_SIDE - 1)), int(draw.integers(1, GRID_SIDE - 1))}
    for row in range(GRID_SIDE):
        for col in range(GRID_SIDE):
            inner = 0 < row < GRID_SIDE - 1 and 0 < col < GRID_SIDE - 1
            plan.node(
                f"g{row}{col}", col * GRID_STEP_M, row * GRID_STEP_M,
                kind=SIGNAL if inner else PRIORITY, radius_m=14.0, walks=inner,
            )  # fmt: skip
    for row in range(GRID_SIDE):
        for col in range(GRID_SIDE):
            if col + 1 < GRID_SIDE:
                lanes = 2 if row in two else 1
                plan.street(f"g{row}{col}", f"g{row}{col + 1}", lanes=lanes, major=True)
            if row + 1 < GRID_SIDE:
                plan.street(f"g{row}{col}", f"g{row + 1}{col}", lanes=2 if col in two else 1)
    return plan


def motorway(draw: Draw) -> Plan:
    """Three lanes each way, with two interchanges of four ramps each, which a country road joins;
    the ends turn round in wide loops, so that traffic goes on."""
    plan = Plan("motorway")
    exits = [x + float(draw.uniform(-200.0, 200.0)) for x in EXITS_M]
    for sign, way in ((-1, "e"), (1, "w")):
        _carriageway(plan, exits, sign, way)
    _country_road(plan, exits)
    _turns(plan)
    return plan


def _carriageway(plan: Plan, exits: list[float], sign: int, way: str) -> None:
    """One direction, lanes to the right of its line. Eastbound (-1) runs south of westbound."""
    y = sign * HALF_GAP_M
    stations = [(0.0, "a")]
    for k, x in enumerate(exits):
        stations += [
            (x - RAMP_M - AUX_M, f"d{k}"), (x - RAMP_M, f"x{k}"),
            (x + RAMP_M, f"m{k}"), (x + RAMP_M + AUX_M, f"z{k}"),
        ]  # fmt: skip
    stations.append((MOTORWAY_M, "b"))
    names = []
    for s, name in stations:
        x = s if sign < 0 else MOTORWAY_M - s
        names.append(f"{way}{name}")
        plan.node(names[-1], x, y, kind=JOIN, radius_m=6.0)
    if sign > 0:  # its interchanges come in the other order
        swapped = [(MOTORWAY_M - x) for x in reversed(exits)]
        _move_stations(plan, way, swapped, y)
    for a, b in itertools.pairwise(names):
        auxiliary = a[1] == "d" or a[1] == "m"
        plan.road(a, b, lanes=4 if auxiliary else 3, limit_mps=MOTORWAY_MPS, major=True,
                  classes=CAR_CLASSES, line_m=_carriage_line(plan, a, b, auxiliary))  # fmt: skip
    for k in range(len(exits)):
        _lane_links(plan, names, way, k)


def _move_stations(plan: Plan, way: str, along: list[float], y: float) -> None:
    for k, s in enumerate(along):
        for name, ds in (
            ("d", -RAMP_M - AUX_M), ("x", -RAMP_M), ("m", RAMP_M), ("z", RAMP_M + AUX_M)
        ):  # fmt: skip
            plan.nodes[f"{way}{name}{k}"].xy_m = np.array([MOTORWAY_M - s - ds, y])


def _carriage_line(plan: Plan, a: str, b: str, auxiliary: bool) -> FloatArray:
    """Lanes count from the right: with a fourth one the line stays where it is, at the left."""
    return np.array([plan.nodes[a].xy_m, plan.nodes[b].xy_m])


def _lane_links(plan: Plan, names: list[str], way: str, k: int) -> None:
    """Where the fourth lane, number 0 at the right, opens, leaves, comes and ends."""
    at = {name: names.index(f"{way}{name}{k}") for name in "dxmz"}

    def road(name: str, after: bool) -> str:
        i = at[name]
        return f"{names[i]}{names[i + 1]}" if after else f"{names[i - 1]}{names[i]}"

    for name in "dm":
        plan.links += [(road(name, False), i, road(name, True), i + 1) for i in range(3)]
    plan.links.append((road("d", False), 0, road("d", True), 0))
    for name in "xz":
        plan.links += [(road(name, False), i + 1, road(name, True), i) for i in range(3)]
    plan.links.append((road("x", False), 0, f"{way}off{k}", 0))
    plan.links.append((f"{way}on{k}", 0, road("m", True), 0))


def _country_road(plan: Plan, exits: list[float]) -> None:
    """Bridges over the motorway at the exits, joined by a road south of it."""
    for k, x in enumerate(exits):
        plan.node(f"s{k}", x, -140.0, kind=PRIORITY, radius_m=13.0)
        plan.node(f"t{k}", x, 140.0, kind=PRIORITY, radius_m=13.0)
        plan.node(f"u{k}", x, -420.0, kind=PRIORITY, radius_m=13.0)
        plan.street(f"s{k}", f"t{k}", limit_mps=COUNTRY_MPS, major=True, level_m=6.0)
        plan.street(f"u{k}", f"s{k}", limit_mps=COUNTRY_MPS, major=True)
        west = len(exits) - 1 - k
        _ramp(plan, f"ex{k}", f"s{k}", f"eoff{k}", out=True)
        _ramp(plan, f"s{k}", f"em{k}", f"eon{k}", out=False)
        _ramp(plan, f"wx{west}", f"t{k}", f"woff{west}", out=True)
        _ramp(plan, f"t{k}", f"wm{west}", f"won{west}", out=False)
    for k in range(len(exits) - 1):
        plan.street(f"u{k}", f"u{k + 1}", limit_mps=COUNTRY_MPS, major=True)


def _ramp(plan: Plan, start: str, end: str, name: str, out: bool) -> None:
    """A ramp that leaves, or joins, the motorway's outer lane, and bends to the country road."""
    a, b = plan.nodes[start].xy_m, plan.nodes[end].xy_m
    motorway_end = a if out else b
    away = 1.0 if motorway_end[1] > 0.0 else -1.0
    beside = motorway_end + np.array([0.0, away * 3.0 * LANE_M])
    p, q = (beside, b) if out else (a, beside)
    reach = 0.5 * abs(q[0] - p[0])
    ahead = np.array([math.copysign(1.0, q[0] - p[0]), 0.0])
    side = np.array([0.6 * ahead[0], away if out else -away])
    u, v = (ahead, side) if out else (side, ahead)
    u, v = u / np.hypot(*u), v / np.hypot(*v)
    t = np.linspace(0.0, 1.0, 25)[:, None]
    one, two = p + reach * u, q - reach * v
    line = (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * one + 3 * (1 - t) * t**2 * two + t**3 * q
    plan.road(start, end, name=name, line_m=line, limit_mps=RAMP_MPS, classes=CAR_CLASSES)


def _turns(plan: Plan) -> None:
    """At both ends from one carriageway to the other."""
    for start, end, bulge in (("eb", "wa", 1.0), ("wb", "ea", -1.0)):
        a, b = plan.nodes[start].xy_m, plan.nodes[end].xy_m
        middle = 0.5 * (a + b)
        radius = 90.0
        turn = np.linspace(-0.5 * math.pi, 0.5 * math.pi, 33)
        arc = middle + np.column_stack(
            (bulge * (250.0 + radius * np.cos(turn)), bulge * radius * np.sin(turn))
        )
        line = np.vstack((a, _eased(a, arc[0]), arc, _eased(arc[-1], b), b))
        plan.road(start, end, name=f"{start}{end}", lanes=3, limit_mps=70.0 / 3.6, major=True,
                  classes=CAR_CLASSES, line_m=line)  # fmt: skip


def _eased(a: FloatArray, b: FloatArray) -> FloatArray:
    """Between two parallel lines, both along x (a cubic step)."""
    t = np.linspace(0.0, 1.0, 15)[1:-1]
    step = t * t * (3.0 - 2.0 * t)
    return np.column_stack((a[0] + t * (b[0] - a[0]), a[1] + step * (b[1] - a[1])))


KINDS: Mapping[str, Callable[[Draw], Plan]] = MappingProxyType(
    {"town": town, "motorway": motorway, "grid": grid}
)
