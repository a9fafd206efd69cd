"""How fast the engine is, and peers beside it: the same map, the same number of vehicles.

Only road users on the network count; those who wait for room to begin a trip do not.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError, unknown
from marque.core.files import user_cache
from marque.core.units import to_kph
from marque.maps import store
from marque.maps.formats.netconvert import sumo_folder
from marque.maps.library import open_map
from marque.sim.engine import state as at
from marque.sim.engine.engine import Engine, open_engine
from marque.types.road_map import RoadMap

SCHEMA = "marque.bench.engine/1"
PEERS = ("sumo", "highway-env")
WARM_UP_STEPS = 100
SUMO_WARM_UP_S, SUMO_SPAN_S = 120, 180
HIGHWAY_STEPS = 20
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured."""

    map_name: str
    worlds: int
    users: int
    steps: int
    device: str = "cpu"
    seed: int = 1
    threads: int = 1
    peers: tuple[str, ...] = ()
    cold: bool = False  # also how long the very first start takes, which compiles everything


def need_device(device: str) -> None:
    """MarqueError: an unknown device, or one that this machine or installation lacks."""
    if device not in ("cpu", "cuda"):
        raise unknown("device", device, ("cpu", "cuda"))
    if device == "cuda":
        if find_spec("numba_cuda") is None:
            raise MarqueError("--device cuda needs numba-cuda, which is not installed; have cpu")
        raise MarqueError("the engine has no CUDA driver yet; have --device cpu")


def need_peers(peers: tuple[str, ...]) -> None:
    """MarqueError: an unknown peer, or one that is not installed."""
    for peer in peers:
        if peer not in PEERS:
            raise unknown("peer", peer, PEERS)
        if peer == "sumo":
            sumo_folder()
        elif find_spec("highway_env") is None:
            raise MarqueError(
                "--peers highway-env needs that package, which is not installed; "
                "install it with: pip install 'marque[peers]'"
            )


def run_bench(bench: Bench, progress: Progress) -> dict[str, Any]:
    """Measure all of it. MarqueError: as `open_engine`, `need_device`, `need_peers`."""
    need_device(bench.device)
    need_peers(bench.peers)
    if bench.steps < 1:
        raise MarqueError(f"--steps is a number of at least 1, not {bench.steps}")
    progress("opening the map and filling the worlds; the first time, the code is compiled")
    road_map, file = open_map(bench.map_name)
    begun = time.perf_counter()
    engine = open_engine(road_map, bench.worlds, bench.users, bench.seed, None, bench.threads)
    engine.step(1)
    opened_s = time.perf_counter() - begun
    progress("the engine")
    rates = _measure(engine, bench)
    progress("starting once more, in a new process")
    warm_s = start_s(bench, None)
    cold_s = None
    if bench.cold:
        progress("starting with nothing compiled, in a new process")
        with tempfile.TemporaryDirectory(prefix="marque-") as folder:
            cold_s = start_s(bench, folder)
    result: dict[str, Any] = {
        "schema": SCHEMA, "map": road_map.name, "worlds": bench.worlds, "agents": bench.users,
        "steps": bench.steps, "device": bench.device, "threads": bench.threads, "seed": bench.seed,
        **rates, "bytes_per_agent": engine.bytes_per_user(), "opened_s": opened_s,
        "first_start_s": cold_s, "warm_start_s": warm_s, "peers": {}, "ratio": {},
    }  # fmt: skip
    for peer in bench.peers:
        progress(f"the peer {peer}")
        found = sumo_rate(road_map, file, engine, bench) if peer == "sumo" else highway_rate()
        result["peers"][peer] = found
        ours = result["agent_steps_per_core_s"]
        result["ratio"][peer] = ours / found["agent_steps_per_core_s"]
    return result


