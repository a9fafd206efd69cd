"""Values with every bit in them, for comparison."""

import dataclasses
import struct

import numpy as np


def exact(value: object) -> object:
    """A value with every bit in it, for comparison."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if dataclasses.is_dataclass(value):
        return tuple(exact(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, tuple):
        return tuple(exact(each) for each in value)
    return value
