"""Slow twin of `record.proto`: decode any message by the schema that stands in the log itself.

Reads the FileDescriptorSet as a viewer would, knows nothing of our tables.
"""

import struct
from typing import Any

_SCALARS = {1: "<d", 16: "<q", 15: "<i", 7: "<I"}


def decode(descriptor_set: bytes, name: str, data: bytes) -> dict[str, Any]:
    """A message as a dictionary; repeated fields are lists, absent ones are missing."""
    return _message(_types(descriptor_set), "." + name, data)


def _types(descriptor_set: bytes) -> dict[str, dict[int, tuple[str, int, int, str]]]:
    types: dict[str, dict[int, tuple[str, int, int, str]]] = {}
    for _, file in _fields(descriptor_set):
        package = next(bytes(v).decode() for n, v in _fields(file) if n == 2)
        for number, message in _fields(file):
            if number != 4:
                continue
            parts = list(_fields(message))
            own = bytes(next(v for n, v in parts if n == 1)).decode()
            table = {}
            for n, field in parts:
                if n == 2:
                    facts = dict(_fields(field))
                    target = bytes(facts.get(6, b"")).decode()
                    table[facts[3]] = (bytes(facts[1]).decode(), facts[4], facts[5], target)
            types[f".{package}.{own}"] = table
    return types


def _message(types: dict[str, Any], name: str, data: bytes) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for number, raw in _fields(data):
        label, repeated, kind, target = types[name][number]
        value: Any
        if kind == 11:
            value = _message(types, target, raw)
        elif kind == 9:
            value = bytes(raw).decode()
        elif kind == 12:
            value = bytes(raw)
        elif kind in _SCALARS:
            value = [number for (number,) in struct.iter_unpack(_SCALARS[kind], raw)]
            if repeated == 3:  # packed
                out.setdefault(label, []).extend(value)
                continue
            (value,) = value
        else:
            value = raw
        if repeated == 3:
            out.setdefault(label, []).append(value)
        else:
            out[label] = value
    return out


def _fields(data: bytes) -> Any:
    data = bytes(data)
    while data:
        key, data = _number(data)
        if key & 7 == 0:
            value, data = _number(data)
        elif key & 7 == 1:
            value, data = data[:8], data[8:]
        elif key & 7 == 5:
            value, data = data[:4], data[4:]
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            size, data = _number(data)
            assert size <= len(data), "field longer than its message"
            value, data = data[:size], data[size:]
        yield key >> 3, value


def _number(data: bytes) -> tuple[int, bytes]:
    value = 0
    for at, byte in enumerate(data):
        value += (byte & 127) << (7 * at)
        if byte < 128:
            return value, data[at + 1 :]
    raise AssertionError("number without end")
