"""What a drive in SUMO's traffic is made of, and the command line that follows from it."""

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import astuple, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.files import user_cache, write_text, write_whole
from marque.core.time import PLAN_STEP_S
from marque.sim.worlds.sumo_deadlock import GOES_AFTER_S, LOCKED_SHARE
from marque.sim.worlds.sumo_demand import Wanted, type_file, wanted
from marque.sim.worlds.sumo_net import fitted
from marque.sim.worlds.sumo_signals import GREEN_S, programs_in_turn, waits_for_player
from marque.types.codes import LaneKind
from marque.types.road_map import RoadMap

WARM_VERSION = 5  # change when the warm-up itself changes: old states are then not found
NET_VERSION = b"1"  # change when `sumo_net` does
OWN_WARM_S = 300.0
FOREIGN_WARM_S = 1800.0
LATEST_S = 1e7  # the warm-up is simulated; nobody's demand begins four months in
FINE_S = 30.0  # the last part of the warm-up runs at the drive's own step
SETTLE_S = 10  # walkers enter before the ego does
DEADLOCK_S = 180.0  # longer than any red
FAR_S = 0.5  # drivers beyond 220 m decide this often; it halves the cost of a big city


@dataclass(frozen=True, slots=True, eq=False)
class SumoSpec:
    """One drive's traffic. `net` is the network that `road_map` was made from."""

    road_map: RoadMap
    net: Path | bytes | None  # SUMO network (bytes: gzipped); None with a sumocfg, which names one
    route_edges: tuple[str, ...]
    ego_length_m: float
    ego_width_m: float
    ego_front_m: float  # rear axle to front bumper
    seed: int = 1
    density: int | None = None  # vehicles present; None: by the rule of `sumo_demand.wanted`
    sumocfg: Path | None = None  # runs with its own demand
    begin_s: float | None = None  # of the drive, in the time of the sumocfg
    sumo_args: tuple[str, ...] = ()
    deadlock_s: float = DEADLOCK_S
    cache: Path | None = None  # folder of warmed states; None: the user's cache
    progress: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Launch:
    """All that the child needs to start, and what is to be printed about it."""

    args: tuple[str, ...]  # of the drive
    warm_args: tuple[str, ...]  # of the warm-up
    warm: tuple[tuple[float, float], ...]  # (step, until), seconds
    begin_s: float
    state: Path
    net: Path
    demand: Wanted | None
    settle_s: int
    far_s: float  # how often drivers far from the ego decide; 0: as the options say
    facts: dict[str, str]


OURS: tuple[tuple[str, str], ...] = (
    ("lanechange.duration", "3"),
    ("collision.check-junctions", "true"),
    ("collision.action", "warn"),
    ("collision.mingap-factor", "0"),
    ("time-to-teleport", "-1"),
    ("no-step-log", "true"),
    ("no-warnings", "true"),
    ("duration-log.disable", "true"),
    ("xml-validation", "never"),
    ("xml-validation.net", "never"),
    ("xml-validation.routes", "never"),
    ("save-state.rng", "true"),
    ("save-state.transportables", "true"),
    ("save-state.precision", "9"),
    ("threads", "1"),
    ("default.action-step-length", str(FAR_S)),
)
HELD = {
    "step-length": "the traffic step is 0.1 s",
    "begin": "choose the start time of the drive instead",
    "b": "choose the start time of the drive instead",
    "end": "choose the length of the drive instead",
    "e": "choose the length of the drive instead",
    "load-state": "the warmed state is kept by the program",
    "net-file": "choose the map instead",
    "n": "choose the map instead",
    "configuration-file": "give the .sumocfg as traffic instead",
    "c": "give the .sumocfg as traffic instead",
    "seed": "choose the seed of the drive instead",
    "threads": "one thread keeps a drive repeatable",
    "remote-port": "SUMO runs inside the program",
    "num-clients": "SUMO runs inside the program",
    "random": "a drive must be repeatable",
    "additional-files": "put the files into a .sumocfg and give that as traffic instead",
    "a": "put the files into a .sumocfg and give that as traffic instead",
}


