"""Slow twins of `kernels.forecast`: walking lanes on the RoadMap itself, leaders by brute force."""

import math

import numpy as np

from marque.types.codes import Allow, LaneKind, Turn


def _turn(road_map, lane, other):
    def end(i):
        return road_map.pt_heading_rad[road_map.pt_off[i + 1] - 1]

    return abs(math.remainder(end(other) - end(lane), 2.0 * math.pi))


def straightest(road_map, lane):
    """The successor for motor traffic, else for bicycles, that is straight on by the map, else any,
    that turns least; None at a dead end."""
    for who in (Allow.CAR | Allow.TRUCK | Allow.BUS, Allow.BICYCLE):
        after = [
            int(o)
            for o in road_map.successors(lane)
            if road_map.lane_allow[o] & who and road_map.lane_kind[o] != LaneKind.WALK
        ]
        if after:
            ahead = [o for o in after if road_map.lane_turn[o] == Turn.STRAIGHT]
            return min(ahead or after, key=lambda o: _turn(road_map, lane, o))
    return None


def walk(road_map, lane, s, d, settle, choice, reach):
    """[(x, y, heading, lane)] each metre."""
    out = []
    gone = 0.0
    while gone <= reach:
        while s > road_map.arc(lane)[-1]:
            s -= float(road_map.arc(lane)[-1])
            lane = choice if choice in road_map.successors(lane) else straightest(road_map, lane)
            if lane is None:
                return out
        arc, xy = road_map.arc(lane), road_map.points(lane)
        heading = np.unwrap(
            road_map.pt_heading_rad[road_map.pt_off[lane] : road_map.pt_off[lane + 1]]
        )
        x, y, psi = (float(np.interp(s, arc, column)) for column in (xy[:, 0], xy[:, 1], heading))
        side = d * max(0.0, 1.0 - gone / settle)
        out.append((x - side * math.sin(psi), y + side * math.cos(psi), psi, lane))
        gone += 1.0
        s += 1.0
    return out


def leader(path, own, tracks, within=math.inf):
    """(index, metres) of the first track standing in a path [(x, y, heading)], (-1, inf) if none.

    `own` is the index of the track whose path it is; tracks = [(x, y, heading, length, width)].
    Tracks further than `within` from every sample are left out.
    """
    best = (-1, math.inf)
    for j, (x, y, heading, length, width) in enumerate(tracks):
        away = [math.hypot(x - px, y - py) for px, py, _ in path]
        at = min(range(len(away)), key=away.__getitem__)
        far = math.hypot(x - tracks[own][0], y - tracks[own][1]) > len(path) + 5.0
        if j == own or far or at == 0 or at >= best[1] or away[at] > within:
            continue
        px, py, psi = path[at]
        beside = -math.sin(psi) * (x - px) + math.cos(psi) * (y - py)
        turn = heading - psi
        wide = abs(length * math.sin(turn)) + abs(width * math.cos(turn)) + tracks[own][4]
        if abs(beside) < 0.5 * wide + 0.1:
            best = (j, float(at))
    return best


def likeness(road_map, lane, s, x, y, psi):
    """Product of two bell curves, over the offset and over the chord of the angle to the lane."""
    at = max(0, int(np.searchsorted(road_map.arc(lane), s, side="right")) - 1)
    here = road_map.points(lane)[at]
    heading = float(road_map.pt_heading_rad[road_map.pt_off[lane] + at])
    left = np.array([-math.sin(heading), math.cos(heading)])
    aside = float(np.dot(np.array([x, y]) - here, left))
    bell = math.exp(-((aside / 0.5) ** 2)) * math.exp(
        -((2.0 - 2.0 * math.cos(psi - heading)) / 0.15**2)
    )
    return bell + 1e-3
