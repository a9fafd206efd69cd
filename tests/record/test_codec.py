"""A tick survives its bytes, bit for bit, and anyone can read them by the schema in the log."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bits import exact
from episodes import drive
from marque.record.codec import decode_tick, encode_tick
from marque.record.schemas import MARQUE_SET
from marque.types.codes import Indicator, Reason
from marque.types.command import Command
from marque.types.episode import Tick
from marque.types.plan import Plan, Trajectory
from marque.types.verdict import Action, Verdict
from marque.types.world import EgoTruth, RoadUsers, World
from oracle.protobuf_twin import decode

ANY = st.floats(width=64)  # not-a-number, infinities and signed zero too
TIME = st.integers(-(2**63), 2**63 - 1)


def floats(n: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(ANY, min_size=n, max_size=n).map(lambda v: np.array(v, dtype=np.float64))


def integers(n: int, dtype: type) -> st.SearchStrategy[np.ndarray]:
    lo, hi = np.iinfo(dtype).min, np.iinfo(dtype).max
    return st.lists(st.integers(lo, hi), min_size=n, max_size=n).map(
        lambda v: np.array(v, dtype=dtype)
    )


commands = st.builds(Command, TIME, ANY, ANY, st.sampled_from(Indicator))


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    n = draw(st.integers(0, 5))
    return Trajectory(*(draw(floats(n)) for _ in range(7)))


plans = st.builds(
    Plan,
    TIME,
    TIME,
    trajectories(),
    trajectories(),
    TIME,
    st.text(max_size=20),
    st.sampled_from(Reason),
    TIME,
    st.sampled_from(Indicator),
    st.lists(st.tuples(st.text(max_size=9), ANY), max_size=3).map(tuple),
)


@st.composite
def ticks(draw: st.DrawFn) -> Tick:
    n = draw(st.integers(0, 4))
    users = RoadUsers(
        draw(integers(n, np.int64)),
        draw(integers(n, np.int8)),
        *(draw(floats(n)) for _ in range(7)),
        draw(integers(n, np.int8)),
        draw(integers(n, np.int32)),
    )
    ego = EgoTruth(*(draw(ANY) for _ in range(8)))
    heads = draw(st.integers(0, 5).flatmap(lambda h: integers(h, np.int8)))
    verdicts = st.builds(
        Verdict, TIME, st.sampled_from(Action), commands, st.text(max_size=9), ANY, st.booleans()
    )
    return Tick(
        world=World(draw(TIME), ego, users, heads),
        plan=draw(st.none() | plans),
        command=draw(commands),
        verdicts=tuple(draw(st.lists(verdicts, max_size=3))),
        reason=draw(st.sampled_from(Reason)),
        ego_jerk_mps3=draw(ANY),
    )


@settings(max_examples=60, deadline=None)
@given(ticks())
def test_round_trip_is_exact(tick: Tick) -> None:
    data = encode_tick(tick)
    back = decode_tick(data)
    assert exact(back) == exact(tick)
    assert encode_tick(back) == data


def test_non_contiguous_arrays_are_written_by_value() -> None:
    tick = drive(1.0, users=6).ticks[5]
    users = tick.world.users
    spread = np.repeat(users.x_m, 2)[::2]
    assert not spread.flags.c_contiguous
    same = dataclasses.replace(
        tick, world=dataclasses.replace(tick.world, users=dataclasses.replace(users, x_m=spread))
    )
    assert encode_tick(same) == encode_tick(tick)


def test_schema_in_the_log_reads_the_tick() -> None:
    tick = drive(6.0, users=5).ticks[50]
    found = decode(MARQUE_SET, "marque.Tick", encode_tick(tick))
    assert found["t_ns"] == tick.world.t_ns
    assert found["ego"]["speed_mps"] == tick.world.ego.speed_mps
    assert found["users"]["uid"] == tick.world.users.uid.tolist()
    assert found["users"]["x_m"] == tick.world.users.x_m.tolist()
    assert found["users"]["lane"] == tick.world.users.lane.tolist()
    assert found["plan"]["fallback"]["s_m"] == tick.plan.fallback.s_m.tolist()
    assert found["plan"]["margins"][1] == {"name": "ttc_s", "value": math.inf}
    assert found["verdicts"][0]["rule"] == "rss"
    assert found["reason"] == int(tick.reason)


@pytest.mark.parametrize("keep", [0, 1, 10, 100, -1])
def test_cut_bytes_are_refused(keep: int) -> None:
    data = encode_tick(drive(1.0, users=3).ticks[2])
    with pytest.raises(ValueError):
        decode_tick(data[:keep])
