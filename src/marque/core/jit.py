"""The one place where scalar functions are compiled.

`MARQUE_NO_JIT=1` turns the compiler off (coverage and mutation run that way); the functions are
then plain Python and give the same results.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])
ENABLED = os.environ.get("MARQUE_NO_JIT", "") in ("", "0")


def jit(function: F) -> F:
    """Compile to machine code on first call, cached on disk; division by zero gives inf/nan."""
    if not ENABLED:
        return function
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def jit_inline(function: F) -> F:
    """`jit` for a leaf that must dissolve into its caller (no call cost in an inner loop)."""
    if not ENABLED:
        return function
    return cast(F, numba.njit(cache=True, error_model="numpy", inline="always")(function))
