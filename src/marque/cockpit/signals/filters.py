"""Filters of VISS: when a subscription is told, and of which paths."""

import math
import operator
from dataclasses import dataclass
from typing import Any

from marque.core.errors import MarqueError

SHORTEST_MS = 20.0
MOST_NAMED = 200
OPS = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gte": operator.ge,
    "lt": operator.lt, "lte": operator.le,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """All filters of one request, joined."""

    paths: tuple[str, ...] = ()
    metadata: bool = False
    period_s: float | None = None  # timebased
    change: tuple[str, str] | None = None  # operation, difference
    ranges: tuple[tuple[str, str], ...] = ()  # operation, boundary; all have to hold
    either: bool = False  # or one of them

    @property
    def pushes(self) -> bool:
        """Whether it says when."""
        return self.period_s is not None or self.change is not None or bool(self.ranges)


NOTHING_ASKED = Asked()


def read_filters(told: Any) -> Asked:
    """None, one filter or a list. MarqueError: it is none of those that are known."""
    if told is None:
        return NOTHING_ASKED
    listed = told if isinstance(told, list) else [told]
    if len(listed) > 8:
        raise MarqueError("more than 8 filters")
    found: dict[str, Any] = {}
    for each in listed:
        if not isinstance(each, dict) or not isinstance(each.get("variant"), str):
            raise MarqueError("a filter is an object with a variant")
        read = _READERS.get(each["variant"])
        if read is None:
            raise MarqueError(f"no filter '{each['variant'][:40]}'; have [{', '.join(_READERS)}]")
        found |= read(each.get("parameter"))
    return Asked(**found)


def due(
    asked: Asked,
    paths: tuple[str, ...],
    values: dict[str, str],
    pushed: dict[str, str],
    waited_s: float,
) -> list[str]:
    """Paths to push now. `pushed`: values that were pushed last, `waited_s`: how long ago."""
    known = [path for path in paths if path in values]
    if asked.period_s is not None and waited_s < asked.period_s - 1e-3:
        return []
    if asked.change is not None:
        known = [each for each in known if _changed(asked.change, values[each], pushed.get(each))]
    if asked.ranges:
        known = [each for each in known if _inside(asked, values[each])]
    return known


def _changed(change: tuple[str, str], value: str, before: str | None) -> bool:
    """`ne 0` and alike: by how much it changed since it was pushed last. The first is always."""
    if before is None:
        return True
    op, diff = change
    try:
        return bool(OPS[op](float(value) - float(before), float(diff)))
    except ValueError:  # of texts it is known only whether they differ
        return (value != before) if op == "ne" else (value == before and op == "eq")


def _inside(asked: Asked, value: str) -> bool:
    try:
        number = float(value)
        held = [bool(OPS[op](number, float(bound))) for op, bound in asked.ranges]
    except ValueError:
        held = [op == "eq" and value == bound for op, bound in asked.ranges]
    return any(held) if asked.either else all(held)


def _paths(parameter: Any) -> dict[str, Any]:
    listed = [parameter] if isinstance(parameter, str) else parameter
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_NAMED:
        raise MarqueError(f"paths: 1 to {MOST_NAMED} of them")
    if not all(isinstance(each, str) and 0 < len(each) <= 500 for each in listed):
        raise MarqueError("paths: each is a string")
    return {"paths": tuple(listed)}


def _timebased(parameter: Any) -> dict[str, Any]:
    period = _number(_field(parameter, "timebased", "period"), "timebased: period")
    if not SHORTEST_MS <= period <= 86_400_000.0:
        raise MarqueError(f"timebased: period is {SHORTEST_MS:g} to 86400000 ms")
    return {"period_s": period / 1000.0}


def _change(parameter: Any) -> dict[str, Any]:
    op = _field(parameter, "change", "logic-op")
    diff = _field(parameter, "change", "diff")
    if op not in OPS:
        raise MarqueError(f"change: logic-op is none of {', '.join(OPS)}")
    _number(diff, "change: diff")
    return {"change": (op, diff)}


def _range(parameter: Any) -> dict[str, Any]:
    listed = parameter if isinstance(parameter, list) else [parameter]
    if not 0 < len(listed) <= 2:
        raise MarqueError("range: one or two bounds")
    ranges = []
    either = False
    for each in listed:
        op, bound = _field(each, "range", "boundary-op"), _field(each, "range", "boundary")
        if op not in OPS:
            raise MarqueError(f"range: boundary-op is none of {', '.join(OPS)}")
        ranges.append((op, bound))
        either = either or each.get("combination-op") == "OR"
    return {"ranges": tuple(ranges), "either": either}


def _metadata(_: Any) -> dict[str, Any]:
    return {"metadata": True}


def _field(parameter: Any, variant: str, name: str) -> str:
    value = parameter.get(name) if isinstance(parameter, dict) else None
    if not isinstance(value, str) or len(value) > 100:
        raise MarqueError(f"{variant}: its parameter has a string '{name}'")
    return value


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MarqueError(f"{what} is a number")
    return number


_READERS = {
    "paths": _paths,
    "timebased": _timebased,
    "change": _change,
    "range": _range,
    "metadata": _metadata,
}
