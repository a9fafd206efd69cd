"""The one place where scalar functions are compiled.

`MARQUE_NO_JIT=1` turns the compiler off (coverage and mutation run that way); the functions are
then plain Python and give the same results.

Machine code is cached in the user's cache under a digest of every source that compiles anything:
Numba itself looks only at the one file a function stands in, and would go on using old code of a
function that this one calls.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching

from marque.core.files import user_cache

F = TypeVar("F", bound=Callable[..., Any])
ENABLED = os.environ.get("MARQUE_NO_JIT", "") in ("", "0")
KEPT = 6  # digests of earlier sources whose code is kept


def _source_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    root = Path(__file__).resolve().parent.parent
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        if b"@jit" in content:
            digest.update(str(path.relative_to(root)).encode())
            digest.update(content)
    return digest.hexdigest()[:20]


def _use_cache() -> None:
    home = user_cache() / "code"
    folder = home / _source_digest()
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            old = sorted(home.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
            for stale in old[KEPT:]:
                shutil.rmtree(stale, ignore_errors=True)
    except OSError:
        return  # no place to keep code: Numba falls back to its own choice
    numba.config.CACHE_DIR = str(folder)


def none_kept() -> bool:
    """Whether the machine code of these sources has still to be made, all of it."""
    return ENABLED and not any(Path(numba.config.CACHE_DIR or ".").glob("*/*.nbi"))


def _bear_full_disks() -> None:
    """Machine code that cannot be kept is made again next time; Numba would raise instead."""
    save = caching.Cache.save_overload

    def save_if_possible(cache: Any, signature: Any, data: Any) -> None:
        with contextlib.suppress(OSError):
            save(cache, signature, data)

    caching.Cache.save_overload = save_if_possible


if ENABLED:
    _use_cache()
    _bear_full_disks()


def jit(function: F) -> F:
    """Compile to machine code on first call, cached on disk; division by zero gives inf/nan."""
    if not ENABLED:
        return function
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def jit_borrowed(function: F) -> F:
    """`jit` for functions that make no arrays and only look at those of their caller, who keeps
    them alive: references are not counted, which for a call with twenty arrays costs more than what
    it computes. Other Python threads may run meanwhile.
    """
    if not ENABLED:
        return function
    make = numba.njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
    return cast(F, make(function))


def jit_inside(function: F) -> F:
    """`jit_borrowed` for a part of such a function: it becomes part of its caller's code."""
    if not ENABLED:
        return function
    make = numba.njit(cache=True, error_model="numpy", nogil=True, _nrt=False, forceinline=True)
    return cast(F, make(function))
