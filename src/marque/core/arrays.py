"""Array aliases, and the ways to make arrays read-only."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
Int8Array = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]


Scalars = TypeVar("Scalars", bound=np.generic)


def read_only(array: npt.NDArray[Scalars]) -> npt.NDArray[Scalars]:
    """A view that cannot be written to. What a noun holds is read-only, and a compiled function
    that is called with both kinds is compiled twice, the second time in the middle of a drive."""
    view = array.view()
    view.flags.writeable = False
    return view


def freeze_arrays(noun: object) -> None:
    """Make every array field of a dataclass instance read-only (nouns never change)."""
    for name in noun.__dataclass_fields__:  # type: ignore[attr-defined]
        value: Any = getattr(noun, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
