"""XML read into plain nodes that know their line, so that every complaint can name its place."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from marque.core.errors import MarqueError


@dataclass(slots=True, eq=False)
class Node:
    """One element: tag and attributes without prefixes, children, text, file and line."""

    tag: str
    attributes: dict[str, str]
    file: str
    line: int
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def first(self, tag: str) -> "Node | None":
        """The first child with this tag, None if there is none."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list["Node"]:
        """Children with this tag, in order."""
        return [child for child in self.children if child.tag == tag]

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in order of the document."""
        yield self
        for child in self.children:
            yield from child.walk()

    def get(self, name: str, default: str = "") -> str:
        """An attribute as it stands."""
        return self.attributes.get(name, default)

    def need(self, name: str) -> str:
        """An attribute that must be there. MarqueError names element, file and line."""
        if name not in self.attributes:
            raise self.error(f"lacks '{name}'")
        return self.attributes[name]

    def number(self, name: str, default: float | None = None) -> float:
        """An attribute as a finite number. MarqueError: missing without a default, no number."""
        if default is not None and name not in self.attributes:
            return default
        text = self.need(name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(f"has {name}='{text}', which is no finite number")
        return value

    def integer(self, name: str) -> int:
        """An attribute as a whole number. MarqueError: missing, no whole number."""
        text = self.need(name)
        try:
            return int(text)
        except ValueError:
            raise self.error(f"has {name}='{text}', which is no whole number") from None

    def error(self, what: str) -> MarqueError:
        """The error for this element: `FILE:LINE: <tag> WHAT`."""
        return MarqueError(f"{self.file}:{self.line}: <{self.tag}> {what}")


def parse_xml(data: bytes, file: str) -> Node:
    """The root of an XML document. file: how complaints name it.

    MarqueError: no well-formed XML, with file and line; a document that defines entities.
    """
    open_nodes: list[Node] = []
    roots: list[Node] = []
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        names = {_bare(name): value for name, value in attributes.items()}
        node = Node(_bare(tag), names, file, parser.CurrentLineNumber)
        (open_nodes[-1].children if open_nodes else roots).append(node)
        open_nodes.append(node)

    def end(_tag: str) -> None:
        open_nodes.pop()

    def text(part: str) -> None:
        if open_nodes:
            open_nodes[-1].text += part

    def entity(*_: Any) -> None:
        raise MarqueError(
            f"{file}:{parser.CurrentLineNumber}: XML that defines entities is not read"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise MarqueError(f"{file}:{error.lineno}: not well-formed XML: {what}") from error
    return roots[0]


def _bare(name: str) -> str:
    return name.rsplit(":", 1)[-1]
