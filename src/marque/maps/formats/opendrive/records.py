"""What an OpenDRIVE file says, as plain records: numbers in SI units, names as they stand.

s is metres along a road's reference line, t metres to its left. Each record keeps its line in the
file, so that what turns out wrong later can still be found there.
"""

from dataclasses import dataclass

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError

Cubic = tuple[float, float, float, float]  # a, b, c, d
START, END = 0, 1  # of a road, a section, a lane
DRIVEN = frozenset(
    (
        *("driving", "entry", "exit", "offRamp", "onRamp", "connectingRamp", "slipLane"),
        *("bus", "taxi", "HOV", "bidirectional", "mwyEntry", "mwyExit"),
    )
)  # types of lanes that motor vehicles use


@dataclass(frozen=True, slots=True)
class Poly:
    """A cubic in (s - s_m), in force from s_m on."""

    s_m: float
    cubic: Cubic


@dataclass(frozen=True, slots=True)
class Mark:
    """A road mark on the outer border of a lane, from s_m on."""

    s_m: float
    kind: str  # e.g. "solid", "broken solid", "none"
    lane_change: str  # "increase", "decrease", "both", "none"; "" where the file does not say


@dataclass(frozen=True, slots=True)
class Limit:
    """A speed limit from s_m on; None: the file says that there is none."""

    s_m: float
    speed_mps: float | None


@dataclass(frozen=True, slots=True)
class Access:
    """Who may or may not use a lane, from s_m on."""

    s_m: float
    allow: bool
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaneRecord:
    """One lane of one section. Its polynomials are along the road, not the section."""

    lane_id: int
    kind: str
    direction: str  # "standard", "reversed", "both"
    predecessors: tuple[int, ...]
    successors: tuple[int, ...]
    widths: tuple[Poly, ...]
    borders: tuple[Poly, ...]
    marks: tuple[Mark, ...]
    limits: tuple[Limit, ...]
    access: tuple[Access, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of road with one set of lanes."""

    s_m: float
    end_m: float
    lanes: dict[int, LaneRecord]  # without lane 0
    centre: LaneRecord
    line: int


@dataclass(frozen=True, slots=True)
class RoadLink:
    """What a road's start or end touches."""

    is_junction: bool
    target: str
    contact: int  # START or END of the target road; START for a junction
    line: int


@dataclass(frozen=True, slots=True)
class RoadType:
    """`<type>` of a road from s_m on. limit: None where the file has no speed."""

    s_m: float
    kind: str
    country: str
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign, light or painted line, or a reference to one, at s, t of a road."""

    signal_id: str
    road_id: str
    s_m: float
    t_m: float
    kind: str
    subtype: str
    country: str
    dynamic: bool
    orientation: str  # "+", "-", "none": for traffic along s, against it, both
    lanes: tuple[tuple[int, int], ...]  # from, to; () for all
    value: float | None
    unit: str
    line: int


@dataclass(frozen=True, slots=True)
class RoadObject:
    """One object beside or on the road."""

    object_id: str
    kind: str
    s_m: float
    t_m: float
    heading_rad: float
    length_m: float
    width_m: float
    outline: tuple[tuple[float, float], ...]  # corners in the object's own frame, or ()
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class RoadRecord:
    """One road."""

    road_id: str
    name: str
    length_m: float
    junction: str  # "" outside junctions
    left_hand: bool
    types: tuple[RoadType, ...]
    predecessor: RoadLink | None
    successor: RoadLink | None
    pieces: FloatArray  # [n, curves.COLUMNS]
    knots: FloatArray  # [n, curves.KNOTS]
    piece_lines: tuple[int, ...]
    lane_offsets: tuple[Poly, ...]
    elevations: tuple[Poly, ...]
    sections: tuple[Section, ...]
    signals: tuple[Signal, ...]
    objects: tuple[RoadObject, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One way into a junction."""

    incoming: str
    connecting: str
    contact: int  # START or END of the connecting road, where the incoming one touches it
    lane_links: tuple[tuple[int, int], ...]  # from, to
    line: int


@dataclass(frozen=True, slots=True)
class JunctionRecord:
    """One junction. priorities: (road that goes first, road that yields), connecting or incoming
    ones."""

    junction_id: str
    name: str
    connections: tuple[Connection, ...]
    priorities: tuple[tuple[str, str], ...]
    controllers: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """The whole file. notes: what was read but not used, for people."""

    file: str
    name: str
    geo_reference: str
    offset: tuple[float, float, float]  # x, y, heading to add for the projected frame
    roads: dict[str, RoadRecord]
    junctions: dict[str, JunctionRecord]
    controllers: dict[str, tuple[str, ...]]  # signal ids by controller id
    notes: tuple[str, ...]

    def error(self, line: int, what: str) -> MarqueError:
        """The error for a place in the file."""
        return MarqueError(f"{self.file}:{line}: {what}")
