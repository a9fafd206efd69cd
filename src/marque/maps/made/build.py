"""From a plan to a RoadMap: lanes, ways through nodes, right of way, signal programs, crosswalks.

The plan becomes the same records that a SUMO network is read into, and the same builder makes the
map of them; right of way is by the rules that OpenDRIVE files get (`formats.opendrive.priority`).
"""

import math
from dataclasses import replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length, resample
from marque.maps.formats.opendrive.priority import Way, foes, yields
from marque.maps.formats.opendrive.signs import Approach
from marque.maps.formats.sumo_build import build
from marque.maps.formats.sumo_net import (
    Net,
    NetConnection,
    NetEdge,
    NetJunction,
    NetLane,
    NetProgram,
)
from marque.maps.made.plan import EQUAL, JOIN, LANE_M, PRIORITY, SIGNAL, Node, Plan, Road
from marque.types.codes import Control
from marque.types.road_map import RoadMap

NOBODY: frozenset[str] = frozenset()
STEP_M = 4.0
WALK_BACK_M, WALK_WIDTH_M = 3.0, 3.0  # a crosswalk's middle before the end of the road; its width
GREEN_S, AMBER_S, ALL_RED_S = 24.0, 3.0, 2.0
STRAIGHT_RAD, BACK_RAD = math.radians(40.0), math.radians(150.0)
STOP_LENGTH_M = 20.0
PULL = 0.55  # of the way between both ends: how far a turn's ends reach into it


def road_map_of(plan: Plan) -> RoadMap:
    """The map of a plan. MarqueError: no lane for cars."""
    net = Net(projection="", offset_m=(0.0, 0.0))
    lanes: dict[str, list[NetLane]] = {}
    for road in plan.roads.values():
        lanes[road.name] = _lanes(plan, road)
        net.edges.append(NetEdge(road.name, "", road.start, road.end, "", lanes[road.name]))
        if road.ring:
            net.roundabout_edges.add(road.name)
    for node in plan.nodes.values():
        _node(plan, net, node, lanes)
    made = build(net, plan.name, f"marque map make {plan.name}", frozenset())
    return _with_stops(plan, made)


def _lanes(plan: Plan, road: Road) -> list[NetLane]:
    line = resample(road.line_m, STEP_M)
    along = arc_length(line)
    cut = plan.nodes[road.start].radius_m, plan.nodes[road.end].radius_m
    out = []
    for index in range(road.lanes):
        aside = (road.lanes - index - 0.5) * LANE_M  # lane 0 is furthest from the middle
        shape = _trimmed(_offset(line, -aside), along[-1], cut)
        out.append(
            NetLane(
                name=f"{road.name}_{index}",
                index=index,
                classes=road.classes,
                speed_mps=road.limit_mps,
                width_m=LANE_M,
                shape_m=shape,
                elevation_m=road.level_m,
                change_left=road.classes,
                change_right=road.classes,
                opposite="",
                ways="",
            )
        )
    return out


def _offset(line: FloatArray, left_m: float) -> FloatArray:
    tangent = np.gradient(line, axis=0)
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None]
    return line + left_m * np.column_stack((-tangent[:, 1], tangent[:, 0]))


def _trimmed(line: FloatArray, length: float, cut: tuple[float, float]) -> FloatArray:
    s = arc_length(line)
    share = s[-1] / length
    low, high = cut[0] * share, s[-1] - cut[1] * share
    inner = s[(s > low + 0.5) & (s < high - 0.5)]
    at = np.concatenate(([low], inner, [high]))
    return np.column_stack((np.interp(at, s, line[:, 0]), np.interp(at, s, line[:, 1])))


def _node(plan: Plan, net: Net, node: Node, lanes: dict[str, list[NetLane]]) -> None:
    """Ways through a node, with their right of way, and its crosswalks."""
    ways = _ways(plan, node, lanes)
    against = foes(ways)
    waits = yields(ways, against, (), net.left_hand)
    outline = _outline(node)
    net.junctions.append(
        NetJunction(
            name=node.name,
            kind=PRIORITY if node.kind == JOIN else node.kind,
            xy_m=(float(node.xy_m[0]), float(node.xy_m[1])),
            inner=[way.name for way in ways],
            shape_m=outline,
            yields=waits,
            foes=against,
        )
    )
    by_name = {lane.name: lane for group in lanes.values() for lane in group}
    for index, way in enumerate(ways):
        _way_records(net, node, way, bool(waits[index]), by_name)
    arms = _arms(plan, node) if node.walks else []
    for k, arm in enumerate(arms):
        _crossing(net, node, arm, k, len(ways), lanes)
    if node.kind == SIGNAL:
        net.programs.append(_program(plan, node, ways, arms))