def split_args(text: str) -> tuple[str, ...]:
    """The words of `--sumo-args`. MarqueError: quotes do not match."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise MarqueError(f"--sumo-args cannot be read: {error}") from error


def parse_args(words: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Options of the user with their values. MarqueError: an option that the program holds."""
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("-") and not _number(word):
            name, equals, value = word.lstrip("-").partition("=")
            if name in HELD:
                raise MarqueError(f"--sumo-args may not set '{name}': {HELD[name]}")
            found.append((name, [value] if equals else []))
        elif found:
            found[-1][1].append(word)
        else:
            raise MarqueError(f"--sumo-args begins with '{word}', which is no option")
    return found


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _words(options: list[tuple[str, list[str]]]) -> list[str]:
    words: list[str] = []
    for name, values in options:
        words.append(f"--{name}" if len(name) > 1 else f"-{name}")
        words.extend(values)
    return words


def launch(spec: SumoSpec) -> Launch:
    """Work out the command line, the warm-up and the name of its cached state."""
    folder = spec.cache if spec.cache is not None else user_cache() / "traffic"
    user = parse_args(spec.sumo_args)
    names = {name for name, _ in user}
    sublane = "lateral-resolution" in names
    ours = [
        (name, [value])
        for name, value in OURS
        if name not in names and not (sublane and name == "lanechange.duration")
    ]
    base, digest, demand, net = _base(spec, folder)
    quiet = [row for row in user if not _writes(row[0])]  # the warm-up leaves the user's files
    shared = [*base, *_words(ours), "--seed", str(spec.seed)]
    begin, warm = _warm_plan(spec)
    digest.update(repr((sumo_version(), WARM_VERSION, shared[len(base) :], quiet, warm)).encode())
    digest.update(repr((begin, demand, spec.deadlock_s)).encode() if demand is None else b"")
    if demand is not None:
        rule = (demand, type_file())
        digest.update(repr((begin, rule, spec.deadlock_s)).encode())
    return Launch(
        args=(*shared, *_words(user), "--step-length", str(PLAN_STEP_S)),
        warm_args=(*shared, *_words(quiet)),
        warm=warm,
        begin_s=begin,
        state=folder / f"state-{digest.hexdigest()[:24]}.xml.gz",
        net=net,
        demand=demand,
        settle_s=SETTLE_S if demand is not None else 0,
        far_s=0.0 if "default.action-step-length" in names else FAR_S,
        facts=_facts(spec, demand, warm, ours, user),
    )


def writes_files(spec: SumoSpec) -> bool:
    """Whether the user's own options make SUMO write files."""
    return any(_writes(word) for word in spec.sumo_args)


def _writes(name: str) -> bool:
    return "output" in name or "log" in name


def _base(spec: SumoSpec, folder: Path) -> tuple[list[str], "hashlib._Hash", Wanted | None, Path]:
    digest = hashlib.sha256()
    if spec.sumocfg is not None:
        if spec.density is not None:
            raise MarqueError("density belongs to our own demand; a .sumocfg brings its own")
        files = cfg_files(spec.sumocfg)
        for path in (spec.sumocfg, *files):
            digest.update(_content(path))
        return ["-c", str(spec.sumocfg)], digest, None, files[0]
    net = _net_path(spec.net, spec.road_map, folder)
    digest.update(_content(net))
    types = folder / f"types-{hashlib.sha256(type_file().encode()).hexdigest()[:16]}.add.xml"
    if not types.exists():
        write_text(types, type_file())
    target = wanted(lane_km(spec.road_map), spec.density)
    more = [str(types)]
    if waits_for_player(spec.road_map):
        text, count = programs_in_turn(net)
        signals = folder / f"signals-{hashlib.sha256(text.encode()).hexdigest()[:16]}.add.xml"
        if count and not signals.exists():
            write_text(signals, text)
        more.extend([str(signals)] if count else [])
        digest.update(text.encode())
    return ["-n", str(net), "-a", ",".join(more)], digest, target, net


