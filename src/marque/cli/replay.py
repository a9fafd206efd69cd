"""`marque prove replay`: a recorded minute of a real car, judged by its reference."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import ResultOption
from marque.cli.show import Bar, close_report, standard_output
from marque.core.files import need_writable_file

FAILED = 1
PICTURE = Path("out") / "replay.png"
ROWS = (  # key, words, unit
    ("speed_rms_mps", "speed, rms against the reference", "m/s"),
    ("yaw_rate_rms_radps", "yaw rate, rms", "rad/s"),
    ("heading_rms_rad", "heading, rms", "rad"),
    ("position_rms_m", "position with satellites, rms", "m"),
    ("position_max_m", "position with satellites, largest", "m"),
    ("position_after_10s_m", "position 10 s after they are lost, rms over outages", "m"),
    ("position_after_10s_median_m", "the same, median", "m"),
    ("position_after_10s_worst_m", "the same, worst", "m"),
    ("position_after_30s_m", "position after 30 s, rms over outages", "m"),
    ("position_after_30s_median_m", "the same, median", "m"),
    ("position_after_30s_worst_m", "the same, worst", "m"),
    ("position_after_60s_m", "position at the end of the longest outage", "m"),
    ("outage_60s_lasted_s", "which lasted", "s"),
    ("known_share", "time in which it called its position known", ""),
    ("within_3_sigma_share", "position errors within 3 believed sigmas", ""),
    ("lead_share", "time with a car ahead, by radar", ""),
    ("asked_less_human_rms_mps2", "what ours would ask for less what the human did, rms", "m/s²"),
)


def replay(
    log: Annotated[
        Path,
        typer.Option("--log", metavar="DIR", help="A comma2k19 segment."),
    ],
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: out/replay.png.")
    ] = None,
    json_file: ResultOption = None,
) -> int:
    """Localisation and following on a recorded minute of a real car, against its reference pose.

    Exit 0: every bar held; 1: one was missed; 2: wrong use or bad input.
    """
    from marque.draw.replay import replay_picture
    from marque.prove.replay.suite import replay as judged
    from marque.record.comma2k19.drive import read_drive
    from marque.record.comma2k19.sensors import camera_forward_m
    from marque.sim.told import command_line
    from marque.stack.perception.localise import Mounting

    drawn = picture or PICTURE
    for path in (drawn, json_file):
        if path is not None:
            need_writable_file(path)
    episode, calibration = read_drive(log)
    with Bar(1.0, "replaying") as bar:
        report, curves = judged(
            episode, Mounting(camera_forward_m()), lambda share: bar.show(share, "replaying")
        )
    report["log"] = str(log)
    report["calibration"] = {
        "tilt_rad": calibration.tilt_rad,
        "fix_lag_s": calibration.fix_lag_s,
        "speed_lag_s": calibration.speed_lag_s,
        "lag_told": calibration.lag_told,
    }
    options = [("--log", log), ("--picture", picture), ("--json", json_file)]
    report["command"] = command_line(("prove", "replay"), options)
    replay_picture(curves, drawn)
    console = standard_output()
    _show(console, report)
    console.print(f"wrote {drawn}", soft_wrap=True, markup=False)
    close_report(console, report, json_file)
    return 0 if report["passed"] else FAILED


def _show(console: Console, report: dict[str, Any]) -> None:
    table = Table(box=None, padding=(0, 2))
    for name, side in (
        ("what", "left"),
        ("measured", "right"),
        ("must", "right"),
        ("aim", "right"),
    ):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for key, words, unit in ROWS:
        if report.get(key) is None:
            continue
        limits = [
            f"≤ {report[kind][key]:g}" if key in report[kind] else "" for kind in ("bars", "aims")
        ]
        table.add_row(words, f"{report[key]:.3g} {unit}".strip(), *limits)
    console.print(table)
    counted = ", ".join(f"{name} {count}" for name, count in report["counts"].items())
    console.print(f"dropped or contradicted: {counted or 'nothing'}", markup=False)