def _outline(node: Node) -> FloatArray:
    turn = np.linspace(0.0, 2.0 * math.pi, 12, endpoint=False)
    return node.xy_m + node.radius_m * np.column_stack((np.cos(turn), np.sin(turn)))


def _ways(plan: Plan, node: Node, lanes: dict[str, list[NetLane]]) -> list[Way]:
    ends_in = [road for road in plan.roads.values() if road.end == node.name]
    starts = [road for road in plan.roads.values() if road.start == node.name]
    given = [link for link in plan.links if plan.roads[link[0]].end == node.name]
    pairs = given or [
        (a.name, i, b.name, j) for a in ends_in for b in starts for i, j in _lane_pairs(a, b)
    ]
    out = []
    for number, (a, i, b, j) in enumerate(sorted(pairs)):
        start, end = lanes[a][i], lanes[b][j]
        line = _curve(start.shape_m, end.shape_m)
        approach = _approach(plan.roads[a], node, number)
        out.append(Way(f":{node.name}_{number}_0", start.name, end.name, a, "", line, approach))
    return out


def _approach(road: Road, node: Node, number: int) -> Approach:
    light = (node.name, number) if node.kind == SIGNAL else None
    if node.kind in (EQUAL, JOIN):
        return Approach()
    if light is not None:
        return Approach(light=light)
    if road.ring or (road.major and not node.ring):
        return Approach(priority=True)
    return Approach(control=Control.YIELD)


def _lane_pairs(a: Road, b: Road) -> list[tuple[int, int]]:
    """Which lanes of a lead to which of b, by how far one turns."""
    u, v = a.line_m[-1] - a.line_m[-2], b.line_m[1] - b.line_m[0]
    turn = math.atan2(u[0] * v[1] - u[1] * v[0], float(u @ v))
    if abs(turn) > BACK_RAD:
        return []
    if abs(turn) < STRAIGHT_RAD:
        return [(i, min(i, b.lanes - 1)) for i in range(min(a.lanes, b.lanes))]
    if turn > 0.0:
        return [(a.lanes - 1, b.lanes - 1)]
    return [(0, 0)]


