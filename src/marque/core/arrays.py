"""Array aliases, and the one way to make an array read-only."""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
Int8Array = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]


def freeze_arrays(noun: object) -> None:
    """Make every array field of a dataclass instance read-only (nouns never change)."""
    for name in noun.__dataclass_fields__:  # type: ignore[attr-defined]
        value: Any = getattr(noun, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
