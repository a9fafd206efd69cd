"""What is wrong with a map: every defect by name, with its place and its weight.

`serious` means that a car driving by this map would be led astray there; `minor` that it will be
hindered or that a rule had to be guessed; `note` that the reader should know.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.maps.closeness import CLOSE_M, held_points
from marque.maps.conflicts import VEHICLE_WIDTH_M, lines_cross, shared_span
from marque.types.codes import Allow, ConflictKind, Turn
from marque.types.road_map import NONE, RoadMap

SERIOUS, MINOR, NOTE = "serious", "minor", "note"
LEAST_WIDTH_M = 2.0
LEAST_RADIUS_M = 4.5
HOPELESS_RADIUS_M = 2.0  # no car turns like that
LEAST_LENGTH_M = 0.05
JOIN_GAP_M = 0.5
STRAY_M = CLOSE_M + 0.01  # a line is fitted in one spacing of points and kept in another
JOIN_KINK_RAD = math.radians(10.0)
LINE_IN_CONFLICT_M = 0.3
GRAZE_M = 0.4  # who waits may stand that far in another's way: drivers pass such corners
BLOCKING = "waiting places block each other"
CAR_LENGTH_M = 4.0  # of a car that waits; its rounded corners left out
ROAD_WIDTH_M = 8.0  # within which the other direction of the same road lies
BORDER_SHARE = 0.04  # of the map's diagonal: a dead end this near to its hull is the map's border
BORDER_M = 40.0


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong. where: a lane's or junction's name; x, y: map metres."""

    severity: str
    kind: str
    where: str
    text: str
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class Smoothness:
    """How lanes meet, before (source polylines) and after smoothing; angles in degrees."""

    joins: int
    kink_before_p50_deg: float
    kink_before_p95_deg: float
    kink_before_max_deg: float
    kink_after_p50_deg: float
    kink_after_p95_deg: float
    kink_after_max_deg: float
    tight_lanes: int  # lanes and connectors with a curve below LEAST_RADIUS_M, U-turns aside


def check_map(road_map: RoadMap) -> list[Defect]:
    """All defects, serious ones first, then by kind and name. Deterministic."""
    found = [
        *_broken_numbers(road_map),
        *_lane_shapes(road_map),
        *_strays(road_map),
        *_joins(road_map),
        *_dead_ends(road_map),
        *_unreachable(road_map),
        *_conflict_rows(road_map),
        *_right_of_way(road_map),
        *_lines_in_conflict(road_map),
        *_waiting_in_the_way(road_map),
        *_signals(road_map),
    ]
    order = {SERIOUS: 0, MINOR: 1, NOTE: 2}
    return sorted(found, key=lambda d: (order[d.severity], d.kind, d.where, d.text))


def faulty_junctions(defects: list[Defect]) -> list[str]:
    """Names of junctions where the source does not settle who goes first, or contradicts itself, or
    lets those who wait for each other stand in each other's way.

    Traffic that follows the source's own rules collides there, through no fault of our driver.
    """
    kinds = {"conflicting greens", "missing right of way", BLOCKING}
    return sorted({defect.where for defect in defects if defect.kind in kinds})


def car_lanes(road_map: RoadMap) -> BoolArray:
    """[L] lanes and connectors a car may use."""
    allowed: BoolArray = (road_map.lane_allow & Allow.CAR) != 0
    return allowed


