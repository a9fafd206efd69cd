"""Orders of supervision in a log: kept without loss, and in the hash."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from episodes import drive
from marque.record.hashing import episode_hash
from marque.record.orders import decode_order, encode_order, with_orders
from marque.record.reader import read_episode
from marque.record.writer import Recorder
from marque.types.takeover import Cause, Mode, Order

DEMAND = Order(Mode.DEMAND, Cause.EYES_OFF, "x", True, True, False, countdown_s=10.0)
ORDERS = st.builds(
    Order,
    mode=st.sampled_from(Mode),
    cause=st.sampled_from(Cause),
    detail=st.text(max_size=20),
    visual=st.booleans(),
    acoustic=st.booleans(),
    haptic=st.booleans(),
    countdown_s=st.floats(0.0, 60.0) | st.just(math.inf),
    most_mps=st.floats(0.0, 60.0) | st.just(math.inf),
)


@given(st.integers(0, 10**15), ORDERS)
def test_an_order_comes_back_as_it_was(t_ns: int, order: Order) -> None:
    assert decode_order(encode_order(t_ns, order)) == (t_ns, order)


def test_a_log_gives_orders_back_and_hashes_them(tmp_path) -> None:
    episode = drive(3.0, users=3)
    plain = episode_hash(episode)
    episode.ticks[7] = replace(episode.ticks[7], orders=((720_000_000, DEMAND),))
    path = tmp_path / "drive.mcap"
    with Recorder(path, episode) as recorder:
        for tick in episode.ticks:
            recorder.append(tick)
        for event in episode.events:
            recorder.event(event)
        recorded = recorder.close(episode.end)
    back = read_episode(path, episode.road_map)
    assert back.ticks[7].orders == ((720_000_000, DEMAND),)
    assert not any(tick.orders for k, tick in enumerate(back.ticks) if k != 7)
    assert recorded.episode_hash == episode_hash(episode) == episode_hash(back) != plain


def test_orders_go_to_the_frame_that_they_came_in() -> None:
    ticks = drive(1.0, users=1).ticks
    found = with_orders(ticks, [(999, DEMAND), (150_000_000, DEMAND), (10**12, DEMAND)])
    assert [len(tick.orders) for tick in found] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert with_orders(ticks, []) is ticks
