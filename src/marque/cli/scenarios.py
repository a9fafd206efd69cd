"""`marque prove scenarios`: scenario files played with their own driving, against traces."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import ResultOption
from marque.cli.show import Waiting, close_report, standard_output
from marque.core.files import need_writable_file

FAILED = 1


def scenarios(
    suite: Annotated[
        Path, typer.Option(metavar="DIR", help="Every OpenSCENARIO file below is played.")
    ],
    reference: Annotated[
        list[Path] | None,
        typer.Option(metavar="CSV", help="Traces of a reference player; may be given twice."),
    ] = None,
    cases: Annotated[
        int, typer.Option(min=0, metavar="N", help="Of each variation, played too.")
    ] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also what the reference player leaves out.")
    ] = False,
    json_file: ResultOption = None,
) -> int:
    """Play scenario files as they stand, with the ego that they drive themselves.

    Exit 0: all played, and within 0.1 m and 0.1 m/s of the traces; 1: not; 2: wrong use.
    """
    from marque.prove.scenarios import Order, run
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    references = tuple(reference or ())
    waiting = Waiting()
    report = run(Order(suite, references, cases, strict), waiting)
    waiting.clear()
    options: list[tuple[str, object]] = [("--suite", suite)]
    options += [("--reference", path) for path in references]
    options += [("--cases", cases or None), ("--strict", strict or None)]
    report["command"] = command_line(("prove", "scenarios"), options)
    console = standard_output()
    show(console, report)
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed"] else FAILED


def show(console: Console, report: dict[str, Any]) -> None:
    """The tables for people."""
    table = Table(box=None, padding=(0, 1))
    for name in ("file", "end", "seconds", "contact", "worst m", "worst m/s", "of"):
        table.add_column(name, justify="left" if name in ("file", "end", "of") else "right")
    for row in report["files"]:
        table.add_row(*_words(row))
    console.print(table)
    for row in (*report["files"], *report["varied"]):
        if row["refused"]:
            console.print(f"refused: {row['refused']}", soft_wrap=True, markup=False)
    console.print(
        f"{report['played']} of {len(report['files'])} scenarios played; "
        f"{report['variations']} variations with {report['variation_cases']} cases, "
        f"{report['variation_cases_played']} of them played; {report['unsupported']} refused",
        markup=False,
    )
    if report["compared"]:
        console.print(
            f"{report['compared']} held against traces: at most {report['worst_m']:.3f} m and "
            f"{report['worst_mps']:.3f} m/s away; 0.1 and 0.1 are allowed",
            markup=False,
        )


def _words(row: dict[str, Any]) -> tuple[str, ...]:
    name = Path(row["file"]).stem
    if not row["played"]:
        return name, "REFUSED", "", "", "", "", ""
    contact, worst = row["contact"], row["worst"]
    hit = "" if contact is None else f"{contact['with']} {contact['t_s']:.2f} s"
    if not worst:
        return name, row["end"], f"{row['duration_s']:.1f}", hit, "", "", ""
    far = max(worst, key=lambda each: (each["away_m"], each["speed_mps"]))
    fast = max(each["speed_mps"] for each in worst)
    seconds = f"{row['duration_s']:.1f}"
    return (
        name, row["end"], seconds, hit, f"{far['away_m']:.3f}", f"{fast:.3f}", far["name"],
    )  # fmt: skip
