"""One registry for plug-ins: an in-tree table plus entry points `marque.<kind>`.

Kinds: driver, world, car, brand, map, metric, suite, sensor. Duplicates and load failures raise.
While a plug-in is being written it needs no package: `FILE.py:NAME` is the object NAME in a file.
"""

import sys
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError, unknown

# kind -> name -> "module:attribute"; in-tree plug-ins are named here and loaded on use, so that
# a lower layer never imports a higher one.
IN_TREE: dict[str, dict[str, str]] = {
    "driver": {
        "marque": "marque.stack.planning.driver:Marque",
        "lane": "marque.stack.planning.lane:Lane",
        "marks": "marque.stack.planning.marks:Marks",
    },
    "world": {
        "sumo": "marque.sim.worlds.sumo:SumoWorld",
    },
}


def names(kind: str) -> list[str]:
    """Every name registered for a kind, in-tree and from entry points, sorted."""
    return sorted(_table(kind))


def load(kind: str, name: str) -> Any:
    """The object registered under `name`, or `NAME` of a file when `name` is `FILE.py:NAME`.

    MarqueError: unknown name, no such file, or it cannot be loaded.
    """
    file, _, attribute = name.rpartition(":")
    if file.endswith(".py"):
        return _from_file(kind, Path(file).expanduser(), attribute)
    table = _table(kind)
    if name not in table:
        raise unknown(kind, name, table)
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise MarqueError(f"{kind} '{name}' ({table[name]}) cannot be loaded: {error}") from error


def _from_file(kind: str, path: Path, attribute: str) -> Any:
    """The file runs once per process; it is the user's own program and may do as it likes."""
    if not path.is_file():
        raise MarqueError(f"no {kind} file {path}; have [{', '.join(names(kind))}]")
    name = f"marque_file_{path.resolve().as_posix()}"
    module = sys.modules.get(name)
    if module is None:
        spec = spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise MarqueError(f"{kind} file {path} cannot be loaded: {error}") from error
    if not hasattr(module, attribute):
        have = sorted(one for one in vars(module) if isinstance(vars(module)[one], type))
        raise MarqueError(f"{path} has no {kind} '{attribute}'; have [{', '.join(have)}]")
    return getattr(module, attribute)


def _table(kind: str) -> dict[str, str]:
    table = dict(IN_TREE.get(kind, {}))
    for point in entry_points(group=f"marque.{kind}"):
        if point.name in table:
            raise MarqueError(f"two {kind}s are named '{point.name}'; one is {point.value}")
        table[point.name] = point.value
    return table
