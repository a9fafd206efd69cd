"""Mutation testing of the guard: `make mutants`, or `python -m mutation [MODULE ...]` in tests/.

Each module of `marque.guard` is changed in one small way after the other, by cosmic-ray, in a copy
of the sources, without the compiler and without network. Some test has to fail for each change.
Those that change nothing stand in `harmless.toml` with the reason. Exit 1: a change that no test
noticed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "src" / "marque" / "guard"
HARMLESS = Path(__file__).with_name("harmless.toml")
TIMEOUT_S = 120.0
# whose tests are asked first; the whole of tests/guard where a module has none of its own
TESTS: dict[str, tuple[str, ...]] = {
    "aeb": ("test_aeb",),
    "attention": ("test_supervision", "test_takeover"),
    "corridor": ("test_guard_corridor",),
    "cut_in": ("test_cut_in",),
    "domain": ("test_supervision",),
    "envelope": ("test_envelope", "test_guard"),
    "fallback": ("test_guard",),
    "freshness": ("test_freshness",),
    "guard": ("test_guard", "test_guard_corridor", "test_response", "test_manoeuvre"),
    "lockout": ("test_supervision",),
    "manoeuvre": ("test_manoeuvre",),
    "path": ("test_guard", "test_aeb", "test_rss"),
    "proof": ("test_guard_corridor",),
    "response": ("test_response",),
    "rss": ("test_rss",),
    "supervision": ("test_supervision",),
    "takeover": ("test_takeover", "test_supervision"),
    "watch": ("test_guard", "test_rss", "test_aeb"),
}


def config(module: str, copy: Path) -> str:
    """What cosmic-ray reads."""
    files = [f"tests/guard/{name}.py" for name in TESTS[module]]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-m", "not prove", *files]
    return (
        f"[cosmic-ray]\nmodule-path = {json.dumps(str(copy / f'src/marque/guard/{module}.py'))}\n"
        f"timeout = {TIMEOUT_S}\nexcluded-modules = []\n"
        f"test-command = {json.dumps(' '.join(command))}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
    )


def changed(diff: str) -> tuple[str, str]:
    """(was, becomes) of a change, without the spaces around."""
    lines = diff.splitlines()
    was = [line[1:].strip() for line in lines if line.startswith("-") and line[:3] != "---"]
    now = [line[1:].strip() for line in lines if line.startswith("+") and line[:3] != "+++"]
    return " ".join(was), " ".join(now)


def run(module: str) -> tuple[int, list[tuple[str, str]]]:
    """(changes, those that no test noticed) of one module."""
    with tempfile.TemporaryDirectory(prefix="marque-mutants-") as folder:
        copy = Path(folder)
        for name in ("src", "tests", "pyproject.toml"):
            part = ROOT / name
            (shutil.copytree if part.is_dir() else shutil.copy)(part, copy / name)
        (copy / "cr.toml").write_text(config(module, copy), encoding="utf-8")
        path = os.pathsep.join((str(copy / "src"), os.environ.get("PYTHONPATH", "")))
        told = {**os.environ, "MARQUE_NO_JIT": "1", "PYTHONPATH": path}
        cosmic_ray = str(Path(sys.executable).with_name("cosmic-ray"))

        def say(*words: str) -> str:
            return subprocess.run(
                [cosmic_ray, *words], cwd=copy, env=told, check=True, text=True,
                stdout=subprocess.PIPE,
            ).stdout  # fmt: skip

        say("init", "cr.toml", "s.sqlite")
        say("baseline", "cr.toml")
        say("exec", "cr.toml", "s.sqlite")
        rows = [json.loads(line) for line in say("dump", "s.sqlite").splitlines()]
    left = [
        changed(result["diff"])
        for _, result in rows
        if result and result["test_outcome"] == "survived"
    ]
    return len(rows), left


def harmless() -> dict[tuple[str, str, str], str]:
    """Reasons by (module, was, becomes)."""
    rows = tomllib.loads(HARMLESS.read_text(encoding="utf-8")).get("change", [])
    return {(row["module"], row["was"], row["becomes"]): row["reason"] for row in rows}


def main() -> int:
    """All modules, or those that are named."""
    wanted = sys.argv[1:] or sorted(TESTS)
    unknown = sorted(set(wanted) - set(TESTS))
    if unknown:
        print(f"no module of the guard '{unknown[0]}'; have {sorted(TESTS)}", file=sys.stderr)
        return 2
    known, missed = harmless(), 0
    for module in wanted:
        count, left = run(module)
        new = [each for each in left if (module, *each) not in known]
        missed += len(new)
        print(
            f"{module}: {count} changes, {count - len(left)} noticed, "
            f"{len(left) - len(new)} change nothing, {len(new)} unnoticed",
            flush=True,
        )
        for was, now in new:
            print(f"    {was}\n    -> {now}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
