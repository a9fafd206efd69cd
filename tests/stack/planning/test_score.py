"""Choosing: what outranks what, and how long a change of mind has to look better."""

import math

import numpy as np
import pytest

from marque.kernels import rollout as r
from marque.stack.planning.propose import COMFORT_STOP, EMERGENCY_STOP, NORMAL, Policy
from marque.stack.planning.rules import Stop
from marque.stack.planning.score import DOUBTS, SURE_S, choose
from marque.types.codes import Reason

SPEED_MPS = 10.0
GO, WAIT = ("keep", False), ("keep", True)
PLACE = Stop(50.0, Reason.YIELD)


def row(progress=50.0, nominal=None, both=None):
    """Result [2, R] of a policy to which nothing happens, but for what is named."""
    out = np.zeros((2, r.R_LEN))
    out[:, [r.R_COLLISION_S, r.R_MARGIN_S, r.R_GAP_MIN, r.R_DOUBT_S]] = math.inf
    out[:, r.R_PROGRESS] = progress
    for column, value in (both or {}).items():
        out[:, column] = value
    for column, value in (nominal or {}).items():
        out[0, column] = value
    return out


def go():
    return Policy(0, 1.0, None, -1, NORMAL, True)


def wait():
    return Policy(0, 1.0, PLACE, -1, NORMAL, False)


def chosen(going, waiting, previous=None, doubts=0):
    """Whether we go, and the doubts that remain."""
    scores = choose(
        [go(), wait()], np.stack([going, waiting]), np.zeros(1), previous, [GO, WAIT], SPEED_MPS,
        doubts,
    )  # fmt: skip
    return scores.best == 0, scores.doubts


HARD = row(10.0, nominal={r.R_BRAKE: 5.0})
GENTLE = row(10.0, nominal={r.R_BRAKE: 2.0})


def test_with_nothing_in_the_way_we_go():
    assert chosen(row(), GENTLE)[0]


@pytest.mark.parametrize("contact_s", [0.4, 1.5, 3.5])
def test_a_sure_contact_that_is_soon_is_braked_hard_for(contact_s):
    assert not chosen(row(nominal={r.R_COLLISION_S: contact_s}), HARD)[0]


@pytest.mark.parametrize(
    "threat",
    [
        {"nominal": {r.R_COLLISION_S: 6.0}},  # far off
        {"nominal": {r.R_DOUBT_S: 1.5}},  # on a way that is hardly taken
        {"both": {r.R_MARGIN_S: 0.5}},  # no contact at all
    ],
    ids=["late", "doubtful", "margin"],
)
def test_any_other_threat_is_braked_gently_for(threat):
    assert chosen(row(**threat), HARD)[0]
    assert not chosen(row(**threat), GENTLE)[0]


def test_others_who_assert_themselves_are_braked_gently_for():
    asserted = row()
    asserted[1, r.R_COLLISION_S] = 2.0
    assert chosen(asserted, HARD)[0]
    assert not chosen(asserted, GENTLE)[0]


def test_the_law_may_ask_for_hard_braking():
    red = Policy(0, 1.0, Stop(20.0, Reason.RED_LIGHT), -1, NORMAL, True)
    full = Policy(0, 1.0, None, -1, EMERGENCY_STOP, False)
    result = np.stack([HARD, row(8.0, nominal={r.R_BRAKE: 8.0})])
    scores = choose([red, full], result, np.zeros(1), None, [GO, WAIT], SPEED_MPS)
    assert scores.best == 0


def test_standing_in_a_junction_is_worse_than_a_small_margin_later():
    boxed = row(2.0, nominal={r.R_BOX: 1.0})
    assert chosen(row(both={r.R_MARGIN_S: 3.0}), boxed)[0]
    assert not chosen(row(both={r.R_MARGIN_S: 0.2}), boxed)[0]


