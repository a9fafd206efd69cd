"""A replay's clock, and what slow viewers lose."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.cockpit import clock as clocks
from marque.cockpit.hub import MESSAGES, Hub


def test_it_plays_pauses_and_goes_on_from_there() -> None:
    clock = clocks.played(clocks.Clock(end_s=100.0), 10.0)
    clock = clocks.paused(clock, 14.0)
    assert clocks.at(clock, 99.0) == 4.0
    clock = clocks.hastened(clocks.played(clock, 20.0), 21.0, 4.0)
    assert clocks.at(clock, 22.0) == pytest.approx(9.0)


def test_it_ends_at_the_end_and_begins_anew() -> None:
    clock = clocks.played(clocks.Clock(end_s=5.0), 0.0)
    assert clocks.at(clock, 60.0) == 5.0
    assert clocks.at(clocks.played(clock, 60.0), 61.0) == pytest.approx(1.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["play", "pause", "seek", "speed"]),
            st.floats(0.0, 50.0),
            st.floats(-10.0, 200.0),
        ),
        max_size=12,
    )
)
def test_it_never_leaves_the_drive(steps: list) -> None:
    clock, wall = clocks.Clock(end_s=60.0), 0.0
    for do, later, value in steps:
        wall += later
        if do == "play":
            clock = clocks.played(clock, wall)
        elif do == "pause":
            clock = clocks.paused(clock, wall)
        elif do == "seek":
            clock = clocks.sought(clock, wall, value)
        else:
            before = clocks.at(clock, wall)
            clock = clocks.hastened(clock, wall, value)
            assert clocks.at(clock, wall) == pytest.approx(before)
        assert 0.0 <= clocks.at(clock, wall) <= 60.0


def test_who_is_slow_loses_frames_and_nothing_else() -> None:
    async def watch() -> tuple[list[str], list[str], int]:
        hub = Hub()
        quick, slow = hub.join(), hub.join()
        seen = []
        for k in range(50):
            hub.show(f"frame {k}")
            if k == 20:
                hub.tell("news")
            seen.append(await quick.next())
            if k == 20:
                seen.append(await quick.next())
        late = [await slow.next(), await slow.next()]
        return seen, late, slow.lost

    seen, late, lost = asyncio.run(watch())
    assert seen.count("news") == 1 and len(seen) == 51
    assert late == ["news", "frame 49"] and lost == 49


def test_messages_of_one_viewer_are_bounded() -> None:
    async def watch() -> list[str]:
        hub = Hub()
        viewer = hub.join()
        for k in range(MESSAGES + 10):
            hub.tell(str(k))
        return [await viewer.next() for _ in range(MESSAGES)]

    assert asyncio.run(watch())[0] == "10"


def test_who_comes_later_sees_the_newest_frame() -> None:
    async def watch() -> str:
        hub = Hub()
        hub.show("frame")
        return await hub.join().next()

    assert asyncio.run(watch()) == "frame"
