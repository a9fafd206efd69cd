"""`marque prove adversary`: drivers that mean harm behind the guard, in dense foreign traffic."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import CarOption, ResultOption
from marque.cli.show import Bar, close_report, facts_table, minutes, standard_output
from marque.core.files import need_writable_file

FAILED = 1
KEYS = ("preventable", "steered", "contacts")


def adversary(
    runs: Annotated[int, typer.Option(metavar="N", help="Runs of 20 s.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    workers: Annotated[int, typer.Option(min=1, metavar="K", help="Processes.")] = 1,
    car: CarOption = "saloon_ev",
    roads: Annotated[str, typer.Option(metavar="R", help="city | motorway | all.")] = "all",
    only: Annotated[
        int | None, typer.Option(min=0, metavar="I", help="This run alone, played anew.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Records of runs and pictures go here.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make every run anew, whatever DIR holds.")
    ] = False,
    json_file: ResultOption = None,
) -> int:
    """Random, always-accelerating, steering-at-others, frozen and NaN drivers (docs/adversary.md).

    A suite that was stopped goes on where it stopped. Exit 0: no preventable collision; 1: some, or
    a run that could not be played; 2: wrong use or bad input.
    """
    from marque.prove.adversary.suite import PLAN_FILE, RUNS_FILE, Suite, run_adversary
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    folder = out or Path("out") / f"adversary-{roads}-{Path(car).stem}-s{seed}"
    suite = Suite(runs, seed, workers, folder, car, roads, again, only)
    console = standard_output()
    console.print(
        f"{runs:,} runs of 20 s, roads {roads}, car {car}, seed {seed}; records in {folder}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    with Bar(runs if only is None else 1) as bar:

        def tell(record: Any, done: int, total: int) -> None:
            bar.show(done, str(record["driver"]))
            if record.get("preventable") or record.get("steered") or "failed" in record:
                with bar.aside():
                    console.print(words_of(record), soft_wrap=True, markup=False)

        report = run_adversary(suite, tell)
    options = [
        ("--runs", runs), ("--seed", seed), ("--workers", workers), ("--car", car),
        ("--roads", roads), ("--only", only), ("--out", out),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "adversary"), options)
    show(console, report)
    files = [("records", str(folder / RUNS_FILE)), ("plan", str(folder / PLAN_FILE))]
    pictures = sum(len(record["pictures"]) for record in report["failed"])
    if pictures:
        files.append((f"{pictures} pictures", str(folder / "r*.png")))
    console.print(facts_table("Files", files))
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed"] else FAILED


def words_of(record: dict[str, Any]) -> str:
    """One run that is worth a line."""
    head = f"run {record['run']} ({record['driver']}, {record['state']})"
    if "failed" in record:
        return f"{head}: not played: {record['failed']}"
    hits = record["hits"]
    return f"{head}: " + "; ".join(
        f"{hit['kind']} at {hit['t_s']:g} s, "
        f"{hit['speed_mps']:g} against {hit['other_mps']:g} m/s, "
        f"rules {', '.join(hit['rules_before'][-4:]) or 'none'}"
        for hit in hits
    )


def show(console: Console, report: dict[str, Any]) -> None:
    """The table for people."""
    table = Table(box=None, padding=(0, 1))
    for name in ("driver", "runs", "preventable", "steered into", "contacts"):
        table.add_column(name, justify="left" if name == "driver" else "right")
    for kind, row in report["drivers"].items():
        table.add_row(kind, f"{row['runs']:,}", *(str(row[key]) for key in KEYS))
    table.add_row("all", f"{report['played']:,}", *(str(report[key]) for key in KEYS))
    console.print(table)
    low, high = report["preventable_per_1000"]
    console.print(
        f"preventable in {low:g} to {high:g} of 1,000 runs (exact, 95 %); "
        f"{report['cpu_s_per_run']:g} s of CPU time a run without SUMO's; "
        f"{minutes(report['wall_s'])} this time",
        markup=False,
    )
    if report["unplayed"]:
        console.print(f"{len(report['unplayed'])} runs could not be played", markup=False)
    console.print("passed" if report["passed"] else "not passed", markup=False)
