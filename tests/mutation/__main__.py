"""Mutation testing of the guard: `make mutants`, or `python -m mutation [MODULE ...]` in tests/.

Each module of `marque.guard` is changed in one small way after the other, by the operators of
cosmic-ray, without the compiler. Some test has to fail for each change. Those that change nothing
stand in `harmless.toml` with the reason. Exit 1: a change that no test noticed.

Nothing is written to the sources: everything but the guard is imported once, and for each change a
process is forked off that imports the changed module in place of the true one and asks the tests
that concern it, the quick ones first, until one fails. A test that takes longer than SLOW_S without
the compiler is not asked at all.
"""

import json
import os
import sys
import time
import tomllib
from pathlib import Path

os.environ["MARQUE_NO_JIT"] = "1"

from mutation import changes, trial

HARMLESS = Path(__file__).with_name("harmless.toml")
# what is asked of each module: files in tests/guard
TESTS: dict[str, tuple[str, ...]] = {
    "aeb": ("test_aeb",),
    "attention": ("test_supervision", "test_takeover"),
    "clauses": ("test_interlock",),
    "corridor": ("test_guard_corridor",),
    "cut_in": ("test_cut_in",),
    "domain": ("test_supervision",),
    "envelope": ("test_envelope", "test_guard"),
    "fallback": ("test_guard",),
    "freshness": ("test_freshness",),
    "guard": ("test_guard", "test_guard_corridor", "test_response", "test_manoeuvre"),
    "interlock": ("test_interlock",),
    "ways_ahead": ("test_interlock", "test_invariants"),
    "lockout": ("test_lockout",),
    "manoeuvre": ("test_manoeuvre",),
    "path": ("test_guard", "test_aeb", "test_rss"),
    "proof": ("test_guard_corridor",),
    "response": ("test_response",),
    "rss": ("test_rss",),
    "supervision": ("test_supervision",),
    "takeover": ("test_takeover", "test_supervision"),
    "watch": ("test_guard", "test_rss", "test_aeb"),
    "assist": ("test_assist",),
}


def harmless() -> dict[tuple[str, str, str], str]:
    """Reasons by (module, was, becomes)."""
    rows = tomllib.loads(HARMLESS.read_text(encoding="utf-8")).get("change", [])
    return {(row["module"], row["was"], row["becomes"]): row["reason"] for row in rows}


def run(module: str) -> tuple[int, list[tuple[str, str]]]:
    """(changes, those that no test noticed) of one module."""
    asked = trial.quick_tests([f"tests/guard/{name}.py" for name in TESTS[module]])
    count, left, began = 0, [], time.monotonic()
    for change in changes.of(trial.SOURCES / f"{module}.py"):
        count += 1
        if not trial.noticed(module, change.source, asked):
            left.append((change.was, change.becomes))
        if count % 50 == 0:
            gone = time.monotonic() - began
            print(f"  {module}: {count} tried, {len(left)} left, {gone:.0f} s", flush=True)
    return count, left


def main() -> int:
    """All modules, or those that are named."""
    wanted = sys.argv[1:] or sorted(TESTS)
    unknown = sorted(set(wanted) - set(TESTS))
    if unknown:
        print(f"no module of the guard '{unknown[0]}'; have {sorted(TESTS)}", file=sys.stderr)
        return 2
    trial.prepare()
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
        for was, becomes in new:
            row = {"module": module, "was": was, "becomes": becomes}
            print("    " + json.dumps(row, ensure_ascii=False), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
