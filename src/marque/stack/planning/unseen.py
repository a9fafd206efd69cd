"""Driving where somebody may come whom nobody can see.

Ways of others who go first: we go where whoever may be hidden there could let us, braking softly;
else we wait, first at our line, then with our nose before their way, where we see most. The longer
it stands there, the more are they who have seen it, and the more braking we ask of those who have
not. And where people may step out, we pass at a speed from which we could stop for them.

Closed forms: research notes on occlusion, `v = 2 b (y / v_p - t_d)` for somebody who walks out at
`v_p` with `y` of room to the side of our body.
"""

import math
from dataclasses import replace

import numpy as np

from marque.core.arrays import FloatArray, Int32Array
from marque.core.jit import jit
from marque.core.time import PLAN_STEP_S
from marque.kernels.rollout import E_ACCEL, E_BRAKE, E_FRONT, E_HALF_WIDTH, E_JERK, E_REAR
from marque.kernels.tables import MapTables
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import AT_LINE, Corridor, Junction, Way, backward_pass
from marque.stack.planning.interactions import UNSEEN, Interactions
from marque.stack.planning.passing import slow
from marque.stack.planning.rules import LINE_MARGIN_M, Rules, Stop
from marque.stack.planning.state import Memory, Option, Peek, sample_at
from marque.types.codes import Reason
from marque.types.road_map import NONE
from marque.types.scene import Scene, Unseen

SOFT_MPS2, GOES_MPS2 = 2.0, 3.0  # asked of who cannot be seen; once we have begun to go
AGREES_S, MORE_MPS3 = 2.0, 0.5  # after so long before their way, so much more per second
SEES_S, SPARE_M = 1.0, 2.0  # until they brake; what is left between us
LOOK_M, DEPTH = 120.0, 64  # of their way, against it
NOSE_M, AT_PLACE_M, STANDS_MPS = 0.3, 1.0, 0.5
BRAKE_MPS2 = 2.8  # nobody brakes harder because the view closes
WALK_MPS, SIDE_M, AHEAD_M = 1.5, 4.0, 50.0
STRIPES_MPS2, STRIPES_S, STRIPES_LEAST_MPS = 3.5, 0.5, 1.5  # before a crosswalk
ROADSIDE_MPS2, ROADSIDE_S, ROADSIDE_LEAST_MPS = 8.0, 0.3, 4.0  # beside who stands at the roadside


def look_first(
    memory: Memory, scene: Scene, ego: FloatArray, options: list[Option], rules: list[Rules]
) -> Peek | None:
    """Bind a stop before ways into which we cannot look; what to remember of the next junction that
    has such ways."""
    if scene.unseen is None:
        return None
    peeks = []
    for one, each in zip(options, rules, strict=True):
        for junction in dict.fromkeys(at for at, way in each.coming if not way.equal):
            ways = [way for at, way in each.coming if at is junction and not way.equal]
            found = _at_junction(memory, scene.unseen, ego, one, junction, ways)
            if found is None:
                continue
            place, peek = found
            if place is not None:
                each.binding.append(Stop(place, Reason.OCCLUSION))
            if one is options[0]:
                peeks.append(peek)
    return peeks[0] if peeks else None


def _at_junction(
    memory: Memory,
    unseen: Unseen,
    ego: FloatArray,
    one: Option,
    junction: Junction,
    ways: list[Way],
) -> tuple[float | None, Peek] | None:
    """(where to wait, what to remember) before one junction; None once we are in their way."""
    front, v = one.start.s_m + float(ego[E_FRONT]), one.start.speed_mps
    nose = min(way.begin_m for way in ways) - NOSE_M
    if front > nose + AT_PLACE_M:
        return None
    known = memory.peek
    peek = known if known is not None and known.lane == junction.lane else Peek(junction.lane)
    asks = (GOES_MPS2 if peek.goes else SOFT_MPS2) + MORE_MPS3 * max(0.0, peek.stood_s - AGREES_S)
    if max(_asked(memory, unseen, ego, one, way) for way in ways) <= asks:
        return None, replace(peek, goes=True)
    line = junction.stop_m - LINE_MARGIN_M
    places = (line, nose) if junction.control in AT_LINE and line < nose else (nose,)
    stands = v < STANDS_MPS and any(abs(front - at) < AT_PLACE_M for at in places)
    peek = Peek(junction.lane, peek.stood_s + (PLAN_STEP_S if stands else 0.0))
    if stands and abs(front - line) < AT_PLACE_M:
        places = (nose,)  # from the line nothing is to be seen
    able = [at for at in places if v * v <= 2.0 * BRAKE_MPS2 * (at - front) or stands]
    return (able[0] if able else None), peek


def _asked(memory: Memory, unseen: Unseen, ego: FloatArray, one: Option, way: Way) -> float:
    """Braking, m/s2 and positive, that we may ask of whoever comes hidden on a way."""
    front, v = one.start.s_m + float(ego[E_FRONT]), one.start.speed_mps
    length = float(ego[E_FRONT] + ego[E_REAR])
    top = float(one.corridor.v_ref_mps[sample_at(one.corridor, way.begin_m)])
    enters_s, _ = time_to(way.begin_m - front, v, top, float(ego[E_ACCEL]))
    leaves_s, _ = time_to(way.end_m + length - front, v, top, float(ego[E_ACCEL]))
    _, pace = time_to(way.end_m - front, v, top, float(ego[E_ACCEL]))
    return braking_of_hidden(
        memory.context.tables,
        unseen.lane,
        unseen.s_m,
        unseen.speed_mps,
        way.lane,
        way.meets_m,
        enters_s,
        math.inf if not way.crosses else leaves_s,
        0.0 if way.crosses else pace,
    )


