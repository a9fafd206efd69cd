"""Signals: names, values, and the protocol; whatever comes in, a valid message goes out.

`need_valid` holds the forms of messages that the draft of VISS 3.0 allows, as they were read there.
"""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodes import drive
from marque.cockpit.frames import Shown, begin_stage, frame
from marque.cockpit.road import road_scene
from marque.cockpit.signals.filters import due, read_filters
from marque.cockpit.signals.protocol import Session, answer, pushed, stamp
from marque.cockpit.signals.tree import NEVER_WRITTEN, OVERLAY, load_tree, metadata
from marque.cockpit.signals.values import values_of
from marque.core.errors import MarqueError

EPISODE = drive(10.0)
ROAD = road_scene(EPISODE)
TREE = load_tree()
LANGUAGE = "Vehicle.Cabin.Infotainment.HMI.CurrentLanguage"


def last_frame() -> dict[str, Any]:
    stage, shown, made = begin_stage(EPISODE, np.array(ROAD["origin_m"])), Shown(), {}
    for tick in EPISODE.ticks:
        shown, made = frame(stage, shown, tick, [])
    return made


FRAME = last_frame()
VALUES = values_of(FRAME, ROAD)


WRITTEN: list[tuple[str, str]] = []  # by the session that was made last


def session() -> Session:
    WRITTEN.clear()
    return Session(
        TREE,
        lambda token: token == "key",
        lambda path, value: WRITTEN.append((path, value)),
        dict(VALUES),
        stamp(),
    )


def need_valid(text: str) -> dict[str, Any]:
    """The message. AssertionError: it has no form of the protocol."""
    message = json.loads(text)
    action = message["action"]
    assert action in ("get", "set", "subscribe", "unsubscribe", "subscription")
    assert isinstance(message["ts"], str) and message["ts"].endswith("Z")
    if "requestId" in message:
        assert isinstance(message["requestId"], str)
    if "error" in message:
        error = message["error"]
        assert error["number"] in (400, 401, 403, 404, 429, 503)
        assert isinstance(error["reason"], str) and isinstance(error["description"], str)
        assert error["reason"] in (
            "bad_request", "invalid_data", "missing_token", "invalid_token", "expired_token",
            "forbidden_request", "unavailable_data", "service_unavailable",
        )  # fmt: skip
    elif action == "get" and "metadata" in message:
        assert isinstance(message["metadata"], dict)
    elif action in ("get", "subscription"):
        for point in message["data"] if isinstance(message["data"], list) else [message["data"]]:
            assert isinstance(point["path"], str)
            assert all(isinstance(point["dp"][name], str) for name in ("value", "ts"))
    if action in ("subscribe", "subscription") and "error" not in message:
        assert isinstance(message["subscriptionId"], str)
    return message


def ask(made: Session, **request: Any) -> dict[str, Any]:
    return need_valid(answer(made, json.dumps(request)))


def test_the_catalogue_is_a_tree_of_known_kinds() -> None:
    assert 75 <= len(TREE.leaves) <= 120
    assert any(path.startswith(OVERLAY) for path in TREE.leaves)
    for path, leaf in TREE.leaves.items():
        assert path not in TREE.below, f"{path} is a branch, too"
        assert leaf.description and leaf.kind in ("sensor", "actuator", "attribute")
        assert not (leaf.writable and path.startswith(NEVER_WRITTEN))


def test_every_value_belongs_to_a_signal_and_fits_it() -> None:
    assert len(VALUES) > 60
    for path, value in VALUES.items():
        leaf = TREE.leaves[path]
        assert isinstance(value, str)
        if leaf.datatype == "boolean":
            assert value in ("true", "false")
        elif leaf.datatype != "string":
            assert np.isfinite(float(value))
            assert "int" not in leaf.datatype or float(value) == int(float(value))
        elif leaf.allowed:
            assert value in leaf.allowed


def test_values_are_in_the_units_of_the_catalogue() -> None:
    ego = EPISODE.ticks[-1].world.ego
    assert float(VALUES["Vehicle.Speed"]) == pytest.approx(3.6 * ego.speed_mps, rel=1e-3)
    assert float(VALUES["Vehicle.CurrentLocation.Heading"]) == pytest.approx(
        (90.0 - np.degrees(ego.heading_rad)) % 360.0, abs=0.1
    )
    assert float(VALUES["Vehicle.Length"]) == round(1000 * EPISODE.platform.length_m)
    ahead = "Vehicle.ADAS.ObstacleDetection.Front.Center.Distance"
    assert ahead not in VALUES or float(VALUES[ahead]) >= 0.0


