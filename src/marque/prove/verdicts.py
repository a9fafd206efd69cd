"""What suites of scenario files share: a journal that outlives a kill, the run along it, counts,
names of files."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from marque.core.errors import MarqueError
from marque.core.files import need_writable_folder
from marque.prove.situations.suite import drive_all
from marque.sim.told import command_line

PASSED, FAILED, UNSUPPORTED = "passed", "failed", "unsupported"
JOURNAL = "journal.jsonl"
SLUG = 120
PICTURES = ("none", "some", "all")

Job = TypeVar("Job")
Done = Callable[[Mapping[str, Any]], None]


class Journal:
    """One line for each finished case, after a first one that says of which run they are."""

    def __init__(self, folder: Path, head: Mapping[str, Any], again: bool = False) -> None:
        """again: begin anew. MarqueError: it belongs to another run, or cannot be written."""
        need_writable_folder(folder)
        self.path = folder / JOURNAL
        self.head = json.loads(json.dumps(head))
        self.rows: dict[str, dict[str, Any]] = {}
        whole = self._read() if self.path.exists() and not again else 0
        with self.path.open("ab") as file:
            file.truncate(whole)
        self._file = self.path.open("a", encoding="utf-8")
        if not whole:
            self._write(self.head)

    def _read(self) -> int:
        """Bytes of whole lines; a last one without an end was cut off by a kill."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        try:
            lines = [json.loads(line) for line in data[:whole].splitlines()]
            rows = {row["case"]: row for row in lines[1:]}
        except (ValueError, TypeError, KeyError) as error:
            raise MarqueError(f"{self.path} is no journal of this suite: {error}") from error
        if lines and lines[0] != self.head:
            was = lines[0] if isinstance(lines[0], dict) else {}
            differ = [key for key, value in self.head.items() if was.get(key) != value]
            raise MarqueError(
                f"{self.path} is of a run with another {' and '.join(differ)}; "
                "choose another --out, or --again to begin anew"
            )
        self.rows = rows
        return whole

    def add(self, row: Mapping[str, Any]) -> None:
        """One more case is done."""
        self._write(row)

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def need_pictures(word: str) -> None:
    """MarqueError unless it says of which cases pictures are wanted."""
    if word not in PICTURES:
        raise MarqueError(f"no pictures '{word}'; have [{', '.join(PICTURES)}]")


def play_missing(
    journal: Journal,
    jobs: Mapping[str, Job],
    play: Callable[[Job], dict[str, Any]],
    workers: int,
    done: Done,
) -> list[dict[str, Any]]:
    """Plays the cases, by name, that the journal does not hold yet; a row for each, in their
    order. `done` is told of all of them, those that the journal holds first."""
    rows = {name: journal.rows[name] for name in jobs if name in journal.rows}
    for row in rows.values():
        done(row)

    def keep(row: dict[str, Any]) -> None:
        journal.add(row)
        done(row)

    missing = [job for name, job in jobs.items() if name not in rows]
    with journal:
        for row in drive_all(play, missing, workers, keep):
            rows[row["case"]] = row
    return [rows[name] for name in jobs]


def counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Played, passed, failed and unsupported cases."""
    tally = dict.fromkeys((PASSED, FAILED, UNSUPPORTED), 0)
    for row in rows:
        tally[row["verdict"]] += 1
    return {"played": len(rows) - tally[UNSUPPORTED], **tally}


def slug(words: Iterable[str]) -> str:
    """A file name of these words."""
    name = "-".join(words)
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in name)[:SLUG]


def case_command(scenario: Path, given: Iterable[tuple[str, str]]) -> str:
    """The command that drives a case by itself, with a driver of ours: there it may go faster and
    change lanes."""
    options: list[tuple[str, object]] = [("--scenario", scenario)]
    options += [("--set", f"{name}={value}") for name, value in given]
    return command_line(("drive",), options)


def digest_of(folder: Path) -> str:
    """Hex digest of every scenario and road file below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".xosc", ".xodr"):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
