"""Commands of the page: everything that is none ends as a sentence, never as anything else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.cockpit.commands import LIVE, REPLAY, need_heard, read_command
from marque.core.errors import MarqueError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
GOOD = (
    {"do": "hello", "token": "x"}, {"do": "play"}, {"do": "seek", "t_s": 3.0},
    {"do": "jump", "way": "next"}, {"do": "person", "state": "asleep"},
    {"do": "act", "what": "button"}, {"do": "set_speed", "mps": None},
    {"do": "set_gap", "headway_s": 1.5}, {"do": "destination", "place": "xy:1,2"},
    {"do": "drive", "steer": 0.1, "accelerator": 0.0, "brake": 1.0},
    {"do": "driver", "name": "lane"},
)  # fmt: skip
BAD = (
    "", "[]", "null", "{", '{"do":1}', '{"do":"format"}', '{"do":"seek"}', '{"do":"seek","t_s":-1}',
    '{"do":"seek","t_s":NaN}', '{"do":"seek","t_s":1e400}', '{"do":"seek","t_s":"3"}',
    '{"do":"play","extra":1}', '{"do":"set_speed","mps":500}', '{"do":"person","state":"drunk"}',
    '{"do":"drive","steer":2,"accelerator":0,"brake":0}', '{"do":"brand","name":"../../etc"}',
    '{"do":"destination","place":"' + "x" * 500 + '"}', '{"do":"driver","name":"a.py:B"}',
    "[" * 20_000, '{"do":"play","id":-1}', "\ud800",
)  # fmt: skip


@pytest.mark.parametrize("command", GOOD, ids=lambda each: each["do"])
def test_what_may_be_asked_for_is_read(command: dict) -> None:
    assert read_command(json.dumps(command)).do == command["do"]


@pytest.mark.parametrize("data", BAD, ids=range(len(BAD)))
def test_what_may_not_is_a_sentence(data: str) -> None:
    with pytest.raises(MarqueError) as error:
        read_command(data)
    assert 0 < len(str(error.value)) < 400


@settings(max_examples=40)
@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        read_command(json.dumps(value))
    except MarqueError:
        return
    assert isinstance(value, dict) and "do" in value


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_command(data)
    except MarqueError as error:
        assert str(error)


def test_long_interactions_are_locked_while_driving() -> None:
    place = read_command('{"do":"destination","place":"52.4,13.5"}')
    need_heard(place, LIVE, 0.0)
    with pytest.raises(MarqueError, match="standstill"):
        need_heard(place, LIVE, 3.0)
    need_heard(read_command('{"do":"act","what":"button"}'), LIVE, 30.0)


def test_a_replay_hears_of_nobodys_hands() -> None:
    with pytest.raises(MarqueError, match="no meaning here"):
        need_heard(read_command('{"do":"act","what":"button"}'), REPLAY, 0.0)