@jit
def time_to(way: float, v: float, top: float, accel: float) -> tuple[float, float]:
    """(seconds, speed then) over `way` metres with constant acceleration up to a top speed."""
    if way <= 0.0:
        return 0.0, v
    top = max(top, v, 1.0)
    speeds_up = (top * top - v * v) / (2.0 * accel)
    if way <= speeds_up:
        then = math.sqrt(v * v + 2.0 * accel * way)
        return (then - v) / accel, then
    return (top - v) / accel + (way - speeds_up) / top, top


@jit
def braking_of_hidden(
    tables: MapTables,
    lane: Int32Array,
    s: FloatArray,
    speed: FloatArray,
    theirs: int,
    meets: float,
    enters: float,
    leaves: float,
    pace: float,
) -> float:
    """Most braking that anybody needs who may come hidden against `meets` metres of lane `theirs`:
    none of those who come after we have left, inf for those who are there before they can react.

    lane, s, speed [U] as in `Unseen`; enters, leaves: seconds until we begin and cease to be in
    their way (inf: we drive on before them, with speed `pace`).
    """
    worst = 0.0
    stack = np.empty(DEPTH, np.int64)
    back = np.empty(DEPTH)
    stack[0] = theirs
    back[0] = meets  # metres from the lane's start to where our ways meet
    depth = 1
    taken = 1
    while depth > 0:
        depth -= 1
        here, ahead = stack[depth], back[depth]
        for u in range(len(lane)):
            if lane[u] != here or s[u] > ahead:
                continue
            way = ahead - s[u]
            v = speed[u]
            if way > v * leaves + SPARE_M:
                continue
            slower = min(pace, v)
            room = way - v * (enters + SEES_S) - SPARE_M
            if slower > 0.0:
                room += slower * SEES_S  # who is behind us closes by the difference alone
            if room <= 0.0:
                if v > slower:
                    return math.inf
                continue
            worst = max(worst, (v - slower) * (v - slower) / (2.0 * room))
        for j in range(tables.pred_off[here], tables.pred_off[here + 1]):
            before = tables.pred[j]
            if ahead < LOOK_M and depth < DEPTH and taken < DEPTH:
                stack[depth] = before
                back[depth] = ahead + tables.lane_length_m[before]
                depth += 1
                taken += 1
    return worst


def slow_past_unseen(
    it: Interactions,
    corridors: list[Corridor],
    s0: list[float],
    ego: FloatArray,
    speed_mps: float,
    scene: Scene,
    walks: list[set[int]],
) -> None:
    """Lower `it.v_ref` where people may step out whom we cannot see. `walks[c]`: crosswalks on
    which people go first."""
    unseen = scene.unseen
    if unseen is None or len(unseen.walk) == 0:
        return
    for c, corridor in enumerate(corridors):
        n = int(it.n[c])
        cap = it.v_ref[c, :n].copy()
        lower = False
        for at_m, clear_m, walk in _near(corridor, s0[c], ego, unseen):
            if walk != NONE and walk not in walks[c]:
                continue
            fastest = unseen_speed(clear_m, walk != NONE)
            if fastest < float(cap.max()):
                begin = at_m - float(ego[E_FRONT])
                lower |= slow(cap, begin, at_m, fastest, s0[c], speed_mps)
        if lower:
            it.beside[c] = UNSEEN if it.beside[c] < 0 else it.beside[c]
            backward_pass(cap, STEP_M, float(ego[E_BRAKE]), float(ego[E_JERK]), it.v_ref[c, :n])


def unseen_speed(clear_m: float, stripes: bool) -> float:
    """At which we can stop for somebody who comes out with so much room to our side."""
    brake, late, least = (
        (STRIPES_MPS2, STRIPES_S, STRIPES_LEAST_MPS)
        if stripes
        else (ROADSIDE_MPS2, ROADSIDE_S, ROADSIDE_LEAST_MPS)
    )
    return max(least, 2.0 * brake * (clear_m / WALK_MPS - late))


def _near(
    corridor: Corridor, s_m: float, ego: FloatArray, unseen: Unseen
) -> list[tuple[float, float, int]]:
    """(path metres, room to the side of our body, crosswalk) of hidden places beside our way."""
    first = sample_at(corridor, s_m)
    xy = corridor.path.xy_m[first : first + int(AHEAD_M / STEP_M)]
    dx = unseen.x_m[:, None] - xy[None, :, 0]
    dy = unseen.y_m[:, None] - xy[None, :, 1]
    away = np.hypot(dx, dy)
    at = np.argmin(away, axis=1)
    clear = away[np.arange(len(at)), at] - float(ego[E_HALF_WIDTH])
    ahead = (at > 0) & (at < len(xy) - 1) & (clear > 0.0) & (clear < SIDE_M)
    rows = np.flatnonzero(ahead)
    return [
        (s_m + float(at[i]) * STEP_M, float(clear[i]), int(unseen.walk[i])) for i in rows.tolist()
    ]
