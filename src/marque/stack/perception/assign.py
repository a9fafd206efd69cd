"""Who is whom: the pairing of all tracks with all detections that costs least in total.

Global, not greedy: in a file of cars or a crowd the nearest pair taken first can leave two others
with partners that are wrong for both, and identities change. Shortest augmenting paths: Jonker,
Volgenant, Computing 38 (1987); Crouse, IEEE TAES 52 (2016), algorithm of section III.
"""

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.core.jit import jit

NOBODY = -1
NEVER = 1e300


@jit
def pair(cost: FloatArray, alone: float) -> IntArray:
    """[n] the column of each row of cost [n, m], NOBODY for rows better left alone.

    A pair counts its cost, a row without partner `alone`; pairs that cost `alone` or more are
    never made. Each column is used once at most.
    """
    n, m = cost.shape
    wide = m + n  # a column of its own for each row that stays alone
    u = np.zeros(n)
    v = np.zeros(wide)
    row_of = np.full(wide, NOBODY, dtype=np.int64)
    column_of = np.full(n, NOBODY, dtype=np.int64)
    settled = _settle_plain(cost, alone, row_of, column_of)
    for row in range(n):
        if not settled[row]:
            _augment(cost, alone, row, u, v, row_of, column_of)
    for row in range(n):
        if column_of[row] >= m:
            column_of[row] = NOBODY
    return column_of


@jit
def _settle_plain(
    cost: FloatArray, alone: float, row_of: IntArray, column_of: IntArray
) -> BoolArray:
    """Pairs that nobody competes for, and rows that nobody wants; which rows that settles [n].

    Most are of this kind, and no best assignment could treat them otherwise.
    """
    n, m = cost.shape
    settled = np.zeros(n, dtype=np.bool_)
    suitors = np.zeros(m, dtype=np.int64)
    choices = np.zeros(n, dtype=np.int64)
    choice = np.zeros(n, dtype=np.int64)
    for row in range(n):
        for column in range(m):
            if cost[row, column] < alone:
                suitors[column] += 1
                choices[row] += 1
                choice[row] = column
    for row in range(n):
        if choices[row] == 0:
            settled[row] = True
        elif choices[row] == 1 and suitors[choice[row]] == 1:
            settled[row] = True
            column_of[row] = choice[row]
            row_of[choice[row]] = row
    return settled


@jit
def _augment(
    cost: FloatArray, alone: float, start: int, u: FloatArray, v: FloatArray, row_of: IntArray,
    column_of: IntArray,
) -> None:  # fmt: skip
    """Give row `start` a column on the shortest alternating path; u, v are the dual prices."""
    m = cost.shape[1]
    wide = len(v)
    least = np.full(wide, NEVER)
    via = np.full(wide, NOBODY, dtype=np.int64)
    done = np.zeros(wide, dtype=np.bool_)
    row = start
    price = 0.0
    last = NOBODY
    while last == NOBODY:
        best = NEVER
        nearest = NOBODY
        for column in range(wide):
            if done[column]:
                continue
            if column < m:
                edge = cost[row, column] if cost[row, column] < alone else NEVER
            else:
                edge = alone if column - m == row else NEVER
            if edge < NEVER:
                way = price + edge - u[row] - v[column]
                if way < least[column]:
                    least[column] = way
                    via[column] = row
            if least[column] < best:
                best = least[column]
                nearest = column
        price = best
        done[nearest] = True
        if row_of[nearest] == NOBODY:
            last = nearest
        else:
            row = row_of[nearest]
    u[start] += price
    for column in range(wide):
        if done[column] and column != last:
            u[row_of[column]] += price - least[column]
            v[column] -= price - least[column]
    while True:  # walk the path back and swap partners
        row = via[last]
        row_of[last] = row
        before = column_of[row]
        column_of[row] = last
        last = before
        if row == start:
            return
