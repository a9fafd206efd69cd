"""Locks to the number: for whom, how often, how long."""

from dataclasses import replace

import pytest

from marque.core.time import NS_PER_S
from marque.guard import lockout
from marque.guard.lockout import FOR_GOOD_NS, Locks, locks
from marque.types.takeover import Cause, Mode
from marque.vehicle.market import load_market

S = NS_PER_S
MARKET = replace(
    load_market("un_r157"),
    lockout_manoeuvres=2, lockout_demands=3, lockout_window_s=100.0, lockout_s=50.0,
)  # fmt: skip


def into(mode: Mode, memory=Locks(), was=Mode.ACTIVE, cause=Cause.EYES_OFF, t_s=3, **market):  # noqa: B008
    """As plain numbers, as they come from a log."""
    return locks(
        memory, int(was), int(mode), int(cause), t_s * S, replace(MARKET, **market)
    )  # fmt: skip


def test_before_anything_nothing_is_locked():
    assert Locks() == Locks(0, (), -1)
    assert FOR_GOOD_NS == 2**62
    assert not Locks().locked(0) and Locks(until_ns=1).locked(0)
    assert Locks(until_ns=5).locked(4) and not Locks(until_ns=5).locked(5)


@pytest.mark.parametrize(
    ("allowed", "before", "locks_now"),
    [(2, 0, False), (2, 1, True), (2, 2, True), (1, 0, True), (0, 5, False), (-1, 5, False)],
)
def test_manoeuvres(allowed, before, locks_now):
    after = into(Mode.MANOEUVRE, Locks(before), lockout_manoeuvres=allowed)
    assert after.manoeuvres == before + 1
    assert after.until_ns == (53 * S if locks_now else -1)


@pytest.mark.parametrize(
    ("told_s", "now_s", "locks_now"),
    [((), 3, False), ((1, 2), 3, True), ((0, 1, 2), 3, True), ((1, 2), 101, True),
     ((1, 2), 102, False), ((2,), 50, False)],
)  # fmt: skip
def test_demands(told_s, now_s, locks_now):
    before = Locks(0, tuple(t * S for t in told_s))
    after = into(Mode.DEMAND, before, t_s=now_s)
    assert after.demands_ns == (*(t * S for t in told_s if now_s - t <= 100), now_s * S)
    assert after.until_ns == ((now_s + 50) * S if locks_now else -1)


@pytest.mark.parametrize("cause", [Cause.HANDS_OFF, Cause.EYES_OFF, Cause.BELT, Cause.NONE])
def test_only_attention_counts_and_only_where_it_is_counted(cause):
    full = Locks(0, (S, 2 * S))
    counts = cause in (Cause.HANDS_OFF, Cause.EYES_OFF)
    assert into(Mode.DEMAND, full, cause=cause).locked(4 * S) == counts
    assert into(Mode.DEMAND, full, cause=cause, lockout_demands=0) == full


@pytest.mark.parametrize("mode", [m for m in Mode if m not in (Mode.OFF, Mode.DEMAND)])
@pytest.mark.parametrize("was", [Mode.OFF, Mode.DEMAND, Mode.STANDSTILL])
def test_no_other_mode_counts_as_a_demand(mode, was):
    full = Locks(0, (S, 2 * S))
    after = into(mode, full, was=was)
    assert after.demands_ns == full.demands_ns and after.until_ns == -1
    assert after.manoeuvres == (mode == Mode.MANOEUVRE and was != mode)


@pytest.mark.parametrize("mode", [m for m in Mode if m != Mode.OFF])
def test_what_goes_on_counts_once(mode):
    before = Locks(1, (S, 2 * S), 7)
    assert into(mode, before, was=mode) == before
    assert locks(before, mode, int(mode), Cause.EYES_OFF, 3 * S, MARKET) == before


@pytest.mark.parametrize("was", [m for m in Mode if m not in (Mode.OFF, Mode.MANOEUVRE)])
def test_a_manoeuvre_counts_whatever_was_before(was):
    assert into(Mode.MANOEUVRE, was=was).manoeuvres == 1


@pytest.mark.parametrize(
    ("until_ns", "left"),
    [(-1, -1), (9 * S, 9 * S), (FOR_GOOD_NS - 1, FOR_GOOD_NS - 1), (int(str(2**62)), -1),
     (FOR_GOOD_NS + 1, -1)],
)  # fmt: skip
def test_switching_off_begins_anew_but_for_locks_with_a_time(until_ns, left):
    assert into(Mode.OFF, Locks(3, (S,), until_ns)) == Locks(0, (), left)


@pytest.mark.parametrize(
    ("for_s", "until_ns"),
    [
        (50.0, 53 * S),
        (float("inf"), FOR_GOOD_NS),
        (FOR_GOOD_NS / S, FOR_GOOD_NS),
        (1e12, FOR_GOOD_NS),
    ],
)
def test_how_long(for_s, until_ns):
    assert into(Mode.MANOEUVRE, Locks(1), lockout_s=for_s).until_ns == until_ns
    assert into(Mode.MANOEUVRE, Locks(1, (), FOR_GOOD_NS), lockout_s=for_s).until_ns == FOR_GOOD_NS


def test_attention_is_eyes_and_hands():
    assert lockout.ATTENTION == (Cause.EYES_OFF, Cause.HANDS_OFF)
