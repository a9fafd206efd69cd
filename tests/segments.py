"""The recorded segment beside the project, and broken ones made of it for a test."""

import shutil
from pathlib import Path

import numpy as np
import pytest


def need_cars() -> None:
    """Skip where the extra `cars` is missing."""
    pytest.importorskip("opendbc", reason="needs the extra `cars`")


def segment_of(shared_data: Path) -> Path:
    """The comma2k19 segment; the test is skipped without it."""
    folder = shared_data / "comma2k19"
    if not (folder / "processed_log").is_dir():
        pytest.skip("needs comma2k19 in the shared data folder")
    return folder


def with_changed(
    segment: Path, target: Path, changes: dict[str, np.ndarray | bytes | None]
) -> Path:
    """A segment whose files are links to the real ones, but for `changes`: other arrays, other
    bytes, or None for a file that is missing."""
    for path in segment.rglob("*"):
        if path.is_file():
            name = path.relative_to(segment)
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).symlink_to(path.resolve())
    for name, change in changes.items():
        path = target / name
        path.unlink()
        if isinstance(change, bytes):
            path.write_bytes(change)
        elif change is not None:
            with path.open("wb") as file:
                np.save(file, change)
    return target


def load(segment: Path, name: str) -> np.ndarray:
    """One array of a segment."""
    return np.load(segment / name)


def empty_log(target: Path) -> Path:
    """A segment folder with nothing in it."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "processed_log").mkdir(parents=True)
    return target