def _defect(road_map: RoadMap, severity: str, kind: str, lane: int, text: str) -> Defect:
    x, y = road_map.pt_xy_m[(road_map.pt_off[lane] + road_map.pt_off[lane + 1] - 1) // 2]
    name = road_map.lane_name[lane]
    return Defect(severity, kind, name, text, round(float(x), 2), round(float(y), 2))


def _at_junction(road_map: RoadMap, severity: str, kind: str, junction: int, text: str) -> Defect:
    part = slice(road_map.junction_off[junction], road_map.junction_off[junction + 1])
    shape = road_map.junction_xy_m[part]
    x, y = shape.mean(axis=0) if len(shape) else (math.nan, math.nan)
    name = road_map.junction_name[junction]
    return Defect(severity, kind, name, text, round(float(x), 2), round(float(y), 2))


def _broken_numbers(m: RoadMap) -> list[Defect]:
    bad = ~np.isfinite(m.pt_xy_m).all(axis=1) | ~np.isfinite(m.pt_heading_rad)
    bad |= ~np.isfinite(m.pt_curvature_1pm)
    lanes = np.unique(np.searchsorted(m.pt_off, np.flatnonzero(bad), side="right") - 1)
    return [
        Defect(SERIOUS, "broken geometry", m.lane_name[i], "coordinates are not numbers", 0.0, 0.0)
        for i in lanes
    ]


def worst_curvature(m: RoadMap) -> FloatArray:
    """[L] largest |curvature| along each lane, 1/m."""
    worst: FloatArray = np.maximum.reduceat(np.abs(m.pt_curvature_1pm), m.pt_off[:-1])
    return worst


def _lane_shapes(m: RoadMap) -> list[Defect]:
    out = []
    car = car_lanes(m)
    worst = worst_curvature(m)
    for i in np.flatnonzero(car & ~m.lane_connector & (m.lane_width_m < LEAST_WIDTH_M)):
        text = f"{m.lane_width_m[i]:.2f} m wide: no car fits"
        out.append(_defect(m, SERIOUS, "too narrow", int(i), text))
    for i in np.flatnonzero(car & ~(m.lane_length_m > LEAST_LENGTH_M)):
        text = f"{m.lane_length_m[i]:.3f} m long"
        out.append(_defect(m, MINOR, "zero length", int(i), text))
    tight = car & (m.lane_turn != Turn.U_TURN) & (worst > 1.0 / LEAST_RADIUS_M)
    for i in np.flatnonzero(tight):
        severity = SERIOUS if worst[i] > 1.0 / HOPELESS_RADIUS_M else MINOR
        text = f"curve of {1.0 / worst[i]:.1f} m radius"
        out.append(_defect(m, severity, "too tight", int(i), text))
    return out


def _strays(m: RoadMap) -> list[Defect]:
    """Lanes that leave their source polyline where nothing asks for it."""
    found = held_points(m, car_lanes(m) & ~m.lane_connector)
    away = found.held & (found.away_m > STRAY_M)
    worst: dict[int, float] = {}
    for lane, gap in zip(found.lane[away].tolist(), found.away_m[away].tolist(), strict=True):
        worst[lane] = max(worst.get(lane, 0.0), gap)
    return [
        _defect(m, MINOR, "strays from source", lane, f"{gap:.2f} m away from joins and kinks")
        for lane, gap in worst.items()
    ]


def join_pairs(m: RoadMap) -> Int32Array:
    """[K, 2] lane pairs that meet, as (before, after): cars only, U-turns left out."""
    car = car_lanes(m)
    before = np.repeat(np.arange(m.lane_count), np.diff(m.succ_off)).astype(np.int32)
    pairs = np.column_stack((before, m.succ))
    keep = car[pairs].all(axis=1) & (m.lane_turn[pairs] != Turn.U_TURN).all(axis=1)
    kept: Int32Array = pairs[keep]
    return kept


def _joins(m: RoadMap) -> list[Defect]:
    out = []
    pairs = join_pairs(m)
    raw = m.shape_xy_m[m.shape_off[pairs[:, 0] + 1] - 1] - m.shape_xy_m[m.shape_off[pairs[:, 1]]]
    line = m.pt_xy_m[m.pt_off[pairs[:, 0] + 1] - 1] - m.pt_xy_m[m.pt_off[pairs[:, 1]]]
    gaps = np.maximum(np.hypot(raw[:, 0], raw[:, 1]), np.hypot(line[:, 0], line[:, 1]))
    for k in np.flatnonzero(gaps > JOIN_GAP_M):
        a, b = (int(i) for i in pairs[k])
        text = f"{gaps[k]:.2f} m apart from {m.lane_name[b]}"
        out.append(_defect(m, SERIOUS, "gap at join", a, text))
    turned = m.pt_heading_rad[m.pt_off[pairs[:, 0] + 1] - 1]
    turned = turned - m.pt_heading_rad[m.pt_off[pairs[:, 1]]]
    kinks = np.abs(np.arctan2(np.sin(turned), np.cos(turned)))
    for k in np.flatnonzero(kinks > JOIN_KINK_RAD):
        a, b = (int(i) for i in pairs[k])
        text = f"{math.degrees(kinks[k]):.0f} degrees to {m.lane_name[b]}"
        out.append(_defect(m, SERIOUS, "kink at join", a, text))
    return out


def _dead_ends(m: RoadMap) -> list[Defect]:
    """Roads (not single lanes) on which no lane leads on."""
    out = []
    car = car_lanes(m)
    ends = defaultdict(list)
    goes_on: set[int] = set()
    for i in np.flatnonzero(car & ~m.lane_connector).tolist():
        edge = int(m.lane_edge[i])
        ends[edge].append(i)
        if any(car[c] for c in m.successors(i)):
            goes_on.add(edge)
    hull, reach = _border(m)
    for edge, lanes in ends.items():
        if edge in goes_on:
            continue
        last = m.points(lanes[-1])[-1]
        border = _distance_to_hull(hull, last) < reach
        text = "ends at the map's border" if border else "leads nowhere"
        severity = NOTE if border else MINOR
        out.append(
            Defect(
                severity,
                "dead end",
                m.edge_name[edge],
                text,
                round(float(last[0]), 2),
                round(float(last[1]), 2),
            )
        )
    return out


def _border(m: RoadMap) -> tuple[FloatArray, float]:
    hull = _convex_hull(m.pt_xy_m[np.concatenate((m.pt_off[:-1], m.pt_off[1:] - 1))])
    size = float(np.hypot(*(m.pt_xy_m.max(axis=0) - m.pt_xy_m.min(axis=0))))
    return hull, max(BORDER_M, BORDER_SHARE * size)


def _convex_hull(points: FloatArray) -> FloatArray:
    """Corners of the convex hull, counter-clockwise (monotone chain)."""
    rows = sorted(set(map(tuple, np.round(points, 1).tolist())))
    half: list[list[tuple[float, float]]] = []
    for run in (rows, rows[::-1]):
        chain: list[tuple[float, float]] = []
        for p in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0.0:
                chain.pop()
            chain.append(p)
        half.append(chain[:-1])
    return np.array(half[0] + half[1])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _distance_to_hull(hull: FloatArray, p: FloatArray) -> float:
    a, b = hull, np.roll(hull, -1, axis=0)
    u, v = b - a, p - a
    t = np.clip((u * v).sum(axis=1) / np.maximum((u * u).sum(axis=1), 1e-12), 0.0, 1.0)
    gap = v - t[:, None] * u
    return float(np.hypot(gap[:, 0], gap[:, 1]).min())


# --- reachability ---------------------------------------------------------------------------------


def _unreachable(m: RoadMap) -> list[Defect]:
    """Lanes outside the largest part in which a car can get from anywhere to anywhere."""
    part = strongly_connected(m)
    car = np.flatnonzero(car_lanes(m) & ~m.lane_connector)
    if len(car) == 0:
        return [Defect(SERIOUS, "no road", m.name, "no lane that a car may use", 0.0, 0.0)]
    size = np.bincount(part[car], weights=m.lane_length_m[car])
    main = int(np.argmax(size))
    out = [
        _defect(m, MINOR, "unreachable", int(i), "not in the largest connected part")
        for i in car
        if part[i] != main
    ]
    share = size[main] / size.sum()
    if share < 0.5:
        text = f"the largest connected part holds only {100.0 * share:.0f} % of the road length"
        x, y = m.pt_xy_m.mean(axis=0)
        out.append(Defect(NOTE, "loose network", m.name, text, round(x, 2), round(y, 2)))
    return out


def strongly_connected(m: RoadMap) -> Int32Array:
    """[L] number of each car lane's strongly connected part (connectors, lane changes), else -1."""
    car = car_lanes(m)
    nxt: list[list[int]] = [[] for _ in range(m.lane_count)]
    for i in np.flatnonzero(car).tolist():
        nxt[i] = [c for c in m.successors(i).tolist() if car[c]]
        for beside, free in ((m.lane_left, m.lane_left_ok), (m.lane_right, m.lane_right_ok)):
            if beside[i] != NONE and free[i] and car[beside[i]]:
                nxt[i].append(int(beside[i]))
    return _tarjan(nxt, car)


def _tarjan(nxt: list[list[int]], member: BoolArray) -> Int32Array:
    """Strongly connected components by depth-first search without recursion (Tarjan 1972)."""
    count = len(nxt)
    part = np.full(count, -1, dtype=np.int32)
    seen = [-1] * count
    low = [0] * count
    open_set: list[int] = []
    clock = parts = 0
    for root in range(count):
        if not member[root] or seen[root] >= 0:
            continue
        path = [(root, 0)]
        while path:
            node, k = path.pop()
            if k == 0:
                seen[node] = low[node] = clock
                clock += 1
                open_set.append(node)
            if k < len(nxt[node]):
                path.append((node, k + 1))
                child = nxt[node][k]
                if seen[child] < 0:
                    path.append((child, 0))
                elif part[child] < 0:
                    low[node] = min(low[node], seen[child])
                continue
            if low[node] == seen[node]:
                while True:
                    member_node = open_set.pop()
                    part[member_node] = parts
                    if member_node == node:
                        break
                parts += 1
            if path:
                parent = path[-1][0]
                low[parent] = min(low[parent], low[node])
    return part


# --- right of way ---------------------------------------------------------------------------------


def _conflict_rows(m: RoadMap) -> list[Defect]:
    """Rows without a matching row on the other side."""
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.conf_off))
    pairs = zip(lane.tolist(), m.conf_lane.tolist(), strict=True)
    rows = {pair: k for k, pair in enumerate(pairs)}
    out = []
    for (a, b), k in rows.items():
        other = rows.get((b, a))
        fits = other is not None and (
            m.conf_priority[k] == -m.conf_priority[other]
            and m.conf_kind[k] == m.conf_kind[other]
            and math.isclose(m.conf_s_in_m[k], m.conf_other_in_m[other], abs_tol=1e-6)
            and math.isclose(m.conf_s_out_m[k], m.conf_other_out_m[other], abs_tol=1e-6)
        )
        if not fits:
            text = f"with {m.lane_name[b]}: its two sides disagree"
            out.append(_defect(m, SERIOUS, "unsymmetrical conflict", a, text))
    return out