def _measure(engine: Engine, bench: Bench) -> dict[str, float]:
    engine.step(WARM_UP_STEPS)
    before, wall, cpu = engine.totals(), time.perf_counter(), time.process_time()
    engine.step(bench.steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_s": wall, "core_s": cpu, **rates_of(engine.totals() - before, wall, cpu)}


def rates_of(done: np.ndarray, wall: float, cpu: float) -> dict[str, float]:
    """What was driven, from the engine's counters over a span. Exposure stands beside rates."""
    on_wheels = max(1.0, float(done[at.ROAD_USER_STEPS]))
    steps = on_wheels + float(done[at.WALKED])
    km = max(1e-9, float(done[at.DISTANCE]) / 1000.0)
    return {
        "agent_steps": steps,
        "agent_steps_per_s": steps / wall,
        "agent_steps_per_core_s": steps / cpu,
        "km": km,
        "km_per_hour": km / wall * 3600.0,
        "mean_kph": to_kph(float(done[at.SPEED_SUM]) / on_wheels),
        "standing_share": float(done[at.STANDING]) / on_wheels,
        "lane_changes_per_km": float(done[at.CHANGES]) / km,
        "junction_crossings_per_km": float(done[at.CROSSINGS]) / km,
        "hard_braking_per_km": float(done[at.HARD]) / km,
        "gridlocks_per_km": float(done[at.STUCK]) / km,
        "arrived": float(done[at.ARRIVED]),
        "waiting_share": float(done[at.WAITING_STEPS]) / (steps + float(done[at.WAITING_STEPS])),
    }


def start_s(bench: Bench, cache: str | None) -> float:
    """Seconds of a new process from its start to the end of its first step of one world."""
    code = (
        "import sys\n"
        "from marque.maps.library import open_map\n"
        "from marque.sim.engine.engine import open_engine\n"
        "road_map, _ = open_map(sys.argv[1])\n"
        "open_engine(road_map, 1, int(sys.argv[2]), int(sys.argv[3])).step(1)\n"
    )
    surroundings = dict(os.environ)
    if cache is not None:
        maps = user_cache() / "maps"
        surroundings["MARQUE_CACHE"] = cache
        if maps.is_dir():  # the map is not converted anew: that is another matter
            os.symlink(maps, Path(cache) / "maps", target_is_directory=True)
    begun = time.perf_counter()
    command = [sys.executable, "-c", code, bench.map_name, str(bench.users), str(bench.seed)]
    done = subprocess.run(command, env=surroundings, capture_output=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise MarqueError(f"a new process of the engine failed: {(lines or ['no message'])[-1]}")
    return time.perf_counter() - begun


def sumo_rate(road_map: RoadMap, file: Path, engine: Engine, bench: Bench) -> dict[str, float]:
    """SUMO on the same network, which holds the number of vehicles at ours.

    Vehicle updates as SUMO counts them over its run, by the CPU time of its process beyond that of
    only loading the network. Routes are found beforehand, so that they do not count.
    """
    net = store.load_net(file)
    if net == b"":
        raise MarqueError(f"{file} carries no SUMO network, so SUMO cannot drive on it")
    home = sumo_folder()
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        at_folder = Path(folder)
        (at_folder / "net.net.xml.gz").write_bytes(net)
        (at_folder / "trips.xml").write_text(_trips(road_map, engine, bench))
        _call(
            home, "duarouter",
            ["-n", "net.net.xml.gz", "-r", "trips.xml", "-o", "routes.xml", "--ignore-errors"],
            folder,
        )  # fmt: skip
        common = [
            "-n", "net.net.xml.gz", "-r", "routes.xml", "--step-length", "0.1", "--no-step-log",
            "--duration-log.statistics", "--max-num-vehicles", str(bench.users), "--no-warnings",
            "--seed", str(bench.seed),
        ]  # fmt: skip
        end = SUMO_WARM_UP_S + SUMO_SPAN_S
        early, early_s = _sumo(home, [*common, "--end", str(SUMO_WARM_UP_S)], folder)
        late, late_s = _sumo(home, [*common, "--end", str(end)], folder)
    updates, core_s = late - early, max(1e-3, late_s - early_s)
    return {
        "agent_steps_per_core_s": updates / core_s,
        "vehicles": updates / (10.0 * SUMO_SPAN_S),
        "core_s": core_s,
    }


def _trips(road_map: RoadMap, engine: Engine, bench: Bench) -> str:
    """Trips between the lanes on which the engine's own begin and end, ten a second."""
    draw = np.random.Generator(np.random.PCG64([bench.seed, 9]))
    shape, ways, starts = engine.shape, engine.ways, engine.starts
    begin = starts.lane[: starts.first_cycle]
    goals = ways.goals[0, : ways.first_cycle]
    edge = [road_map.edge_name[road_map.lane_edge[lane]] for lane in shape.lane_of]
    rows = []
    for k in range(12 * bench.users):
        a, b = edge[int(draw.choice(begin))], edge[int(draw.choice(goals))]
        rows.append(
            f'<trip id="{k}" depart="{k / 10.0:.1f}" from="{a}" to="{b}" departLane="best" '
            f'departSpeed="max" departPos="random"/>'
        )
    return f"<routes>{''.join(rows)}</routes>"


def _sumo(home: Path, options: list[str], folder: str) -> tuple[float, float]:
    """(vehicle updates, CPU seconds) of a run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = _call(home, "sumo", options, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rate = re.search(r"UPS: ([\d.]+)", said)
    span = re.search(r"Duration: ([\d.]+)", said)
    if rate is None or span is None:
        raise MarqueError("SUMO printed no statistics of its run")
    return float(rate.group(1)) * float(span.group(1)), cpu


def _call(home: Path, name: str, options: list[str], folder: str) -> str:
    binary = home / "bin" / (f"{name}.exe" if os.name == "nt" else name)
    done = subprocess.run(
        [str(binary), *options],
        cwd=folder, env={**os.environ, "SUMO_HOME": str(home)}, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise MarqueError(f"{name} failed: {(lines or ['no message'])[-1]}")
    return done.stdout.decode(errors="replace")


def highway_rate() -> Mapping[str, Any]:
    """highway-env's own highway of 50 vehicles, in this process."""
    import_module("highway_env")  # registers its worlds
    world = import_module("gymnasium").make("highway-v0")
    world.reset(seed=1)
    inner: Any = world.unwrapped
    vehicles = len(inner.road.vehicles)
    each = int(inner.config["simulation_frequency"] // inner.config["policy_frequency"])
    begun, done = time.process_time(), 0
    for _ in range(HIGHWAY_STEPS):
        _, _, ended, cut, _ = world.step(1)
        done += vehicles * each
        if ended or cut:
            world.reset()
    core_s = time.process_time() - begun
    world.close()
    return {"agent_steps_per_core_s": done / core_s, "vehicles": vehicles, "core_s": core_s}
