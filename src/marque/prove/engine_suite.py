"""The engine beside SUMO: the same network, number of vehicles, and car-following parameters.

Rings give flow against density; a crossing gives throughput. SUMO drives IDM with the engine's
parameters and its own lane changes and junctions. Vehicles of both are cars alone.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from marque.core.errors import MarqueError
from marque.maps.formats.netconvert import sumo_folder
from marque.maps.formats.sumo_build import build
from marque.maps.formats.sumo_net import read_net
from marque.sim.engine import state as at
from marque.sim.engine.begin import place
from marque.sim.engine.bodies import boxes_of, overlaps
from marque.sim.engine.engine import Engine, make_engine, mix_of
from marque.sim.engine.network import CONNECTOR, LENGTH, START, network_of
from marque.sim.engine.people import (
    CAR,
    K_ACCEL,
    K_BRAKE,
    K_HEADWAY,
    K_LENGTH,
    K_STAND,
    KINDS,
    Habits,
)
from marque.sim.engine.state import scratch_row
from marque.sim.engine.step import fill
from marque.sim.engine.ways import Starts, Ways, ways_of
from marque.types.road_map import NONE, RoadMap

SCHEMA = "marque.prove.engine/1"
RING_M, CORNERS = 1600.0, 32
WARM_S, SPAN_S = 240, 240
FLOW_LIMIT, JUNCTION_LIMIT = 0.10, 0.15
CARS = Habits(speed_spread=0.0, headway_spread=0.0, mix=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0))
ARM_M = 300.0
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ring:
    """One curve of flow against density."""

    name: str
    lanes: int
    limit_mps: float
    per_km_lane: tuple[int, ...]
    spread: float  # of how drivers take the limit


RINGS = (
    Ring("ring", 1, 50.0 / 3.6, (10, 20, 30, 45, 60, 90), 0.0),
    Ring("motorway", 3, 120.0 / 3.6, (6, 12, 18, 25, 40, 60), 0.1),
)


def run_engine_suite(seed: int, progress: Progress) -> dict[str, Any]:
    """All curves and the crossing, side by side. MarqueError: SUMO is missing or fails."""
    home = sumo_folder()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        for ring in RINGS:
            progress(f"{ring.name}: flow against density")
            rows += _curve(home, Path(folder), ring, seed)
        progress("crossing: throughput")
        rows.append(_crossing(home, Path(folder), seed))
    collisions = sum(row["collisions"] for row in rows)
    worst = {
        kind: max((abs(row["off"]) for row in rows if row["kind"] == kind), default=0.0)
        for kind in ("flow", "throughput")
    }
    passed = all(row["passed"] for row in rows) and collisions == 0
    return {
        "schema": SCHEMA, "seed": seed, "rows": rows, "collisions": collisions,
        "km": sum(row["km"] for row in rows), "worst": worst, "passed": passed,
    }  # fmt: skip


def _curve(home: Path, folder: Path, ring: Ring, seed: int) -> list[dict[str, Any]]:
    net = _ring_net(home, folder, ring)
    road_map = build(read_net(net.read_bytes(), ring.name), ring.name, ring.name, frozenset())
    rows = []
    for per_km in ring.per_km_lane:
        count = round(per_km * ring.lanes * RING_M / 1000.0)
        ours, km, hits = _engine_ring(road_map, ring, count, seed)
        theirs = _sumo_ring(home, folder, net, ring, count, seed)
        flow = 3.6 * per_km * ours, 3.6 * per_km * theirs  # vehicles per hour and lane
        off = flow[0] / max(flow[1], 1.0) - 1.0
        rows.append(
            {
                "kind": "flow", "name": f"{ring.name}, {per_km} per km and lane", "unit": "1/h",
                "engine": flow[0], "sumo": flow[1], "off": off, "limit": FLOW_LIMIT,
                "passed": abs(off) <= FLOW_LIMIT, "collisions": hits, "km": km,
            }
        )  # fmt: skip
    return rows


def _ring_net(home: Path, folder: Path, ring: Ring) -> Path:
    radius = RING_M / (2.0 * pi)
    turn = [2.0 * pi * k / CORNERS for k in range(CORNERS)]
    nodes = "".join(
        f'<node id="n{k}" x="{radius * cos(a):.3f}" y="{radius * sin(a):.3f}" type="priority"/>'
        for k, a in enumerate(turn)
        if k % 8 == 0
    )
    edges = ""
    for k in range(0, CORNERS, 8):
        shape = " ".join(
            f"{radius * cos(turn[j % CORNERS]):.3f},{radius * sin(turn[j % CORNERS]):.3f}"
            for j in range(k, k + 9)
        )
        edges += (
            f'<edge id="e{k // 8}" from="n{k}" to="n{(k + 8) % CORNERS}" numLanes="{ring.lanes}" '
            f'speed="{ring.limit_mps:.3f}" shape="{shape}"/>'
        )
    return _netconvert(home, folder, ring.name, nodes, edges)


def _netconvert(home: Path, folder: Path, name: str, nodes: str, edges: str, *more: str) -> Path:
    (folder / f"{name}.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
    (folder / f"{name}.edg.xml").write_text(f"<edges>{edges}</edges>")
    out = folder / f"{name}.net.xml"
    _call(
        home, "netconvert",
        ["-n", f"{name}.nod.xml", "-e", f"{name}.edg.xml", "-o", out.name, "--no-turnarounds",
         "true", *more],
        folder,
    )  # fmt: skip
    return out


def _call(home: Path, name: str, options: list[str], folder: Path) -> None:
    binary = home / "bin" / (f"{name}.exe" if os.name == "nt" else name)
    done = subprocess.run(
        [str(binary), *options],
        cwd=folder, env={**os.environ, "SUMO_HOME": str(home)}, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise MarqueError(f"{name} failed: {(lines or ['no message'])[-1]}")


def _endless(net: Any) -> tuple[Ways, Starts]:
    """Round and round: no goal, and every lane leads on to its first successor."""
    lanes = net.lanes
    onward = np.full(lanes, NONE, dtype=np.int32)
    for c in np.flatnonzero(net.whole[CONNECTOR, :lanes]):
        onward[net.whole[START, c]] = c
    table = np.zeros((2, 1, lanes), dtype=np.int32)
    table[0, 0] = onward
    values = np.zeros((2, 1, lanes), dtype=np.float32)
    ways = Ways(np.array([[-5], [0]], dtype=np.int32), np.array([1e9]), table, values, 1)
    return ways, Starts(np.zeros(0, dtype=np.int32), np.zeros(0), 0)


def _engine_ring(road_map: RoadMap, ring: Ring, count: int, seed: int) -> tuple[float, float, int]:
    """(mean speed, km, collisions) of our own drivers, spread evenly at the beginning."""
    network, lights, shape = network_of(road_map)
    ways, starts = _endless(network)
    habits = Habits(speed_spread=ring.spread, headway_spread=0.0, mix=CARS.mix)
    engine = make_engine(
        road_map, (network, lights, shape, ways, starts), 1, count, seed, habits, 1, hold=False
    )
    _people(engine, habits)
    w, scr = engine.worlds.world(0), scratch_row(engine.scratch, 0)
    roads = np.flatnonzero(network.whole[CONNECTOR, :-1] == 0)
    until = np.cumsum(network.real[LENGTH, roads])
    for i in range(count):
        along = (i + 0.5) / count * float(until[-1])
        k = int(np.searchsorted(until, along))
        s = float(network.real[LENGTH, roads[k]]) - (float(until[k]) - along)
        s = max(s, float(KINDS[K_LENGTH, CAR]) + 0.5)
        if not place(network, ways, KINDS, engine.rules, w, scr, i, int(roads[k]), s, 0):
            at_last = float(network.real[LENGTH, roads[k]])
            for shift in np.arange(1.0, at_last, 1.0):
                moved = (s + shift) % max(1.0, at_last - 6.0) + 5.2
                if place(network, ways, KINDS, engine.rules, w, scr, i, int(roads[k]), moved, 0):
                    break
    speed, km, hits, _ = _measured(engine, count)
    return speed, km, hits


def _people(engine: Engine, habits: Habits) -> None:
    """Kinds and habits of everybody; nobody is on the road yet."""
    spreads = np.array([habits.speed_spread, habits.headway_spread])
    fill(
        engine.network, engine.ways, engine.starts, engine.kinds, engine.rules, engine.worlds.rows,
        engine.scratch, mix_of(engine, habits), spreads, 0, 1,
    )  # fmt: skip


def _measured(engine: Engine, count: int) -> tuple[float, float, int, float]:
    """(mean speed, km, collisions, junctions crossed) after some minutes to settle."""
    engine.step(10 * WARM_S)
    before = engine.totals()
    hits: set[tuple[int, int]] = set()
    for _ in range(SPAN_S):
        engine.step(10)
        w = engine.worlds.world(0)
        hits |= set(overlaps(boxes_of(engine.network, engine.shape, w, count)))
    done = engine.totals() - before
    speed = float(done[at.DISTANCE]) / (count * float(SPAN_S))
    return speed, float(done[at.DISTANCE]) / 1000.0, len(hits), float(done[at.CROSSINGS])


def _vtype(spread: float) -> str:
    k = KINDS[:, CAR]
    return (
        f'<vType id="car" carFollowModel="IDM" length="{k[K_LENGTH]}" accel="{k[K_ACCEL]}" '
        f'decel="{k[K_BRAKE]}" tau="{k[K_HEADWAY]}" minGap="{k[K_STAND]}" '
        f'speedFactor="normc(1,{spread},0.5,1.5)" sigma="0"/>'
    )


def _sumo_ring(home: Path, folder: Path, net: Path, ring: Ring, count: int, seed: int) -> float:
    """Mean speed of SUMO's drivers."""
    per_lane = -(-count // ring.lanes)
    vehicles = ""
    for i in range(count):
        lane, along = i % ring.lanes, (i // ring.lanes + 0.5) / per_lane * RING_M
        k = min(3, int(along // (RING_M / 4.0)))
        edges = " ".join(f"e{(k + j) % 4}" for j in range(4))
        pos = max(6.0, min(along - k * RING_M / 4.0, RING_M / 4.0 - 22.0))
        vehicles += (
            f'<vehicle id="v{i}" type="car" depart="0" departLane="{lane}" departPos="{pos:.1f}" '
            f'departSpeed="0"><route edges="{edges}" repeat="60"/></vehicle>'
        )
    (folder / "ring.rou.xml").write_text(f"<routes>{_vtype(ring.spread)}{vehicles}</routes>")
    options = [
        "-n", net.name, "-r", "ring.rou.xml", "--step-length", "0.1", "--no-step-log", "--end",
        str(WARM_S + SPAN_S), "--summary-output", "ring.sum.xml", "--summary-output.period", "1",
        "--seed", str(seed), "--no-warnings", "--time-to-teleport", "300",
    ]  # fmt: skip
    _call(home, "sumo", options, folder)
    steps = ElementTree.parse(folder / "ring.sum.xml").getroot()
    speeds = [
        float(step.get("meanSpeed", "0"))
        for step in steps
        if float(step.get("time", "0")) >= WARM_S
    ]
    return float(np.mean(speeds)) if speeds else 0.0


def _crossing(home: Path, folder: Path, seed: int) -> dict[str, Any]:
    """A crossing with signals, as many vehicles as will come: crossings per hour."""
    arms = {"n": (0.0, ARM_M), "e": (ARM_M, 0.0), "s": (0.0, -ARM_M), "w": (-ARM_M, 0.0)}
    nodes = '<node id="c" x="0" y="0" type="traffic_light"/>' + "".join(
        f'<node id="{name}" x="{x}" y="{y}" type="priority"/>' for name, (x, y) in arms.items()
    )
    edges = "".join(
        f'<edge id="{name}c" from="{name}" to="c" numLanes="1" speed="13.89"/>'
        f'<edge id="c{name}" from="c" to="{name}" numLanes="1" speed="13.89"/>'
        for name in arms
    )
    net = _netconvert(home, folder, "crossing", nodes, edges, "--tls.default-type", "static")
    road_map = build(read_net(net.read_bytes(), "crossing"), "crossing", "crossing", frozenset())
    network, lights, shape = network_of(road_map, 5.5)
    ways, starts = ways_of(road_map, network, shape, seed)
    habits = CARS
    count = 130
    engine = make_engine(
        road_map, (network, lights, shape, ways, starts), 1, count, seed, habits, 1, hold=True
    )
    _people(engine, habits)
    speed, km, hits, crossed = _measured(engine, count)
    del speed
    ours = crossed / SPAN_S * 3600.0
    theirs = _sumo_crossing(home, folder, net, arms, seed)
    off = ours / max(theirs, 1.0) - 1.0
    return {
        "kind": "throughput", "name": "crossing with signals, saturated", "unit": "1/h",
        "engine": ours, "sumo": theirs, "off": off, "limit": JUNCTION_LIMIT,
        "passed": abs(off) <= JUNCTION_LIMIT, "collisions": hits, "km": km,
    }  # fmt: skip


def _sumo_crossing(
    home: Path, folder: Path, net: Path, arms: dict[str, tuple[float, float]], seed: int
) -> float:
    draw = np.random.Generator(np.random.PCG64([seed, 3]))
    end = WARM_S + SPAN_S
    rows = []
    for k in range(end * 2):
        a, b = draw.choice(sorted(arms), 2, replace=False)
        rows.append(
            f'<trip id="{k}" type="car" depart="{k / 2.0}" from="{a}c" to="c{b}" '
            f'departSpeed="max"/>'
        )
    (folder / "crossing.rou.xml").write_text(f"<routes>{_vtype(0.0)}{''.join(rows)}</routes>")
    options = [
        "-n", net.name, "-r", "crossing.rou.xml", "--step-length", "0.1", "--no-step-log", "--end",
        str(end), "--summary-output", "crossing.sum.xml", "--seed", str(seed), "--no-warnings",
        "--summary-output.period", "1",
    ]  # fmt: skip
    _call(home, "sumo", options, folder)
    steps = list(ElementTree.parse(folder / "crossing.sum.xml").getroot())
    early = [s for s in steps if float(s.get("time", "0")) <= WARM_S][-1]
    late = steps[-1]
    gone = float(late.get("ended", "0")) - float(early.get("ended", "0"))
    return gone / SPAN_S * 3600.0
