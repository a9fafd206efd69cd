"""Who goes first among the paths through a junction.

In this order, as the law has it (draft values; a country's law may differ):

1. what the file's `<priority>` says of their roads;
2. signs: a priority road before one without a sign, that before one that must yield or stop;
3. of paths from one road or from opposite ones, the one that turns less (straight, towards the own
   side of the road, across the other side, back) goes first;
4. from the right before from the left; from the left before from the right where traffic keeps
   left.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length
from marque.maps.conflicts import SIDE_MARGIN_M, VEHICLE_WIDTH_M, shared_span
from marque.maps.formats.opendrive.signs import Approach
from marque.types.codes import Control

ROOM_M = VEHICLE_WIDTH_M + 2.0 * SIDE_MARGIN_M
STRAIGHT_RAD = math.radians(35.0)
BACK_RAD = math.radians(150.0)
FACING_RAD = math.radians(45.0)
PARALLEL_RAD = math.radians(10.0)  # neither comes from the right of the other


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One path through a junction: lane by lane, from `start` to `end` (names of lanes)."""

    name: str
    start: str
    end: str
    incoming: str  # road ids
    connecting: str
    line_m: FloatArray  # [n, 2]
    approach: Approach

    @property
    def turn_rad(self) -> float:
        """How far it turns, left positive."""
        a, b = self.line_m[1] - self.line_m[0], self.line_m[-1] - self.line_m[-2]
        return math.atan2(a[0] * b[1] - a[1] * b[0], float(a @ b))

    @property
    def letter(self) -> str:
        """SUMO's letter of its turn."""
        if abs(self.turn_rad) < STRAIGHT_RAD:
            return "s"
        if abs(self.turn_rad) > BACK_RAD:
            return "t"
        return "l" if self.turn_rad > 0.0 else "r"


def foes(ways: list[Way]) -> dict[int, int]:
    """Bits of the others whose ground each way shares; not of those that start on its lane."""
    out = dict.fromkeys(range(len(ways)), 0)
    for i, a in enumerate(ways):
        for j, b in enumerate(ways[i + 1 :], start=i + 1):
            if a.start != b.start and (a.end == b.end or _near(a, b)):
                out[i] |= 1 << j
                out[j] |= 1 << i
    return out


def _near(a: Way, b: Way) -> bool:
    low, high = a.line_m.min(axis=0) - ROOM_M, a.line_m.max(axis=0) + ROOM_M
    if (b.line_m.max(axis=0) < low).any() or (b.line_m.min(axis=0) > high).any():
        return False
    line = np.ascontiguousarray(a.line_m)
    near, _, _ = shared_span(line, arc_length(line), np.ascontiguousarray(b.line_m), ROOM_M)
    return bool(near < ROOM_M)


def yields(
    ways: list[Way], against: dict[int, int], ranks: tuple[tuple[str, str], ...], left_hand: bool
) -> dict[int, int]:
    """Bits of the foes that each way yields to. ranks: (goes first, yields), road ids."""
    out = dict.fromkeys(range(len(ways)), 0)
    for i, a in enumerate(ways):
        for j, b in enumerate(ways):
            if against[i] >> j & 1 and _first(b, a, ranks, left_hand):
                out[i] |= 1 << j
    return out


def _first(a: Way, b: Way, ranks: tuple[tuple[str, str], ...], left_hand: bool) -> bool:
    """Whether a goes before b."""
    for high, low in ranks:
        if high in (a.connecting, a.incoming) and low in (b.connecting, b.incoming):
            return True
        if high in (b.connecting, b.incoming) and low in (a.connecting, a.incoming):
            return False
    if _rank(a.approach) != _rank(b.approach):
        return _rank(a.approach) < _rank(b.approach)
    bend = _bend(a, b)
    ranks_of_turns = _turn_rank(a, left_hand), _turn_rank(b, left_hand)
    aslant = min(abs(bend), math.pi - abs(bend))
    if aslant < FACING_RAD and ranks_of_turns[0] != ranks_of_turns[1]:
        return ranks_of_turns[0] < ranks_of_turns[1]
    if aslant < PARALLEL_RAD:
        return False
    # a heads to the left of b, so it comes from b's right
    from_right = _bend(b, a) > 0.0
    return from_right != left_hand


def _rank(approach: Approach) -> int:
    if approach.priority:
        return 0
    return {Control.YIELD: 2, Control.STOP: 3}.get(approach.control, 1)


def _turn_rank(way: Way, left_hand: bool) -> int:
    near, far = ("l", "r") if left_hand else ("r", "l")
    return {"s": 0, near: 1, far: 2, "t": 3}[way.letter]


def _bend(a: Way, b: Way) -> float:
    """Heading of b's start relative to a's."""
    u, v = a.line_m[1] - a.line_m[0], b.line_m[1] - b.line_m[0]
    return math.atan2(u[0] * v[1] - u[1] * v[0], float(u @ v))
