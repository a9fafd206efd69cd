"""CAN frames as arrays, and the signals in them by the DBC files that `opendbc` keeps.

`opendbc` (MIT) knows the files and parses them; here its signals are cut out of all frames of a
message at once, because its own parser takes one frame after the other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marque.core.arrays import FloatArray, IntArray, freeze_arrays
from marque.core.errors import MarqueError

BYTES = 8  # of a classic CAN frame


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """n frames in the order in which they came."""

    t_s: FloatArray  # [n] when each came, on the logger's clock
    address: IntArray  # [n]
    bus: IntArray  # [n]
    data: npt.NDArray[np.uint8]  # [n, 8], padded with zeros behind a frame's own length

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.t_s)


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """All intact frames of one message, m of them, and how many were not intact."""

    name: str
    t_s: FloatArray  # [m]
    signals: dict[str, FloatArray]  # by the names of the DBC; in its units
    damaged: int  # frames whose checksum is wrong, left out


def load_dbc(name: str) -> Any:
    """The DBC of that name, an `opendbc.can.dbc.DBC`.

    MarqueError: the extra `cars` is not installed, or there is no such file.
    """
    try:
        from opendbc.can.dbc import DBC
    except ImportError as error:
        raise MarqueError(
            "decoding CAN needs opendbc (Python 3.11 or 3.12): pip install 'marque[cars]'"
        ) from error
    try:
        return DBC(name)
    except FileNotFoundError as error:
        raise MarqueError(f"opendbc has no DBC '{name}'") from error


def decode(frames: Frames, dbc: Any, name: str, bus: int) -> Message:
    """Every intact frame of message `name` on `bus`, decoded.

    Raises KeyError when the DBC has no such message. A message that never came has no frames.
    """
    message = dbc.name_to_msg[name]
    mine = np.flatnonzero((frames.address == message.address) & (frames.bus == bus))
    intact = mine[_intact(message, frames.data[mine])]
    data = frames.data[intact]
    signals = {label: _values(signal, data) for label, signal in message.sigs.items()}
    return Message(name, frames.t_s[intact], signals, len(mine) - len(intact))


def _intact(message: Any, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which frames carry the checksum that they should, where the message has one."""
    good = np.ones(len(data), dtype=np.bool_)
    for signal in message.sigs.values():
        if signal.calc_checksum is not None:
            should = [
                signal.calc_checksum(message.address, signal, bytearray(row[: message.size]))
                for row in data.tolist()
            ]
            good &= _raw(signal, data) == np.array(should, dtype=np.int64)
    return good


def _values(signal: Any, data: npt.NDArray[np.uint8]) -> FloatArray:
    raw = _raw(signal, data)
    if signal.is_signed:
        raw = raw - ((raw >> (signal.size - 1)) & 1) * (1 << signal.size)
    values: FloatArray = raw * signal.factor + signal.offset
    return values


def _raw(signal: Any, data: npt.NDArray[np.uint8]) -> IntArray:
    """The signal's bits as whole numbers [m], from its most significant byte on.

    Bits are counted as in a DBC: bit b of byte i has the number 8 i + b.
    """
    first, last = signal.msb // 8, signal.lsb // 8
    raw = np.zeros(len(data), dtype=np.int64)
    for byte in range(first, last - 1, -1) if first >= last else range(first, last + 1):
        high = signal.msb % 8 if byte == first else 7
        low = signal.lsb % 8 if byte == last else 0
        part = (data[:, byte].astype(np.int64) >> low) & ((1 << (high - low + 1)) - 1)
        raw = (raw << (high - low + 1)) | part
    return raw
