"""Choose lexicographically: safety and law first, then progress, comfort, courtesy, constancy.

Tier 0: time of the first contact, if it is soon. Tier 1: no late contact, time margins kept, nobody
forced to brake hard, us neither; no rest in a keep-clear zone. Then cost, all terms in [0, 1] times
their weight. Unless there is a hurry, or hard braking to be spared, a change of mind has to look
better for some ticks in a row.
"""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.kernels.rollout import (
    R_ACCEL2,
    R_BOX,
    R_BRAKE,
    R_CAUSE,
    R_COLLISION_S,
    R_DOUBT_S,
    R_ENTERS,
    R_FORCED,
    R_GAP_MIN,
    R_JERK2,
    R_MARGIN_S,
    R_PROGRESS,
)
from marque.stack.planning.propose import EMERGENCY_STOP, NORMAL, Policy
from marque.types.style import Style

NOMINAL_S = 8.0  # contacts within this time count under the nominal hypothesis
ASSERTIVE_S = 5.0  # and within this one, for less, when others assert themselves
MARGIN_S = 5.0
FORCED_MPS2, FORCED_SPARE_MPS2 = 2.5, 0.3
BEYOND_MPS2 = 8.0  # others do not brake harder than this
BOX = 8.0  # standing in a keep-clear zone: as bad as a margin that is violated in 1.5 s
HARD_MPS2 = 3.0  # own braking beyond this is for contacts alone, and for who leads us:
LED_MPS2 = 6.0  # to brake less than following asks for is to brake too late
W_PROGRESS, W_COMFORT, W_COURTESY, W_SWITCH, W_GAP = 5.0, 1.5, 1.0, 0.3, 1.0
LATE_CONTACT = 17.0  # outranks margins and forced braking
FIRM, FIRM_SPARE_MPS2 = 12.0, 1.0  # outranks margins, and not who is blocked by where we stop
FULL, FULL_MPS2 = 12.0, 5.5  # nor is anything but a contact braked for harder than a firm stop
EMERGENCY = 60.0  # outranks every other sum of tier 1
SOON_S, BUILD_UP_S = 4.0, 2.0  # a contact sooner than this, or than hard braking takes to stop
HURRY = int(EMERGENCY) * 10  # from this tier on a change of mind does not wait
SURE_S = 1.3  # a contact that is seen for the first time, and further off, is looked at again
DOUBTS = 2  # ticks: what looks better for less long than this is a flicker
SPARED_MPS2 = 1.0  # of hard braking, which is worth more than to be sure that it is none
STOP_PENALTY = 20.0  # comfortable and emergency stops are for need: more than all other costs


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """P policies."""

    tier: IntArray  # [P], smaller is better
    cost: FloatArray  # [P]
    best: int
    doubts: int  # ticks in a row in which something else was better than what we are about


