"""Parameters of a scenario file: declared, constrained, overridden, and put in where they are used.

An attribute is a literal, `$name`, or `${expression}`; a leading `\\$` is a plain `$`. Inner scopes
(story, manoeuvre, catalog entry) hide outer ones. A catalog entry sees its own parameters alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from marque.core.errors import MarqueError, unknown
from marque.core.xml_tree import Node
from marque.sim.scenario.expressions import NotANumber, Value, evaluate

DECLARATIONS = "ParameterDeclarations"
WHOLE = ("integer", "int", "unsignedInt", "unsignedShort")
UNSIGNED = ("unsignedInt", "unsignedShort")
TYPES = (*WHOLE, "double", "boolean", "string", "dateTime")
WORDS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
ROUNDING = 1e-9  # relative; what arithmetic in decimal steps leaves behind breaks no constraint


class OutsideConstraints(MarqueError):
    """A parameter value that the file itself rules out; a variation with it is discarded."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter or variable with its value, as text and as its type says."""

    name: str
    kind: str
    text: str
    value: Value


Scope = Mapping[str, Parameter]


def typed(node: Node, name: str, kind: str, text: str) -> Parameter:
    """`text` as a value of the declared type. MarqueError: unknown type, or it is none of it."""
    if kind not in TYPES:
        raise node.error(f"declares '{name}' as '{kind}'; have [{', '.join(TYPES)}]")
    return Parameter(name, kind, text, _value(node, name, kind, text))


def _value(node: Node, name: str, kind: str, text: str) -> Value:
    if kind in ("string", "dateTime"):
        return text
    if kind == "boolean":
        if text not in WORDS:
            raise node.error(f"gives '{name}' the value '{text}', which is neither true nor false")
        return WORDS[text]
    number = as_number(text)
    whole = kind in WHOLE
    if number is None or (whole and number != int(number)) or (kind in UNSIGNED and number < 0):
        raise node.error(f"gives '{name}' the value '{text}', which is no {kind}")
    return number


def as_number(text: str) -> float | None:
    """A finite number, None if the text is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0.0 else None


def text_of(value: Value) -> str:
    """A value as an attribute holds it; whole numbers without a point, so that ids can use them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)
    return value


def put_in(node: Node, text: str, scope: Scope) -> str:
    """An attribute's value with parameters put in. MarqueError: unknown parameter, no number."""
    if text.startswith("\\$"):
        return text[1:]
    if not text.startswith("$"):
        return text
    if text.startswith("${"):
        if not text.endswith("}"):
            raise node.error(f"has '{text}', an expression without its closing bracket")
        try:
            values = {name: each.value for name, each in scope.items()}
            return text_of(evaluate(text[2:-1], values))
        except NotANumber as error:
            raise node.error(f"cannot be read: {error}") from error
    if text[1:] not in scope:
        raise node.error(f"cannot be read: {unknown('parameter', text[1:], scope)}")
    return scope[text[1:]].text


def declare(
    holder: Node, outer: Scope, given: Mapping[str, str], owner: str
) -> dict[str, Parameter]:
    """The scope inside `holder`: `outer` and what it declares, later ones from earlier ones.

    given: values that replace the declared ones. MarqueError: unknown name in `given`, a value
    that is none of its type. OutsideConstraints: a value that the constraints rule out.
    """
    scope = dict(outer)
    declared: list[str] = []
    at = holder.first(DECLARATIONS)
    for node in at.children if at is not None else ():
        if node.tag != "ParameterDeclaration":
            raise unsupported(node, ("ParameterDeclaration",))
        name = node.need("name")
        if name in declared:
            raise node.error(f"declares '{name}' a second time")
        text = given[name] if name in given else put_in(node, node.need("value"), scope)
        parameter = typed(node, name, node.need("parameterType"), text)
        _check(node, parameter, scope)
        scope[name] = parameter
        declared.append(name)
    for name in given:
        if name not in declared:
            raise MarqueError(f"{owner}: {unknown('parameter', name, declared)}")
    return scope


def _check(node: Node, parameter: Parameter, scope: Scope) -> None:
    """At least one of the constraint groups holds, if there are any."""
    groups = node.children
    for group in groups:
        if group.tag != "ConstraintGroup":
            raise unsupported(group, ("ConstraintGroup",))
    if groups and not any(_holds(group, parameter, scope) for group in groups):
        raise OutsideConstraints(
            f"{node.file}:{node.line}: parameter '{parameter.name}' is {parameter.text}, "
            "which its constraints rule out"
        )


def _holds(group: Node, parameter: Parameter, scope: Scope) -> bool:
    for node in group.children:
        if node.tag != "ValueConstraint":
            raise unsupported(node, ("ValueConstraint",))
        limit = put_in(node, node.need("value"), scope)
        if not compare(node, node.need("rule"), parameter.text, limit):
            return False
    return True


RULES: Mapping[str, Callable[[float, float], bool]] = {
    "lessThan": lambda a, b: a < b,
    "greaterThan": lambda a, b: a > b,
    "equalTo": lambda a, b: a == b,
    "notEqualTo": lambda a, b: a != b,
    "lessOrEqual": lambda a, b: a <= b,
    "greaterOrEqual": lambda a, b: a >= b,
}


def rule(node: Node, name: str) -> Callable[[float, float], bool]:
    """A comparison by its name in the standard. MarqueError: there is none."""
    if name not in RULES:
        raise node.error(f"compares with '{name}'; have [{', '.join(RULES)}]")
    return RULES[name]


def compare(node: Node, name: str, left: str, right: str) -> bool:
    """Two texts by a rule: as numbers where both are some, else as words, for equality only."""
    test = rule(node, name)
    a, b = as_number(left), as_number(right)
    if a is not None and b is not None:
        return test(b if abs(a - b) <= ROUNDING * max(1.0, abs(b)) else a, b)
    if name in ("equalTo", "notEqualTo"):
        return (left == right) == (name == "equalTo")
    raise node.error(f"compares '{left}' with '{right}' by {name}, and not both are numbers")


def resolved(node: Node, scope: Scope) -> Node:
    """A copy of a tree with every parameter put in. Declarations inside open inner scopes."""
    inner = scope
    if node.first(DECLARATIONS) is not None:
        inner = declare(node, scope, {}, f"{node.file}:{node.line}")
    return _copied(node, scope, inner)


def _copied(node: Node, scope: Scope, inner: Scope) -> Node:
    return Node(
        node.tag,
        {name: put_in(node, text, scope) for name, text in node.attributes.items()},
        node.file,
        node.line,
        [resolved(child, inner) for child in node.children if child.tag != DECLARATIONS],
        node.text,
    )


def resolved_with(node: Node, scope: Scope) -> Node:
    """The same for a node whose own declarations are already in `scope`."""
    return _copied(node, scope, scope)


def unsupported(node: Node, have: tuple[str, ...] | list[str]) -> MarqueError:
    """The error for an element that is not read: it names element, file and line."""
    return node.error(f"is not supported in this place; have [{', '.join(have)}]")