def _content(path: Path) -> bytes:
    return hashlib.sha256(_read(path)).digest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error


def _net_path(net: Path | bytes | None, road_map: RoadMap, folder: Path) -> Path:
    """The network for SUMO (see `sumo_net`), kept in the cache where it is not a file as it is."""
    if net is None:
        raise MarqueError("traffic of our own needs SUMO's network of the map, and it has none")
    content = _read(net) if isinstance(net, Path) else net
    lines = _lines(road_map)
    digest = hashlib.sha256(content + NET_VERSION)
    for name, points in lines.items():
        digest.update(name.encode() + points.tobytes())
    key = digest.hexdigest()[:16]
    path, same = folder / f"net-{key}.net.xml.gz", folder / f"net-{key}.same"
    if isinstance(net, Path) and same.exists():
        return net
    if not path.exists():
        made = fitted(content, lines)
        if made is content and isinstance(net, Path):
            write_text(same, net.name)
            return net
        write_whole(path, lambda aside: _write(aside, made))
    return path


def _lines(road_map: RoadMap) -> dict[str, FloatArray]:
    """The lines of all lanes between junctions, by SUMO's names."""
    rows = np.flatnonzero(~road_map.lane_connector).tolist()
    return {road_map.lane_name[row]: road_map.points(row) for row in rows}


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def lane_km(road_map: RoadMap) -> float:
    """Length of all lanes for cars, without connectors, in km."""
    drive = (road_map.lane_kind == int(LaneKind.DRIVE)) & ~road_map.lane_connector
    return float(road_map.lane_length_m[drive].sum()) / 1000.0


def sumo_version() -> str:
    """Of the installed libsumo."""
    try:
        return version("libsumo")
    except PackageNotFoundError:
        return "unknown"


def cfg_files(cfg: Path) -> list[Path]:
    """The files a sumocfg reads: network first, then routes and additional files.

    MarqueError: it does not exist, is no sumocfg, or names no network.
    """
    root = _cfg_root(cfg)
    found: list[Path] = []
    for tags in (("net-file", "net", "n"), ("route-files",), ("additional-files",)):
        for node in root.iter():
            if node.tag in tags:
                names = node.get("value", node.get("v", "")).replace(";", ",").split(",")
                found.extend(cfg.parent / name.strip() for name in names if name.strip())
        if not found:
            raise MarqueError(f"{cfg} names no net-file, so it cannot be run")
    return found


def _cfg_root(cfg: Path) -> ElementTree.Element:
    try:
        root = ElementTree.parse(cfg).getroot()
    except OSError as error:
        raise MarqueError(f"cannot read {cfg}: {error.strerror or error}") from error
    except ElementTree.ParseError as error:
        raise MarqueError(f"{cfg} is no SUMO configuration: {error}") from error
    if "configuration" not in root.tag.lower():
        raise MarqueError(f"{cfg} is no SUMO configuration: its root element is <{root.tag}>")
    return root


def cfg_number(cfg: Path, tag: str) -> float | None:
    """A number set in a sumocfg, None when it is not set."""
    for node in _cfg_root(cfg).iter(tag):
        try:
            return float(node.get("value", node.get("v", "")))
        except ValueError as error:
            raise MarqueError(f"{cfg}: {tag} is no number of seconds") from error
    return None