def conflict_pairs(m: RoadMap) -> list[tuple[int, int, int]]:
    """(row, lane, other) of each conflict between cars once, U-turns and partings left out."""
    car = car_lanes(m)
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.conf_off))
    keep = (lane < m.conf_lane) & car[lane] & car[m.conf_lane]
    keep &= (m.lane_turn[lane] != Turn.U_TURN) & (m.lane_turn[m.conf_lane] != Turn.U_TURN)
    keep &= m.conf_kind != ConflictKind.DIVERGE
    return [(int(k), int(lane[k]), int(m.conf_lane[k])) for k in np.flatnonzero(keep)]


def _right_of_way(m: RoadMap) -> list[Defect]:
    """Junctions where the source gives two paths the same ground and does not say who goes first,
    or gives both a protected green at once."""
    silent: dict[int, list[str]] = defaultdict(list)
    grazing: dict[int, list[str]] = defaultdict(list)
    opposing: dict[int, list[str]] = defaultdict(list)
    greens: dict[int, list[str]] = defaultdict(list)
    signalled: dict[int, list[str]] = defaultdict(list)
    guessed = m.conf_guessed if len(m.conf_guessed) else np.zeros(len(m.conf_lane), dtype=np.bool_)
    for k, a, b in conflict_pairs(m):
        pair = f"{m.lane_name[a]} and {m.lane_name[b]}"
        junction = int(m.lane_junction[a])
        if _green_together(m, a, b):
            meet = m.conf_kind[k] == ConflictKind.MERGE or lines_cross(m.points(a), m.points(b))
            (greens if meet else grazing)[junction].append(pair)
        elif guessed[k] and m.conf_priority[k] != 0:
            both = m.lane_head[a] != NONE and m.lane_head[b] != NONE
            table = opposing if _opposing(m, a, b) else signalled if both else silent
            table[junction].append(pair)
    out = []
    for kind, severity, table in (
        ("conflicting greens", SERIOUS, greens),
        ("missing right of way", SERIOUS, silent),
        ("missing right of way", MINOR, signalled),
        ("paths graze on green", MINOR, grazing),
        ("opposing paths overlap", MINOR, opposing),
    ):
        for junction, pairs in table.items():
            more = f" and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
            text = "; ".join(sorted(pairs)[:3]) + more
            out.append(_at_junction(m, severity, kind, junction, text))
    return out


