"""Rollouts against the slow twin on random scenes, and what must hold for each of them."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.kernels import rollout
from marque.kernels.overlap import FREE
from marque.stack.planning.rules import LINE_MARGIN_M
from marque.types.style import Style
from oracle import rollout_twin as twin

NAMES = {
    "collision": rollout.R_COLLISION_S, "margin": rollout.R_MARGIN_S, "forced": rollout.R_FORCED,
    "progress": rollout.R_PROGRESS, "accel2": rollout.R_ACCEL2, "jerk2": rollout.R_JERK2,
    "brake": rollout.R_BRAKE, "end_speed": rollout.R_END_SPEED, "box": rollout.R_BOX,
    "gap_min": rollout.R_GAP_MIN, "doubt": rollout.R_DOUBT_S,
    "cause": rollout.R_CAUSE, "conflict": rollout.R_CONFLICT, "enters": rollout.R_ENTERS,
}  # fmt: skip


@dataclass
class Scene:
    """One policy among others, for kernel and twin alike."""

    ego: twin.Ego
    v_ref: list
    scale: float
    stop_m: float
    virtual: int
    mode: int
    s0: float
    v0: float
    a0: float
    others: list
    zones: list


def another(r, s0):
    """A path that crosses ours, runs along it, or leads it, at random."""
    count = int(r.integers(3, 90))
    box = [None] * count
    k_off = None
    along = r.random() < 0.5
    first = int(r.integers(0, count)) if r.random() < 0.6 else 0
    last = min(count, first + int(r.integers(1, 60 if along else 12)))
    edge = s0 + r.uniform(-15.0, 60.0)
    length = r.uniform(0.6, 12.0)
    cos = r.uniform(0.75, 1.0) if along else r.uniform(-1.0, 0.6)
    if r.random() < 0.9:
        for j in range(first, last):
            lo = edge + (j - first) * cos
            box[j] = (lo, lo + max(length * abs(cos), 1.0), cos)
        if along:
            lo, hi, _ = box[first]
            k_off = first - 0.5 * (lo + hi)
    relation = int(r.integers(-1, 2))
    walker = bool(r.random() < 0.2)
    return twin.Other(
        box=box,
        relation=-1 if walker else relation,
        behind=along and first == 0 and edge < s0 and box[0] is not None,
        k_off=k_off,
        speed=r.choice([0.0, r.uniform(0.0, 2.0), r.uniform(0.0, 15.0)]),
        length=length,
        limit=r.uniform(2.0, 16.0),
        stop=r.uniform(0.0, 40.0) if r.random() < 0.2 else math.inf,
        lead=-1,
        lead_gap=r.uniform(1.0, 30.0),
        walker=walker,
        rear_margin=1.2 if walker else 0.8,
        front_margin=1.0 if walker else 0.5,
        doubt=bool(r.random() < 0.2),
        accel=0.0 if walker or r.random() < 0.5 else r.uniform(-5.0, 2.0),
        entry=s0 + r.uniform(-3.0, 30.0) if relation == -1 and r.random() < 0.8 else math.inf,
        enters=r.uniform(-5.0, 60.0) if r.random() < 0.7 else math.inf,
    )


def drawn(seed):
    r = np.random.default_rng(seed)
    s0 = r.uniform(20.0, 30.0)
    others = [another(r, s0) for _ in range(int(r.integers(0, 5)))]
    for k, one in enumerate(others):
        if r.random() < 0.3:
            one.lead = int(r.integers(0, len(others)))
            one.lead = -1 if one.lead == k else one.lead
    virtual = [k for k, o in enumerate(others) if o.k_off is not None]
    ego = twin.Ego(3.8, 0.9, r.uniform(1.0, 2.0), r.uniform(1.5, 2.5), r.uniform(0.8, 2.5),
                   r.uniform(1.0, 1.8), r.uniform(1.5, 2.5), 7.5,
                   *np.random.default_rng(seed + 1_000_000).uniform(0.6, 2.0, 2))  # fmt: skip
    mode = int(r.choice([0, 0, 0, 0, 1, 2, 3]))
    return Scene(
        ego=ego,
        v_ref=np.interp(np.arange(320), np.arange(0, 340, 20), r.uniform(2, 15, 17)).tolist(),
        scale=r.uniform(2.0, 3.0) if mode in (1, 3) else float(r.choice([1.0, 0.75, 0.5, 0.25])),
        stop_m=s0 + r.uniform(2.0, 70.0) if r.random() < 0.4 else math.inf,
        virtual=int(r.choice(virtual)) if virtual and r.random() < 0.4 else -1,
        mode=mode,
        s0=s0,
        v0=r.choice([0.0, r.uniform(0.0, 15.0)]),
        a0=r.uniform(-2.0, 1.5),
        others=others,
        zones=[
            (s0 + b, s0 + b + r.uniform(2, 12), float(first))
            for b, first in zip(r.uniform(0, 60, 2), r.integers(0, 2, 2), strict=True)
        ],
    )


def rolled(scene, hypothesis):
    """The kernel on the same scene."""
    others, count = scene.others, len(scene.others)
    room = max([len(o.box) for o in others], default=1)
    lo, hi, cosr = (
        np.full((count, room), FREE),
        np.full((count, room), -FREE),
        np.ones((count, room)),
    )
    first, last = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    for k, o in enumerate(others):
        for j, b in enumerate(o.box):
            if b is not None:
                lo[k, j], hi[k, j], cosr[k, j] = b
        hits = o.blocking()
        if hits:
            first[k], last[k] = hits[0], hits[-1]

    def column(name, kind=float):
        return np.array([getattr(o, name) for o in others], kind)

    e = scene.ego
    vector = [e.front, e.rear, e.accel, e.brake, e.jerk, e.headway, e.gap, e.max_brake, 0.93,
              0.0, 0.0, e.launch, e.ease, 0.0, 0.0]  # fmt: skip
    stop = scene.stop_m if math.isfinite(scene.stop_m) else 1e9
    out = np.empty(rollout.R_LEN)
    rollout.roll(
        len(scene.v_ref),
        np.array(scene.v_ref),
        np.array([0.0, scene.scale, stop, scene.virtual, scene.mode]),
        np.array(vector),
        scene.s0,
        scene.v0,
        scene.a0,
        np.arange(count, dtype=np.int32),
        count,
        np.array([len(o.box) for o in others], np.int32),
        lo,
        hi,
        cosr,
        first,
        last,
        column("relation", np.int8),
        column("behind", np.int8),
        np.array([-1e9 if o.k_off is None else o.k_off for o in others], float),
        np.array([min(o.entry, FREE) for o in others], float),
        np.array([min(o.enters, FREE) for o in others], float),
        column("speed"),
        column("accel"),
        column("length"),
        column("limit"),
        column("stop"),
        column("lead", np.int32),
        column("lead_gap"),
        column("walker", np.int8),
        column("doubt", np.int8),
        column("rear_margin"),
        column("front_margin"),
        np.array(scene.zones).reshape(-1, 3),
        hypothesis,
        np.empty(count),
        np.empty(count),
        out,
    )
    return out


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1]))
def test_a_rollout_is_what_its_rules_say(seed, hypothesis):
    scene = drawn(seed)
    found = rolled(scene, hypothesis)
    wanted = twin.roll(
        scene.v_ref, scene.scale, scene.stop_m, scene.virtual, scene.mode, scene.ego,
        scene.s0, scene.v0, scene.a0, scene.others, scene.zones, hypothesis,
    )  # fmt: skip
    for name, column in NAMES.items():
        assert found[column] == pytest.approx(wanted[name], rel=1e-6, abs=1e-6), name


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1))
def test_what_holds_for_every_rollout(seed):
    scene = drawn(seed)
    found = rolled(scene, 0)
    assert np.isfinite(found[rollout.R_PROGRESS])
    assert found[rollout.R_PROGRESS] >= 0.0
    assert found[rollout.R_END_SPEED] >= 0.0
    assert found[rollout.R_BRAKE] <= max(scene.ego.max_brake, -scene.a0) + 1e-9
    assert found[rollout.R_COLLISION_S] > 0.0
    assert (found[rollout.R_CONFLICT] < 0) == bool(
        np.isinf(found[[rollout.R_COLLISION_S, rollout.R_MARGIN_S]]).all()
    )
    if scene.mode == 2 and scene.v0 < 15.0:
        assert found[rollout.R_END_SPEED] == 0.0


def over_m(speed):
    """How far beyond its stop target a car of the usual style comes to rest, alone on the road."""
    style, scene = Style(), drawn(1)
    scene.others, scene.virtual, scene.mode, scene.scale, scene.a0 = [], -1, 0, 1.0, 0.0
    scene.ego.accel, scene.ego.brake = style.accel_mps2, style.brake_mps2
    scene.ego.jerk, scene.v_ref, scene.v0 = style.jerk_mps3, [15.0] * 320, speed
    scene.ego.launch, scene.ego.ease = style.launch_jerk_mps3, style.stop_jerk_mps3
    comfortable = speed**2 / (2.0 * style.brake_mps2) + 2.0 * speed + 1.0
    scene.stop_m = scene.s0 + scene.ego.front + comfortable
    return rolled(scene, 0)[rollout.R_PROGRESS] - comfortable


@given(st.just(0.0) | st.floats(1.0, 14.0))
def test_a_stop_with_room_for_comfort_is_met_before_the_line(speed):
    assert over_m(speed) <= LINE_MARGIN_M


@pytest.mark.parametrize("speed", [0.2, 0.3, 0.4])
def test_a_stop_is_met_before_the_line_when_creeping_too(speed):
    assert over_m(speed) <= LINE_MARGIN_M


def waits_at(zone, metres):
    """Rollout of a car that comes to rest so far on, alone on the road; `zone`: begin and end from
    our bumper, and whether others go first there."""
    scene = drawn(1)
    front = scene.s0 + scene.ego.front
    scene.others, scene.virtual, scene.mode, scene.scale, scene.a0 = [], -1, 0, 1.0, 0.0
    scene.stop_m, scene.v_ref, scene.v0 = front + metres, [11.0] * 320, 3.0
    scene.zones = [(front + zone[0], front + zone[1], zone[2])]
    return rolled(scene, 0)


@pytest.mark.parametrize(
    ("zone", "boxed"),
    [
        ((5.0, 20.0, 1.0), True),  # our nose is in their way
        ((5.0, 8.0, 1.0), True),  # our tail is
        ((5.0, 20.0, 0.0), False),  # a place to wait at, if nobody comes there who goes first
        ((11.0, 20.0, 1.0), False),  # before it
        ((1.0, 4.0, 1.0), False),  # beyond it
    ],
)
def test_nobody_chooses_to_wait_in_the_way_of_those_who_go_first(zone, boxed):
    assert waits_at(zone, 10.0)[rollout.R_BOX] == float(boxed)


def one_other(**more):
    """Somebody of 11 m/s on 100 m of way that crosses ours from 12 m before our bumper on, whom we
    must let go first: our line is half a metre ahead. Between their metres 40 and 50."""
    scene = drawn(1)
    front = scene.s0 + scene.ego.front
    box = [(front + 8.0, front + 12.0, 0.0) if 40 <= j <= 50 else None for j in range(100)]
    other = twin.Other(
        box=box, relation=-1, behind=False, k_off=None, speed=11.0, length=4.4, limit=11.0,
        stop=math.inf, lead=-1, lead_gap=1.0, walker=False, rear_margin=0.8, front_margin=0.5,
        entry=front + 0.5, enters=30.0,
    )  # fmt: skip
    for name, value in more.items():
        setattr(other, name, value)
    scene.others, scene.virtual, scene.mode, scene.scale, scene.a0 = [other], -1, 0, 1.0, 0.0
    scene.stop_m, scene.v_ref, scene.v0 = math.inf, [11.0] * 320, 0.0
    return scene


def test_whoever_goes_first_and_is_near_when_we_come_over_the_line_is_forced():
    assert rolled(one_other(), 0)[rollout.R_FORCED] > 3.0
    assert rolled(one_other(), 0)[rollout.R_ENTERS] == 1.0


@pytest.mark.parametrize(
    "more",
    [{"enters": 5.0}, {"relation": 1}, {"doubt": True}, {"speed": 3.0, "limit": 3.0}],
    ids=["in the junction already", "yields to us", "hardly goes there", "could stop softly"],
)
def test_nobody_else_is(more):
    assert rolled(one_other(**more), 0)[rollout.R_FORCED] < 1.0


@pytest.mark.parametrize(("speed", "ends_in_the_way"), [(5.25, True), (3.0, False)])
def test_whoever_asserts_themselves_does_so_towards_who_stops_in_their_way(speed, ends_in_the_way):
    scene = one_other()
    scene.mode, scene.scale, scene.v0 = 1, 2.5, speed
    found = rolled(scene, 1)
    assert (found[rollout.R_PROGRESS] > 8.0) == ends_in_the_way
    assert np.isfinite(found[rollout.R_COLLISION_S]) == ends_in_the_way


@pytest.mark.parametrize(
    ("more", "inside", "counts"),
    [
        ({}, True, True),
        ({}, False, False),  # where no ways cross: somebody whom we let by on a narrow road
        ({"speed": 2.0, "limit": 11.0}, True, True),  # has only just set off
        ({"speed": 2.0, "limit": 2.0}, True, False),  # and goes at a walk
        ({"relation": 1}, True, False),
    ],
)
def test_whom_nobody_yields_to_does_not_drive_into_who_stops_where_their_ways_cross(
    more, inside, counts
):
    """Both turn left at an arrow, and their ways share ground: who stops on it is hit."""
    scene = one_other(**{"relation": 0, "entry": math.inf, **more})
    front = scene.s0 + scene.ego.front
    scene.zones = [(front + 7.0, front + 13.0, 0.0)] if inside else []
    scene.mode, scene.scale, scene.v0 = 1, 2.5, 5.25
    found = rolled(scene, 1)
    assert found[rollout.R_PROGRESS] > 8.0
    assert np.isfinite(found[rollout.R_COLLISION_S]) == counts


@pytest.mark.parametrize("lean", [0.0, 0.6, -0.6])
def test_who_waits_for_us_waits_until_we_are_out_of_their_way(lean):
    """Whichever way they cross ours: slantwise towards us the way is free last where it begins."""
    scene = one_other(relation=1, speed=1.0, limit=8.0, entry=math.inf)
    front = scene.s0 + scene.ego.front
    scene.others[0].box = [
        (front + 3.0 + lean * (j - 3), front + 7.0 + lean * (j - 3), lean) if 3 <= j <= 9 else None
        for j in range(60)
    ]
    scene.v0, scene.v_ref = 1.8, [1.8] * 320
    found = rolled(scene, 0)
    assert found[rollout.R_PROGRESS] > 13.0
    assert np.isinf(found[rollout.R_COLLISION_S])


def test_nobody_is_forced_while_we_wait_at_the_line():
    scene = one_other()
    scene.stop_m = scene.s0 + scene.ego.front
    found = rolled(scene, 0)
    assert found[rollout.R_FORCED] == 0.0
    assert found[rollout.R_ENTERS] == 0.0


def test_a_soft_stop_does_not_count_on_a_standing_leader_to_drive_off():
    scene = one_other()
    front = scene.s0 + scene.ego.front
    leader = scene.others[0]
    leader.box = [(front + 10.0 + j, front + 14.0 + j, 1.0) for j in range(60)]
    leader.speed, leader.relation, leader.k_off = 0.0, 0, -(front + 12.0)
    leader.entry = leader.enters = math.inf
    scene.v0, scene.mode, scene.scale = 9.0, 1, 2.5
    assert math.isfinite(rolled(scene, 0)[rollout.R_COLLISION_S])
