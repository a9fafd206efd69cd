"""OpenDRIVE files made on the spot, for the tests of the reader."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from oracle.opendrive_twin import walked

Shape = tuple[str, float, dict[str, float | str]]  # tag, length, attributes


def plan(shapes: Sequence[Shape], x: float = 0.0, y: float = 0.0, hdg: float = 0.0) -> str:
    """`<planView>` of shapes, each begun where the twin says that the one before ends."""
    out, s = [], 0.0
    for tag, length, attributes in shapes:
        told = " ".join(f'{name}="{value}"' for name, value in attributes.items())
        text = (
            f'<geometry s="{s!r}" x="{x!r}" y="{y!r}" hdg="{hdg!r}" length="{length!r}">'
            f"<{tag} {told}/></geometry>"
        )
        out.append(text)
        _, xs, ys, headings = walked(ElementTree.fromstring(text))
        s, x, y, hdg = s + length, float(xs[-1]), float(ys[-1]), float(headings[-1])
    return "<planView>\n" + "\n".join(out) + "\n</planView>"


def plan_length(shapes: Sequence[Shape]) -> float:
    """Length of all shapes."""
    total = 0.0
    for _, length, _ in shapes:
        total += length
    return total


def lane(
    lane_id: int,
    kind: str = "driving",
    width: str | float = 3.5,
    before: int | None = None,
    after: int | None = None,
    mark: str = "",
    more: str = "",
) -> str:
    """One lane; width a number or whole `<width>` elements; before, after: linked lanes."""
    links = "" if before is None else f'<predecessor id="{before}"/>'
    links += "" if after is None else f'<successor id="{after}"/>'
    if not isinstance(width, str):
        width = f'<width sOffset="0" a="{width}" b="0" c="0" d="0"/>'
    marked = f'<roadMark sOffset="0" type="{mark}"/>' if mark else ""
    return f'<lane id="{lane_id}" type="{kind}"><link>{links}</link>{width}{marked}{more}</lane>'


def section(left: Sequence[str], right: Sequence[str], s: float = 0.0, middle: str = "") -> str:
    """One lane section; lanes in any order. middle: the mark between the sides."""
    marked = f'<roadMark sOffset="0" type="{middle}"/>' if middle else ""
    sides = f"<left>{''.join(left)}</left>" if left else ""
    sides += f'<center><lane id="0" type="none">{marked}</lane></center>'
    sides += f"<right>{''.join(right)}</right>" if right else ""
    return f'<laneSection s="{s}">{sides}</laneSection>'


@dataclass
class Road:
    """One road, as text to be."""

    road_id: str
    shapes: Sequence[Shape]
    sections: Sequence[str] = field(default_factory=lambda: [two_ways()])
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)
    junction: str = "-1"
    predecessor: str = ""
    successor: str = ""
    rule: str = "RHT"
    offsets: str = ""
    more: str = ""

    def text(self) -> str:
        links = [
            f"<{tag} {told}/>"
            for tag, told in (("predecessor", self.predecessor), ("successor", self.successor))
            if told
        ]
        return (
            f'<road id="{self.road_id}" length="{plan_length(self.shapes)!r}" '
            f'junction="{self.junction}" rule="{self.rule}">\n<link>{"".join(links)}</link>\n'
            f"{plan(self.shapes, *self.start)}\n<lanes>{self.offsets}\n"
            f"{''.join(self.sections)}\n</lanes>\n{self.more}\n</road>"
        )


def two_ways(width: float = 3.5, before: bool = False, middle: str = "broken") -> str:
    """A section with lanes 1 and -1."""
    return section([lane(1, width=width)], [lane(-1, width=width)], middle=middle)


def to_road(road_id: str, contact: str) -> str:
    """Attributes of a link to a road."""
    return f'elementType="road" elementId="{road_id}" contactPoint="{contact}"'


def to_junction(junction: str) -> str:
    """Attributes of a link to a junction."""
    return f'elementType="junction" elementId="{junction}"'


def document(roads: Sequence[Road], more: str = "", header: str = "") -> bytes:
    """A whole file."""
    text = "\n".join(road.text() for road in roads)
    return (
        '<?xml version="1.0"?>\n<OpenDRIVE>\n<header revMajor="1" revMinor="6" name="made">'
        f"{header}</header>\n{text}\n{more}\n</OpenDRIVE>"
    ).encode()


LINE: Shape = ("line", 50.0, {})
RIGHT: Shape = ("arc", 15.707963267948966, {"curvature": -0.1})


def t_junction(signs: str = "", priority: str = "", more: str = "", rule: str = "RHT") -> bytes:
    """Road 0 from the west, 1 to the east, 2 from the south; 10 between 0 and 1, 11 between 0 and
    2, 12 between 2 and 1, each with a lane both ways. signs: what stands on road 2."""
    inner = {
        "10": (("line", 20.0, {}), (-10.0, 0.0, 0.0), ("0", "end"), ("1", "start"), 1),
        "11": (RIGHT, (-10.0, 0.0, 0.0), ("0", "end"), ("2", "end"), -1),
        "12": (RIGHT, (0.0, -10.0, 1.5707963267948966), ("2", "end"), ("1", "start"), 1),
    }
    roads = [
        Road("0", [LINE], start=(-60.0, 0.0, 0.0), successor=to_junction("5"), rule=rule),
        Road("1", [LINE], start=(10.0, 0.0, 0.0), predecessor=to_junction("5"), rule=rule),
        Road(
            "2",
            [LINE],
            start=(0.0, -60.0, 1.5707963267948966),
            successor=to_junction("5"),
            more=signs,
            rule=rule,
        ),
    ]
    connections = ""
    for road_id, (shape, start, a, b, sign) in inner.items():
        lanes = [lane(i, before=i, after=sign * i) for i in (1, -1)]
        roads.append(
            Road(
                road_id,
                [shape],
                [section(lanes[:1], lanes[1:])],
                start=start,
                junction="5",
                predecessor=to_road(*a),
                successor=to_road(*b),
                rule=rule,
            )
        )
        for (incoming, _), contact, turned in ((a, "start", 1), (b, "end", sign)):
            pairs = "".join(f'<laneLink from="{i}" to="{turned * i}"/>' for i in (1, -1))
            connections += (
                f'<connection id="{road_id}{contact}" incomingRoad="{incoming}" '
                f'connectingRoad="{road_id}" contactPoint="{contact}">{pairs}</connection>'
            )
    junction = f'<junction id="5" name="tee">{connections}{priority}</junction>'
    return document(roads, junction + more)
