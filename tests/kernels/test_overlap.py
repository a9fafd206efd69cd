"""The overlap tables against brute force, and against real boxes on a straight road."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lines import line, smooth_bends
from marque.core.geometry import boxes_overlap
from marque.kernels.overlap import EGO_STEP_M, FREE, fill_overlap
from oracle import overlap_twin as twin


def tables(ego, others, boxes, margin, swing):
    """`fill_overlap` on lists: others = paths [n, 3], boxes = (length, width, heading now)."""
    count, room = len(others), max(len(o) for o in others)
    flat = np.concatenate(others)
    off = np.concatenate(([0], np.cumsum([len(o) for o in others]))).astype(np.int32)
    lo, hi, cosr = (np.full((count, room), np.nan) for _ in range(3))
    first, last = np.empty(count, np.int32), np.empty(count, np.int32)
    fill_overlap(
        *(np.ascontiguousarray(ego[:, i]) for i in range(3)),
        len(ego),
        swing[0],
        swing[1],
        margin,
        count,
        np.arange(count, dtype=np.int32),
        off,
        *(np.ascontiguousarray(flat[:, i]) for i in range(3)),
        np.array([b[0] for b in boxes]),
        np.array([b[1] for b in boxes]),
        np.array([b[2] for b in boxes]),
        lo,
        hi,
        cosr,
        first,
        last,
    )
    return lo, hi, cosr, first, last


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_every_sample_of_every_path_as_brute_force_finds_it(seed):
    r = np.random.default_rng(seed)
    ego = line(0.0, 0.0, r.uniform(-3, 3), smooth_bends(r, 160, 0.03), EGO_STEP_M)
    swing = (r.uniform(0, 0.4, len(ego)), r.uniform(0, 0.4, len(ego)))
    others, boxes = [], []
    for _ in range(6):
        near = ego[r.integers(len(ego))]
        x, y = near[:2] + r.normal(0, 25, 2)
        toward = math.atan2(near[1] - y, near[0] - x) + r.normal(0, 0.5)
        others.append(line(x, y, toward, smooth_bends(r, int(r.integers(1, 90)), 0.05), 1.0))
        boxes.append((r.uniform(0.5, 12.0), r.uniform(0.5, 2.5), toward + r.normal(0, 0.2)))
    margin = r.uniform(1.0, 1.6, len(others))
    lo, hi, cosr, first, last = tables(ego, others, boxes, margin, swing)
    for k, path in enumerate(others):
        hits = []
        for j, (x, y, heading) in enumerate(path):
            angle = boxes[k][2] if j == 0 else heading
            wanted = twin.blocked(ego.tolist(), swing, margin[k], x, y, angle, *boxes[k][:2])
            if wanted is None:
                assert lo[k, j] == FREE and hi[k, j] == -FREE
            else:
                assert (lo[k, j], hi[k, j], cosr[k, j]) == pytest.approx(wanted, abs=1e-9)
                hits.append(j)
        assert first[k] == (hits[0] if hits else -1)
        assert last[k] == (hits[-1] if hits else -1)


@given(
    st.floats(5.0, 55.0),
    st.floats(-6.0, 6.0),
    st.floats(-math.pi, math.pi),
    st.floats(0.5, 8.0),
    st.floats(0.5, 2.5),
    st.floats(0.0, 60.0),
)
def test_what_touches_us_on_a_straight_road_is_in_the_table(x, y, heading, length, width, at):
    """Our car [4.7 x 1.85] with its middle at `at`: a contact of the boxes is never missed."""
    ego = line(0.0, 0.0, 0.0, np.zeros(120), EGO_STEP_M)
    none = np.zeros(len(ego))
    path = line(x, y, heading, np.zeros(1), 1.0)
    margin = np.array([0.5 * 1.85])
    lo, hi, *_ = tables(ego, [path], [(length, width, heading)], margin, (none, none))
    if boxes_overlap(at, 0.0, 0.0, 4.7, 1.85, x, y, heading, length, width):
        assert lo[0, 0] <= at + 2.35 + 1e-9
        assert hi[0, 0] >= at - 2.35 - 1e-9


def test_a_path_that_stays_far_away_is_free():
    ego = line(0.0, 0.0, 0.0, np.zeros(100), EGO_STEP_M)
    none = np.zeros(len(ego))
    far = line(0.0, 30.0, 0.0, np.zeros(50), 1.0)
    lo, _, _, first, last = tables(ego, [far], [(4.5, 1.8, 0.0)], np.array([1.0]), (none, none))
    assert (lo == FREE).all()
    assert first[0] == last[0] == -1
