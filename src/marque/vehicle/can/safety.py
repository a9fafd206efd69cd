"""opendbc's own safety model, which judges every frame before it reaches an actuator.

Its C headers are in opendbc's wheel. They are compiled once, with a glue file of ours, by the
system's C compiler, with `-DALLOW_DEBUG`: without it opendbc builds no longitudinal control for
many of its cars. The library stands in the user's cache under a digest of its sources.
"""

import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.files import user_cache, write_whole

GLUE = Path(__file__).with_name("safety_glue.c")
FLAGS = (
    "-O1", "-shared", "-fPIC", "-std=gnu11", "-DALLOW_DEBUG", "-fwrapv", "-Wno-pointer-to-int-cast",
)  # fmt: skip
DECLARATIONS = """
int marque_begin(uint16_t mode, uint16_t param, int alternative);
void marque_time(uint32_t us);
void marque_second(void);
bool marque_heard(uint32_t address, int bus, const uint8_t *data, int length_code);
bool marque_may_send(uint32_t address, int bus, const uint8_t *data, int length_code);
bool marque_allowed(void);
bool marque_relay_malfunction(void);
bool marque_checks_fail(void);
int marque_check_count(void);
int marque_check(int i, int j, int *bus, int *length);
int marque_check_valid(int i);
bool marque_check_sums(int i);
"""
LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
CODES = {length: code for code, length in enumerate(LENGTHS)}
TICK_US = 1_000_000


class Safety:
    """The model for one car. There is one in a process: its state is the library's own."""

    def __init__(self, mode: int, param: int) -> None:
        self._ffi, self._lib = _library()
        self._next_us = TICK_US
        if self._lib.marque_begin(mode, param, 0) != 0:
            raise MarqueError(f"opendbc's safety model has no mode {mode}")

    def at(self, t_ns: int) -> None:
        """Set its clock; its check for lagging messages runs each second."""
        us = t_ns // 1000
        self._lib.marque_time(us % 2**32)
        if us >= self._next_us:
            self._lib.marque_second()
            self._next_us += TICK_US

    def heard(self, address: int, data: bytes, bus: int) -> bool:
        """A frame from the car; whether it was intact, as far as the model checks it."""
        return bool(self._lib.marque_heard(address, bus, data, CODES[len(data)]))

    def may_send(self, address: int, data: bytes, bus: int) -> bool:
        """Whether a frame may go out to the car."""
        if len(data) not in CODES:
            return False
        return bool(self._lib.marque_may_send(address, bus, data, CODES[len(data)]))

    @property
    def allowed(self) -> bool:
        """Whether it lets anybody control the car now."""
        return bool(self._lib.marque_allowed())

    @property
    def relay_malfunction(self) -> bool:
        """Whether it heard from the car what only we should send."""
        return bool(self._lib.marque_relay_malfunction())

    @property
    def checks_fail(self) -> bool:
        """Whether a message that it needs lags, or is not intact."""
        return bool(self._lib.marque_checks_fail())

    def checked(self) -> list[list[tuple[int, int, int]]]:
        """The messages it watches: for each the alternatives (address, bus, length)."""
        bus, length = self._ffi.new("int *"), self._ffi.new("int *")
        out = []
        for i in range(self._lib.marque_check_count()):
            row = []
            for j in range(4):
                address = self._lib.marque_check(i, j, bus, length)
                if address:
                    row.append((int(address), int(bus[0]), int(length[0])))
            out.append(row)
        return out

    def summed(self) -> set[tuple[int, int]]:
        """(bus, address) of the watched messages whose checksum it verifies."""
        return {
            (bus, address)
            for i, row in enumerate(self.checked())
            if self._lib.marque_check_sums(i)
            for address, bus, _ in row
        }

    def states(self) -> list[int]:
        """Of each message in `checked`: 1 seen, 2 checksum, 4 counter, 8 quality, 16 in time."""
        return [int(self._lib.marque_check_valid(i)) for i in range(self._lib.marque_check_count())]


def compiler() -> str:
    """The system's C compiler. MarqueError: there is none."""
    named = os.environ.get("CC", "")
    for name in (named, "cc", "gcc", "clang"):
        if name and (found := shutil.which(name)):
            return found
    raise MarqueError(
        "judging frames needs a C compiler for opendbc's safety model, and there is none: "
        "install gcc or clang, or name one in CC"
    )


@cache
def _library() -> tuple[Any, Any]:
    """(ffi, library)."""
    try:
        import opendbc
        from cffi import FFI
    except ImportError as error:
        raise MarqueError(
            "real cars need opendbc and cffi (Python 3.11 or 3.12): pip install 'marque[cars]'"
        ) from error
    root = Path(opendbc.__file__).resolve().parent
    path = user_cache() / "safety" / f"{_digest(root)}.so"
    if not path.exists():
        write_whole(path, lambda aside: _compile(root.parent, aside))
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    return ffi, ffi.dlopen(str(path))


def _digest(root: Path) -> str:
    digest = hashlib.sha256(" ".join(FLAGS).encode() + GLUE.read_bytes())
    for header in sorted((root / "safety").rglob("*.h")):
        digest.update(header.read_bytes())
    return digest.hexdigest()[:20]


def _compile(include: Path, out: Path) -> None:
    command = [compiler(), *FLAGS, "-I", str(include), str(GLUE), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise MarqueError(
            f"{command[0]} does not compile opendbc's safety model: {said[0] if said else '?'}"
        )