def _warm_plan(spec: SumoSpec) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Start of the warm-up, and its parts (step, until)."""
    if spec.sumocfg is None:
        if spec.begin_s is not None:
            raise MarqueError("a start time needs a .sumocfg; our own demand has no clock")
        return 0.0, ((1.0, OWN_WARM_S - FINE_S), (PLAN_STEP_S, OWN_WARM_S))
    first = cfg_number(spec.sumocfg, "begin") or 0.0
    start = first + FOREIGN_WARM_S if spec.begin_s is None else spec.begin_s
    if not start <= LATEST_S:
        raise MarqueError(f"a start time of {start:g} s is none; SUMO would never get there")
    if start < first:
        raise MarqueError(f"the traffic of {spec.sumocfg} begins at {first:g} s, not {start:g} s")
    start = round(start)
    coarse = ((1.0, start - FINE_S),) if start - FINE_S > first else ()
    return first, (*coarse, (PLAN_STEP_S, float(start)))


def _facts(
    spec: SumoSpec,
    demand: Wanted | None,
    warm: tuple[tuple[float, float], ...],
    ours: list[tuple[str, list[str]]],
    user: list[tuple[str, list[str]]],
) -> dict[str, str]:
    values = {name: " ".join(value) for name, value in [*ours, *user]}
    sublane = values.get("lateral-resolution")
    facts = {
        "simulator": f"SUMO {sumo_version()}",
        "step": "0.1 s",
        "lane changes": f"sublane model, {sublane} m"
        if sublane
        else f"over {values.get('lanechange.duration', '?')} s",
        "collision check": f"junctions {values['collision.check-junctions'] or 'true'}, "
        f"action {values['collision.action']}",
        "deadlocks": f"who stands inside a junction for {GOES_AFTER_S:g} s with a free way goes "
        f"first; beyond 200 m from our car one of those in each other's way is removed after "
        f"{LOCKED_SHARE * spec.deadlock_s:g} s, the head of a lane that stands after "
        f"{spec.deadlock_s:g} s, nearer after twice that; SUMO's own teleports "
        + ("off" if values["time-to-teleport"] == "-1" else values["time-to-teleport"] + " s"),
        "drivers decide": f"every 0.1 s within 220 m of our car, every {FAR_S:g} s beyond"
        if values["default.action-step-length"] == str(FAR_S)
        else f"every {values['default.action-step-length']} s",
        "seed": str(spec.seed),
        "warm-up": " then ".join(f"{step:g} s steps until {until:g} s" for step, until in warm),
    }
    if spec.sumocfg is not None:
        own = cfg_number(spec.sumocfg, "step-length") or 1.0
        facts["demand"] = f"its own, of {spec.sumocfg.name}"
        if own != PLAN_STEP_S:
            facts["step"] = f"0.1 s (the configuration's own {own:g} s is overridden)"
    if demand is not None:
        facts["demand"] = (
            f"drawn here: {demand.vehicles} vehicles, {demand.cyclists} cyclists, "
            f"{demand.walkers} people on foot where there are sidewalks; no U-turn routes"
        )
        if demand.fluid:
            facts["demand"] += "; nobody enters while more than 42 % stand"
    if demand is not None and waits_for_player(spec.road_map):
        facts["signals"] = (
            "some wait for a player (endless phases); their programs run in turn, "
            f"{GREEN_S:g} s of green each"
        )
    if user:
        facts["further options"] = " ".join(_words(user))
    return facts


def setup_of(spec: SumoSpec, plan: Launch) -> dict[str, object]:
    """The launch as plain data for the child."""
    road_map = spec.road_map
    lanes = {name: lane for lane, name in enumerate(road_map.lane_name)}
    lanes.update(zip(road_map.alias_name, road_map.alias_lane.tolist(), strict=True))
    xy = [[0.0, 0.0] for _ in road_map.group_name]
    for group in range(len(xy)):
        of = road_map.head_group == group
        if of.any():
            xy[group] = [float(v) for v in road_map.head_xy_m[of].mean(axis=0)]
    demand = plan.demand
    return {
        "args": list(plan.args),
        "warm_args": list(plan.warm_args),
        "warm": [list(part) for part in plan.warm],
        "begin": plan.begin_s,
        "state": str(plan.state),
        "net": str(plan.net),
        "demand": None if demand is None else astuple(demand),
        "seed": spec.seed,
        "settle_s": plan.settle_s,
        "deadlock_s": spec.deadlock_s,
        "far_s": plan.far_s,
        "lanes": lanes,
        "groups": list(road_map.group_name),
        "group_xy": xy,
        "head_group": road_map.head_group.tolist(),
        "head_link": road_map.head_link.tolist(),
        "ego": {
            "route": list(spec.route_edges),
            "length": spec.ego_length_m,
            "width": spec.ego_width_m,
        },
    }
