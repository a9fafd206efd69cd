"""Line of sight: against the slow twin, and what must hold whatever stands around."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from marque.core.geometry import boxes_overlap
from marque.sensing.occlusion import heads_in_view, ray_to_box, visible_shares
from oracle.occlusion import inside, visible_share

coordinate = st.floats(-60.0, 60.0)
one_box = st.tuples(
    coordinate,
    coordinate,
    st.floats(-math.pi, math.pi),
    st.floats(0.4, 18.0),
    st.floats(0.3, 2.6),
)


def packed(boxes):
    rows = [(x, y, math.cos(h), math.sin(h), 0.5 * le, 0.5 * wi) for x, y, h, le, wi in boxes]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 6)


def shares(boxes, hides, tall, rays=16, ex=0.0, ey=0.0):
    n = len(boxes)
    found, _ = visible_shares(
        ex,
        ey,
        packed(boxes),
        np.array(hides, dtype=np.bool_),
        np.array(tall, dtype=np.bool_),
        np.ones(n, dtype=np.bool_),
        rays,
    )
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(one_box, st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_shares_are_those_of_the_slow_twin(rows):
    boxes = [row[0] for row in rows]
    hides = [row[1] for row in rows]
    tall = [row[2] for row in rows]
    ex, ey = 0.0371, -0.0513  # off the round numbers at which boxes line up
    found = shares(boxes, hides, tall, 16, ex, ey)
    for i in range(len(boxes)):
        slow = visible_share(ex, ey, i, boxes, hides, tall, 16)
        assert abs(found[i] - slow) <= 1.0 / 16 + 1e-9  # a ray along an edge may fall either way


@settings(max_examples=100, deadline=None)
@given(st.lists(one_box, min_size=1, max_size=12))
def test_the_nearest_is_always_seen(boxes):
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assume(not boxes_overlap(*a, *b))
    found = shares(boxes, [True] * len(boxes), [False] * len(boxes), rays=64)
    away = [
        0.0
        if inside(0.0, 0.0, box)
        else min(
            ray_to_box(0.0, 0.0, math.cos(t), math.sin(t), *packed([box])[0])
            for t in np.linspace(-math.pi, math.pi, 720)
        )
        for box in boxes
    ]
    nearest = int(np.argmin(away))
    assume(away[nearest] < 1e200)
    assert found[nearest] > 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.floats(20.0, 100.0),
    st.floats(-6.0, 6.0),
    st.floats(-math.pi, math.pi),
    st.floats(-math.pi, math.pi),
    st.booleans(),
)
def test_nothing_is_seen_behind_a_wall_of_trucks(away, aside, heading, turn, tall):
    wall = [(12.0, y, 0.5 * math.pi, 12.0, 2.5) for y in (-24.0, -12.0, 0.0, 12.0, 24.0)]
    hidden = (away, aside, heading, 4.5, 1.8)
    c, s = math.cos(turn), math.sin(turn)
    boxes = [
        (x * c - y * s, x * s + y * c, h + turn, le, wi) for x, y, h, le, wi in [*wall, hidden]
    ]
    found = shares(boxes, [True] * 6, [True] * 5 + [tall])
    assert found[5] == 0.0
    assert found[2] == 1.0


def test_a_truck_is_seen_over_a_car_but_not_over_a_truck():
    car = (10.0, 0.0, 0.5 * math.pi, 5.0, 1.9)
    far = (30.0, 0.0, 0.5 * math.pi, 9.0, 2.5)
    assert shares([car, far], [True, True], [False, True])[1] == 1.0
    assert shares([car, far], [True, True], [True, True])[1] == 0.0
    assert shares([car, far], [True, True], [False, False])[1] == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(one_box, min_size=2, max_size=8))
def test_mirroring_the_world_changes_nothing(boxes):
    hides = [True] * len(boxes)
    tall = [i % 2 == 0 for i in range(len(boxes))]
    mirrored = [(x, -y, -h, le, wi) for x, y, h, le, wi in boxes]
    here = shares(boxes, hides, tall, 16, 0.0371, -0.0513)
    difference = here - shares(mirrored, hides, tall, 16, 0.0371, 0.0513)
    assert np.abs(difference).max() <= 1.0 / 16 + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(one_box, min_size=2, max_size=8), one_box)
def test_another_occluder_never_makes_more_visible(boxes, more):
    hides = [True] * len(boxes)
    tall = [False] * len(boxes)
    before = shares(boxes, hides, tall)
    after = shares([*boxes, more], [*hides, True], [*tall, True])[: len(boxes)]
    assert (after <= before + 1e-12).all()


def head(xy, heading, boxes=(), hides=(), eye=(0.0, 0.0), past=8.0):
    n = len(boxes)
    box = packed(boxes) if n else np.zeros((0, 6))
    _, span = visible_shares(
        *eye, box, np.array(hides, bool), np.array(hides, bool), np.ones(n, bool), 16
    )
    return bool(
        heads_in_view(
            *eye,
            0.0,
            1.6,
            np.array([xy], dtype=float),
            np.array([heading], dtype=float),
            box,
            span,
            np.array(hides, dtype=np.bool_),
            200.0,
            1.2,
            past,
        )[0]
    )


def test_a_head_ahead_that_faces_us_is_seen():
    assert head((80.0, 3.0), 0.1)


@pytest.mark.parametrize(
    ("xy", "heading"),
    [
        ((80.0, 3.0), math.pi),  # the oncoming traffic's
        ((80.0, 3.0), 0.5 * math.pi),  # the crossing traffic's
        ((230.0, 0.0), 0.0),  # out of range
        ((-30.0, 0.0), 0.0),  # behind
        ((20.0, 80.0), 0.0),  # out of the camera's angle
        ((80.0, 3.0), math.nan),  # governs nobody
    ],
)
def test_a_head_that_is_not_ours_to_see(xy, heading):
    assert not head(xy, heading)


def test_a_head_at_the_bumper_is_still_seen():
    assert head((0.5, 1.5), 0.0)
    assert head((-4.0, 0.0), 0.0)


def test_a_truck_hides_a_head_and_a_car_does_not():
    truck = (20.0, 0.0, 0.0, 9.0, 2.5)
    assert not head((60.0, 0.0), 0.0, [truck], [True])
    assert head((60.0, 0.0), 0.0, [truck], [False])
    assert head((60.0, 40.0), 0.0, [truck], [True])