def choose(
    policies: list[Policy],
    result: FloatArray,
    corridor_cost: FloatArray,
    previous: tuple[str, bool] | None,
    key: list[tuple[str, bool]],
    speed_mps: float,
    doubts: int = 0,
    extra: FloatArray | None = None,
    ways_m: FloatArray | None = None,
    leads: BoolArray | None = None,
) -> Scores:
    """Pick from rollout results [P, 2, R]. `corridor_cost[c]`: route value and lane-change cost;
    `extra` [P]: what single policies have to earn beyond it; `ways_m[c]`: how far it leads at all;
    `leads[c, k]`: whether path k drives ahead of us on corridor c.

    `key` names each policy's manoeuvre and whether it waits; `previous` is the last winner's.
    `speed_mps` is ours now: how soon a contact is too soon to be avoided gently.
    """
    nominal = result[:, 0]
    assertive = result[:, 1]
    contact = np.where(nominal[:, R_COLLISION_S] < NOMINAL_S, nominal[:, R_COLLISION_S], np.inf)
    asserted = np.minimum(
        assertive[:, R_COLLISION_S], np.minimum(nominal[:, R_DOUBT_S], assertive[:, R_DOUBT_S])
    )
    margin = np.minimum(nominal[:, R_MARGIN_S], assertive[:, R_MARGIN_S])
    # who enters a junction looks farther: what is too close at its end would stop us inside it
    late = (nominal[:, R_ENTERS] > 0.0) & (nominal[:, R_MARGIN_S] < NOMINAL_S)
    margin = np.where(late & (margin >= MARGIN_S), MARGIN_S - 0.01, margin)
    forced = nominal[:, R_FORCED]
    soon = contact < max(SOON_S, speed_mps / (2.0 * HARD_MPS2) + BUILD_UP_S)
    # contact: the later the better, in steps of half a second
    tier0 = np.where(soon, 40 - np.floor(2.0 * np.minimum(contact, 8.0)), 0)
    # of those that touch at the same time, the ones that brake
    moving = np.array([policy.mode == NORMAL for policy in policies])
    tier0 += np.where(soon & moving, 1, 0)
    tier1 = np.where(margin < MARGIN_S, 11 - np.floor(2.0 * np.minimum(margin, 5.0)), 0.0)
    # one that is still far off, or comes about if others assert themselves or go an unlikely way,
    # is worse than any margin, but nothing to brake hard for
    tier1 += np.where(np.isfinite(contact) & ~soon, LATE_CONTACT, 0.0)
    tier1 += np.where(asserted < ASSERTIVE_S, LATE_CONTACT + 5.0 - np.floor(asserted), 0.0)
    # some brake for reasons of their own: what they do whatever we do is not forced by us
    least = float(forced.min()) + FORCED_SPARE_MPS2
    tier1 += np.where(forced > max(FORCED_MPS2, least), 5.0, 0.0)
    # and what nobody would manage is a contact in all but name
    tier1 += np.where(forced > max(BEYOND_MPS2, least), LATE_CONTACT, 0.0)
    # nobody brakes hard for a margin or a better place to wait, unless the law wants it; full
    # braking is the last of it
    must = np.array([policy.binding and policy.stop is not None for policy in policies])
    led = _led(policies, nominal, leads)
    hard = nominal[:, R_BRAKE] - np.where(led, LED_MPS2, HARD_MPS2)
    # but to give way a little firmer is better than to stop softly in the way of others
    waits = np.array([policy.stop is not None and policy.mode == NORMAL for policy in policies])
    much = np.where(waits & (hard < FIRM_SPARE_MPS2), FIRM, EMERGENCY + np.floor(hard.clip(0, 5)))
    much += np.where(~led & (nominal[:, R_BRAKE] > FULL_MPS2), FULL, 0.0)
    tier1 += np.where((hard > 0.0) & ~must, much, 0.0)
    tier1 += np.array([EMERGENCY if policy.mode == EMERGENCY_STOP else 0.0 for policy in policies])
    # who stands in a junction is in the way of all: going on with a later, smaller margin is better
    tier1 += np.where(nominal[:, R_BOX] > 0.0, BOX, 0.0)
    tier = (tier0 * 10_000 + tier1 * 10).astype(np.int64)
    cost = _cost(policies, result, corridor_cost, previous, key, ways_m)
    if extra is not None:
        cost = cost + extra
    order = np.lexsort((cost, tier))
    best = int(order[0])
    if previous is None or key[best] == previous or doubts >= DOUBTS:
        return Scores(tier, cost, best, 0)
    for p in order.tolist():
        if key[p] != previous:
            continue
        # nor does what spares us hard braking for a place where we must stop, as for the end of
        # our lane: it would have begun before we change our mind
        spares = must[p] and nominal[p, R_BRAKE] > max(
            HARD_MPS2, nominal[best, R_BRAKE] + SPARED_MPS2
        )
        if not spares and (tier[p] < HURRY or (doubts == 0 and contact[p] > SURE_S)):
            return Scores(tier, cost, p, doubts + 1)
        break
    return Scores(tier, cost, best, 0)


def _led(policies: list[Policy], nominal: FloatArray, leads: BoolArray | None) -> BoolArray:
    """[P] whether a policy brakes hardest for somebody who drives ahead of us already."""
    who = nominal[:, R_CAUSE].astype(np.int64)
    if leads is None or leads.shape[1] == 0:
        return np.zeros(len(policies), dtype=np.bool_)
    corridor = [policy.corridor for policy in policies]
    found: BoolArray = (who >= 0) & leads[corridor, who]
    return found


def courtesy_cost(result: FloatArray, style: Style) -> FloatArray:
    """[P] what a brand adds to, or takes off, the price of making others brake."""
    return (style.courtesy - 1.0) * _courtesy(result[:, 0])


def _courtesy(nominal: FloatArray) -> FloatArray:
    cost: FloatArray = W_COURTESY * np.minimum(1.0, (nominal[:, R_FORCED] / 3.0) ** 2)
    return cost


def _cost(
    policies: list[Policy],
    result: FloatArray,
    corridor_cost: FloatArray,
    previous: tuple[str, bool] | None,
    key: list[tuple[str, bool]],
    ways_m: FloatArray | None,
) -> FloatArray:
    nominal = result[:, 0]
    progress = nominal[:, R_PROGRESS]
    most = np.full(len(policies), max(float(progress.max()), 1.0))
    if ways_m is not None:
        most = np.minimum(most, ways_m[[policy.corridor for policy in policies]])
    cost: FloatArray = W_PROGRESS * np.maximum(0.0, 1.0 - progress / most)
    comfort = 0.03 * nominal[:, R_ACCEL2] + 0.03 * nominal[:, R_JERK2]
    comfort += 0.1 * np.maximum(0.0, nominal[:, R_BRAKE] - 2.0) ** 2
    cost += W_COMFORT * np.minimum(1.0, comfort)
    cost += _courtesy(nominal)
    gap = nominal[:, R_GAP_MIN]
    cost += W_GAP * np.clip((0.6 - gap) / 0.6, 0.0, 1.0)
    for p, policy in enumerate(policies):
        cost[p] += corridor_cost[policy.corridor]
        if policy.mode != NORMAL:
            cost[p] += STOP_PENALTY
        if previous is not None and key[p] != previous:
            cost[p] += W_SWITCH
    return cost
