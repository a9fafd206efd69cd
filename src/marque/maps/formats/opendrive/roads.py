"""The roads of an OpenDRIVE file as scenarios speak of them: by road id, lane id, s and t.

Frame: map metres as in the file, ENU; headings counter-clockwise from east, in (-pi, pi]. s runs
along a road's reference line in the plane, t is to the left of that line. Offsets from the middle
of a lane are in the direction of t, as OpenSCENARIO's `LanePosition.offset` is: positive is left of
the reference line's direction, on lanes that drive against it too.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError, unknown
from marque.core.geometry import wrap_angle
from marque.maps.formats.opendrive.curves import line_nearest, line_points, line_pose, travel
from marque.maps.formats.opendrive.links import LaneEnd
from marque.maps.formats.opendrive.records import DRIVEN, END, START, Document, RoadRecord
from marque.maps.formats.opendrive.strips import Strip, slope, value

PAST_END_M = 0.01  # s may lie this far outside a road
SAMPLE_M = 2.0  # at most, between the points that `locate` starts from
LEAST_SAMPLES = 9
NO_WIDTH_M = 0.05  # a narrower lane is not there
THERE_M = 1e-9  # as good as the whole way
HOPS = 1000  # lanes that one call of `follow` may pass
# costs in metres by which `locate` chooses among roads that lie over each other
FAR_ROAD_M = 0.5  # any road but `near`
AGAINST_M = 3.0
NOT_DRIVEN_M = 0.25


@dataclass(frozen=True, slots=True)
class RoadPlace:
    """A place on a road. lane_offset_m: from the middle of the lane, in the direction of t.

    relative_heading_rad: heading less the lane's driving direction; None where no heading is known.
    """

    road_id: str
    lane_id: int
    s_m: float
    t_m: float
    lane_offset_m: float
    relative_heading_rad: float | None = None


@dataclass(frozen=True, slots=True)
class LaneHere:
    """One lane at some s. kind: the file's type, e.g. "driving". along_s: it drives along s."""

    lane_id: int
    kind: str
    width_m: float
    along_s: bool


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What is computed once of a road. samples [m, 3]: s, x, y; box: x, y, x, y of its lanes."""

    samples: FloatArray
    strips: tuple[Strip, ...]
    starts: tuple[float, ...]
    box: tuple[float, float, float, float]
    turn_rad: float  # from its start to its end


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """All roads of one file. `read_opendrive` makes it; every question is a function of it."""

    document: Document
    courses: dict[str, Course]
    links: dict[LaneEnd, tuple[LaneEnd, ...]]
    notes: tuple[str, ...] = ()  # what the file says that nothing here uses, for people

    @property
    def road_ids(self) -> tuple[str, ...]:
        """Ids in order of the file."""
        return tuple(self.courses)

    @property
    def left_hand(self) -> bool:
        """Whether traffic keeps left: on most roads, by their rule."""
        roads = self.document.roads.values()
        return 2 * sum(road.left_hand for road in roads) > len(roads)

    def length(self, road_id: str) -> float:
        """Metres of the reference line. MarqueError: no such road."""
        return self._road(road_id).length_m

    def pose(self, road_id: str, s_m: float, t_m: float = 0.0) -> tuple[float, float, float]:
        """(x, y, heading of the reference line). MarqueError: no such road, s beyond its ends."""
        road = self._road(road_id)
        x, y, heading, _ = line_pose(road.pieces, road.knots, self._inside(road, s_m), t_m)
        return x, y, heading

    def curvature(self, road_id: str, s_m: float) -> float:
        """Curvature of the reference line in 1/m, left positive. MarqueError as `pose`."""
        road = self._road(road_id)
        _, _, _, bend = line_pose(road.pieces, road.knots, self._inside(road, s_m), 0.0)
        return float(bend)

    def lane_pose(
        self, road_id: str, lane_id: int, s_m: float, offset_m: float = 0.0
    ) -> tuple[float, float, float]:
        """(x, y, heading of the lane's driving direction) of the middle of a lane, moved by
        offset_m in the direction of t. The heading follows the middle where it runs aslant.

        MarqueError: no such road or lane there, s beyond the road's ends.
        """
        road = self._road(road_id)
        s = self._inside(road, s_m)
        strip = self._strip(road_id, s)
        t, rate = self._middle(strip, lane_id, s, road_id)
        t += offset_m
        x, y, heading, bend = line_pose(road.pieces, road.knots, s, t)
        heading += math.atan2(rate, 1.0 - bend * t)
        if not self.along(road, strip.section, lane_id):
            heading += math.pi
        return x, y, wrap_angle(heading)

    def lane_centre_t(self, road_id: str, lane_id: int, s_m: float) -> float:
        """t of the middle of a lane (0 for lane 0 without a lane offset). Errors as `lane_pose`."""
        s = self._inside(self._road(road_id), s_m)
        return self._middle(self._strip(road_id, s), lane_id, s, road_id)[0]

    def lanes_at(self, road_id: str, s_m: float) -> tuple[LaneHere, ...]:
        """Lanes of a road at s, from left to right as seen along s, those of no width too."""
        road = self._road(road_id)
        s = self._inside(road, s_m)
        strip = self._strip(road_id, s)
        lanes = road.sections[strip.section].lanes
        return tuple(
            LaneHere(
                i,
                lanes[i].kind,
                max(0.0, value(strip.width[i], s - strip.s_m)),
                self.along(road, strip.section, i),
            )
            for i in strip.lanes
        )

    def lane_width(self, road_id: str, lane_id: int, s_m: float) -> float:
        """Width of a lane at s, metres. Errors as `lane_pose`."""
        s = self._inside(self._road(road_id), s_m)
        strip = self._strip(road_id, s)
        self._need_lane(strip, lane_id, s, road_id)
        return max(0.0, value(strip.width[lane_id], s - strip.s_m))

    def drives_along_s(self, road_id: str, lane_id: int, s_m: float) -> bool:
        """Whether a lane's driving direction is that of s. Errors as `lane_pose`."""
        road = self._road(road_id)
        s = self._inside(road, s_m)
        strip = self._strip(road_id, s)
        self._need_lane(strip, lane_id, s, road_id)
        return self.along(road, strip.section, lane_id)

    def locate(
        self, x_m: float, y_m: float, heading_rad: float | None = None, near: str | None = None
    ) -> RoadPlace | None:
        """The place on the roads of a point; off them, on the lane nearest to it.

        Where roads lie over each other, that one is taken whose lane runs our way, and among
        equals the road `near`, where one was before. None only where no road has a lane.
        MarqueError: no road `near`.
        """
        best: RoadPlace | None = None
        least = math.inf
        if near is not None:
            self._road(near)
            found = self._on_road(near, x_m, y_m, heading_rad)
            if found is not None:
                best, least = found[0], found[1] - FAR_ROAD_M
        if least <= 0.0:
            return best
        for away, road_id in self._by_distance(x_m, y_m):
            if away >= least:
                break
            found = self._on_road(road_id, x_m, y_m, heading_rad)
            if found is not None and found[1] < least:
                best, least = found
        return best

    def follow(
        self,
        place: RoadPlace,
        ds_m: float,
        lane_offset_m: float | None = None,
        *,
        by_road_s: bool = False,
    ) -> RoadPlace | None:
        """Go on by ds_m along the lane (negative: back), through sections, roads and junctions.

        ds_m is measured along the path driven, `lane_offset_m` beside the middle of the lane (the
        place's own offset unless given; in the direction of t at `place`); with by_road_s along the
        reference lines. Where ways part, the one that turns least is taken, then the road with the
        least id. An offset stays on its side of the traveller where t turns over.
        None: the road network ends before. MarqueError: the place is on no lane.
        """
        road = self._road(place.road_id)
        s = self._inside(road, place.s_m)
        strip = self._strip(road.road_id, s)
        lane = place.lane_id
        self._need_lane(strip, lane, s, road.road_id)
        offset = place.lane_offset_m if lane_offset_m is None else lane_offset_m
        heading = place.relative_heading_rad
        ahead = self.along(road, strip.section, lane) == (ds_m >= 0.0)
        left = abs(ds_m)
        for _ in range(HOPS):
            section = road.sections[strip.section]
            limit = section.end_m if ahead else section.s_m
            s, left = self._within_section(road, lane, s, limit, left, offset, by_road_s)
            if left <= THERE_M:
                strip = self._strip(road.road_id, s, before=strip.section)
                t = self._middle(strip, lane, s, road.road_id)[0] + offset
                return RoadPlace(road.road_id, lane, s, t, offset, heading)
            onward = self._onward((road.road_id, strip.section, lane, END if ahead else START))
            if onward is None:
                return None
            was_along = self.along(road, strip.section, lane) == ahead
            was_ahead = ahead
            road = self.document.roads[onward[0]]
            lane, ahead = onward[2], onward[3] == START
            if ahead != was_ahead:
                offset = -offset
            if heading is not None and (self.along(road, onward[1], lane) == ahead) != was_along:
                heading = wrap_angle(heading + math.pi)
            s = road.sections[onward[1]].s_m if ahead else road.sections[onward[1]].end_m
            strip = self._strip(road.road_id, s, before=onward[1])
        raise MarqueError(f"{ds_m:g} m from road {place.road_id} pass more than {HOPS} lanes")

    def _within_section(
        self,
        road: RoadRecord,
        lane: int,
        s: float,
        limit: float,
        left: float,
        offset: float,
        by_road_s: bool,
    ) -> tuple[float, float]:
        """Go `left` metres from s towards `limit`, a section's end: (s reached, metres left)."""
        if by_road_s:
            step = min(left, abs(limit - s))
            to = limit if left >= abs(limit - s) else s + math.copysign(step, limit - s)
            return to, left - step
        ahead = limit >= s
        course = self.courses[road.road_id]
        at = bisect_right(course.starts, s) - 1
        if not ahead and at > 0 and course.starts[at] >= s:
            at -= 1
        while left > 0.0 and s != limit:
            strip = course.strips[at]
            stop = min(limit, strip.end_m) if ahead else max(limit, strip.s_m)
            s, left = travel(
                road.pieces, road.knots, strip.middle[lane], strip.s_m, offset, s, stop, left
            )
            at += 1 if ahead else -1
        return float(s), float(left)

    def _onward(self, end: LaneEnd) -> LaneEnd | None:
        """The lane end that lies beyond one: the straightest, and one that drives our way first."""
        choices = self.links.get(end, ())
        if not choices:
            return None
        out = self._leads_out(end)
        return min(choices, key=lambda one: (self._leads_out(one) == out, self._turn(one)))

    def _leads_out(self, end: LaneEnd) -> bool:
        """Whether traffic leaves its lane at this end."""
        road = self.document.roads[end[0]]
        return self.along(road, end[1], end[2]) == (end[3] == END)

    def _turn(self, end: LaneEnd) -> float:
        """How far a way through a junction turns."""
        inside = self.document.roads[end[0]].junction != ""
        return round(abs(self.courses[end[0]].turn_rad), 6) if inside else 0.0

    def _road(self, road_id: str) -> RoadRecord:
        road = self.document.roads.get(road_id)
        if road is None:
            raise unknown("road", road_id, self.document.roads)
        return road

    def _inside(self, road: RoadRecord, s_m: float) -> float:
        if not -PAST_END_M <= s_m <= road.length_m + PAST_END_M:
            raise MarqueError(
                f"no s={s_m:g} on road {road.road_id} of {self.document.file}; it is "
                f"{road.length_m:g} m long"
            )
        return min(max(s_m, 0.0), road.length_m)

    def _strip(self, road_id: str, s: float, before: int | None = None) -> Strip:
        """The strip that holds s; at its border the later one, or that of section `before`."""
        course = self.courses[road_id]
        at = max(0, bisect_right(course.starts, s) - 1)
        if before is not None and at > 0 and course.strips[at].section != before:
            at -= 1
        return course.strips[at]

    def _need_lane(self, strip: Strip, lane_id: int, s: float, road_id: str) -> None:
        if lane_id not in strip.middle:
            raise MarqueError(
                f"no lane {lane_id} on road {road_id} of {self.document.file} at s={s:g}; have "
                f"{list(strip.lanes)}"
            )

    def _middle(self, strip: Strip, lane_id: int, s: float, road_id: str) -> tuple[float, float]:
        """t of a lane's middle and its change per metre; of lane 0, of the line between the
        sides."""
        ds = s - strip.s_m
        if lane_id == 0:
            line = strip.borders[sum(lane > 0 for lane in strip.lanes)]
            return value(line, ds), slope(line, ds)
        self._need_lane(strip, lane_id, s, road_id)
        a, b, c, d = strip.middle[lane_id].tolist()
        return a + ds * (b + ds * (c + ds * d)), b + ds * (2.0 * c + ds * 3.0 * d)

    def along(self, road: RoadRecord, section: int, lane_id: int) -> bool:
        """Whether a lane of a section drives along s. Lane 0 counts as one of the right."""
        along = (lane_id > 0) == road.left_hand
        lane = road.sections[section].lanes.get(lane_id)
        return along != (lane is not None and lane.direction == "reversed")

    def _by_distance(self, x: float, y: float) -> list[tuple[float, str]]:
        """Roads with the distance of the point from their boxes, nearest first."""
        out = []
        for road_id, course in self.courses.items():
            x0, y0, x1, y1 = course.box
            out.append((math.hypot(max(x0 - x, 0.0, x - x1), max(y0 - y, 0.0, y - y1)), road_id))
        out.sort(key=lambda item: item[0])
        return out

    def _on_road(
        self, road_id: str, x: float, y: float, heading: float | None
    ) -> tuple[RoadPlace, float] | None:
        """The place on one road and what it costs to think so."""
        road, course = self.document.roads[road_id], self.courses[road_id]
        s, t, line_heading, beyond = line_nearest(road.pieces, road.knots, course.samples, x, y)
        strip = self._strip(road_id, s)
        found = _lane_at(strip, s - strip.s_m, t)
        if found is None:
            return None
        lane, outside = found
        middle, rate = self._middle(strip, lane, s, road_id)
        cost = math.hypot(outside, beyond)
        if road.sections[strip.section].lanes[lane].kind not in DRIVEN:
            cost += NOT_DRIVEN_M
        relative = None
        if heading is not None:
            _, _, _, bend = line_pose(road.pieces, road.knots, s, 0.0)
            ahead = line_heading + math.atan2(rate, 1.0 - bend * t)
            ahead += 0.0 if self.along(road, strip.section, lane) else math.pi
            relative = wrap_angle(heading - ahead)
            cost += 0.5 * AGAINST_M * (1.0 - math.cos(relative))
        return RoadPlace(road_id, lane, s, t, t - middle, relative), cost


def _lane_at(strip: Strip, ds: float, t: float) -> tuple[int, float] | None:
    """The lane that holds t, or the nearest one; and how far t lies outside of it."""
    best: tuple[int, float] | None = None
    left = value(strip.borders[0], ds)
    for i, lane in enumerate(strip.lanes):
        right = value(strip.borders[i + 1], ds)
        if left - right > NO_WIDTH_M:
            outside = max(0.0, t - left, right - t)
            if best is None or outside < best[1]:
                best = lane, outside
            if outside == 0.0:
                break
        left = right
    return best


def course_of(road: RoadRecord, strips: tuple[Strip, ...]) -> Course:
    """What is computed once of a road."""
    samples = _samples(road)
    reach = 0.0
    for strip in strips:
        for ds in np.linspace(0.0, strip.end_m - strip.s_m, 9).tolist():
            edges = (strip.borders[0], strip.borders[-1])
            reach = max(reach, *(abs(value(edge, ds)) for edge in edges))
    low, high = samples[:, 1:].min(axis=0) - reach, samples[:, 1:].max(axis=0) + reach
    first = line_pose(road.pieces, road.knots, 0.0, 0.0)[2]
    last = line_pose(road.pieces, road.knots, road.length_m, 0.0)[2]
    return Course(
        samples=samples,
        strips=strips,
        starts=tuple(strip.s_m for strip in strips),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        turn_rad=float(wrap_angle(last - first)),
    )


def _samples(road: RoadRecord) -> FloatArray:
    count = max(LEAST_SAMPLES, math.ceil(road.length_m / SAMPLE_M) + 1)
    s = np.linspace(0.0, road.length_m, count)
    out = np.column_stack((s, line_points(road.pieces, road.knots, s, np.zeros(count))))
    out.flags.writeable = False
    return out
