"""Small changes to a source, by the operators of cosmic-ray."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code


@dataclass(frozen=True)
class Change:
    """A changed source, and the lines that differ, without the spaces around."""

    source: str
    was: str
    becomes: str


def of(path: Path) -> Iterator[Change]:
    """All changes of a source, but those of types, and without the compiler, which is off."""
    code = path.read_text(encoding="utf-8")
    tree = get_ast(code)
    for name in plugins.operator_names():
        kind = plugins.get_operator(name)
        if kind.arguments():
            continue
        operator = kind()
        places = [p for node in ast_nodes(tree) for p in operator.mutation_positions(node)]
        for occurrence in range(len(places)):
            changed = mutate_code(code, operator, occurrence)
            if changed is None:
                continue
            was, becomes = _differ(code, changed)
            if was != "@jit" and not _annotation(was, becomes):
                yield Change(changed, was, becomes)


def _differ(code: str, changed: str) -> tuple[str, str]:
    lines = list(difflib.unified_diff(code.splitlines(), changed.splitlines(), n=0))[2:]
    was = [line[1:].strip() for line in lines if line.startswith("-")]
    becomes = [line[1:].strip() for line in lines if line.startswith("+")]
    return " ".join(was), " ".join(becomes)


def _annotation(was: str, becomes: str) -> bool:
    """Whether a change is that of a type: `X | None` with another operator."""
    return "| None" in was and "| None" not in becomes