def test_a_change_of_mind_has_to_look_better_for_some_ticks():
    uneasy = row(both={r.R_MARGIN_S: 1.0})
    doubts = 0
    for tick in range(DOUBTS):
        goes, doubts = chosen(uneasy, GENTLE, GO, doubts)
        assert goes
        assert doubts == tick + 1
    assert chosen(uneasy, GENTLE, GO, doubts) == (False, 0)
    assert chosen(row(), GENTLE, GO, doubts) == (True, 0)


def test_what_spares_hard_braking_at_a_place_where_we_must_stop_is_done_at_once():
    late = row(20.0, nominal={r.R_BRAKE: 3.3})  # before the end of our lane
    end = Policy(0, 1.0, Stop(50.0, Reason.LANE_CHANGE), -1, NORMAL, True)

    def held(policy, other_mps2):
        result = np.stack([late, row(60.0, nominal={r.R_BRAKE: other_mps2})])
        scores = choose([policy, go()], result, np.zeros(1), WAIT, [WAIT, GO], SPEED_MPS)
        return scores.best == 0

    assert not held(end, 1.7)
    assert held(end, 2.9)  # which is hardly less
    assert held(wait(), 1.7)  # a place chosen to wait at may be a flicker


def test_nobody_is_made_to_brake_as_nobody_can_to_spare_us_firm_braking():
    firm = row(10.0, nominal={r.R_BRAKE: 3.6})
    assert chosen(row(both={r.R_FORCED: 4.0}), firm)[0]
    assert not chosen(row(both={r.R_FORCED: 90.0}), firm)[0]
    # unless they would have to whatever we do
    assert chosen(row(both={r.R_FORCED: 90.0}), row(10.0, both={r.R_FORCED: 90.0}))[0]


def test_a_contact_is_looked_at_once_more_only_while_there_is_time():
    far = row(nominal={r.R_COLLISION_S: SURE_S + 0.5})
    near = row(nominal={r.R_COLLISION_S: SURE_S - 0.5})
    assert chosen(far, HARD, GO) == (True, 1)
    assert chosen(far, HARD, GO, 1) == (False, 0)
    assert chosen(near, HARD, GO) == (False, 0)


def test_who_stops_at_the_goal_has_got_on():
    """One way leads past the goal, the other to it, 30 m ahead."""
    past, there = go(), Policy(1, 1.0, PLACE, -1, NORMAL, True)
    result = np.stack([row(100.0), row(29.0)])
    words = ([past, there], result, np.array([1.0, 0.0]), None, [GO, ("change_right", False)])
    assert choose(*words, SPEED_MPS).best == 0
    assert choose(*words, SPEED_MPS, ways_m=np.array([math.inf, 30.0])).best == 1


def test_who_leads_us_may_ask_for_hard_braking():
    """A softer stop instead would only brake too late."""
    soft = Policy(0, 2.5, None, -1, COMFORT_STOP, False)
    result = np.stack([row(30.0, nominal={r.R_BRAKE: 4.5, r.R_CAUSE: 0}), row(25.0)])
    words = ([go(), soft], result, np.zeros(1), None, [GO, WAIT], SPEED_MPS)
    assert choose(*words, leads=np.array([[True]])).best == 0
    assert choose(*words, leads=np.array([[False]])).best == 1


def test_to_give_way_firmly_is_better_than_to_stop_in_the_way():
    soft = Policy(0, 2.5, None, -1, COMFORT_STOP, False)
    for brake, best in ((3.5, 0), (5.0, 1)):
        firm = row(20.0, nominal={r.R_BRAKE: brake})
        result = np.stack([firm, row(25.0, nominal={r.R_BOX: 1.0, r.R_FORCED: 4.0})])
        keys = [WAIT, WAIT]
        assert choose([wait(), soft], result, np.zeros(1), None, keys, SPEED_MPS).best == best


def test_who_enters_a_junction_looks_farther():
    late = {r.R_MARGIN_S: 6.5}
    assert chosen(row(nominal=late), GENTLE)[0]
    assert not chosen(row(nominal=late | {r.R_ENTERS: 1.0}), GENTLE)[0]
