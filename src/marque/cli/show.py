"""What the verbs share: progress on a terminal, tables, and the line that repeats a run."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from marque.core.files import write_text

PLAIN_WIDTH = 140  # columns where the output is no terminal


def standard_output() -> Console:
    """For tables and sentences; wide where it is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


class Bar:
    """A progress bar on standard error; silent where that is no terminal."""

    def __init__(self, total: float, text: str = "") -> None:
        console = Console(stderr=True)
        self._on = console.is_terminal
        self._bar = Progress(
            BarColumn(28),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            auto_refresh=False,
            disable=not self._on,
        )
        self._task: TaskID = self._bar.add_task(text, total=total)

    def show(self, done: float, text: str) -> None:
        """Redraw."""
        if self._on:
            self._bar.update(self._task, completed=done, description=text, refresh=True)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something else is printed."""
        self._bar.stop()
        yield
        self._bar.start()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()


def counted(bar: Bar, words: Callable[[Mapping[str, Any]], str]) -> Callable[[Any], None]:
    """To be told each result of a suite as it comes in: one more is done."""
    serial = count(1)

    def done(result: Mapping[str, Any]) -> None:
        bar.show(next(serial), words(result))

    return done


class Waiting:
    """One line that says what is being waited for; silent where there is no terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._on:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        self("")


def close_report(
    console: Console, report: Mapping[str, Any], json_file: Path | None, indent: int = 2
) -> None:
    """Write a suite's report where that is asked for, and print the command that repeats it."""
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=indent) + "\n")
        console.print(f"wrote {json_file}", soft_wrap=True, markup=False)
    console.print(f"again: {report['command']}", soft_wrap=True, markup=False)


def facts_table(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    """Two columns: name and value."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def minutes(seconds: float) -> str:
    """`3:07 min`."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d} min"