def _opposing(m: RoadMap, a: int, b: int) -> bool:
    """Whether two connectors are the two directions of one road through the junction."""
    p, q = m.points(a), m.points(b)
    near = math.hypot(*(p[0] - q[-1])) < ROAD_WIDTH_M and math.hypot(*(p[-1] - q[0])) < ROAD_WIDTH_M
    turned = m.pt_heading_rad[m.pt_off[a]] - m.pt_heading_rad[m.pt_off[b + 1] - 1]
    return near and math.cos(turned) < -0.7


def _green_together(m: RoadMap, a: int, b: int) -> bool:
    """Whether some phase shows both connectors a protected green."""
    first, second = int(m.lane_head[a]), int(m.lane_head[b])
    if first == NONE or second == NONE or m.head_group[first] != m.head_group[second]:
        return False
    return ("G", "G") in _letters(m, first, second)


def _lines_in_conflict(m: RoadMap) -> list[Defect]:
    """Lanes that end inside another path: who waits at the line stands in its way."""
    worst: dict[int, tuple[float, int]] = {}
    for k, a, b in conflict_pairs(m):
        if m.conf_kind[k] != ConflictKind.CROSS:
            continue
        for path, other, s_in in ((a, b, m.conf_s_in_m[k]), (b, a, m.conf_other_in_m[k])):
            lane = int(m.predecessors(path)[0])
            if s_in < LINE_IN_CONFLICT_M and s_in < worst.get(lane, (math.inf, 0))[0]:
                worst[lane] = (float(s_in), other)
    return [
        _defect(m, MINOR, "line in conflict", lane, f"ends inside the path of {m.lane_name[other]}")
        for lane, (_, other) in worst.items()
    ]


