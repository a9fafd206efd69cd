"""The lists of who stands on a lane, and chance that depends on nothing but its key."""

from marque.core.jit import jit_inside
from marque.sim.engine.state import (
    AHEAD,
    AT,
    BEHIND,
    FIRST,
    LANE,
    LAST,
    NEXT_SHADOW,
    NOBODY,
    OWNER,
    SHADOW,
    SIZE,
    SPEED,
    USERS,
    World,
)


@jit_inside
def put_in(w: World, i: int, lane: int, s: float) -> None:
    """Into a lane's list, at its place by `s`; from behind, where most come in."""
    behind = -1
    ahead = w.row[FIRST, lane]
    while ahead >= 0 and w.real[AT, ahead] < s:
        behind = ahead
        ahead = w.whole[AHEAD, ahead]
    w.real[AT, i] = s
    w.whole[LANE, i] = lane
    w.whole[AHEAD, i] = ahead
    w.whole[BEHIND, i] = behind
    if behind >= 0:
        w.whole[AHEAD, behind] = i
    else:
        w.row[FIRST, lane] = i
    if ahead >= 0:
        w.whole[BEHIND, ahead] = i
    else:
        w.row[LAST, lane] = i


@jit_inside
def take_out(w: World, i: int) -> None:
    """Out of its lane's list."""
    lane = w.whole[LANE, i]
    ahead = w.whole[AHEAD, i]
    behind = w.whole[BEHIND, i]
    if behind >= 0:
        w.whole[AHEAD, behind] = ahead
    else:
        w.row[FIRST, lane] = ahead
    if ahead >= 0:
        w.whole[BEHIND, ahead] = behind
    else:
        w.row[LAST, lane] = behind
    w.whole[LANE, i] = NOBODY
    w.whole[AHEAD, i] = NOBODY
    w.whole[BEHIND, i] = NOBODY


@jit_inside
def who(w: World, slot: int) -> int:
    """The road user in a slot, or whose shadow it is."""
    users = w.clock[USERS]
    if slot < users:
        return slot
    return int(w.whole[OWNER, slot - users])


@jit_inside
def drop_shadow(w: World, i: int) -> None:
    """The body of road user i has left the lane it came from."""
    g = w.whole[SHADOW, i]
    if g >= 0:
        take_out(w, g)
        w.whole[OWNER, g - w.clock[USERS]] = NOBODY
        w.whole[SHADOW, i] = NOBODY


@jit_inside
def cast_shadow(w: World, i: int, lane: int, s: float) -> bool:
    """A shadow of i on a lane; False when there is none left."""
    users = w.clock[USERS]
    shadows = w.whole.shape[1] - users
    for _ in range(shadows):
        at = w.clock[NEXT_SHADOW]
        w.clock[NEXT_SHADOW] = (at + 1) % shadows
        if w.whole[OWNER, at] == NOBODY:
            w.whole[OWNER, at] = i
            w.whole[SHADOW, i] = users + at
            w.real[SIZE, users + at] = w.real[SIZE, i]
            w.real[SPEED, users + at] = w.real[SPEED, i]
            put_in(w, users + at, lane, s)
            return True
    return False


@jit_inside
def chance(a: int, b: int, c: int, d: int) -> float:
    """A number in [0, 1) for a key of four (splitmix64): the same in whatever order it is asked."""
    x = (a * 0x9E3779B1 + b * 0x85EBCA77 + c * 0xC2B2AE3D + d * 0x27D4EB2F) & 0x7FFFFFFFFFFFFFFF
    x = (x ^ (x >> 30)) & 0x7FFFFFFFFFFFFFFF
    x = (x * 0x3F58476D1CE4E5B9) & 0x7FFFFFFFFFFFFFFF
    x = (x ^ (x >> 27)) & 0x7FFFFFFFFFFFFFFF
    x = (x * 0x14D049BB133111EB) & 0x7FFFFFFFFFFFFFFF
    x = x ^ (x >> 31)
    return float(x & 0xFFFFFFFFFFFFF) / 4503599627370496.0


@jit_inside
def spread(u1: float, u2: float) -> float:
    """Roughly normal from two uniform numbers: their sum has a triangular density; variance 1."""
    return (u1 + u2 - 1.0) * 2.449489742783178
