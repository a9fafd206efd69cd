"""How much a vehicle is manoeuvring just now.

A filter loud enough for a cut-in is noisy behind a car that keeps its lane, and one quiet enough
for that lags in the cut-in. White innovations say that the quiet one is right; innovations that
keep one sign say that the vehicle is leaving what was predicted. Sums of them over about half a
second, one along and one across the vehicle, set the share of the kind's spread that is used
(a two-model filter in one; compare Bar-Shalom, Li, Kirubarajan 2001, section 11.2).
"""

import math

from marque.core.arrays import FloatArray
from marque.core.jit import jit

FADE_S = 0.5
QUIET_ALONG = 0.5  # share of the spread when nothing happens: traffic lives by its pedals
QUIET_ACROSS = 0.2  # share of the spread when nothing happens
CALM = 1.5  # squared normalised sum up to which nothing happens
WILD = 6.0  # and from which everything may


@jit
def lively(slow: FloatArray, at: int, quiet: float) -> float:
    """Share of the spread to reckon with, from the sum in column `at` and its variance beside."""
    level = slow[at] * slow[at] / (slow[at + 1] + 1.0)
    part = min(1.0, max(0.0, (level - CALM) / (WILD - CALM)))
    return float(quiet + (1.0 - quiet) * part)


@jit
def fade(slow: FloatArray, at: int, dt: float) -> None:
    """dt seconds later. In place."""
    slow[at] *= math.exp(-dt / FADE_S)
    slow[at + 1] *= math.exp(-2.0 * dt / FADE_S)


@jit
def note(slow: FloatArray, at: int, normal: float, share: float) -> None:
    """One innovation over its standard deviation; `share` of it lies in this direction."""
    slow[at] += share * normal
    slow[at + 1] += share * share
