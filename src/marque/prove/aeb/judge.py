"""The verdict on one case, from what truly happened in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import boxes_overlap, wrap_angle
from marque.core.time import NS_PER_S
from marque.core.units import to_kph
from marque.prove.aeb.criteria import QUIET, Criteria, Ruling
from marque.prove.verdicts import FAILED, PASSED
from marque.types.platform import Platform
from marque.types.world import World

PARTS = 5  # of a frame of 100 ms in which contact is looked for
STANDS_MPS = 0.1  # contact while we stand is no impact of ours
NEAR_M = 12.0  # clearance is measured to who is nearer
SAME_WAY = 0.5  # cosine
SLOWER_KPH = 2.0  # at least, where no number is asked for
FAR_M, FAR = 99.0, 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """What the judge looks at, whoever drove.

    asked [k, 4]: time, braking that the guard asked for, whether it warned (nan: not known), and
    its margin.
    """

    worlds: tuple[World, ...]  # each 100 ms
    names: Mapping[int, str]
    asked: FloatArray
    platform: Platform


@dataclass(frozen=True, slots=True)
class Contact:
    """The first touch: when, with whom, our speed, and how fast we came nearer along our car."""

    t_s: float
    frame: int
    uid: int
    speed_mps: float
    closing_mps: float


@dataclass(frozen=True, slots=True)
class Mark:
    """One criterion's verdict; margin in `unit`, positive where it is met."""

    name: str
    met: bool
    margin: float
    unit: str
    words: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on a case, the frame of its worst moment, and numbers for the report."""

    verdict: str
    marks: tuple[Mark, ...]
    frame: int
    facts: dict[str, Any]


def judge(driven: Driven, ruling: Ruling, criteria: Criteria) -> Judged:
    """The verdict."""
    contact, clearance_m, nearest = look(driven)
    test_kph = to_kph(abs(driven.worlds[0].ego.speed_mps))
    impact_kph = 0.0
    if contact is not None and abs(contact.speed_mps) > STANDS_MPS:
        impact_kph = to_kph(max(0.0, contact.closing_mps))
    facts = _facts(driven, contact, test_kph, impact_kph, clearance_m)
    marks = tuple(_marks(facts, driven, ruling))
    met = all(mark.met for mark in marks)
    band = criteria.colour(impact_kph, ruling)
    facts["colour"] = None if band is None else band.colour
    facts["share"] = None if band is None else band.share
    frame = nearest if contact is None else contact.frame
    if ruling.kind == QUIET and contact is None:
        frame = _frame_at(driven, float(driven.asked[int(driven.asked[:, 3].argmin()), 0]))
    return Judged(PASSED if met else FAILED, marks, frame, facts)


def look(driven: Driven) -> tuple[Contact | None, float, int]:
    """(first touch, least clearance in m, its frame); between frames everybody moves evenly."""
    least, nearest = FAR_M, 0
    for k, (a, b) in enumerate(zip(driven.worlds, driven.worlds[1:], strict=False)):
        rows = {int(uid): row for row, uid in enumerate(a.users.uid)}
        for part in range(1, PARTS + 1):
            share = part / PARTS
            own = _between(_ego(a), _ego(b), share)
            box = _box(own, driven.platform)
            for row, uid in enumerate(b.users.uid.tolist()):
                there = _user(b, row)
                if uid in rows:
                    there = _between(_user(a, rows[uid]), there, share)
                size = (float(b.users.length_m[row]), float(b.users.width_m[row]))
                if math.hypot(there[0] - box[0], there[1] - box[1]) > NEAR_M + size[0]:
                    continue
                gap = clearance(box, (*there[:3], *size))
                if gap < least:
                    least, nearest = gap, k + (1 if share > 0.5 else 0)
                if gap == 0.0:
                    t_s = (a.t_ns + share * (b.t_ns - a.t_ns)) / NS_PER_S
                    turn = math.cos(there[2] - own[2])
                    along = there[3] * turn if turn > SAME_WAY or own[3] < 0.0 else 0.0
                    closing = own[3] - along if own[3] >= 0.0 else -own[3] + min(0.0, along)
                    return Contact(t_s, nearest, int(uid), own[3], closing), 0.0, nearest
    return None, least, nearest


Moving = tuple[float, float, float, float]  # x, y, heading, speed
Box = tuple[float, float, float, float, float]  # middle, heading, length, width


def _ego(world: World) -> Moving:
    ego = world.ego
    return ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps


def _user(world: World, row: int) -> Moving:
    u = world.users
    return float(u.x_m[row]), float(u.y_m[row]), float(u.heading_rad[row]), float(u.speed_mps[row])


def _between(a: Moving, b: Moving, share: float) -> Moving:
    turn = float(wrap_angle(b[2] - a[2]))
    return (
        a[0] + share * (b[0] - a[0]),
        a[1] + share * (b[1] - a[1]),
        a[2] + share * turn,
        a[3] + share * (b[3] - a[3]),
    )


def _box(own: Moving, platform: Platform) -> Box:
    x = own[0] + platform.centre_m * math.cos(own[2])
    y = own[1] + platform.centre_m * math.sin(own[2])
    return x, y, own[2], platform.length_m, platform.width_m


def clearance(a: Box, b: Box) -> float:
    """Between two rectangles, in metres; 0 where they touch."""
    if boxes_overlap(*a, *b):
        return 0.0
    return min(_corners_to(a, b), _corners_to(b, a))


def _corners_to(a: Box, b: Box) -> float:
    """From the corners of one rectangle to another: two that are apart are nearest at a corner."""
    turn = a[2] - b[2]
    dx, dy = a[0] - b[0], a[1] - b[1]
    c, s = math.cos(b[2]), math.sin(b[2])
    x, y = c * dx + s * dy, c * dy - s * dx
    least = math.inf
    for along, aside in ((0.5, 0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, -0.5)):
        px = x + along * a[3] * math.cos(turn) - aside * a[4] * math.sin(turn)
        py = y + along * a[3] * math.sin(turn) + aside * a[4] * math.cos(turn)
        away = math.hypot(max(0.0, abs(px) - 0.5 * b[3]), max(0.0, abs(py) - 0.5 * b[4]))
        least = min(least, away)
    return least


def _first(asked: FloatArray, which: BoolArray) -> float | None:
    rows = np.flatnonzero(which)
    return None if not len(rows) else round(float(asked[rows[0], 0]), 2)


def _facts(
    driven: Driven,
    contact: Contact | None,
    test_kph: float,
    impact_kph: float,
    clearance_m: float,
) -> dict[str, Any]:
    asked = driven.asked
    warned = _first(asked, asked[:, 2] > 0.5)
    return {
        "test_speed_kph": round(test_kph, 1),
        "impact_speed_kph": round(impact_kph, 2),
        "contact": None if contact is None else driven.names.get(contact.uid, str(contact.uid)),
        "contact_s": None if contact is None else round(contact.t_s, 2),
        "contact_speed_kph": None if contact is None else round(to_kph(contact.speed_mps), 2),
        "clearance_m": round(clearance_m, 2),
        "warned_s": warned,
        "warned_ttc_s": None if warned is None else _ttc_s(driven, warned),
        "braked_s": _first(asked, asked[:, 1] > 0.0),
        "emergency_s": _first(asked, asked[:, 1] >= 5.0 - 1e-9),
        "peak_braking_mps2": round(float(asked[:, 1].max(initial=0.0)), 2),
        "least_margin": round(float(asked[:, 3].min(initial=FAR)), 3),
        "duration_s": round((driven.worlds[-1].t_ns - driven.worlds[0].t_ns) / NS_PER_S, 1),
    }


def _marks(facts: Mapping[str, Any], driven: Driven, ruling: Ruling) -> list[Mark]:
    impact = facts["impact_speed_kph"]
    if ruling.kind == QUIET:
        return [
            Mark("no contact", facts["contact"] is None, facts["clearance_m"], "m", ""),
            Mark(
                "no braking", facts["braked_s"] is None, round(facts["least_margin"] - 1.0, 3), "",
                "" if facts["braked_s"] is None else f"braked at {facts['braked_s']} s",
            ),
        ]  # fmt: skip
    allowed = ruling.allowed_kph(facts["test_speed_kph"])
    words = "" if facts["contact"] is None else f"{facts['contact']} at {impact:.1f} km/h"
    if allowed is None:
        free = facts["test_speed_kph"] - SLOWER_KPH
        met = facts["contact"] is None or impact <= free
        marks = [Mark("mitigated", met, round(free - impact, 2), "km/h", words)]
    else:
        marks = [Mark("impact", impact <= allowed, round(allowed - impact, 2), "km/h", words)]
    if math.isnan(driven.asked[0, 2]):
        return marks  # a driver of ours: what it warned of and asked for is not of interest
    if ruling.warns_ttc_s is not None:
        ttc = facts["warned_ttc_s"] or 0.0
        spare = round(ttc - ruling.warns_ttc_s, 2)
        marks.append(Mark("warning", spare >= 0.0, spare, "s", f"warned {ttc:.2f} s ahead"))
    began = facts["emergency_s"]
    if ruling.warns_before_s is not None and began is not None:
        ahead = began - (facts["warned_s"] if facts["warned_s"] is not None else math.inf)
        spare = round(max(-FAR, ahead - ruling.warns_before_s), 2)
        marks.append(Mark("warned before", spare >= 0.0, spare, "s", f"{ahead:.2f} s before"))
    if ruling.demand_mps2 is not None:
        spare = round(facts["peak_braking_mps2"] - ruling.demand_mps2, 2)
        marks.append(Mark("demand", spare >= 0.0, spare, "m/s2", ""))
    return marks


def _frame_at(driven: Driven, t_s: float) -> int:
    began = driven.worlds[0].t_ns / NS_PER_S
    return min(len(driven.worlds) - 1, max(0, round((t_s - began) / 0.1)))


def _ttc_s(driven: Driven, t_s: float) -> float | None:
    """To who is ahead within our width, at constant speeds; None: nobody is, or gets nearer."""
    world = driven.worlds[_frame_at(driven, t_s)]
    own, platform = _ego(world), driven.platform
    best = None
    for row in range(len(world.users.uid)):
        x, y, heading, speed = _user(world, row)
        dx, dy = x - own[0], y - own[1]
        c, s = math.cos(own[2]), math.sin(own[2])
        length, width = float(world.users.length_m[row]), float(world.users.width_m[row])
        gap = dx * c + dy * s - platform.front_m - 0.5 * length
        beside = abs(dy * c - dx * s) - 0.5 * (platform.width_m + width)
        closing = own[3] - speed * math.cos(heading - own[2])
        if gap > 0.0 and beside < 0.0 and closing > 0.0:
            best = gap / closing if best is None else min(best, gap / closing)
    return None if best is None else round(best, 2)
