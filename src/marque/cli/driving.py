"""How a drive is carried out for the command line: driven, judged, kept and told."""

import contextlib
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import monotonic
from types import FrameType
from typing import Any

from rich.console import Console

from marque.cli.show import Bar, Waiting, facts_table, minutes, standard_output
from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.core.time import seconds
from marque.core.units import to_kph
from marque.draw.picture import drive_picture
from marque.draw.report import write_report
from marque.record.writer import Recorder
from marque.sim.ahead import CodeAhead, load_code
from marque.sim.drive import (
    BROUGHT_TO_REST,
    LENGTH_DRIVEN,
    TAKEN_OVER,
    Timing,
    begin_episode,
    run_drive,
)
from marque.sim.judged import fault_words, judged
from marque.sim.order import (
    Order,
    Ready,
    drive_reference,
    limit_by_reference,
    open_world,
    with_limit,
)
from marque.sim.reference import Reference
from marque.sim.told import command_line, drive_options, reference_facts
from marque.sim.worlds.port import WORLD_OVER, RoadWorld
from marque.stack.planning.passage import tight_spots
from marque.types.episode import Episode, Tick
from marque.types.mission import Mission

FAILED, STOPPED = 1, 130
STOPPED_WORDS, MINUTES_WORDS = "stopped by user", "the minutes are up"
REDRAW_S = 0.2


