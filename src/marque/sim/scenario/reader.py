"""Reads one element and insists that nothing in it goes unread.

A parsing function asks its `Reader` for children and attributes by name. When it is through, what
it has not asked for is an error that names element, file and line: nothing is ever skipped.
"""

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from marque.core.errors import MarqueError
from marque.core.xml_tree import Node
from marque.sim.scenario.parameters import WORDS, as_number, unsupported

Out = TypeVar("Out")
More = ParamSpec("More")
NOTES = ("Properties", "License")  # for people and for other tools; without effect here


class Reader:
    """One element while it is read. `node` has its parameters put in."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._children: set[str] = set()
        self._names: set[str] = set()

    def close(self) -> None:
        """MarqueError: a child or an attribute has not been asked for."""
        for child in self.node.children:
            if child.tag not in self._children and child.tag not in NOTES:
                raise unsupported(child, sorted(self._children))
        for name in self.node.attributes:
            if name not in self._names:
                raise self.node.error(
                    f"has the unknown attribute '{name}'; have [{', '.join(sorted(self._names))}]"
                )

    def child(self, *tags: str) -> Node:
        """The one child with one of these tags. MarqueError: none, or more than one."""
        found = self.maybe(*tags)
        if found is None:
            others = [
                each
                for each in self.node.children
                if each.tag not in NOTES and each.tag not in self._children
            ]
            if len(others) == 1:
                raise unsupported(others[0], tags)
            raise self.node.error(f"lacks <{'> or <'.join(tags)}>")
        return found

    def maybe(self, *tags: str) -> Node | None:
        """The same, None where there is none."""
        found = self.all(*tags)
        if len(found) > 1:
            raise found[1].error(f"stands a second time in <{self.node.tag}>; one is allowed")
        return found[0] if found else None

    def all(self, *tags: str) -> list[Node]:
        """Every child with one of these tags, in order."""
        self._children.update(tags)
        return [each for each in self.node.children if each.tag in tags]

    def one_of(self, parsers: Mapping[str, Callable[[Node], Out]]) -> Out:
        """Read the one child that there is by the parser of its tag."""
        node = self.child(*parsers)
        return parsers[node.tag](node)

    def has(self, name: str) -> bool:
        """Whether an attribute is there."""
        self._names.add(name)
        return name in self.node.attributes

    def text(self, name: str, default: str | None = None) -> str:
        """An attribute. MarqueError: missing without a default."""
        if not self.has(name) and default is not None:
            return default
        return self.node.need(name)

    def ignore(self, *names: str) -> None:
        """Attributes that hold nothing that could be played: notes for people and renderers."""
        self._names.update(names)

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        self._names.add(name)
        return self.node.number(name, default)

    def positive(self, name: str, default: float | None = None) -> float:
        """A number that is not negative. MarqueError otherwise."""
        value = self.number(name, default)
        if value < 0.0:
            raise self.node.error(f"has {name}='{value:g}'; it may not be negative")
        return value

    def maybe_number(self, name: str) -> float | None:
        """A finite number, None where there is none."""
        return self.number(name) if self.has(name) else None

    def integer(self, name: str) -> int:
        """A whole number; `2.0` is one."""
        self._names.add(name)
        number = as_number(self.node.need(name))
        if number is None or number != int(number):
            raise self.node.error(f"has {name}='{self.node.need(name)}', which is no whole number")
        return int(number)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """true or false."""
        if not self.has(name) and default is not None:
            return default
        text = self.node.need(name)
        if text not in WORDS:
            raise self.node.error(f"has {name}='{text}'; have [true, false]")
        return WORDS[text]

    def choice(self, name: str, have: tuple[str, ...], default: str | None = None) -> str:
        """One of the words in `have`. MarqueError: another."""
        text = self.text(name, default)
        if text not in have:
            raise self.node.error(f"has {name}='{text}', which is not supported; have {list(have)}")
        return text

    def rule(self) -> str:
        """The comparison of a condition."""
        return self.choice(
            "rule",
            ("lessThan", "greaterThan", "equalTo", "notEqualTo", "lessOrEqual", "greaterOrEqual"),
        )

    def error(self, what: str) -> MarqueError:
        """The error for this element."""
        return self.node.error(what)


def element(
    parse: Callable[Concatenate[Reader, More], Out],
) -> Callable[Concatenate[Node, More], Out]:
    """A parsing function over `Reader` as one over `Node` that leaves nothing unread."""

    def whole(node: Node, /, *args: More.args, **words: More.kwargs) -> Out:
        reader = Reader(node)
        out = parse(reader, *args, **words)
        reader.close()
        return out

    update_wrapper(whole, parse)
    return whole
