"""One trial: the tests in a process of its own, with one module of the guard changed."""

import importlib
import importlib.abc
import importlib.util
import json
import os
import pkgutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "marque" / "guard"
SLOW_S = 2.0
LIMIT_S, TIMES = 20.0, 4.0  # a trial may take so much longer than the sound one
FIRST = ("core", "types", "kernels", "vehicle", "maps")  # nothing of them imports the guard


def prepare() -> None:
    """Import what every trial needs."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
    os.chdir(ROOT)
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", tempfile.mkdtemp("-hypothesis"))
    importlib.import_module("hypothesis")
    for room in FIRST:
        package = importlib.import_module(f"marque.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    early = [name for name in sys.modules if name.startswith("marque.guard.")]
    assert not early, f"imported too early: {early}"


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a changed source for one module."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, f"<changed {self.name}>", "exec"), module.__dict__)


class _Clock:
    """How long each test took, for quick_tests."""

    def __init__(self) -> None:
        self.took_s: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took_s[report.nodeid] = self.took_s.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


def _ask(words: list[str], plugins: list[Any]) -> int:
    """pytest, silent."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    shown = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-m",
        "not prove",
    ]
    return int(pytest.main([*shown, *words], plugins=plugins))


def quick_tests(files: list[str]) -> tuple[list[str], float]:
    """Names of the tests that are asked, the quick ones first, and how long all of them take."""
    there = [file for file in files if (ROOT / file).is_file()]
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        clock = _Clock()
        try:
            _ask(there, [clock])
        finally:
            os.write(into, json.dumps([clock.took_s, clock.failed]).encode())
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as told:
        took_s, failed = json.loads(told.read())
    os.waitpid(pid, 0)
    assert took_s and not failed, f"the sound guard fails {failed}, or {there} has no tests"
    quick = sorted((s, name) for name, s in took_s.items() if s <= SLOW_S)
    return [name for _, name in quick], sum(s for s, _ in quick)


def noticed(module: str, source: str, asked: tuple[list[str], float]) -> bool:
    """Whether a test fails, or does not end in time, with a module changed."""
    names, usual_s = asked
    pid = os.fork()
    if pid == 0:
        sys.meta_path.insert(0, _Changed(f"marque.guard.{module}", source))
        code = 1
        try:
            code = _ask(names, [])
        finally:
            os._exit(code)
    ends = time.monotonic() + LIMIT_S + TIMES * usual_s
    while time.monotonic() < ends:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True