def _waiting_in_the_way(m: RoadMap) -> list[Defect]:
    """Junctions whose source lets a car wait for another where that other one hits it.

    The waiting place of an unprotected turn lies inside the junction. Where junctions are joined
    badly, or turns cut across each other, the body of who waits there covers the path of the other:
    simulated drivers collide. Two that cover each other's paths lock the junction as well.
    """
    one_sided: dict[int, list[str]] = defaultdict(list)
    mutual: dict[int, list[str]] = defaultdict(list)
    covered = {(a, b): yields for a, b, yields in _covered_paths(m)}
    for (a, b), yields in covered.items():
        junction, names = int(m.lane_junction[a]), (m.lane_name[a], m.lane_name[b])
        if a < b and (b, a) in covered:
            mutual[junction].append(f"{names[0]} and {names[1]}")
        if yields:
            one_sided[junction].append(f"{names[0]} in the path of {names[1]}")
    tables = (
        (SERIOUS, BLOCKING, mutual),
        (MINOR, "waits in the way", {k: v for k, v in one_sided.items() if k not in mutual}),
    )
    return [
        _at_junction(m, severity, kind, junction, "; ".join(sorted(texts)[:3]))
        for severity, kind, table in tables
        for junction, texts in table.items()
    ]


def _covered_paths(m: RoadMap) -> Iterator[tuple[int, int, bool]]:
    """(path, other, path yields) where who waits on `path` covers the path of `other`, and no
    signal keeps the two apart."""
    car = car_lanes(m) & (m.lane_turn != Turn.U_TURN)
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.conf_off))
    rows = car[lane] & car[m.conf_lane] & (m.conf_kind == ConflictKind.CROSS)
    for k in np.flatnonzero(rows & np.isfinite(m.waiting_m[lane])):
        path, other = int(lane[k]), int(m.conf_lane[k])
        if _may_go_together(m, path, other) and _waits_in_path(m, path, other):
            yield path, other, bool(m.conf_priority[k] < 0)


