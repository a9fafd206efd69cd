"""Ways through a road network: a route as the only choice at each junction, and lengths ahead."""

import itertools
from collections import deque
from dataclasses import replace

from marque.core.errors import MarqueError
from marque.maps.formats.opendrive import RoadPlace, Roads
from marque.maps.formats.opendrive.links import LaneEnd
from marque.maps.formats.opendrive.records import END, START

MOST_ENDS = 100_000  # that a search may look at
MOST_ROADS = 50  # that a look ahead may pass


def along_route(roads: Roads, places: tuple[RoadPlace, ...]) -> tuple[Roads, bool]:
    """The same roads with ways parting only where the route does not say which one to take; and
    whether the route starts in its first lane's driving direction.

    MarqueError: there is no way from one place to the next.
    """
    links = dict(roads.links)
    forward = True
    for number, (here, there) in enumerate(itertools.pairwise(places)):
        taken, ahead = _search(roads, here, there)
        if number == 0:
            forward = ahead
        for end, onward in taken:
            links[end] = (onward,)
    return replace(roads, links=links), forward


def _section(roads: Roads, place: RoadPlace) -> int:
    sections = roads.document.roads[place.road_id].sections
    return max(i for i, each in enumerate(sections) if i == 0 or each.s_m <= place.s_m)


def _search(
    roads: Roads, here: RoadPlace, there: RoadPlace
) -> tuple[list[tuple[LaneEnd, LaneEnd]], bool]:
    """Fewest lane ends first, in the lane's driving direction before against it."""
    section = _section(roads, here)
    along = roads.drives_along_s(here.road_id, here.lane_id, here.s_m)
    for ahead in (True, False):
        if here.road_id == there.road_id and (there.s_m >= here.s_m) == (along == ahead):
            return [], ahead
    for ahead in (True, False):
        exit_end = END if along == ahead else START
        found = _paths(roads, (here.road_id, section, here.lane_id, exit_end), there.road_id)
        if found is not None:
            return found, ahead
    raise MarqueError(
        f"no way from road {here.road_id}, lane {here.lane_id} to road {there.road_id}"
    )


def _paths(roads: Roads, start: LaneEnd, goal: str) -> list[tuple[LaneEnd, LaneEnd]] | None:
    came: dict[LaneEnd, tuple[LaneEnd, LaneEnd] | None] = {start: None}
    queue = deque([start])
    while queue and len(came) < MOST_ENDS:
        end = queue.popleft()
        for onward in roads.links.get(end, ()):
            exit_end = (*onward[:3], START if onward[3] == END else END)
            if exit_end in came:
                continue
            came[exit_end] = (end, onward)
            if onward[0] == goal:
                return _unwound(came, exit_end)
            queue.append(exit_end)
    return None


def _unwound(
    came: dict[LaneEnd, tuple[LaneEnd, LaneEnd] | None], end: LaneEnd
) -> list[tuple[LaneEnd, LaneEnd]]:
    out: list[tuple[LaneEnd, LaneEnd]] = []
    step = came[end]
    while step is not None:
        out.append(step)
        step = came[step[0]]
    return out


def ahead_m(
    roads: Roads, place: RoadPlace, forward: bool, road_id: str, s_m: float
) -> float | None:
    """Metres of reference line from a place on to s of a road, going with or against the lane's
    driving direction; negative for what lies behind on the same road. None: not on the way."""
    gone = 0.0
    at: RoadPlace | None = place
    for number in range(MOST_ROADS):
        assert at is not None
        up = roads.drives_along_s(at.road_id, at.lane_id, at.s_m) == forward
        if at.road_id == road_id:
            rest = (s_m - at.s_m) if up else (at.s_m - s_m)
            if number == 0 or rest >= 0.0:
                return gone + rest
        to_end = (roads.length(at.road_id) - at.s_m) if up else at.s_m
        step = to_end + 1e-6
        at = roads.follow(at, step if forward else -step, by_road_s=True)
        if at is None:
            return None
        gone += to_end
    return None
