"""The tree of signals: which there are, what kind each is, and what may be written.

Our own subset stands in `catalogue.toml`. A whole catalogue of VSS, as `vspec export json` writes
it, is laid under it where one is given: its leaves are known then, without a value unless in ours.
"""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError

CATALOGUE = Path(__file__).parent / "catalogue.toml"
OVERLAY = "Vehicle.ADAS.Marque"
NEVER_WRITTEN = ("Vehicle.ADAS.", "Vehicle.Chassis.", "Vehicle.Powertrain.")
KINDS = ("sensor", "actuator", "attribute")
MOST_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Leaf:
    """One signal."""

    path: str
    kind: str  # sensor | actuator | attribute
    datatype: str
    unit: str
    description: str
    allowed: tuple[str, ...]
    least: float | None
    most: float | None
    writable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Leaves by path, and the leaves below each branch."""

    leaves: dict[str, Leaf]
    below: dict[str, tuple[str, ...]]

    def matching(self, path: str) -> tuple[str, ...]:
        """Leaves at or below a path; `*` stands for one step, at the end for any number."""
        if path in self.leaves:
            return (path,)
        if "*" not in path:
            return self.below.get(path, ())
        steps = path.split(".")
        return tuple(each for each in self.leaves if _fits(steps, each.split(".")))


def _fits(steps: list[str], parts: list[str]) -> bool:
    if steps[-1] == "*" and len(parts) >= len(steps):
        parts = parts[: len(steps)]
    return len(steps) == len(parts) and all(
        step in ("*", part) for step, part in zip(steps, parts, strict=True)
    )


def load_tree(vss: Path | None = None) -> Tree:
    """Our subset, over a whole catalogue where one is given. MarqueError: it is none."""
    told = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    leaves = {} if vss is None else _whole(vss)
    leaves |= {each["path"]: _leaf(each["path"], each) for each in told["signal"]}
    below: dict[str, list[str]] = {}
    for path in sorted(leaves):
        parts = path.split(".")
        for n in range(1, len(parts)):
            below.setdefault(".".join(parts[:n]), []).append(path)
    return Tree(leaves, {branch: tuple(paths) for branch, paths in below.items()})


def _whole(path: Path) -> dict[str, Leaf]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MarqueError(f"{path} is no VSS catalogue: larger than {MOST_BYTES >> 20} MiB")
        tree = json.loads(path.read_bytes())
    except OSError as error:
        raise MarqueError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise MarqueError(f"{path} is no JSON: {error}") from error
    found: dict[str, Leaf] = {}
    if isinstance(tree, dict):
        _walk("", tree, found, 0)
    if not found:
        raise MarqueError(
            f"{path} holds no VSS tree; it is what `vspec export json -o FILE` writes"
        )
    return found


def _walk(prefix: str, nodes: dict[str, Any], found: dict[str, Leaf], depth: int) -> None:
    for name, node in nodes.items():
        if not isinstance(node, dict) or depth > 32:
            continue
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(node.get("children"), dict):
            _walk(path, node["children"], found, depth + 1)
        elif node.get("type") in KINDS:
            found[path] = _leaf(path, node | {"writable": False})


def _leaf(path: str, told: dict[str, Any]) -> Leaf:
    never = path.startswith(NEVER_WRITTEN) or told["type"] != "actuator"
    return Leaf(
        path=path,
        kind=str(told["type"]),
        datatype=str(told.get("datatype", "string")),
        unit=str(told.get("unit", "")),
        description=str(told.get("description", "")),
        allowed=tuple(str(each) for each in told.get("allowed", ())),
        least=told.get("min"),
        most=told.get("max"),
        writable=bool(told.get("writable", False)) and not never,
    )


def metadata(tree: Tree, path: str) -> dict[str, Any]:
    """The part of the tree at a path in the form of `vspec export json`; {} for none."""
    root: dict[str, Any] = {}
    for each in tree.matching(path):
        leaf = tree.leaves[each]
        nodes = root
        parts = each.split(".")
        for name in parts[:-1]:
            branch = nodes.setdefault(name, {"type": "branch", "children": {}})
            nodes = branch["children"]
        told = {"type": leaf.kind, "datatype": leaf.datatype, "description": leaf.description}
        told |= {"unit": leaf.unit} if leaf.unit else {}
        nodes[parts[-1]] = told | ({"allowed": list(leaf.allowed)} if leaf.allowed else {})
    return root