def _waits_in_path(m: RoadMap, path: int, other: int) -> bool:
    """Whether a car with its front at the waiting place of `path` is hit by one along `other`."""
    s, wait_m = m.arc(path), m.wait_m[path]
    body = (s >= wait_m - CAR_LENGTH_M) & (s <= wait_m)
    points = np.ascontiguousarray(m.points(path)[body])
    if not len(points):
        return False
    near, _, _ = shared_span(points, s[body], m.points(other), VEHICLE_WIDTH_M)
    return bool(near < VEHICLE_WIDTH_M - GRAZE_M)


def _may_go_together(m: RoadMap, a: int, b: int) -> bool:
    """Whether no signal keeps two connectors apart."""
    first, second = int(m.lane_head[a]), int(m.lane_head[b])
    if NONE in (first, second) or m.head_group[first] != m.head_group[second]:
        return True
    return any(x in "Gg" and y in "Gg" for x, y in _letters(m, first, second))


def _letters(m: RoadMap, first: int, second: int) -> Iterator[tuple[str, str]]:
    """What two heads of one group show in each phase."""
    group = int(m.head_group[first])
    i, j = int(m.head_link[first]), int(m.head_link[second])
    for state in m.phase_state[m.phase_off[group] : m.phase_off[group + 1]]:
        if max(i, j) < len(state):
            yield state[i], state[j]


def _signals(m: RoadMap) -> list[Defect]:
    out = []
    for group, name in enumerate(m.group_name):
        heads = np.flatnonzero(m.head_group == group)
        phases = m.phase_state[m.phase_off[group] : m.phase_off[group + 1]]
        x, y = m.head_xy_m[heads].mean(axis=0) if len(heads) else (math.nan, math.nan)
        place = (round(float(x), 2), round(float(y), 2))
        if not phases and len(heads):
            out.append(Defect(MINOR, "signal without program", name, "no phases known", *place))
        short = [p for p in phases if len(heads) and len(p) <= m.head_link[heads].max()]
        if short:
            text = f"state '{short[0]}' has no letter for link {m.head_link[heads].max()}"
            out.append(Defect(SERIOUS, "signal without state", name, text, *place))
    return out


# --- smoothness -----------------------------------------------------------------------------------


def smoothness(m: RoadMap) -> Smoothness:
    """Kinks at joins before and after smoothing, and curves too tight to drive."""
    pairs = join_pairs(m)
    before = _kinks(m.shape_off, m.shape_xy_m, pairs)
    after = _kinks(m.pt_off, m.pt_xy_m, pairs)
    tight = car_lanes(m) & (m.lane_turn != Turn.U_TURN)
    tight &= worst_curvature(m) > 1.0 / LEAST_RADIUS_M
    b50, b95, b100 = np.percentile(before, (50, 95, 100)) if len(before) else (0.0, 0.0, 0.0)
    a50, a95, a100 = np.percentile(after, (50, 95, 100)) if len(after) else (0.0, 0.0, 0.0)
    return Smoothness(
        joins=len(pairs),
        kink_before_p50_deg=float(b50),
        kink_before_p95_deg=float(b95),
        kink_before_max_deg=float(b100),
        kink_after_p50_deg=float(a50),
        kink_after_p95_deg=float(a95),
        kink_after_max_deg=float(a100),
        tight_lanes=int(tight.sum()),
    )


def _kinks(off: Int32Array, xy: FloatArray, pairs: Int32Array) -> FloatArray:
    """Degrees between the last segment before each join and the first after it."""
    end, start = off[pairs[:, 0] + 1] - 1, off[pairs[:, 1]]
    a, b = xy[end] - xy[end - 1], xy[start + 1] - xy[start]
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    turned: FloatArray = np.degrees(np.abs(np.arctan2(cross, (a * b).sum(axis=1))))
    return turned
