"""Slow twin of the OpenDRIVE reader: curvature summed up in steps of 5 cm, from the XML."""

import math
from bisect import bisect_right
from xml.etree import ElementTree

import numpy as np

from marque.core.arrays import FloatArray

STEP_M = 0.05
Piece = tuple[FloatArray, FloatArray, FloatArray, FloatArray]  # s, x, y, heading


class Twin:
    """Reference lines and lanes of one file, by brute force."""

    def __init__(self, data: bytes) -> None:
        root = ElementTree.fromstring(data)
        self.roads = {road.attrib["id"]: road for road in root.findall("road")}
        self._lines: dict[str, list[Piece]] = {}

    def pose(self, road_id: str, s_m: float) -> tuple[float, float, float]:
        """(x, y, heading) of the reference line, interpolated between the steps."""
        pieces = self._line(road_id)
        starts = [float(piece[0][0]) for piece in pieces]
        s, x, y, heading = pieces[max(0, bisect_right(starts, s_m) - 1)]
        return tuple(float(np.interp(s_m, s, column)) for column in (x, y, heading))  # type: ignore[return-value]

    def lane_centre(self, road_id: str, lane: int, s_m: float) -> tuple[float, float]:
        """(x, y) of the middle of a lane."""
        x, y, heading = self.pose(road_id, s_m)
        t = self.lane_t(road_id, lane, s_m)
        return x - t * math.sin(heading), y + t * math.cos(heading)

    def lane_t(self, road_id: str, lane: int, s_m: float) -> float:
        """t of the middle of a lane: half of its width beyond the widths of all within."""
        lanes = self.roads[road_id].find("lanes")
        assert lanes is not None
        t = _in_force(lanes.findall("laneOffset"), "s", 0.0, s_m)
        section = [one for one in lanes.findall("laneSection") if float(one.attrib["s"]) <= s_m][-1]
        start = float(section.attrib["s"])
        side = section.find("left" if lane > 0 else "right")
        assert side is not None
        sign = 1 if lane > 0 else -1
        widths = {
            int(one.attrib["id"]): _in_force(one.findall("width"), "sOffset", start, s_m)
            for one in side.findall("lane")
        }
        inner = sum(widths[sign * k] for k in range(1, abs(lane)))
        return t + sign * (inner + 0.5 * widths[lane])

    def _line(self, road_id: str) -> list[Piece]:
        if road_id not in self._lines:
            plan = self.roads[road_id].find("planView")
            assert plan is not None
            self._lines[road_id] = [walked(one) for one in plan.findall("geometry")]
        return self._lines[road_id]


def walked(geometry: ElementTree.Element) -> Piece:
    """One `<geometry>` in small steps: (s, x, y, heading), arrays [n]."""
    start, length, x, y, heading = (
        float(geometry.attrib[name]) for name in ("s", "length", "x", "y", "hdg")
    )
    shape = geometry[0]
    n = max(200, math.ceil(length / STEP_M))
    if shape.tag in ("poly3", "paramPoly3"):
        s, u, v, turn = _cubic(shape, length, 4 * n)
    else:
        k0 = float(shape.get("curvature", shape.get("curvStart", "0")))
        k1 = float(shape.get("curvature", shape.get("curvEnd", "0")))
        s = np.linspace(0.0, length, n + 1)
        bend = k0 + (k1 - k0) * s / length
        turn = _summed(bend, s)
        middle = 0.5 * (turn[1:] + turn[:-1])
        steps = np.column_stack((np.cos(middle), np.sin(middle))) * np.diff(s)[:, None]
        u, v = np.vstack((np.zeros(2), np.cumsum(steps, axis=0))).T
    c, d = math.cos(heading), math.sin(heading)
    return start + s, x + c * u - d * v, y + d * u + c * v, heading + turn


def _summed(rate: FloatArray, s: FloatArray) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(s))))


def _cubic(
    shape: ElementTree.Element, length: float, n: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """A cubic curve by chords; s is the length of the chords."""
    if shape.tag == "poly3":
        p = np.linspace(0.0, length, n + 1)
        u, v = p, _poly([float(shape.attrib[k]) for k in "abcd"], p)
    else:
        p = np.linspace(0.0, 1.0 if shape.get("pRange") != "arcLength" else length, n + 1)
        u, v = (_poly([float(shape.attrib[k + axis]) for k in "abcd"], p) for axis in "UV")
    s = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(u), np.diff(v)))))
    turn = np.unwrap(np.arctan2(np.gradient(v, p, edge_order=2), np.gradient(u, p, edge_order=2)))
    if shape.tag == "poly3":  # ends where its length is used up
        to = np.append(s[s < length], length)
        u, v, turn = (np.interp(to, s, column) for column in (u, v, turn))
        s = to
    return s, u, v, turn


def _poly(abcd: list[float], x: FloatArray) -> FloatArray:
    a, b, c, d = abcd
    return np.asarray(a + b * x + c * x**2 + d * x**3)


def _in_force(records: list[ElementTree.Element], name: str, start: float, s: float) -> float:
    before = [one for one in records if start + float(one.attrib[name]) <= s + 1e-9]
    if not before:
        return 0.0
    a, b, c, d = (float(before[-1].attrib[k]) for k in "abcd")
    x = s - start - float(before[-1].attrib[name])
    return a + b * x + c * x * x + d * x * x * x
