"""VISS v3 over WebSocket: one request in, one answer out, and what subscriptions push. No sockets.

Messages are JSON objects with an `action`: get, set, subscribe, unsubscribe; pushed ones say
`subscription`. Values are strings. Filters: `paths`, `timebased`, `change`, `range`, `metadata`
(get). Answers repeat `requestId`. Errors are {number, reason, description}, with the reasons of the
draft: bad_request, invalid_data (400), invalid_token, missing_token (401), forbidden_request (403),
unavailable_data (404). Source: COVESA VISS 3.0, Core and Transport; read as a draft.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from marque.cockpit.signals.filters import Asked, due, read_filters
from marque.cockpit.signals.tree import Leaf, Tree, metadata
from marque.core.errors import MarqueError

SUBPROTOCOL = "VISSv3"
MOST_SUBSCRIPTIONS = 50
MOST_PATHS = 2000
REASONS = {
    400: ("bad_request", "The request is malformed."),
    401: ("missing_token", "Access token is missing."),
    403: ("forbidden_request", "The server refuses to carry out the request."),
    404: ("unavailable_data", "The requested data was not found."),
    429: ("too_many_requests", "Too many requests."),
    503: ("service_unavailable", "The server is temporarily unable to handle the request."),
}


# made once: `json.dumps` with options of its own makes an encoder for each call
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Refusal(Exception):
    """What is answered instead: the number, the reason, and why."""

    def __init__(self, number: int, why: str, reason: str = "") -> None:
        super().__init__(why)
        self.number, self.why = number, why
        self.reason = reason or REASONS[number][0]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which leaves, and when they are pushed."""

    number: str
    paths: tuple[str, ...]
    asked: Asked
    pushed: dict[str, str] = field(default_factory=dict)  # as they were when pushed last
    pushed_s: float = -1e9


@dataclass(slots=True, eq=False)
class Session:
    """One client."""

    tree: Tree
    fits: Callable[[str], bool]  # whether a token does
    write: Callable[[str, str], None]  # path, value; MarqueError: it cannot be
    values: dict[str, str] = field(default_factory=dict)
    ts: str = ""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    serial: int = 0


def stamp() -> str:
    """Now as VISS writes it: UTC, milliseconds."""
    second, ms = divmod(int(1000.0 * time.time()), 1000)
    return f"{_second(second)}.{ms:03d}Z"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def answer(session: Session, data: str | bytes) -> str:
    """The answer to one message; always one, whatever came."""
    request: Any = None
    try:
        request = _read(data)
        reply = _ACTIONS[request["action"]](session, request)
    except Refusal as refusal:
        reply = _error(refusal)
    asked = request if isinstance(request, dict) else {}
    action = asked.get("action")
    head: dict[str, Any] = {"action": action if action in _ACTIONS else "get"}
    if isinstance(asked.get("requestId"), str):
        head["requestId"] = asked["requestId"]
    return _plain(head | reply | {"ts": stamp()})


def pushed(session: Session, values: dict[str, str], ts: str, now_s: float) -> list[str]:
    """New values: what each subscription is told of them. One message for all its paths."""
    session.values, session.ts = values, ts
    told = []
    for number, each in list(session.subscriptions.items()):
        paths = due(each.asked, each.paths, values, each.pushed, now_s - each.pushed_s)
        if not paths:
            continue
        points = _points(paths, values, ts)
        told.append(
            _plain(
                {
                    "action": "subscription",
                    "subscriptionId": number,
                    "data": points[0] if len(points) == 1 else points,
                    "ts": ts,
                }
            )
        )
        kept = each.pushed | {path: values[path] for path in paths}
        session.subscriptions[number] = replace(each, pushed=kept, pushed_s=now_s)
    return told


def _read(data: str | bytes) -> dict[str, Any]:
    try:
        request = json.loads(data)
    except (ValueError, RecursionError):
        raise Refusal(400, "the message is no JSON") from None
    if not isinstance(request, dict):
        raise Refusal(400, "the message is no JSON object")
    if not isinstance(request.get("action"), str) or request["action"] not in _ACTIONS:
        raise Refusal(400, f"action is none of {', '.join(_ACTIONS)}")
    number = request.get("requestId")
    if number is not None and not (isinstance(number, str) and len(number) <= 200):
        raise Refusal(400, "requestId is a string")
    return request


