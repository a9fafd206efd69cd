"""Crosswalks: people on foot who have priority, some of them hidden until late."""

import math

import numpy as np

from marque.metrics.contacts import contacts
from marque.prove.roads import Crossing, Edge, Node, Roads
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import (
    Actor,
    Cast,
    Parked,
    Rng,
    Walker,
    mixed_gaps,
    reach_s,
    stream,
)
from marque.prove.situations.checks import Criterion, Outcome
from marque.prove.situations.shapes import any_turn
from marque.prove.situations.situation import Situation
from marque.prove.situations.view import View
from marque.types.codes import UserKind

BEGIN_S = 20
BRAKE_MPS2 = 3.5  # whoever could have stopped with this when the walker was at the kerb must yield
REACTION_S = 0.5
BESIDE_M = 1.0  # free space between our body and a walker on the crosswalk
PACE_MPS = 3.0  # of ours over a crosswalk with walkers beside us, if BESIDE_M is not kept


def draw_crosswalk(rng: Rng) -> Case:
    """A zebra in the middle of a street, with walkers from either side."""
    limit = float(rng.choice((8.33, 11.11, 13.89)))
    width = float(rng.uniform(3.0, 3.6))
    before, after = float(rng.uniform(90.0, 150.0)), 130.0
    roads = _street(rng, limit, width, before, after, float(rng.uniform(3.0, 5.0)))
    there = BEGIN_S + reach_s(before - 6.0, limit)
    walkers: list[Walker] = []
    for i in range(int(rng.integers(1, 6))):
        speed = float(rng.choice((0.7, 1.0, 1.3, 1.5, 1.8)))
        steps_out = there + float(rng.uniform(-5.0, 2.0)) + 1.5 * (i // 2)
        far = float(rng.uniform(6.0, 14.0))
        start = max(0.0, steps_out - (far + 1.0) / speed)
        if rng.random() < 0.5:  # from the side of our lane
            walkers.append(Walker(f"near{i}", start, ("e0", "b0"), before - 3.0 - far, speed))
        else:
            walkers.append(Walker(f"far{i}", start, ("b1", "e1"), after - 3.0 - far, speed))
    parked: list[Parked] = []
    side = -(width + 2.0 + 1.35)  # beyond the sidewalk's inner half, beside the lane
    hidden = rng.random() < 0.4
    if hidden:
        sort = str(rng.choice(("van", "truck", "suv")))
        lag = float(rng.uniform(5.5, 9.0))
        parked.append(Parked("hides", sort, "e0", before - lag, side + 0.9))
    actors: list[Actor] = []
    if rng.random() < 0.5:
        gaps = mixed_gaps(rng, (3.0, 7.0), (9.0, 15.0), 0.4)
        actors = stream(rng, "oncoming", ("b1", "b0"), 0.0, BEGIN_S + 50.0, gaps)
    free = reach_s(before + 70.0, limit)
    return Case(
        f"zebra at {3.6 * limit:.0f} km/h, {len(walkers)} walkers" + (", hidden" if hidden else ""),
        roads,
        Cast(tuple(actors), tuple(parked), tuple(walkers)),
        Place("e0", 8.0),
        Place("e1", 60.0),
        1.4 * free + 22.0,
    )


def _street(
    rng: Rng, limit: float, width: float, before: float, after: float, walk: float
) -> Roads:
    nodes = (Node("n0", -before, 0.0), Node("n1", 0.0, 0.0), Node("n2", after, 0.0))
    edges = []
    for name, start, end in (
        ("e0", "n0", "n1"), ("e1", "n1", "n2"), ("b0", "n1", "n0"), ("b1", "n2", "n1")
    ):  # fmt: skip
        edges.append(Edge(name, start, end, limit, width_m=width, sidewalk_m=2.0))
    crossing = Crossing("n1", ("e1", "b1"), walk, True)
    return Roads(nodes, tuple(edges), crossings=(crossing,), turn_rad=any_turn(rng))


# ------------------------------------------------------------------ judging


def _walks(view: View) -> list[int]:
    """Crosswalks with priority that our way passes."""
    road_map = view.road_map
    lanes = {int(lane) for lane in view.way.lane if lane >= 0}
    found = []
    for lane in sorted(lanes):
        for i in range(road_map.cross_off[lane], road_map.cross_off[lane + 1]):
            walk = int(road_map.cross_walk[i])
            if road_map.walk_priority[walk] and walk not in found:
                found.append(walk)
    return found


def _on_axis(view: View, walk: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across a crosswalk's axis."""
    x1, y1, x2, y2 = view.road_map.walk_axis_m[walk]
    length = math.hypot(x2 - x1, y2 - y1)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    dx, dy = x - x1, y - y1
    return dx * ux + dy * uy, dy * ux - dx * uy


def _axis_m(view: View, walk: int) -> float:
    x1, y1, x2, y2 = view.road_map.walk_axis_m[walk]
    return math.hypot(x2 - x1, y2 - y1)


def _our_room_m(view: View, walk: int) -> np.ndarray:
    """[n] from our front bumper to the near edge of a crosswalk along our heading (negative when
    over it), and inf where it is not ahead."""
    half = 0.5 * float(view.road_map.walk_width_m[walk])
    trace = view.trace
    _, across = _on_axis(view, walk, trace.front_x_m, trace.front_y_m)
    _, behind = _on_axis(view, walk, trace.x_m, trace.y_m)
    side = np.sign(behind[0]) or 1.0
    return np.asarray(side * across - half)


def _our_rear_m(view: View, walk: int) -> np.ndarray:
    """[n] from our rear bumper to the far edge of a crosswalk; negative when we are over."""
    trace = view.trace
    rear = view.half_body[1]
    x = trace.x_m + rear * np.cos(trace.heading_rad)
    y = trace.y_m + rear * np.sin(trace.heading_rad)
    half = 0.5 * float(view.road_map.walk_width_m[walk])
    _, across = _on_axis(view, walk, x, y)
    side = np.sign(across[0]) or 1.0
    return np.asarray(side * across + half)


def posed_crosswalk(view: View) -> bool:
    """Somebody crossed our lane while we were less than 4 s of driving away, or made us wait."""
    for walk in _walks(view):
        room = _our_room_m(view, walk)
        for _, frames, along, _ in _crossers(view, walk):
            near = room[frames] / np.maximum(view.trace.speed_mps[frames], 2.0)
            on = (along > 0.0) & (along < _axis_m(view, walk))
            if bool((on & (near < 4.0) & (room[frames] > -1.0)).any()):
                return True
    return False


def _crossers(view: View, walk: int) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """(uid, frames, along, across) of everybody on foot who was on a crosswalk."""
    found = []
    half = 0.5 * float(view.road_map.walk_width_m[walk])
    length = _axis_m(view, walk)
    for uid in np.unique(view.trace.uid[view.trace.kind == UserKind.PEDESTRIAN]).tolist():
        frames, rows = view.rows_of(uid)
        along, across = _on_axis(view, walk, view.trace.user_x_m[rows], view.trace.user_y_m[rows])
        on = (np.abs(across) <= half + 0.5) & (along > 0.0) & (along < length)
        if on.any():
            found.append((uid, frames, along, across))
    return found


def _lane_band(view: View, walk: int) -> tuple[float, float]:
    """Where our body passes a crosswalk: (low, high) along its axis."""
    room = _our_room_m(view, walk)
    over = np.flatnonzero((room < 0.0) & (_our_rear_m(view, walk) > 0.0))
    half = 0.5 * view.trace.platform.width_m
    if len(over) == 0:
        return math.nan, math.nan
    k = int(over[len(over) // 2])
    along, _ = _on_axis(
        view, walk, view.trace.middle_x_m[k : k + 1], view.trace.middle_y_m[k : k + 1]
    )
    return float(along[0]) - half, float(along[0]) + half


def yields_to_walkers(view: View) -> Outcome:
    """Who was on the crosswalk, before or in our lane, while we could still stop, went first."""
    for walk in _walks(view):
        low, high = _lane_band(view, walk)
        if math.isnan(low):
            continue
        room, rear = _our_room_m(view, walk), _our_rear_m(view, walk)
        entered = int(np.flatnonzero((room < 0.0) & (rear > 0.0))[0])
        speed = view.trace.speed_mps
        need = REACTION_S * speed + speed**2 / (2.0 * BRAKE_MPS2)
        for uid, frames, along, _ in _crossers(view, walk):
            onto = np.flatnonzero((along > 0.0) & (along < _axis_m(view, walk)))
            first = int(frames[onto[0]])
            if first >= entered or room[first] < need[first]:
                continue  # stepped out after us, or when it was too late to stop
            at = np.flatnonzero(frames == entered)
            if len(at) == 0:
                continue
            i = int(at[0])
            heads_up = float(along[min(i + 5, len(along) - 1)] - along[max(0, i - 5)])
            passed = (heads_up > 0.0 and along[i] > high + 0.3) or (
                heads_up < 0.0 and along[i] < low - 0.3
            )
            if not passed and 0.0 < along[i] < _axis_m(view, walk):
                away = max(low - along[i], along[i] - high, 0.0)
                return Outcome(
                    False,
                    f"drove on before '{view.names.get(uid, uid)}', {away:.1f} m from our side",
                    float(view.trace.t_s[entered]),
                )
    return Outcome(True)


def keeps_off_walkers(view: View) -> Outcome:
    """Free space beside walkers on the crosswalk while we are on it and moving."""
    least, when, who = math.inf, 0.0, ""
    for walk in _walks(view):
        on = (_our_room_m(view, walk) < 0.0) & (_our_rear_m(view, walk) > 0.0)
        on &= view.trace.speed_mps > 0.5
        for uid, frames, along, _ in _crossers(view, walk):
            inside = (along > 0.0) & (along < _axis_m(view, walk))
            for i in np.flatnonzero(on[frames] & inside).tolist():
                k = int(frames[i])
                row = view.trace.row_of(k, uid)
                free = free_space_m(view, k, row)
                if free < least and view.trace.speed_mps[k] > PACE_MPS:
                    least, when = free, float(view.trace.t_s[k])
                    who = str(view.names.get(uid, uid))
    return Outcome(least >= BESIDE_M, f"{least:.2f} m to '{who}'" if who else "nobody", when)


def free_space_m(view: View, frame: int, row: int) -> float:
    """Between our body and a small road user's, ends included."""
    trace = view.trace
    h = float(trace.heading_rad[frame])
    dx = float(trace.user_x_m[row] - trace.middle_x_m[frame])
    dy = float(trace.user_y_m[row] - trace.middle_y_m[frame])
    ahead = abs(dx * math.cos(h) + dy * math.sin(h)) - 0.5 * trace.platform.length_m
    aside = abs(dy * math.cos(h) - dx * math.sin(h)) - 0.5 * trace.platform.width_m
    gap = math.hypot(max(ahead, 0.0), max(aside, 0.0))
    return gap - 0.5 * float(trace.user_width_m[row])


def no_walker_touched(view: View) -> Outcome:
    """No contact with anybody on foot, whoever was at fault."""
    kind = view.trace.kind
    hits = [hit for hit in contacts(view.trace) if kind[hit.row] == UserKind.PEDESTRIAN]
    return Outcome(not hits, f"{len(hits)} touched")


CROSSWALK = Situation(
    "crosswalk",
    "crosswalks with pedestrians",
    draw_crosswalk,
    posed_crosswalk,
    (
        Criterion(
            "yields_to_walkers",
            "lets everybody go first who was on the crosswalk while "
            f"{BRAKE_MPS2:g} m/s^2 after {REACTION_S:g} s was enough to stop, until past our lane",
            yields_to_walkers,
        ),
        Criterion(
            "keeps_off_walkers",
            f"at least {BESIDE_M:g} m beside walkers on the crosswalk above {PACE_MPS:g} m/s",
            keeps_off_walkers,
        ),
        Criterion("no_walker_touched", "touches nobody on foot", no_walker_touched),
    ),
)
