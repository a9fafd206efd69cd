"""Signs and lights that decide who goes first: which lanes they hold for, and what they say.

Signs are known by their numbers in the German and the US catalogue, lights by OpenDRIVE's own.
"""

from collections import Counter
from dataclasses import dataclass

from marque.maps.formats.opendrive.links import LaneEnd
from marque.maps.formats.opendrive.records import END, Document, Signal
from marque.types.codes import Control

STOP = frozenset(("206", "R1-1"))
YIELD = frozenset(("205", "R1-2"))
PRIORITY = frozenset(("301", "306"))
STOP_LINE = frozenset(("294",))
LIGHT_PREFIX = "10000"
LIGHTS_FOR_OTHERS = frozenset(("1000002", "1000007", "1000013"))  # on foot, by bicycle
SIGN_REACH_M = 100.0  # a sign farther before the junction is not about it


@dataclass(frozen=True, slots=True)
class Approach:
    """What stands at a lane's end before a junction, or at the start of a connecting lane.

    light: (group, link within the group), or None; stop_s_m: a painted stop line, or None.
    """

    control: Control = Control.FREE
    priority: bool = False
    light: tuple[str, int] | None = None
    stop_s_m: float | None = None


def is_light(signal: Signal) -> bool:
    """Whether it is a light for vehicles."""
    kind = signal.kind
    return signal.dynamic and kind.startswith(LIGHT_PREFIX) and kind not in LIGHTS_FOR_OTHERS


def unread(file: Document) -> list[str]:
    """A note on signs and lights that nothing here understands, by type; [] without any."""
    known = STOP | YIELD | PRIORITY | STOP_LINE | LIGHTS_FOR_OTHERS
    every = [one for road in file.roads.values() for one in road.signals]
    kinds = Counter(one.kind for one in every if one.kind not in known and not is_light(one))
    del kinds[""]  # references to others
    told = ", ".join(f"{count} of type '{kind}'" for kind, count in sorted(kinds.items()))
    return [f"signals that are not read: {told}"] if told else []


class Signs:
    """All signals of a file, with references resolved, by road."""

    def __init__(self, file: Document) -> None:
        every = [one for road in file.roads.values() for one in road.signals]
        named = {one.signal_id: one for one in every if one.kind}
        self._file = file
        self._of_road: dict[str, list[tuple[Signal, Signal]]] = {}
        for road in file.roads.values():
            for one in road.signals:
                if not one.kind and one.signal_id not in named:
                    raise file.error(one.line, f"no signal '{one.signal_id}' to refer to")
                meant = one if one.kind else named[one.signal_id]
                self._of_road.setdefault(road.road_id, []).append((one, meant))
        self._groups = self._group()

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Signal ids by group: the file's controllers; a light without one is its own group."""
        return self._groups

    def at(self, end: LaneEnd, s_from: float) -> Approach:
        """What holds for traffic that leaves its lane at `end`; s_from: where the lane begins."""
        road = self._file.roads[end[0]]
        section = road.sections[end[1]]
        along = end[3] == END
        border = section.end_m if along else section.s_m
        found = [
            (here, meant)
            for here, meant in self._of_road.get(end[0], [])
            if _holds(here, along, end[2])
            and abs(border - here.s_m) <= SIGN_REACH_M
            and min(s_from, border) - 1e-6 <= here.s_m <= max(s_from, border) + 1e-6
        ]
        return self._approach(found)

    def inside(self, road_id: str, lane: int, along: bool) -> Approach:
        """What holds on a connecting road."""
        found = [pair for pair in self._of_road.get(road_id, []) if _holds(pair[0], along, lane)]
        return self._approach(found)

    def _approach(self, found: list[tuple[Signal, Signal]]) -> Approach:
        kinds = {meant.kind for _, meant in found}
        lights = sorted(meant.signal_id for _, meant in found if is_light(meant))
        lines = [here.s_m for here, meant in found if meant.kind in STOP_LINE]
        control = Control.FREE
        if kinds & STOP:
            control = Control.STOP
        elif kinds & YIELD:
            control = Control.YIELD
        return Approach(
            control=control,
            priority=bool(kinds & PRIORITY),
            light=self._link(lights[0]) if lights else None,
            stop_s_m=lines[-1] if lines else None,
        )

    def _group(self) -> dict[str, tuple[str, ...]]:
        lights = sorted(
            {
                meant.signal_id
                for pairs in self._of_road.values()
                for _, meant in pairs
                if is_light(meant)
            }
        )
        groups = {
            name: tuple(one for one in members if one in lights)
            for name, members in self._file.controllers.items()
        }
        groups = {name: members for name, members in groups.items() if members}
        ruled = {one for members in groups.values() for one in members}
        return groups | {one: (one,) for one in lights if one not in ruled}

    def _link(self, light: str) -> tuple[str, int]:
        name = next(name for name, members in self._groups.items() if light in members)
        return name, self._groups[name].index(light)


def _holds(signal: Signal, along: bool, lane: int) -> bool:
    if signal.orientation in ("+", "-") and (signal.orientation == "+") != along:
        return False
    return not signal.lanes or any(min(pair) <= lane <= max(pair) for pair in signal.lanes)
