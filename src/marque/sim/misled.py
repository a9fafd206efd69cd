"""Senses of a car whose map is wrong, or who is not where it believes to be.

What is sensed is the truth. Signals are read by the heads of the car's own map: of those that it
does not have, nothing comes under their number. A wrong own place moves everything that is told in
the map's frame along with the car; with equipment, the satellites' fixes.
"""

import math
from dataclasses import replace

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array
from marque.core.geometry import wrap_angles
from marque.sim.senses import Senses
from marque.types.codes import SignalState
from marque.types.reading import Delivery, Gnss, Reading, SignalReading
from marque.types.road_map import NONE, RoadMap
from marque.types.world import EgoTruth, World

SAME_HEAD_M = 3.0


class Misled:
    """Senses with another map than the world's, and a place that is off."""

    def __init__(
        self, senses: Senses, true_map: RoadMap, own_map: RoadMap, off: tuple[float, float]
    ) -> None:
        self.senses = senses
        self.heads = same_heads(true_map, own_map)
        self.off = off

    def observe(self, world: World) -> None:
        """See the world as it is now."""
        self.senses.observe(world)

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading | Delivery:
        """What has arrived by `t_ns`."""
        came = self.senses.receive(ego, t_ns)
        if isinstance(came, Reading):
            return self._reading(came)
        return replace(
            came,
            signals=tuple(self._signals(each) for each in came.signals),
            gnss=tuple(self._fix(each, ego) for each in came.gnss),
        )

    def _signals(self, read: SignalReading) -> SignalReading:
        state: Int8Array = np.full(len(self.heads), np.int8(SignalState.UNKNOWN), dtype=np.int8)
        known = self.heads != NONE
        state[known] = read.state[self.heads[known]]
        return SignalReading(read.t_ns, state)

    def _reading(self, read: Reading) -> Reading:
        """Everything in the map's frame turns about the car and moves with it."""
        ego, found = read.ego, read.detections
        turn = self.off[1]
        here = self._moved(ego.x_m, ego.y_m, ego.heading_rad)
        c, s = math.cos(turn), math.sin(turn)
        dx, dy = found.x_m - ego.x_m, found.y_m - ego.y_m
        return replace(
            read,
            ego=replace(ego, x_m=here[0], y_m=here[1], heading_rad=ego.heading_rad + turn),
            detections=replace(
                found,
                x_m=here[0] + c * dx - s * dy,
                y_m=here[1] + s * dx + c * dy,
                heading_rad=wrap_angles(found.heading_rad + turn),
            ),
            signals=self._signals(read.signals),
        )

    def _fix(self, fix: Gnss, ego: EgoTruth) -> Gnss:
        x, y = self._moved(fix.x_m, fix.y_m, ego.heading_rad)
        return replace(fix, x_m=x, y_m=y, course_rad=fix.course_rad + self.off[1])

    def _moved(self, x: float, y: float, heading: float) -> tuple[float, float]:
        return x - self.off[0] * math.sin(heading), y + self.off[0] * math.cos(heading)


def same_heads(true_map: RoadMap, own_map: RoadMap) -> Int32Array:
    """[H of our map] the head of the true one that stands there, NONE if there is none."""
    out = np.full(len(own_map.head_group), NONE, np.int32)
    used = np.zeros(len(own_map.head_group), np.bool_)
    governed = own_map.lane_head[own_map.lane_head != NONE]
    used[governed] = True
    for h in np.flatnonzero(used).tolist():
        x, y = own_map.head_xy_m[h]
        away: FloatArray = np.hypot(true_map.head_xy_m[:, 0] - x, true_map.head_xy_m[:, 1] - y)
        turns = _turn_of(own_map, h)
        for k in np.argsort(away, kind="stable").tolist():
            if away[k] > SAME_HEAD_M:
                break
            if _turn_of(true_map, k) == turns:
                out[h] = k
                break
    return out


def _turn_of(road_map: RoadMap, head: int) -> frozenset[int]:
    """Which turns a head governs."""
    lanes = np.flatnonzero(road_map.lane_head == head)
    return frozenset(road_map.lane_turn[lanes].tolist())
