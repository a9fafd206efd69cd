"""Protocol-buffer wire format, as much of it as a log needs: encode, decode, describe.

Messages are tables (`Message`), so that the log carries its own schema and any protobuf tool reads
it; bulk primitives are laid out by numpy in one go (`Stencil`), which is what makes a scene of a
hundred boxes cost microseconds. Source: protobuf.dev, "Encoding" and `descriptor.proto`.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marque.core.arrays import FloatArray

VARINT, FIXED64, BYTES = 0, 1, 2
_TYPES = {
    "double": 1,
    "int64": 3,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "fixed32": 7,
    "sfixed32": 15,
    "sfixed64": 16,
}
_MESSAGE, _ENUM = 11, 14
_SMALL = tuple(bytes((value,)) for value in range(128))
_OPTIONAL, _REPEATED = 1, 3


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is a scalar type name, `message:NAME` or `enum:NAME` (full names)."""

    number: int
    name: str
    kind: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message type, with the enumerations that it declares inside itself."""

    name: str
    fields: tuple[Field, ...]
    enums: tuple[tuple[str, tuple[str, ...]], ...] = ()  # name, values from 0


@dataclass(frozen=True, slots=True)
class File:
    """One .proto file: a package and its messages."""

    name: str
    package: str
    messages: tuple[Message, ...]
    needs: tuple[str, ...] = ()


def varint(value: int) -> bytes:
    """Base-128 encoding of a non-negative integer."""
    if value < 128:
        return _SMALL[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, wire: int) -> bytes:
    """What stands before a field's value."""
    return _SMALL[number << 3 | wire] if number < 16 else varint(number << 3 | wire)


def block(number: int, data: bytes) -> bytes:
    """A field of bytes, text or an embedded message."""
    return tag(number, BYTES) + varint(len(data)) + data


def text(number: int, value: str) -> bytes:
    """A string field."""
    return block(number, value.encode())


def whole(number: int, value: int) -> bytes:
    """A non-negative integer, bool or enum field."""
    return tag(number, VARINT) + varint(value)


def real(number: int, value: float) -> bytes:
    """A double field."""
    return tag(number, FIXED64) + struct.pack("<d", value)


def doubles(count: int) -> struct.Struct:
    """Packer of fields 1..count, all doubles; give it `interleave(values)`."""
    return struct.Struct("<" + "Bd" * count)


def interleave(values: Sequence[float]) -> list[float]:
    """Each value after the tag of a double field, fields counted from 1."""
    out: list[float] = []
    for number, value in enumerate(values, start=1):
        out += (number << 3 | FIXED64, value)
    return out


def parse(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Fields of one message in order: (number, int | 8 raw bytes | memoryview).

    Raises ValueError on bytes that are no message.
    """
    at = 0
    end = len(data)
    while at < end:
        key, at = _read_varint(data, at)
        wire = key & 7
        value: Any
        if wire == VARINT:
            value, at = _read_varint(data, at)
        elif wire == FIXED64:
            value, at = data[at : at + 8], at + 8
        elif wire == BYTES:
            size, at = _read_varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {wire} is not used in these logs")
        if at > end:
            raise ValueError("message ends inside a field")
        yield key >> 3, value


def by_number(data: memoryview) -> dict[int, list[Any]]:
    """The values of every field of a message, by number, in the order in which they stand."""
    found: dict[int, list[Any]] = {}
    for number, value in parse(data):
        found.setdefault(number, []).append(value)
    return found


def first(found: dict[int, list[Any]], number: int) -> Any:
    """The first value of a field. ValueError when it is missing."""
    if number not in found:
        raise ValueError(f"field {number} is missing")
    return found[number][0]


def long(raw: memoryview) -> int:
    """The value of a `sfixed64`."""
    return int.from_bytes(raw, "little", signed=True)


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("message ends inside a number")


class Stencil:
    """Many equal-sized messages at once: constant bytes with holes for doubles.

    `Stencil(b"..", "x", b"..", "y")`; `fill(n, x=..., y=...)` gives the n messages end to end.
    """

    __slots__ = ("_dtype", "_row", "size")

    def __init__(self, *parts: bytes | str) -> None:
        fields: list[tuple[str, str]] = []
        row = b""
        for number, part in enumerate(parts):
            if isinstance(part, bytes):
                fields.append((f"_{number}", f"V{len(part)}"))
                row += part
            else:
                fields.append((part, "<f8"))
                row += bytes(8)
        self._dtype = np.dtype(fields)
        self._row: npt.NDArray[Any] = np.frombuffer(row, dtype=self._dtype)
        self.size = len(row)

    def fill(self, count: int, **columns: FloatArray | float) -> bytes:
        """The bytes of `count` messages; every hole must be given (array [count] or scalar)."""
        rows = np.repeat(self._row, count)
        for name, values in columns.items():
            rows[name] = values
        return rows.tobytes()


def vector(number: int, names: Sequence[str], skip: int = 0) -> list[bytes | str]:
    """Stencil parts of an embedded message of doubles, fields `skip`+1.. named `names`."""
    parts: list[bytes | str] = [tag(number, BYTES) + varint(9 * len(names))]
    for offset, name in enumerate(names, start=1 + skip):
        parts += [tag(offset, FIXED64), name]
    return parts


def nest(number: int, parts: Sequence[bytes | str]) -> list[bytes | str]:
    """Stencil parts wrapped as an embedded message."""
    size = sum(len(part) if isinstance(part, bytes) else 8 for part in parts)
    return [tag(number, BYTES) + varint(size), *parts]


def join(parts: Sequence[bytes | str]) -> list[bytes | str]:
    """Neighbouring constants of a stencil made one."""
    out: list[bytes | str] = []
    for part in parts:
        if out and isinstance(part, bytes) and isinstance(out[-1], bytes):
            out[-1] += part
        else:
            out.append(part)
    return out


def describe(files: Sequence[File]) -> bytes:
    """`FileDescriptorSet` of the files, in dependency order: the schema that MCAP stores."""
    return b"".join(block(1, _describe_file(file)) for file in files)


def _describe_file(file: File) -> bytes:
    return b"".join(
        (
            text(1, file.name),
            text(2, file.package),
            *(text(3, need) for need in file.needs),
            *(block(4, _describe_message(message)) for message in file.messages),
            text(12, "proto3"),
        )
    )


def _describe_message(message: Message) -> bytes:
    return b"".join(
        (
            text(1, message.name),
            *(block(2, _describe_field(field)) for field in message.fields),
            *(block(4, _describe_enum(name, values)) for name, values in message.enums),
        )
    )


def _describe_field(field: Field) -> bytes:
    kind, _, target = field.kind.partition(":")
    code = {"message": _MESSAGE, "enum": _ENUM}.get(kind) or _TYPES[kind]
    label = _REPEATED if field.repeated else _OPTIONAL
    head = text(1, field.name) + whole(3, field.number) + whole(4, label) + whole(5, code)
    return head + (text(6, f".{target}") if target else b"")


def _describe_enum(name: str, values: tuple[str, ...]) -> bytes:
    listed = (block(2, text(1, value) + whole(2, n)) for n, value in enumerate(values))
    return text(1, name) + b"".join(listed)
