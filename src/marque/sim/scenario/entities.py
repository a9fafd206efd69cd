"""Entities of a scenario: what they are and how big."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from marque.core.xml_tree import Node
from marque.sim.scenario.actions import Controller, read_controller_child
from marque.sim.scenario.catalogs import REFERENCE, Catalogs
from marque.sim.scenario.reader import Reader, element
from marque.types.codes import UserKind

VEHICLES: Mapping[str, UserKind] = MappingProxyType(
    {
        "car": UserKind.CAR,
        "van": UserKind.CAR,
        "truck": UserKind.TRUCK,
        "semitrailer": UserKind.TRUCK,
        "trailer": UserKind.TRUCK,
        "bus": UserKind.BUS,
        "motorbike": UserKind.MOTORCYCLE,
        "bicycle": UserKind.BICYCLE,
        "train": UserKind.RAIL,
        "tram": UserKind.RAIL,
    }
)
PEDESTRIANS = ("pedestrian", "wheelchair", "animal")
THINGS = (
    "barrier", "building", "crosswalk", "gantry", "none", "obstacle", "other", "parkingSpace",
    "patch", "pole", "railing", "roadMark", "soundBarrier", "streetLamp", "trafficIsland", "tree",
    "vegetation", "wind",
)  # fmt: skip
UNLIMITED = 1e9


@dataclass(frozen=True, slots=True)
class Build:
    """A box and what it can do. The origin is the file's: of vehicles, the rear axle's middle."""

    kind: UserKind
    type_word: str  # vehicle | pedestrian | miscellaneous
    length_m: float
    width_m: float
    centre_x_m: float  # of the box, ahead of the origin
    centre_y_m: float  # to its left
    max_speed_mps: float = UNLIMITED
    max_accel_mps2: float = UNLIMITED
    max_decel_mps2: float = UNLIMITED

    @property
    def front_m(self) -> float:
        """From the origin to the front."""
        return self.centre_x_m + 0.5 * self.length_m

    @property
    def rear_m(self) -> float:
        """From the origin back to the rear."""
        return 0.5 * self.length_m - self.centre_x_m


@dataclass(frozen=True, slots=True)
class Entity:
    """A scenario object."""

    name: str
    build: Build
    controller: Controller | None


@element
def read_entities(node: Reader, catalogs: Catalogs) -> tuple[Entity, ...]:
    """`<Entities>`. MarqueError: a kind that is not played, two of one name."""
    found: dict[str, Entity] = {}
    for each in node.all("ScenarioObject"):
        entity = _read_object(each, catalogs)
        if entity.name in found:
            raise each.error(f"is the second one named '{entity.name}'")
        found[entity.name] = entity
    return tuple(found.values())


@element
def _read_object(node: Reader, catalogs: Catalogs) -> Entity:
    name = node.text("name")
    held = node.child("Vehicle", "Pedestrian", "MiscObject", REFERENCE)
    if held.tag == REFERENCE:
        held = catalogs.open(held, "Vehicle", "Pedestrian", "MiscObject")
    parsers = {"Vehicle": _read_vehicle, "Pedestrian": _read_pedestrian, "MiscObject": _read_thing}
    build = parsers[held.tag](held)
    controls = [_read_control(each, catalogs) for each in node.all("ObjectController")]
    return Entity(name, build, next((each for each in controls if each is not None), None))


@element
def _read_control(node: Reader, catalogs: Catalogs) -> Controller | None:
    node.ignore("name")
    return read_controller_child(node, catalogs) if node.node.children else None


@element
def _read_vehicle(node: Reader) -> Build:
    node.ignore("name", "mass", "model3d", "role")
    category = node.choice("vehicleCategory", tuple(VEHICLES))
    length, width, x, y = _read_box(node.child("BoundingBox"))
    speed, accel, decel = _read_performance(node.child("Performance"))
    _read_axles(node.child("Axles"))
    return Build(VEHICLES[category], "vehicle", length, width, x, y, speed, accel, decel)


@element
def _read_performance(node: Reader) -> tuple[float, float, float]:
    node.ignore("maxAccelerationRate", "maxDecelerationRate")
    return (
        node.positive("maxSpeed"),
        node.positive("maxAcceleration"),
        node.positive("maxDeceleration"),
    )


@element
def _read_axles(node: Reader) -> None:
    """Wheels change nothing in how a file's road users move."""
    node.all("FrontAxle", "RearAxle", "AdditionalAxle")


@element
def _read_pedestrian(node: Reader) -> Build:
    node.ignore("name", "mass", "model", "model3d", "role")
    node.choice("pedestrianCategory", PEDESTRIANS)
    length, width, x, y = _read_box(node.child("BoundingBox"))
    return Build(UserKind.PEDESTRIAN, "pedestrian", length, width, x, y)


@element
def _read_thing(node: Reader) -> Build:
    node.ignore("name", "mass", "model3d")
    node.choice("miscObjectCategory", THINGS)
    length, width, x, y = _read_box(node.child("BoundingBox"))
    return Build(UserKind.OBSTACLE, "miscellaneous", length, width, x, y)


@element
def _read_box(node: Reader) -> tuple[float, float, float, float]:
    x, y = _read_centre(node.child("Center"))
    length, width = _read_dimensions(node.child("Dimensions"))
    return length, width, x, y


@element
def _read_centre(node: Reader) -> tuple[float, float]:
    node.ignore("z")
    return node.number("x"), node.number("y")


@element
def _read_dimensions(node: Reader) -> tuple[float, float]:
    node.ignore("height")
    length, width = node.number("length"), node.number("width")
    if not (length > 0.0 and width > 0.0):
        raise node.error("is empty; length and width are positive")
    return length, width


def need_entity(node: Node, name: str, have: Mapping[str, object]) -> None:
    """MarqueError at `node` unless there is an entity of that name."""
    if name not in have:
        raise node.error(f"names the entity '{name}'; have [{', '.join(sorted(have))}]")
