import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marque.sim.scenario.synchronise import NONE, WAITING, Need, speed_now

DT = 0.05


def _need(way: float, time: float, now: float, earlier: float, final: float) -> Need:
    return Need(way, time, now, earlier, final, 1e3, 1e3)


def _arrive(way: float, time: float, speed: float, final: float) -> tuple[float, float]:
    """(metres left, speed) when the time is up, moving in steps."""
    mode, earlier = NONE, speed
    for _ in range(round(time / DT)):
        mode, wanted = speed_now(mode, _need(way, time, speed, earlier, final), DT)
        assert wanted >= 0.0
        earlier, speed = speed, wanted
        way, time = way - speed * DT, time - DT
    return way, speed


@given(st.floats(20.0, 300.0), st.integers(40, 400), st.floats(0.0, 20.0), st.floats(1.0, 20.0))
def test_who_synchronises_is_there_in_time_at_the_final_speed(
    way: float, steps: int, speed: float, final: float
) -> None:
    time = steps * DT
    mean = way / time
    assume(0.55 * final < mean < 3.0 * final)
    left, at_end = _arrive(way, time, speed, final)
    assert abs(left) < 0.05 * way
    assert at_end == pytest.approx(final, abs=0.35 * max(final, mean))


@given(st.floats(1.0, 10.0), st.floats(1.0, 5.0))
def test_with_too_much_time_it_stands_first(way: float, final: float) -> None:
    time = 3.0 * 2.0 * way / final
    mode, speed = speed_now(NONE, _need(way, time, 0.0, 0.0, final), DT)
    assert (mode, speed) == (WAITING, 0.0)
    mode, speed = speed_now(mode, _need(way, 2.0 * way / final - DT, 0.0, 0.0, final), DT)
    assert mode != WAITING and 0.0 < speed < final


def test_before_anything_is_seen_of_the_master_it_stands() -> None:
    assert speed_now(NONE, _need(50.0, math.inf, 12.0, 12.0, 5.0), DT) == (WAITING, 0.0)


def test_in_the_steady_state_it_keeps_the_final_speed() -> None:
    assert speed_now(NONE, _need(-0.1, 1.0, 3.0, 3.0, 5.0), DT)[1] == 5.0
    assert speed_now(NONE, _need(5.0, 0.0, 3.0, 3.0, 5.0), DT)[1] == 5.0


def test_more_than_the_vehicle_can_is_made_up_for_at_once() -> None:
    need = Need(100.0, 5.0, 0.0, 0.0, 10.0, 2.0, 2.0)
    assert speed_now(NONE, need, DT)[1] == pytest.approx(2.0 * 100.0 / 5.0 - 10.0)
