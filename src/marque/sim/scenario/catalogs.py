"""Catalogs: folders of files whose entries a scenario names and gives parameters to."""

from functools import lru_cache
from pathlib import Path

from marque.core.errors import MarqueError, unknown
from marque.core.xml_tree import Node, parse_xml
from marque.sim.scenario.parameters import declare, resolved_with, unsupported

LOCATIONS = (
    "VehicleCatalog",
    "ControllerCatalog",
    "PedestrianCatalog",
    "MiscObjectCatalog",
    "EnvironmentCatalog",
    "ManeuverCatalog",
    "TrajectoryCatalog",
    "RouteCatalog",
)
ENTRIES = (
    "Vehicle",
    "Controller",
    "Pedestrian",
    "MiscObject",
    "Environment",
    "Maneuver",
    "Trajectory",
    "Route",
)
REFERENCE = "CatalogReference"


def read_root(path: Path) -> Node:
    """An OpenSCENARIO file as nodes. MarqueError: not there, no XML, another format or version."""
    try:
        stamp = path.stat().st_mtime_ns
        root = _parsed(path, stamp)
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    if root.tag != "OpenSCENARIO":
        raise root.error("is no OpenSCENARIO file; its root would be <OpenSCENARIO>")
    header = root.first("FileHeader")
    if header is None:
        raise root.error("lacks <FileHeader>")
    if header.integer("revMajor") != 1:
        raise header.error(f"is of version {header.get('revMajor')}; OpenSCENARIO XML 1.x is read")
    return root


@lru_cache(maxsize=64)
def _parsed(path: Path, _stamp: int) -> Node:
    """Nobody changes the nodes, so the many variations of a scenario share them."""
    return parse_xml(path.read_bytes(), str(path))


class Catalogs:
    """The catalogs of one scenario, read when first asked for."""

    def __init__(self, locations: Node | None, base: Path) -> None:
        self._folders: list[tuple[Node, Path]] = []
        self._entries: dict[str, dict[str, Node]] | None = None
        self._open: list[str] = []
        for place in locations.children if locations is not None else ():
            if place.tag not in LOCATIONS:
                raise unsupported(place, LOCATIONS)
            folder = place.first("Directory")
            if folder is None:
                raise place.error("lacks <Directory>")
            self._folders.append((folder, base / folder.need("path")))

    def open(self, reference: Node, *tags: str) -> Node:
        """The entry that a `CatalogReference` names, its parameters put in.

        tags: what it may be. MarqueError: no such catalog or entry, or an entry of another kind,
        or one that names itself again on the way.
        """
        catalog, name = reference.need("catalogName"), reference.need("entryName")
        entry = self._find(reference, catalog, name)
        if entry.tag not in tags:
            raise reference.error(
                f"names '{catalog}/{name}', a <{entry.tag}>; a <{'> or <'.join(tags)}> is wanted"
            )
        scope = declare(entry, {}, _assigned(reference), f"{reference.file}:{reference.line}")
        return resolved_with(entry, scope)

    def enter(self, reference: Node) -> None:
        """Begin to read an entry; `leave` ends it. MarqueError: it is being read already."""
        key = f"{reference.need('catalogName')}/{reference.need('entryName')}"
        if key in self._open:
            ring = " -> ".join((*self._open[self._open.index(key) :], key))
            raise reference.error(f"includes itself: {ring}")
        self._open.append(key)

    def leave(self) -> None:
        """End what `enter` began."""
        self._open.pop()

    def _find(self, reference: Node, catalog: str, name: str) -> Node:
        if self._entries is None:
            self._entries = self._read_all()
        if catalog not in self._entries:
            raise reference.error(f"cannot be found: {unknown('catalog', catalog, self._entries)}")
        entries = self._entries[catalog]
        if name not in entries:
            what = f"entry of catalog '{catalog}'"
            raise reference.error(f"cannot be found: {unknown(what, name, entries)}")
        return entries[name]

    def _read_all(self) -> dict[str, dict[str, Node]]:
        found: dict[str, dict[str, Node]] = {}
        seen: set[Path] = set()
        for node, folder in self._folders:
            if not folder.is_dir():
                raise node.error(f"names the catalog folder {folder}, which does not exist")
            for path in sorted(folder.glob("*.xosc")):
                if path.resolve() not in seen:
                    seen.add(path.resolve())
                    _read_catalog(path, found)
        return found


def _read_catalog(path: Path, found: dict[str, dict[str, Node]]) -> None:
    catalog = read_root(path).first("Catalog")
    if catalog is None:
        return  # a scenario may stand in the same folder
    name = catalog.need("name")
    if name in found:
        raise catalog.error(f"is the second catalog named '{name}'")
    entries = found.setdefault(name, {})
    for entry in catalog.children:
        if entry.tag not in ENTRIES:
            raise unsupported(entry, ENTRIES)
        if entry.need("name") in entries:
            raise entry.error(f"is the second entry named '{entry.need('name')}' in '{name}'")
        entries[entry.need("name")] = entry


def _assigned(reference: Node) -> dict[str, str]:
    given: dict[str, str] = {}
    for group in reference.children:
        if group.tag != "ParameterAssignments":
            raise unsupported(group, ("ParameterAssignments",))
        for node in group.children:
            if node.tag != "ParameterAssignment":
                raise unsupported(node, ("ParameterAssignment",))
            given[node.need("parameterRef")] = node.need("value")
    return given
