"""Conflicts between connectors and who goes first there, from SUMO's right-of-way matrix."""

import math
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, Int8Array, Int32Array
from marque.maps.conflicts import SIDE_MARGIN_M, VEHICLE_WIDTH_M, Overlaps, find_overlaps
from marque.maps.formats.sumo_draft import Draft, csr
from marque.maps.formats.sumo_net import NetJunction
from marque.maps.smooth import Lines
from marque.types.codes import ConflictKind, Control, LaneKind

# half of the strip that the usual vehicle of a lane sweeps, without margin
HALF_WIDTHS_M = {
    LaneKind.DRIVE: 0.5 * VEHICLE_WIDTH_M,
    LaneKind.BUS: 1.3,
    LaneKind.BIKE: 0.4,
    LaneKind.OTHER: 1.3,
    LaneKind.SHOULDER: 0.5 * VEHICLE_WIDTH_M,
    LaneKind.WALK: 0.4,
}


def conflict_fields(
    draft: Draft,
    kind: Int8Array,
    control: Int8Array,
    roundabout: BoolArray,
    lines: Lines,
    start: Int32Array,
    end: Int32Array,
) -> dict[str, Any]:
    pairs, listed = _candidate_pairs(draft, kind)
    half = np.array([HALF_WIDTHS_M[LaneKind(k)] + SIDE_MARGIN_M for k in kind])
    edge = np.array(draft.lane_edge, dtype=np.int32)
    abreast = edge[start[pairs[:, 0]]] == edge[start[pairs[:, 1]]]
    found = find_overlaps(
        pairs, listed, abreast, half, lines.pt_off, lines.pt_xy_m, lines.pt_s_m, start, end
    )
    priority, guessed = _priorities(draft, found, lines, roundabout)
    return _both_sides(found, priority, guessed, len(kind))


def _candidate_pairs(draft: Draft, kind: Int8Array) -> tuple[Int32Array, BoolArray]:
    """Pairs of connectors of one junction, and whether the source lists them as foes."""
    n = len(draft.lanes)
    groups: dict[int, list[int]] = {}
    for i, c in enumerate(draft.connectors):
        if c.junction >= 0 and kind[n + i] != LaneKind.WALK:
            groups.setdefault(c.junction, []).append(i)
    pairs: list[tuple[int, int]] = []
    listed: list[bool] = []
    for junction, members in groups.items():
        foes = draft.net.junctions[junction].foes
        for k, i in enumerate(members):
            row = foes.get(draft.connectors[i].index, 0)
            for j in members[k + 1 :]:
                other = draft.connectors[j].index
                pairs.append((n + i, n + j))
                listed.append(other >= 0 and bool(row >> other & 1))
    return (
        np.array(pairs, dtype=np.int32).reshape(-1, 2),
        np.array(listed, dtype=np.bool_),
    )


def _priorities(
    draft: Draft, found: Overlaps, lines: Lines, roundabout: BoolArray
) -> tuple[Int8Array, BoolArray]:
    """Priority of a over b for every overlap, and whether it had to be guessed."""
    n = len(draft.lanes)
    priority = np.zeros(len(found.a), dtype=np.int8)
    guessed = np.zeros(len(found.a), dtype=np.bool_)
    for k, (a, b) in enumerate(zip(found.a.tolist(), found.b.tolist(), strict=True)):
        if found.kind[k] == ConflictKind.DIVERGE:
            continue
        first, second = draft.connectors[a - n], draft.connectors[b - n]
        junction = draft.net.junctions[first.junction]
        if junction.kind == "allway_stop":
            continue
        if Control.ZIPPER in (first.control, second.control):
            continue
        a_yields = _yields(junction, first.index, second.index)
        b_yields = _yields(junction, second.index, first.index)
        if a_yields != b_yields:
            priority[k] = -1 if a_yields else 1
            continue
        guessed[k] = True
        priority[k] = _general_rule(draft, lines, a, b)
    return priority, guessed


def _yields(junction: NetJunction, index: int, other: int) -> bool:
    if index < 0 or other < 0:
        return False
    return bool(junction.yields.get(index, 0) >> other & 1)


_RANK = {
    Control.FREE: 0,
    Control.SIGNAL: 0,
    Control.RIGHT_BEFORE_LEFT: 0,
    Control.ZIPPER: 0,
    Control.ALL_WAY_STOP: 0,
    Control.ROUNDABOUT: 1,
    Control.YIELD: 1,
    Control.STOP: 2,
}
_TURN_RANK = {"s": 0, "r": 1, "R": 1, "l": 2, "L": 2, "t": 3, "T": 3}


def _general_rule(draft: Draft, lines: Lines, a: int, b: int) -> int:
    """Priority of a over b where the source does not say.

    In this order: circulating traffic first; fewer signs first; a turn yields to the less turning
    of the same or the opposite approach; right before left (left before right where traffic keeps
    left); otherwise the straighter path. Draft values: a region's law may differ.
    """
    n = len(draft.lanes)
    first, second = draft.connectors[a - n], draft.connectors[b - n]
    if first.circulating != second.circulating:
        return 1 if first.circulating else -1
    rank = _RANK[second.control] - _RANK[first.control]
    if rank:
        return 1 if rank > 0 else -1
    bend = _bend(lines, first.start, second.start)
    turn = _TURN_RANK.get(second.row.turn, 0) - _TURN_RANK.get(first.row.turn, 0)
    facing = abs(bend) < math.radians(45.0) or abs(bend) > math.radians(135.0)
    if facing and turn:
        return 1 if turn > 0 else -1
    if not facing:
        # b heads to the left of a (bend > 0): b comes from a's right
        from_right = bend > 0.0
        return -1 if from_right != draft.net.left_hand else 1
    return 0


def _bend(lines: Lines, a: int, b: int) -> float:
    """Heading of lane b's end relative to lane a's end, in (-pi, pi]."""
    turned = lines.pt_heading_rad[lines.pt_off[b + 1] - 1]
    turned = turned - lines.pt_heading_rad[lines.pt_off[a + 1] - 1]
    return math.atan2(math.sin(turned), math.cos(turned))


def _both_sides(
    found: Overlaps, priority: Int8Array, guessed: BoolArray, total: int
) -> dict[str, Any]:
    """Every overlap as a row of a and a row of b, grouped by lane, in order of s."""
    lane = np.concatenate((found.a, found.b))
    other = np.concatenate((found.b, found.a))
    s_in = np.concatenate((found.a_in_m, found.b_in_m))
    order = np.lexsort((other, s_in, lane))
    return {
        "conf_off": csr(lane, total),
        "conf_lane": other[order].astype(np.int32),
        "conf_kind": np.concatenate((found.kind, found.kind))[order],
        "conf_priority": np.concatenate((priority, -priority))[order].astype(np.int8),
        "conf_s_in_m": s_in[order],
        "conf_s_out_m": np.concatenate((found.a_out_m, found.b_out_m))[order],
        "conf_other_in_m": np.concatenate((found.b_in_m, found.a_in_m))[order],
        "conf_other_out_m": np.concatenate((found.b_out_m, found.a_out_m))[order],
        "conf_guessed": np.concatenate((guessed, guessed))[order],
    }
