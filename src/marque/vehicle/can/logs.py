"""Frames of a drive as a log that other tools read: candump, BLF and ASC, by python-can."""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.files import write_whole
from marque.vehicle.can.bench import Frame

KINDS = {".log": "candump", ".blf": "BLF", ".asc": "ASC"}


def _can() -> Any:
    try:
        import can
    except ImportError as error:
        raise MarqueError("CAN logs need python-can: pip install 'marque[cars]'") from error
    return can


def kind_of(path: Path) -> str:
    """The suffix of a log. MarqueError: one that we do not write."""
    if path.suffix.lower() not in KINDS:
        known = ", ".join(f"{suffix} ({name})" for suffix, name in KINDS.items())
        raise MarqueError(f"{path}: a CAN log ends in one of [{known}]")
    return path.suffix.lower()


def write_log(path: Path, frames: Iterable[tuple[int, Frame, bool]]) -> int:
    """(time, frame, whether it came from the car) -> a log; returns how many frames.

    MarqueError: no python-can, a suffix that is no log's, a folder that cannot be written.
    """
    can, suffix = _can(), kind_of(path)
    count = 0

    def write(aside: Path) -> None:
        nonlocal count
        named = aside.with_name(aside.name + suffix)
        writer = can.Logger(str(named))
        for t_ns, frame, from_car in frames:
            writer.on_message_received(
                can.Message(
                    timestamp=t_ns / 1e9, arbitration_id=frame.address, data=frame.data,
                    is_extended_id=frame.address >= 0x800, is_fd=len(frame.data) > 8,
                    channel=frame.bus, is_rx=from_car,
                )
            )  # fmt: skip
            count += 1
        writer.stop()
        named.replace(aside)

    write_whole(path, write)
    return count


def read_log(path: Path) -> Iterator[tuple[int, Frame, bool]]:
    """The frames of a log, as `write_log` took them; also those of other writers.

    MarqueError: no python-can, no such file, not a log.
    """
    can, suffix = _can(), kind_of(path)
    from can.io.blf import BLFParseError as NotALog

    kinds = {".log": can.CanutilsLogReader, ".blf": can.BLFReader, ".asc": can.ASCReader}
    mode = "rb" if suffix == ".blf" else "r"
    try:
        with path.open(mode) as file:
            yield from _frames(path, kinds[suffix](file))
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, IndexError, EOFError, struct.error, can.CanError, NotALog) as error:
        raise MarqueError(f"{path} is no {KINDS[suffix]} log: {error}") from error


def _frames(path: Path, reader: Iterable[Any]) -> Iterator[tuple[int, Frame, bool]]:
    first = None
    for message in reader:
        if message.is_error_frame or message.is_remote_frame:
            continue
        first = message.timestamp if first is None else first
        frame = Frame(int(message.arbitration_id), bytes(message.data), _bus(message.channel))
        yield round((message.timestamp - first) * 1e9), frame, bool(message.is_rx)
    if first is None:
        raise MarqueError(f"{path} has no CAN frames")


def _bus(channel: Any) -> int:
    """0 for a channel without a number; candump names them `can0`."""
    digits = "".join(c for c in str(channel) if c.isdigit())
    return int(digits) if digits else 0