def _get(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    asked = _filters(request)
    if asked.metadata:
        found = metadata(session.tree, _path(request))
        if not found:
            raise Refusal(404, f"no signal '{request['path'][:200]}'")
        return {"metadata": found}
    if asked.pushes:
        raise Refusal(400, "this filter belongs to subscribe", "bad_request")
    known = [each for each in _paths(session, request, asked) if each in session.values]
    if not known:
        raise Refusal(404, "there is no value at this path now")
    points = _points(known, session.values, session.ts)
    return {"data": points[0] if len(points) == 1 else points}


def _set(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    path, value = _path(request), request.get("value")
    if not isinstance(value, str) or len(value) > 1000:
        raise Refusal(400, "value is a string", "bad_request")
    leaf = session.tree.leaves.get(path)
    if leaf is None:
        raise Refusal(404, f"no signal '{path[:200]}'")
    token = request.get("authorization")
    if token is None:
        raise Refusal(401, "writing needs a token in `authorization`")
    if not isinstance(token, str) or not session.fits(token):
        raise Refusal(401, "the token in `authorization` is not ours", "invalid_token")
    if not leaf.writable:
        raise Refusal(403, f"'{path}' is {_kind_words(leaf)}; no app may write it")
    _need_fitting(leaf, value)
    try:
        session.write(path, value)
    except MarqueError as error:
        raise Refusal(403, str(error)) from None
    return {}


def _subscribe(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    asked = _filters(request)
    if asked.metadata or not asked.pushes:
        raise Refusal(400, "subscribe needs a filter: timebased, change or range", "bad_request")
    if len(session.subscriptions) >= MOST_SUBSCRIPTIONS:
        raise Refusal(403, f"{MOST_SUBSCRIPTIONS} subscriptions are the most")
    paths = _paths(session, request, asked)
    session.serial += 1
    number = str(session.serial)
    session.subscriptions[number] = Subscription(number, paths, asked)
    return {"subscriptionId": number}


def _unsubscribe(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    number = request.get("subscriptionId")
    if not isinstance(number, str):
        raise Refusal(400, "subscriptionId is a string", "bad_request")
    if session.subscriptions.pop(number, None) is None:
        raise Refusal(404, f"no subscription '{number[:40]}'")
    return {"subscriptionId": number}


_ACTIONS: dict[str, Callable[[Session, dict[str, Any]], dict[str, Any]]] = {
    "get": _get,
    "set": _set,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}


def _filters(request: dict[str, Any]) -> Asked:
    try:
        return read_filters(request.get("filter"))
    except MarqueError as error:
        raise Refusal(400, str(error), "bad_request") from None


def _path(request: dict[str, Any]) -> str:
    path = request.get("path")
    if not isinstance(path, str) or not 0 < len(path) <= 500:
        raise Refusal(400, "path is a string", "bad_request")
    return path.replace("/", ".")


def _paths(session: Session, request: dict[str, Any], asked: Asked) -> tuple[str, ...]:
    """Leaves that the request names. `paths` are below its path."""
    base = _path(request)
    wanted = [f"{base}.{each.replace('/', '.')}" for each in asked.paths] or [base]
    found: dict[str, None] = {}
    for each in wanted:
        matching = session.tree.matching(each)
        if not matching:
            raise Refusal(404, f"no signal '{each[:200]}'")
        found |= dict.fromkeys(matching)
        if len(found) > MOST_PATHS:
            raise Refusal(403, f"{MOST_PATHS} signals are the most")
    return tuple(found)


def _points(paths: Any, values: dict[str, str], ts: str) -> list[dict[str, Any]]:
    return [{"path": each, "dp": {"value": values[each], "ts": ts}} for each in paths]


def _kind_words(leaf: Leaf) -> str:
    return f"an {leaf.kind}" if leaf.kind[0] == "a" else f"a {leaf.kind}"


def _need_fitting(leaf: Leaf, value: str) -> None:
    if leaf.allowed and value not in leaf.allowed:
        raise Refusal(400, f"value is none of {', '.join(leaf.allowed)}", "invalid_data")
    if leaf.datatype == "string":
        return
    if leaf.datatype == "boolean":
        if value not in ("true", "false"):
            raise Refusal(400, "value is neither true nor false", "invalid_data")
        return
    try:
        number = float(value)
    except ValueError:
        raise Refusal(400, f"value is no {leaf.datatype}", "invalid_data") from None
    low = leaf.least if leaf.least is not None else -1e308
    high = leaf.most if leaf.most is not None else 1e308
    whole = "int" in leaf.datatype and number != number // 1 if abs(number) < 1e308 else True
    if whole or not low <= number <= high:
        raise Refusal(400, "value is out of range", "invalid_data")


def _error(refusal: Refusal) -> dict[str, Any]:
    message = REASONS[refusal.number][1]
    return {
        "error": {
            "number": refusal.number,
            "reason": refusal.reason,
            "message": message,
            "description": refusal.why,
        }
    }


def _plain(message: dict[str, Any]) -> str:
    return _ENCODE(message)