def _curve(before: FloatArray, after: FloatArray) -> FloatArray:
    """A smooth line from the end of one lane to the start of another (cubic Bezier)."""
    p, q = before[-1], after[0]
    u, v = before[-1] - before[-2], after[1] - after[0]
    u, v = u / np.hypot(*u), v / np.hypot(*v)
    reach = PULL * float(np.hypot(*(q - p)))
    t = np.linspace(0.0, 1.0, 17)[:, None]
    a, b = p + reach * u * 0.75, q - reach * v * 0.75
    line: FloatArray = (
        (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * q
    )
    return line


def _way_records(net: Net, node: Node, way: Way, waits: bool, lanes: dict[str, NetLane]) -> None:
    start, end = lanes[way.start], lanes[way.end]
    signal, link = way.approach.light or ("", -1)
    state = "=" if node.kind == EQUAL else "m" if waits else "M"
    net.connections.append(
        NetConnection(way.start, way.end, way.name, signal, link, way.letter, state)
    )
    inner = NetLane(
        name=way.name,
        index=0,
        classes=start.classes & end.classes,
        speed_mps=min(start.speed_mps, end.speed_mps),
        width_m=LANE_M,
        shape_m=way.line_m,
        elevation_m=start.elevation_m,
        change_left=NOBODY,
        change_right=NOBODY,
        opposite="",
        ways="",
    )
    net.edges.append(NetEdge(way.name[:-2], "internal", node.name, node.name, "", [inner]))


def _arms(plan: Plan, node: Node) -> list[tuple[float, list[tuple[Road, int]]]]:
    """(heading outwards, [(road, 0 if it starts here, -1 if it ends here)]) of each arm."""
    arms: list[tuple[float, list[tuple[Road, int]]]] = []
    for road in plan.roads.values():
        for at, here in ((0, road.start), (-1, road.end)):
            if here != node.name:
                continue
            way = road.line_m[1] - road.line_m[0] if at == 0 else road.line_m[-2] - road.line_m[-1]
            heading = math.atan2(way[1], way[0])
            for known, members in arms:
                if abs((known - heading + math.pi) % (2.0 * math.pi) - math.pi) < 0.2:
                    members.append((road, at))
                    break
            else:
                arms.append((heading, [(road, at)]))
    return sorted(arms, key=lambda arm: arm[0])


def _crossing(
    net: Net,
    node: Node,
    arm: tuple[float, list[tuple[Road, int]]],
    k: int,
    first_link: int,
    lanes: dict[str, list[NetLane]],
) -> None:
    """A crosswalk over one arm, from kerb to kerb."""
    heading, members = arm
    out = np.array([math.cos(heading), math.sin(heading)])
    left = np.array([-out[1], out[0]])
    sides = []
    for road, at in members:
        for lane in lanes[road.name]:
            offset = float((lane.shape_m[at] - node.xy_m) @ left)
            sides += [offset - 0.5 * LANE_M, offset + 0.5 * LANE_M]
    middle = node.xy_m + (node.radius_m + WALK_BACK_M) * out
    shape = np.array([middle + (min(sides) - 0.3) * left, middle + (max(sides) + 0.3) * left])
    name = f":{node.name}_c{k}"
    lane = NetLane(
        f"{name}_0", 0, frozenset(("pedestrian",)), 1.0, WALK_WIDTH_M, shape, 0.0, NOBODY, NOBODY,
        "", "",
    )  # fmt: skip
    net.edges.append(NetEdge(name, "crossing", node.name, node.name, "", [lane]))
    signal, link = (node.name, first_link + k) if node.kind == SIGNAL else ("", -1)
    net.connections.append(
        NetConnection(f":{node.name}_w{k}_0", lane.name, "", signal, link, "s", "M")
    )


def _program(
    plan: Plan, node: Node, ways: list[Way], arms: list[tuple[float, list[tuple[Road, int]]]]
) -> NetProgram:
    """Two greens, one for each axis; left turns yield in theirs, people cross the other axis."""
    axis = {}
    for road in plan.roads.values():
        if road.end == node.name:
            way = road.line_m[-1] - road.line_m[-2]
            axis[road.name] = math.atan2(way[1], way[0])
    first = next(iter(axis.values()), 0.0)
    durations, states = [], []
    for phase in (0, 1):
        go = [_along(axis[way.incoming], first) == (phase == 0) for way in ways]
        walk = [_along(heading, first) != (phase == 0) for heading, _ in arms]
        green = "".join(
            ("g" if way.letter == "l" else "G") if on else "r"
            for way, on in zip(ways, go, strict=True)
        )
        amber = "".join("y" if on else "r" for on in go)
        durations += [GREEN_S, AMBER_S, ALL_RED_S]
        states += [
            green + "".join("G" if on else "r" for on in walk),
            amber + "r" * len(arms),
            "r" * (len(ways) + len(arms)),
        ]
    shift = float(np.hypot(*node.xy_m)) / 11.0 % sum(durations)  # a wave of greens, roughly
    return NetProgram(node.name, "0", shift, durations, states)


def _along(heading: float, first: float) -> bool:
    turned = abs((heading - first + 0.5 * math.pi) % math.pi - 0.5 * math.pi)
    return turned < 0.25 * math.pi


def _with_stops(plan: Plan, made: RoadMap) -> RoadMap:
    """The same with bus stops."""
    names, lanes, starts, ends = [], [], [], []
    for road in plan.roads.values():
        for at in road.stops:
            lane = made.lane_name.index(f"{road.name}_0")
            length = float(made.lane_length_m[lane])
            begin = min(max(0.0, at), max(0.0, length - STOP_LENGTH_M))
            names.append(f"stop {road.name} {at:.0f}")
            lanes.append(lane)
            starts.append(begin)
            ends.append(min(length, begin + STOP_LENGTH_M))
    return replace(
        made,
        stop_name=tuple(names),
        stop_lane=np.array(lanes, dtype=np.int32),
        stop_s_in_m=np.array(starts, dtype=np.float64),
        stop_s_out_m=np.array(ends, dtype=np.float64),
    )