def test_get_of_a_leaf_a_branch_and_several() -> None:
    made = session()
    one = ask(made, action="get", path="Vehicle.Speed", requestId="7")
    assert one["requestId"] == "7" and one["data"]["dp"]["value"] == VALUES["Vehicle.Speed"]
    branch = ask(made, action="get", path="Vehicle.ADAS.Marque")
    assert len(branch["data"]) > 10
    filter_ = {"variant": "paths", "parameter": ["Speed", "Acceleration.*", "ADAS.EBA.IsEngaged"]}
    several = ask(made, action="get", path="Vehicle", filter=filter_)
    assert {p["path"] for p in several["data"]} == {
        "Vehicle.Speed", "Vehicle.Acceleration.Longitudinal", "Vehicle.Acceleration.Lateral",
        "Vehicle.ADAS.EBA.IsEngaged",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["Vehicle.Sped", "Speed", "Vehicle.Speed.X", "x" * 400])
def test_an_unknown_path_is_404(path: str) -> None:
    for action in ("get", "set", "subscribe"):
        told = ask(session(), action=action, path=path, value="1", authorization="key",
                   filter={"variant": "timebased", "parameter": {"period": "100"}}
                   if action == "subscribe" else None)  # fmt: skip
        assert (told["error"]["number"], told["error"]["reason"]) == (404, "unavailable_data")


def test_nothing_of_driving_can_be_written() -> None:
    for path, leaf in TREE.leaves.items():
        told = ask(session(), action="set", path=path, value="1", authorization="key")
        if leaf.writable:
            assert "error" not in told or told["error"]["number"] == 400
        else:
            assert (told["error"]["number"], told["error"]["reason"]) == (403, "forbidden_request")


def test_writing_needs_the_token() -> None:
    made = session()
    told = ask(made, action="set", path=LANGUAGE, value="zh")
    assert (told["error"]["number"], told["error"]["reason"]) == (401, "missing_token")
    told = ask(made, action="set", path=LANGUAGE, value="zh", authorization="wrong")
    assert (told["error"]["number"], told["error"]["reason"]) == (401, "invalid_token")
    told = ask(made, action="set", path="Vehicle.Speed", value="1")
    assert told["error"]["number"] == 401
    assert WRITTEN == []
    assert "error" not in ask(made, action="set", path=LANGUAGE, value="zh", authorization="key")
    assert WRITTEN == [(LANGUAGE, "zh")]


@pytest.mark.parametrize("value", ["fr", "101", "-1", "x", "1.5", "nan", "inf", 7, None, ["1"]])
def test_values_that_do_not_fit_are_400(value: Any) -> None:
    path = LANGUAGE if value == "fr" else "Vehicle.Cabin.Infotainment.Media.Volume"
    told = ask(session(), action="set", path=path, value=value, authorization="key")
    assert told["error"]["number"] == 400


def test_metadata_is_a_tree_as_vspec_exports_it() -> None:
    told = ask(session(), action="get", path="Vehicle.ADAS.Marque.Guard",
               filter={"variant": "metadata", "parameter": ""})  # fmt: skip
    branch = told["metadata"]["Vehicle"]["children"]["ADAS"]["children"]["Marque"]
    assert branch["children"]["Guard"]["children"]["Margin"]["type"] == "sensor"
    assert metadata(TREE, "Vehicle.Nothing") == {}


def test_timebased_and_change_push_when_they_should() -> None:
    made = session()
    slow = ask(made, action="subscribe", path="Vehicle.Speed",
               filter={"variant": "timebased", "parameter": {"period": "500"}})  # fmt: skip
    jump = ask(made, action="subscribe", path="Vehicle.Speed",
               filter={"variant": "change", "parameter": {"logic-op": "gt", "diff": "5"}}
               )  # fmt: skip
    got: dict[str, list[float]] = {"slow": [], "jump": []}
    for k in range(21):
        values = VALUES | {"Vehicle.Speed": str(2.0 * k)}
        for text in pushed(made, values, stamp(), 0.1 * k):
            told = need_valid(text)
            name = "slow" if told["subscriptionId"] == slow["subscriptionId"] else "jump"
            got[name].append(float(told["data"]["dp"]["value"]))
    assert got["slow"] == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert got["jump"] == [0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0]
    for each in (slow, jump):
        told = ask(made, action="unsubscribe", subscriptionId=each["subscriptionId"])
        assert "error" not in told
    assert pushed(made, VALUES, stamp(), 99.0) == []
    told = ask(made, action="unsubscribe", subscriptionId=slow["subscriptionId"])
    assert told["error"]["number"] == 404


