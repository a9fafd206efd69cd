"""`marque log`: look into a drive log, draw it, finish one that was cut off, import a drive."""

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import FactsOption, MapOption
from marque.cli.show import Waiting, facts_table, standard_output
from marque.core.errors import MarqueError
from marque.core.files import need_writable_file, need_writable_folder, write_text
from marque.record.reader import DriveRecords, read_records
from marque.record.recover import Recovery, recover

app = typer.Typer(
    no_args_is_help=True, help="Drive logs: what stands in one, pictures, recovery, import."
)


@app.command("info")
def info_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A drive log (MCAP).")],
    json_file: FactsOption = None,
) -> None:
    """What a log holds, and whether it is whole."""
    facts = log_facts(file, read_records(file, keep_ticks=False))
    Console().print(_table(facts))
    if not facts["whole"]:
        print(f"cut off; finish it with: marque log recover {file}")
    if json_file is not None:
        write_text(json_file, json.dumps(facts, indent=2) + "\n")
        print(f"wrote {json_file}")


@app.command("recover")
def recover_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The log that was cut off.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT", help="Default: FILE with .recovered.mcap."),
    ] = None,
    json_file: FactsOption = None,
) -> None:
    """Give back everything up to the last whole chunk, as a finished and indexed log."""
    if not file.name:
        raise MarqueError("no log file is named")
    target = out or file.with_name(f"{file.name.removesuffix('.mcap')}.recovered.mcap")
    found = recover(file, target)
    print(_sentence(found))
    print(f"wrote {target}")
    if json_file is not None:
        write_text(json_file, json.dumps(recovery_facts(found), indent=2) + "\n")
        print(f"wrote {json_file}")


@app.command("draw")
def draw_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A drive log (MCAP).")],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="The folder of the pictures.")
    ],
    at: Annotated[
        list[float] | None,
        typer.Option("--at", min=0.0, metavar="T", help="Seconds of the drive; may be repeated."),
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="A picture of each event.")] = False,
    map_name: MapOption = "",
) -> None:
    """Pictures of a drive as PNG: at given times, at each event, or at one telling moment."""
    from marque.draw.moments import draw_events, draw_times
    from marque.draw.picture import drive_picture
    from marque.record.reader import open_drive

    if at and events:
        raise MarqueError("--at and --events exclude each other; have one of them")
    episode = open_drive(file, map_name)
    need_writable_folder(out)
    waiting = Waiting()

    def told(done: int, of: int) -> None:
        waiting(f"picture {done} of {of}")

    if at:
        files = draw_times(episode, at, out, told)
    elif events:
        files = draw_events(episode, out, told)
    else:
        files = [out / "picture.png"]
        drive_picture(episode, files[0])
    waiting.clear()
    for path in files:
        print(f"wrote {path}")
    words = ["marque", "log", "draw", str(file), "-o", str(out)]
    words += [word for each in at or () for word in ("--at", f"{each:g}")]
    words += ["--events"] if events else []
    words += ["--map", map_name] if map_name else []
    print(f"again: {shlex.join(words)}")


@app.command("import")
def import_command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A comma2k19 segment (processed_log, global_pose)."),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="The drive log to write (MCAP).")
    ],
    json_file: FactsOption = None,
) -> None:
    """A recorded minute of a real car as a drive log: readings, and where the car truly was."""
    from marque.record.comma2k19.drive import read_drive, write_drive

    for path in (out, json_file):
        if path is not None:
            need_writable_file(path)
    episode, calibration = read_drive(folder)
    recorded = write_drive(out, episode)
    facts = {
        "schema": "marque.log.import/1",
        "source": str(folder),
        "file": str(out),
        "car": episode.platform.name,
        "duration_s": episode.readings[-1].t_ns / 1e9,
        "ticks": recorded.ticks,
        "inertia": sum(len(each.imu) for each in episode.readings),
        "fixes": sum(len(each.gnss) for each in episode.readings),
        "bus": sum(len(each.bus) for each in episode.readings),
        "radar_cycles": sum(len(each.objects) for each in episode.readings),
        "tilt_rad": calibration.tilt_rad,
        "fix_lag_s": calibration.fix_lag_s,
        "speed_lag_s": calibration.speed_lag_s,
        "lag_told": calibration.lag_told,
        "episode_hash": recorded.episode_hash,
    }
    rows = [(name.replace("_", " "), str(value)) for name, value in facts.items()]
    standard_output().print(facts_table("", rows[1:]))
    print(f"wrote {out}")
    if json_file is not None:
        write_text(json_file, json.dumps(facts, indent=2) + "\n")
        print(f"wrote {json_file}")
    print(f"again: {shlex.join(['marque', 'log', 'import', str(folder), '-o', str(out)])}")


def log_facts(path: Path, found: DriveRecords) -> dict[str, Any]:
    """The facts of `marque log info`, for machines."""
    end = found.metadata.get("marque.end", {})
    return {
        "schema": "marque.log.info/1",
        "file": str(path),
        "bytes": found.scan.size,
        "whole": found.scan.whole,
        "lost_bytes": 0 if found.scan.whole else found.scan.size - found.scan.read_bytes,
        "chunks": found.scan.chunks,
        "bad_chunks": found.scan.bad_chunks,
        "duration_s": found.last_ns / 1e9,
        "ticks": found.messages.get("/marque/tick", 0),
        "ticks_dropped": int(end.get("ticks_dropped", 0)),
        "messages": dict(sorted(found.messages.items())),
        "end": end.get("end"),
        "episode_hash": end.get("episode_hash"),
        "drive": found.metadata.get("marque.episode", {}),
    }


def recovery_facts(found: Recovery) -> dict[str, Any]:
    """The facts of `marque log recover`, for machines."""
    return {
        "schema": "marque.log.recover/1",
        "file": str(found.source),
        "out": str(found.target),
        "was_whole": found.was_whole,
        "messages": found.messages,
        "ticks": found.ticks,
        "lost_bytes": found.lost_bytes,
        "bad_chunks": found.bad_chunks,
    }


def _table(facts: dict[str, Any]) -> Table:
    table = Table(title=facts["file"], show_header=False, title_justify="left")
    state = "whole" if facts["whole"] else f"cut off, {facts['lost_bytes']} bytes behind are lost"
    rows: list[tuple[str, object]] = [
        ("state", state),
        ("size", f"{facts['bytes'] / 1e6:.2f} MB in {facts['chunks']} chunks"),
        ("duration", f"{facts['duration_s']:.1f} s"),
        ("ticks", facts["ticks"]),
    ]
    if facts["bad_chunks"]:
        rows.append(("damaged chunks", facts["bad_chunks"]))
    if facts["ticks_dropped"]:
        rows.append(("ticks dropped", facts["ticks_dropped"]))
    rows += [(name.replace("_", " "), value) for name, value in facts["drive"].items()]
    rows += [("end", facts["end"] or "-"), ("episode hash", facts["episode_hash"] or "-")]
    rows += [(topic, f"{count} messages") for topic, count in facts["messages"].items()]
    for name, value in rows:
        table.add_row(name, str(value))
    return table


def _sentence(found: Recovery) -> str:
    if found.was_whole and not found.bad_chunks:
        return f"{found.source} is whole: {found.messages} messages, {found.ticks} ticks; copied"
    bad = f", {found.bad_chunks} damaged chunks left out" if found.bad_chunks else ""
    return (
        f"recovered {found.messages} messages with {found.ticks} ticks from {found.source}; "
        f"{found.lost_bytes} bytes at its end are lost{bad}"
    )
