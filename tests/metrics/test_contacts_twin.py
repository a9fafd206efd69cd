"""The contact kernel against its slow twin."""

from hypothesis import given
from hypothesis import strategies as st

from builders import straight_road
from marque.metrics.contacts import contacts
from marque.metrics.trace import make_trace
from metrics.drives import drive, moving, straight
from oracle.metrics_contacts import greatest_overlap

ROAD = straight_road(100.0, lanes=1)
users = st.tuples(
    st.floats(-5.0, 45.0),
    st.floats(-12.0, 12.0),
    st.floats(-4.0, 4.0),
    st.floats(0.0, 25.0),
    st.floats(0.3, 12.0),
    st.floats(0.3, 2.5),
)


@given(users, st.floats(-4.0, 4.0), st.floats(0.0, 15.0))
def test_first_contact_is_where_the_boxes_first_share_area(
    user: tuple[float, float, float, float, float, float], heading: float, speed: float
) -> None:
    x, y, h, v, length, width = user
    other = moving(1, x, y, h, v, length=length, width=width)
    ego = straight([speed] * 25, x=15.0, heading=heading)
    trace = make_trace(drive(ROAD, ego, [other]))
    found = contacts(trace)
    areas = greatest_overlap(trace, 1)
    sure = [k for k, area in areas.items() if area > 1e-6]
    assert bool(found) or not sure
    if found and sure:
        assert found[0].frame <= sure[0]
    if found:  # touching without area is contact too, but only just
        nearby = [area for k, area in areas.items() if k >= found[0].frame]
        assert max(nearby) >= 0.0 and found[0].frame in areas
        if found[0].frame not in sure:
            assert areas[found[0].frame] <= 1e-6
