"""Roads ahead for the guard, laid out by hand, and a car that drives towards them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from worlds import DT_NS, Run, User, plan_of, reading

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator, SignalState
from marque.types.command import Command
from marque.types.plan import Plan
from marque.types.platform import Platform
from marque.types.reading import RoadAhead
from marque.vehicle import dynamics

RED, GREEN, YIELD = SignalState.RED, SignalState.GREEN, SignalState.GREEN_YIELD
LEAD_M = 6.0
Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Entry:
    """A way into a junction: its line begins LEAD_M before the stop line."""

    line: Line
    signal: SignalState = RED
    before: int = 0


@dataclass(frozen=True)
class Zone:
    """Ground on entry 0 that is crossed by others on a line."""

    line: Line
    ours: tuple[float, float]
    theirs: tuple[float, float]
    sure: float = 0.0
    signal: SignalState = SignalState.OFF
    entry: int = 0


def straight_in(stop_m: float, after_m: float = 25.0, y: float = 0.0) -> Line:
    """Along x over a stop line."""
    return [(x, y) for x in np.arange(stop_m - LEAD_M, stop_m + after_m + 0.1, 1.0)]


def map_road(entries: Sequence[Entry], zones: Sequence[Zone] = ()) -> RoadAhead:
    """A road in the map's frame, at t = 0; lanes are 3.2 m wide."""
    lines = [np.array(e.line, float) for e in entries] + [np.array(z.line, float) for z in zones]
    count = len(entries)

    def column(values: Sequence[float]) -> FloatArray:
        return np.array(values, np.float64)

    return RoadAhead(
        t_ns=0,
        line_off=np.cumsum([0, *map(len, lines)], dtype=np.int32),
        line_xy_m=np.concatenate(lines) if lines else np.zeros((0, 2)),
        line_s_m=np.concatenate([arc_length(line) for line in lines]) if lines else np.zeros(0),
        line_half_m=np.full(len(lines), 1.6),
        entry_line=np.arange(count, dtype=np.int32),
        entry_from=np.array([e.before for e in entries], np.int32),
        entry_stop_m=np.full(count, LEAD_M),
        entry_signal=np.array([e.signal for e in entries], np.int8),
        zone_entry=np.array([z.entry for z in zones], np.int32),
        zone_in_m=column([z.ours[0] for z in zones]),
        zone_out_m=column([z.ours[1] for z in zones]),
        zone_line=np.arange(count, count + len(zones), dtype=np.int32),
        zone_their_in_m=column([z.theirs[0] for z in zones]),
        zone_their_out_m=column([z.theirs[1] for z in zones]),
        zone_sure_m=column([z.sure for z in zones]),
        zone_signal=np.array([z.signal for z in zones], np.int8),
        user_uid=np.zeros(0, np.int64),
        user_road_rad=np.zeros(0),
    )


def seen_from(road: RoadAhead, x: float, y: float, heading: float, t_ns: int) -> RoadAhead:
    """The same in the car's frame."""
    c, s = np.cos(heading), np.sin(heading)
    turn = np.array([[c, -s], [s, c]])
    return replace(road, t_ns=t_ns, line_xy_m=(road.line_xy_m - (x, y)) @ turn)


def with_signals(road: RoadAhead, *states: SignalState) -> RoadAhead:
    """The same with other signals."""
    return replace(road, entry_signal=np.array(states, np.int8))


def approach(
    platform: Platform,
    speed: float,
    road: Callable[[float], RoadAhead | None],
    seconds: float,
    *,
    asks: Callable[[float, FloatArray], float] = lambda _t, _car: 0.0,
    traffic: Callable[[float], list[User]] = lambda _t: [],
    planned: Callable[[FloatArray, int], Plan] = plan_of,
) -> Run:
    """Straight on from the origin; `road(t)` in the map's frame is seen each 100 ms, as are others;
    what is asked for, each 20 ms."""
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, 0.0, 0.0, speed)
    memory = GuardMemory()
    out = Run([], [], [])
    seen: list[User] = []
    for i in range(round(seconds / 0.02)):
        t_ns, t_s = i * DT_NS, i * 0.02
        if i % 5 == 0:
            m = dynamics.ego_truth(car)
            there, seen = road(t_s), traffic(t_s)
            ahead = there and seen_from(there, m.x_m, m.y_m, m.heading_rad, t_ns)
            plan = planned(car, t_ns)
        got = replace(reading(car, seen, t_ns, (i - i % 5) * DT_NS), road_ahead=ahead)
        asked = Command(t_ns, asks(t_s, car), 0.0, Indicator.OFF)
        memory, verdict = guard(memory, got, plan, asked, platform)
        out.cars.append(car)
        out.users.append(traffic(t_s))
        out.verdicts.append(verdict)
        told = verdict.command
        car = dynamics.step(p, car, told.accel_mps2, told.curvature_1pm, 0.02)
    return out


def fronts(platform: Platform, run: Run) -> FloatArray:
    """Where the front bumper was."""
    return np.array([dynamics.ego_truth(car).x_m for car in run.cars]) + platform.front_m
