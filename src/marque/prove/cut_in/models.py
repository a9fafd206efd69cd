"""The four reference models of a cut-in, from their formulas, on the published grid.

Recurrence and geometry are those of `play`. A reaction that ends within a step brakes for the rest
of that step; RSS responds from the next whole step on. No model steers, and none comes back to its
speed.

1. Careful human (UN R157, performance model 1): sees the hazard when the sides begin to overlap; it
   is one if the time to collision is at most 2 s then, and ordinary following manages what is
   longer. Rolls with 0.4 m/s^2 for 0.75 s, then brakes, 12.65 m/s^3, up to 0.774 g.
2. Fuzzy safety model (performance model 2): `metrics.fuzzy`.
3. RSS (Shalev-Shwartz 2017) with 0.75 s, 3 m/s^2, braking 6 m/s^2 of both, 1 m/s^2 sideways and
   0.3 m; we keep our place across the road. It responds with all there is, 0.774 g.
4. Paragraph 5.2.5.2: braking with 6 m/s^2 from 0.35 s after the sides are within 0.5 m.

Values as published for the comparison of the four; none was read in the regulation: drafts.
"""

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.metrics import fuzzy
from marque.prove.cut_in.play import (
    AFTER_S,
    CAR_LENGTH_M,
    CAR_WIDTH_M,
    STEP_S,
    first_step,
    other_at,
    overlaps,
)

HUMAN, FUZZY, RSS, REG157 = range(4)
NAMES = ("careful human", "fuzzy model", "RSS", "paragraph 5.2.5.2")
COLUMNS = ("cc_human_collides", "fsm_collides", "rss_collides", "reg157_collides")
REACTION_STEPS = (7.5, 7.5, 8.0, 3.5)  # of STEP_S
HAZARD_TTC_S, ROLLS_MPS2 = 2.0, 0.4
RSS_S, RSS_ACCEL, RSS_BRAKE, RSS_SIDE, RSS_AWAY_M = 0.75, 3.0, 6.0, 1.0, 0.3
REG_BRAKE, REG_NEAR_M = 6.0, 0.5
NEVER = 1e9


@jit
def collides(model: int, case: tuple[float, float, float, float]) -> bool:
    """Whether a model collides. case: our speed, its speed, gap, lateral speed."""
    v, f, gap, lateral = case
    began = first_step(lateral, STEP_S)
    ahead = gap + CAR_LENGTH_M + (v - f) * -began * STEP_S
    a = 0.0
    reacts = NEVER
    judged = False
    for k in range(began, round(AFTER_S / STEP_S)):
        aside, drift = other_at(k * STEP_S, lateral)
        if overlaps(ahead, aside):
            return True
        gap, side = ahead - CAR_LENGTH_M, aside - CAR_WIDTH_M
        wanted = 0.0
        if model == HUMAN:
            if not judged and side <= 0.0 and gap > 0.0 and v > f:
                judged = True
                if gap > HAZARD_TTC_S * (v - f):
                    return False
                reacts = k + REACTION_STEPS[HUMAN]
            wanted = fuzzy.BRAKE_CAP_MPS2 if v > f + 1e-9 else 0.0
        elif model == FUZZY:
            if gap > 0.0 and fuzzy.concerns(side, drift, gap, 2.0 * CAR_LENGTH_M, v, f):
                wanted = fuzzy.demand(gap, v, a, f)
        elif model == RSS:
            wanted = fuzzy.BRAKE_CAP_MPS2 if unsafe(gap, side, v, f, drift) else 0.0
        else:
            if side <= REG_NEAR_M and gap > 0.0 and v > f:
                reacts = min(reacts, k + REACTION_STEPS[REG157])
            wanted = REG_BRAKE if v > f + 1e-9 else 0.0
        if wanted > 0.0 and reacts == NEVER and FUZZY <= model <= RSS:
            reacts = k + REACTION_STEPS[model]
        a = braked(model, k, reacts, wanted, a)
        v = max(0.0, v + a * STEP_S)
        ahead += (f - v) * STEP_S
    return False


@jit
def braked(model: int, step: int, reacts: float, wanted: float, accel: float) -> float:
    """Acceleration in a step of STEP_S. reacts: step in which the reaction ends, NEVER: there is
    none; wanted: braking; accel: that of the step before."""
    share = min(1.0, max(0.0, step + 1.0 - reacts))
    if share == 0.0:
        return -ROLLS_MPS2 if model == HUMAN and reacts < NEVER else 0.0
    if model == REG157:
        return -share * wanted
    return fuzzy.next_accel(min(accel, 0.0), wanted, share * STEP_S)


@jit
def unsafe(gap: float, side: float, v: float, f: float, drift: float) -> bool:
    """RSS: less than the safe distance both along and across the road."""
    if gap <= 0.0 or (side > 0.0 and drift <= 0.0):
        return False
    after = v + RSS_S * RSS_ACCEL
    along = v * RSS_S + 0.5 * RSS_ACCEL * RSS_S**2
    along += (after * after - f * f) / (2.0 * RSS_BRAKE)
    later = drift + RSS_S * RSS_SIDE
    across = RSS_AWAY_M + 0.5 * (drift + later) * RSS_S + later * later / (2.0 * RSS_SIDE)
    return gap < max(0.0, along) and side < across


@jit
def collide_all(cases: FloatArray) -> FloatArray:
    """[n, 4] 1.0 where a model collides, for cases [n, 4]."""
    out = np.zeros((len(cases), 4))
    for i in range(len(cases)):
        c = cases[i]
        for model in range(4):
            out[i, model] = 1.0 if collides(model, (c[0], c[1], c[2], c[3])) else 0.0
    return out