@dataclass(frozen=True, slots=True)
class Watched:
    """In a live cockpit: its port (None: the first free one), and times real time (0: as fast as
    it can)."""

    port: int | None
    pace: float


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The order, and how this verb was asked to carry it out."""

    order: Order
    minutes: float | None
    reference: bool
    out: Path
    json_file: Path | None
    watched: Watched | None = None


def carry_out(ready: Ready, wanted: Wanted, ahead: CodeAhead) -> int:
    """Everything after the words are understood: drive, judge, write, print; the exit code."""
    console = standard_output()
    console.print(_first_line(ready), soft_wrap=True, markup=False)
    for line in _tight_lines(ready):
        console.print(line, soft_wrap=True, markup=False)
    waiting = Waiting()
    reference = drive_reference(ready, waiting) if wanted.reference else None
    if reference is not None:
        ready = limit_by_reference(ready, reference)
    if wanted.minutes is not None:
        ready = with_limit(ready, min(ready.setup.limit_s, 60.0 * wanted.minutes))
    world = _opened(ready, waiting, ahead)
    waiting.clear()
    try:
        episode = begin_episode(ready.setup, ready.route, world)
        timing, numbers = _drive(ready, wanted, world, episode, reference)
        facts = world.facts()
    finally:
        world.close()
    summary = _summary(ready, wanted, episode, numbers, reference, facts)
    files = _write(wanted, episode, summary, timing)
    _print(console, summary, facts, files)
    if episode.end == STOPPED_WORDS:
        return STOPPED
    return FAILED if _failed(summary) else 0


def _opened(ready: Ready, waiting: Waiting, ahead: CodeAhead) -> RoadWorld:
    """The world; while its process makes the traffic ready, ours loads the code of the drive."""
    loading = Thread(target=load_code, args=(ready.setup, ahead))
    loading.start()
    try:
        return open_world(ready, waiting)
    finally:
        loading.join()  # no process ends well in the middle of compiling


def _drive(
    ready: Ready, wanted: Wanted, world: RoadWorld, episode: Episode, reference: Reference | None
) -> tuple[Timing, dict[str, Any]]:
    """The drive itself, on the terminal and into the log; then its judgement, into the log too."""
    log = wanted.out / "drive.mcap"
    with _Interrupt() as interrupt, Recorder(log, episode) as recorder:
        bar = Bar(episode.route_length_m)
        watch = _Watch(episode, recorder, bar, interrupt)
        with bar:
            bar.show(0.0, "getting ready; the first time on a machine this takes a minute")
            try:
                timing = _run(ready, wanted, world, episode, watch)
            except MarqueError as error:
                with contextlib.suppress(MarqueError):  # the first trouble is the one to report
                    watch.events()
                    recorder.close("failed")
                at = episode.ticks[-1].world.t_ns if episode.ticks else 0
                raise MarqueError(f"{error}; the log up to {seconds(at):.1f} s is {log}") from error
        if episode.end == "timeout" and _by_minutes(ready, wanted):
            episode.end = MINUTES_WORDS
        duration = reference.duration_s if reference is not None and reference.arrived else None
        verdict = judged(episode, ready.setup.index, duration, world.names)
        numbers = verdict.numbers | timing.summary(seconds(episode.ticks[-1].world.t_ns))
        watch.events()
        recorded = recorder.close(episode.end)
    numbers["episode_hash"] = recorded.episode_hash
    numbers["ticks_dropped"] = recorded.dropped
    return timing, numbers


def _run(
    ready: Ready, wanted: Wanted, world: RoadWorld, episode: Episode, watch: "_Watch"
) -> Timing:
    """The loop, in front of a live cockpit where one is wanted."""
    if wanted.watched is None or ready.setup.attended is None:
        return run_drive(ready.setup, world, episode, watch)
    from marque.cockpit.conduct import Conductor
    from marque.cockpit.link import Link
    from marque.cockpit.run import open_browser
    from marque.sim.at_wheel import AtWheel

    setup = ready.setup
    # the page asks for a brand by its name, and files have none
    brand = "" if ready.order.brand.endswith(".toml") else ready.order.brand
    with contextlib.closing(Link(episode, wanted.watched.port, brand or "marque")) as link:
        print(f"cockpit: {link.address}", flush=True)
        open_browser(link.address)
        wheel = AtWheel(ready.setup.attended, setup.platform)
        conductor = Conductor(link, wheel, setup, episode, wanted.watched.pace, watch.stopped)

        def both(tick: Tick) -> None:
            watch(tick)
            conductor(tick)

        timing = run_drive(setup, world, episode, both, wheel=wheel)
        link.end(episode.end)
    return timing


def _by_minutes(ready: Ready, wanted: Wanted) -> bool:
    return wanted.minutes is not None and ready.setup.limit_s >= 60.0 * wanted.minutes - 1e-9


class _Interrupt:
    """Ctrl-C during the drive ends it after the frame in hand; a second one ends it at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> "_Interrupt":
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class _Watch:
    """Hands ticks and events to the log, and says on the terminal how it goes."""

    def __init__(
        self, episode: Episode, recorder: Recorder, bar: Bar, interrupt: _Interrupt
    ) -> None:
        self._episode = episode
        self._recorder = recorder
        self._bar = bar
        self._interrupt = interrupt
        self._told = 0
        self._way_m = 0.0
        self._drawn_s = 0.0

    def __call__(self, tick: Tick) -> None:
        self._recorder.append(tick)
        if len(self._episode.events) > self._told:
            self.events()
        speed = tick.world.ego.speed_mps
        self._way_m += 0.1 * speed
        if self._interrupt.asked:
            self._episode.end = STOPPED_WORDS
        now = monotonic()
        if now - self._drawn_s < REDRAW_S:
            return
        self._drawn_s = now
        reason = tick.reason.name.lower().replace("_", " ")
        self._bar.show(
            self._way_m,
            f"{seconds(tick.world.t_ns):5.0f} s  {self._way_m:5.0f} m  "
            f"{to_kph(speed):3.0f} km/h  {reason}",
        )

    def stopped(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._interrupt.asked

    def events(self) -> None:
        """Hand over the events that the log does not have yet."""
        for event in self._episode.events[self._told :]:
            self._recorder.event(event)
        self._told = len(self._episode.events)


def _first_line(ready: Ready) -> str:
    road_map, trip = ready.setup.road_map, ready.setup.trip
    blind = " (our car has none)" if ready.order.no_map else ""
    return (
        f"map {road_map.name}{blind}, traffic: {ready.traffic_title}; "
        f"driver {ready.order.driver}, car {ready.setup.platform.title}, "
        f"senses {ready.setup.profile.name}, seed {ready.order.seed}, "
        f"from {road_map.lane_name[trip.start_lane]} to {road_map.lane_name[trip.goal_lane]}"
    )


def _tight_lines(ready: Ready) -> list[str]:
    """What to expect where the only way is too tight for the car."""
    setup, trip = ready.setup, ready.setup.trip
    mission = Mission(
        setup.road_map, setup.platform, trip.goal_lane, trip.goal_s_m, ready.order.seed
    )
    spots = tight_spots(mission, trip.start_lane, trip.start_s_m)
    if not spots:
        return []
    title = setup.platform.title
    return [
        f"the only way is too tight for the {title}: it will leave the road at {', '.join(spots)}"
    ]


def _summary(
    ready: Ready,
    wanted: Wanted,
    episode: Episode,
    numbers: dict[str, Any],
    reference: Reference | None,
    facts: dict[str, str],
) -> dict[str, Any]:
    options = [*drive_options(ready), ("--minutes", wanted.minutes)]
    words = ("drive", "--reference") if wanted.reference else ("drive",)
    return {
        "schema": "marque.drive/1",
        "command": command_line(words, options),
        "map": ready.setup.road_map.name,
        "traffic": episode.traffic,
        "driver": ready.order.driver,
        "brand": ready.order.brand,
        "car": ready.setup.platform.name,
        "sensors": ready.setup.profile.name,
        "seed": ready.order.seed,
        "route_length_m": round(episode.route_length_m, 3),
        "optimal_s": round(ready.optimal_s, 3),
        **numbers,
        "reference": reference_facts(reference),
        "traffic_facts": facts,
        "events": len(episode.events),
    }


def _write(wanted: Wanted, episode: Episode, summary: dict[str, Any], timing: Timing) -> list[Path]:
    files = [wanted.out / "drive.mcap"]
    text = json.dumps(summary, indent=2) + "\n"
    for path in (wanted.out / "summary.json", wanted.json_file):
        if path is not None:
            write_text(path, text)
            files.append(path)
    shown = {"planner_ms": timing.planner_ms, "realtime_factor": summary["realtime_factor"]}
    report, picture = wanted.out / "report.html", wanted.out / "picture.png"
    write_report(report, episode, summary, shown)
    drive_picture(episode, picture)
    return [*files, report, picture]


def _failed(summary: dict[str, Any]) -> bool:
    over = (MINUTES_WORDS, LENGTH_DRIVEN, WORLD_OVER, TAKEN_OVER, BROUGHT_TO_REST)
    done = summary["arrived"] or summary["end"].startswith(over)
    return bool(fault_words(summary)) or not done


def _print(
    console: Console, summary: dict[str, Any], facts: dict[str, str], files: list[Path]
) -> None:
    console.print(facts_table("", _rows(summary)))
    console.print(facts_table("Traffic", list(facts.items())))
    console.print(facts_table("Files", [(path.name, str(path)) for path in files]))
    console.print(f"again: {summary['command']}", soft_wrap=True, markup=False)


def _rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    comfort, planner = summary["comfort"], summary["planner_ms"]
    reference = summary["reference_duration_s"]
    reasons = ", ".join(
        f"{name.replace('_', ' ')} {value:.0f} s"
        for name, value in list(summary["reasons"].items())[:8]
    )
    wrong = fault_words(summary)
    mean = summary["distance_m"] / max(summary["duration_s"], 1e-9)
    return [
        ("end", summary["end"] + ("" if summary["arrived"] else ", not arrived")),
        ("judged", "nothing at fault" if not wrong else "; ".join(wrong)),
        (
            "distance",
            f"{summary['distance_m'] / 1000:.2f} of {summary['route_length_m'] / 1000:.2f} km",
        ),
        ("time", f"{minutes(summary['duration_s'])}, mean {to_kph(mean):.1f} km/h"),
        ("SUMO's own driver", "not driven" if reference is None else minutes(reference)),
        (
            "collisions",
            f"{summary['collisions_at_fault']} at fault, {len(summary['collisions_other'])} other",
        ),
        ("red lights run", str(summary["red_light"])),
        (
            "comfort",
            f"accel p95 {comfort['accel_p95_mps2']:.2f}, "
            f"decel p99 {comfort['decel_p99_mps2']:.2f}, "
            f"sideways p99 {comfort['lat_accel_p99_mps2']:.2f} m/s², "
            f"jerk rms {comfort['jerk_rms_mps3']:.2f} m/s³",
        ),
        ("guard stepped in", f"{summary['guard_interventions']} times"),
        ("why it was slower", reasons),
        ("road users in 100 m", f"{summary['road_users_100m_mean']:.1f} moving, mean"),
        (
            "planner, CPU",
            f"median {planner['p50']:.1f}, p99 {planner['p99']:.1f}, max {planner['max']:.1f} ms",
        ),
        ("computed", f"{summary['realtime_factor']:.1f} x real time"),
    ]
