"""The road ahead as a domain asks for it: kinds of road, and how far they are."""

import pytest

from builders import Conflict, Lane, Walk, tiny_map
from marque.maps.open_ground import open_ground
from marque.stack.perception.road_ahead import begin_road, look_ahead
from marque.types.codes import Allow
from marque.types.domain import Trait
from marque.types.road_map import NONE

MOTOR = int(Allow.CAR | Allow.TRUCK)
FINE = Trait.MAPPED | Trait.SEPARATED | Trait.MOTOR_ONLY


def lanes() -> list[Lane]:
    """0, 1: a fast road of two lanes; 2: its connector to 3, a street with a crosswalk, a lane of
    the opposite direction (4), and bicycles; 5: a connector that crosses ours."""
    return [
        Lane([(0, 0), (500, 0)], succ=[2], edge="fast", allow=MOTOR, limit=30.0, left=1),
        Lane([(0, 3.2), (500, 3.2)], edge="fast", allow=MOTOR, limit=30.0, right=0),
        Lane([(500, 0), (520, 0)], succ=[3], connector=True, allow=MOTOR, limit=30.0, head=0),
        Lane([(520, 0), (700, 0)], edge="street", limit=13.9, opposite=4),
        Lane([(700, 3.2), (520, 3.2)], edge="back", limit=13.9, opposite=3),
        Lane([(510, -10), (510, 10)], connector=True, allow=MOTOR),
    ]


ROAD = tiny_map(
    lanes(),
    conflicts=[Conflict(2, 5, 8.0, 12.0, 8.0, 12.0)],
    walks=[Walk((600, -5, 600, 5), [(3, 78.0, 82.0)])],
    heads=[(0, 0, (500.0, 0.0))],
)


def test_stretches_have_their_kind_and_place():
    memory = look_ahead(begin_road(ROAD, 3, 150.0), 0, 100.0)
    fast, junction, street = memory.road
    assert (fast.begin_m, fast.limit_mps, fast.traits) == (-100.0, 30.0, FINE)
    assert junction.begin_m == pytest.approx(400.0)
    assert junction.traits == (FINE | Trait.SIGNALS | Trait.CROSSINGS) & ~Trait.SEPARATED
    assert street.begin_m == pytest.approx(420.0) and street.limit_mps == 13.9
    assert street.traits == Trait.MAPPED | Trait.CROSSWALKS


def test_a_lane_beside_that_has_to_be_left_is_no_road_of_its_own():
    memory = look_ahead(begin_road(ROAD, 3, 150.0), 1, 100.0)
    assert [round(one.begin_m) for one in memory.road] == [-100, 400, 420]
    on = look_ahead(memory, 3, 10.0)
    assert [round(one.begin_m) for one in on.road] == [-10]


def test_off_every_lane_what_was_known_stays_so():
    memory = look_ahead(begin_road(ROAD, 3, 150.0), 0, 100.0)
    assert look_ahead(memory, NONE, 0.0).road == memory.road


def test_from_where_no_way_leads_to_the_goal_the_lane_itself_is_known():
    memory = look_ahead(begin_road(ROAD, 3, 150.0), 4, 20.0)
    assert len(memory.road) == 1 and memory.road[0].begin_m == -20.0


def test_without_a_map_no_road_is_known():
    memory = look_ahead(begin_road(open_ground("nothing", "", ""), NONE, 0.0), NONE, 0.0)
    assert memory.road == ()
