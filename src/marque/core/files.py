"""Files that are either whole or not there: write aside, then rename."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from marque.core.errors import MarqueError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Call `write` on a sibling temporary path, then rename it to `path`. A device or a pipe
    (`/dev/stdout`) is written to as it stands: a rename would put a file in its place.

    Raises MarqueError when the folder cannot be written or the disk is full; nothing half-written
    stays behind.
    """
    _need_name(path)
    special = _is_special(path)
    aside = path if special else path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(aside)
        if not special:
            os.replace(aside, path)
    except OSError as error:
        raise MarqueError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if not special:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole (UTF-8)."""
    write_whole(path, lambda aside: _write_text(aside, text))


def _write_text(aside: Path, text: str) -> None:
    aside.write_text(text, encoding="utf-8")


def need_writable_folder(path: Path) -> None:
    """Make the folder and prove that a file can be written into it; MarqueError otherwise."""
    probe = path / f".probe.{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
    except OSError as error:
        raise MarqueError(f"cannot write into {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def need_writable_file(path: Path) -> None:
    """Prove that a file can stand at `path`, before the work whose result it takes; MarqueError."""
    _need_name(path)
    if not _is_special(path):
        need_writable_folder(path.parent)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _need_name(path: Path) -> None:
    if not path.name or path.is_dir():
        raise MarqueError(f"cannot write {path}: it is a folder; name a file in it")


def user_cache() -> Path:
    """Where converted maps are kept: `$MARQUE_CACHE`, else `$XDG_CACHE_HOME/marque`."""
    chosen = os.environ.get("MARQUE_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "marque"
