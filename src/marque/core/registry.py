"""One registry for plug-ins: an in-tree table plus entry points `marque.<kind>`.

Kinds: driver, world, car, brand, map, metric, suite, sensor. Duplicates and load failures raise.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from marque.core.errors import MarqueError, unknown

# kind -> name -> "module:attribute"; in-tree plug-ins are named here and loaded on use, so that
# a lower layer never imports a higher one.
IN_TREE: dict[str, dict[str, str]] = {
    "driver": {
        "marque": "marque.stack.planning.driver:Marque",
        "lane": "marque.stack.planning.lane:Lane",
    },
    "world": {
        "sumo": "marque.sim.worlds.sumo:SumoWorld",
    },
}


def names(kind: str) -> list[str]:
    """Every name registered for a kind, in-tree and from entry points, sorted."""
    return sorted(_table(kind))


def load(kind: str, name: str) -> Any:
    """The object registered under `name`. MarqueError: unknown name, or it cannot be loaded."""
    table = _table(kind)
    if name not in table:
        raise unknown(kind, name, table)
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise MarqueError(f"{kind} '{name}' ({table[name]}) cannot be loaded: {error}") from error


def _table(kind: str) -> dict[str, str]:
    table = dict(IN_TREE.get(kind, {}))
    for point in entry_points(group=f"marque.{kind}"):
        if point.name in table:
            raise MarqueError(f"two {kind}s are named '{point.name}'; one is {point.value}")
        table[point.name] = point.value
    return table