def test_a_range_and_texts() -> None:
    asked = read_filters(
        {
            "variant": "range",
            "parameter": [
                {"boundary-op": "gt", "boundary": "1"},
                {"boundary-op": "lt", "boundary": "3", "combination-op": "AND"},
            ],
        }
    )
    assert due(asked, ("a", "b", "c"), {"a": "2", "b": "5", "c": "x"}, {}, 9.0) == ["a"]
    changes = read_filters({"variant": "change", "parameter": {"logic-op": "ne", "diff": "0"}})
    assert due(changes, ("a",), {"a": "RED"}, {"a": "RED"}, 9.0) == []
    assert due(changes, ("a",), {"a": "GREEN"}, {"a": "RED"}, 9.0) == ["a"]


@pytest.mark.parametrize(
    "told",
    [
        7, "x", {"variant": 1}, {"variant": "curvelog"}, {"variant": "paths", "parameter": []},
        {"variant": "timebased", "parameter": {"period": "0"}},
        {"variant": "timebased", "parameter": {"period": "x"}}, {"variant": "timebased"},
        {"variant": "change", "parameter": {"logic-op": "is", "diff": "1"}},
        {"variant": "range", "parameter": []}, [{}] * 20,
    ],
    ids=str,
)  # fmt: skip
def test_filters_that_are_none_are_refused(told: Any) -> None:
    with pytest.raises(MarqueError):
        read_filters(told)
    for action in ("get", "subscribe"):
        found = ask(session(), action=action, path="Vehicle.Speed", filter=told)
        assert found["error"]["number"] == 400


MEAN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["get", "set", "subscribe", "Vehicle.Speed", "Vehicle.*", "key", "paths"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["action", "path", "filter", "variant", "parameter", "value", "requestId",
             "authorization", "subscriptionId", "period", "logic-op", "diff"]
        ),
        inner, max_size=6,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=60)
@given(MEAN)
def test_hostile_messages_get_valid_answers(request: Any) -> None:
    made = session()
    need_valid(answer(made, json.dumps(request)))
    for text in pushed(made, VALUES, stamp(), 1e6):
        need_valid(text)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_noise_gets_valid_answers(data: Any) -> None:
    assert need_valid(answer(session(), data))["error"]["number"] == 400


def test_subscriptions_and_paths_are_bounded() -> None:
    made = session()
    filter_ = {"variant": "timebased", "parameter": {"period": "100"}}
    for _ in range(60):
        told = ask(made, action="subscribe", path="Vehicle", filter=filter_)
    assert told["error"]["number"] == 403 and len(made.subscriptions) == 50


def test_a_whole_catalogue_is_laid_under_ours(tmp_path) -> None:
    leaf = {"type": "sensor", "datatype": "float", "unit": "km/h", "description": "x"}
    tree = {"Vehicle": {"type": "branch", "children": {
        "Speed": leaf,
        "Chassis": {"type": "branch", "children": {"Odd": leaf | {"type": "actuator"}}},
    }}}  # fmt: skip
    path = tmp_path / "vss.json"
    path.write_text(json.dumps(tree))
    found = load_tree(path)
    assert len(found.leaves) == len(TREE.leaves) + 1
    assert not found.leaves["Vehicle.Chassis.Odd"].writable
    made = replace(session(), tree=found)
    told = ask(made, action="get", path="Vehicle.Chassis.Odd")
    assert told["error"]["number"] == 404  # known, and without a value


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"Vehicle": 3}', "[" * 100_000])
def test_what_is_no_catalogue_is_refused(tmp_path, text: str) -> None:
    path = tmp_path / "vss.json"
    path.write_text(text)
    with pytest.raises(MarqueError, match=r"vss\.json"):
        load_tree(path)
    with pytest.raises(MarqueError, match="cannot be read"):
        load_tree(tmp_path / "missing.json")
