"""The lane that is kept free for rescue vehicles between two lanes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders import Lane, tiny_map
from marque.maps.rescue import EDGE_M, rescue_along


def three_lanes(width, left_hand):
    """Lane 0 is the rightmost, 2 the leftmost; 3 is a junction's, 4 a road of one lane."""
    y = [width * k for k in range(3)]
    return tiny_map(
        [
            Lane([(0, y[0]), (200, y[0])], edge="m", left=1, width=width, succ=[3]),
            Lane([(0, y[1]), (200, y[1])], edge="m", left=2, right=0, width=width),
            Lane([(0, y[2]), (200, y[2])], edge="m", right=1, width=width),
            Lane([(200, y[0]), (260, y[0])], connector=True, junction=0, width=width, succ=[4]),
            Lane([(260, y[0]), (400, y[0])], width=width),
        ],
        junctions=[[(200, -5), (260, -5), (260, 15), (200, 15)]],
        left_hand=left_hand,
    )


@given(st.floats(2.0, 4.5), st.floats(0.8, 1.1), st.booleans())
def test_there_is_room_between_the_fastest_lane_and_all_others(width, half, left_hand):
    road_map = three_lanes(width, left_hand)
    aside = [
        rescue_along(road_map, np.full(120, lane, dtype=np.int32), 1.0, half) for lane in range(5)
    ]
    room = max(0.0, 0.5 * width - half - EDGE_M)
    fastest, others = (0, (1, 2)) if left_hand else (2, (0, 1))
    away = -1.0 if left_hand else 1.0
    assert np.allclose(away * aside[fastest], room)
    assert all(np.allclose(away * aside[other], -room) for other in others)
    assert not aside[3].any()
    assert not aside[4].any()


@given(st.floats(2.6, 4.5))
def test_it_begins_and_ends_softly(width):
    road_map = three_lanes(width, False)
    lanes = np.repeat(np.array([0, 3, 4], dtype=np.int32), (150, 60, 90))
    aside = rescue_along(road_map, lanes, 1.0, 0.9)
    assert np.abs(np.diff(aside)).max() <= 0.1 * max(0.1, np.abs(aside).max())
    assert abs(aside[-1]) < 1e-9
