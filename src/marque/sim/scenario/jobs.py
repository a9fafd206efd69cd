"""Actions being carried out: one job for each action and actor, stepped until it is done.

A job steers its actor in the longitudinal or lateral domain, or both; the newest in a domain wins.
Step k goes from t to t + dt: a job that began at t has done dt of its way at the end of the step.
"""

import math
from dataclasses import dataclass, field, replace

from marque.core.errors import MarqueError
from marque.maps.formats.opendrive import RoadPlace, Roads
from marque.sim.scenario import actions as act
from marque.sim.scenario.measures import mark_at, mark_of, way_to
from marque.sim.scenario.shapes import STEP, share, slope, time_by_bend, time_by_rate
from marque.sim.scenario.stage import (
    Body,
    Stage,
    in_lane,
    lanes_over,
    own_lane,
    put,
    put_on_track,
    resolve,
    routed_roads,
)
from marque.sim.scenario.synchronise import NONE, Need, speed_now
from marque.sim.scenario.track import Track, lay_track

LONGITUDINAL, LATERAL = "longitudinal", "lateral"
ARRIVED_M = 1.0
ROUNDING_S = 1e-9


@dataclass(slots=True, eq=False)
class Job:
    """An action of one actor; done: it needs no further step."""

    body: Body
    domains: frozenset[str] = frozenset()
    done: bool = False
    elapsed_s: float = 0.0

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """One step from t_s on. The base of all; does nothing."""
        self.done = True


def begin_job(stage: Stage, body: Body, what: act.PrivateAction, t_s: float) -> Job:
    """Begin an action. What is at once is done at once. MarqueError: it cannot be carried out."""
    if isinstance(what, act.AssignController):
        _assign(body, what)
    elif isinstance(what, act.Visibility):
        body.seen = what.sensors and what.traffic
    elif isinstance(what, act.Light):
        body.lamps = body.lamps | {what.lamp} if what.on else body.lamps - {what.lamp}
    elif body.given and body.present:
        pass  # somebody else moves it; what the file would have it do is left to that
    elif isinstance(what, act.Teleport):
        put(stage, body, *resolve(stage, what.position))
    elif isinstance(what, act.AssignRoute):
        body.roads = routed_roads(stage, body, what.route.waypoints)
    else:
        return _begin_lasting(stage, body, what, t_s)
    return Job(body, done=True)


def _begin_lasting(stage: Stage, body: Body, what: act.PrivateAction, t_s: float) -> Job:
    if isinstance(what, act.FollowTrajectory):
        return _begin_follow(stage, body, what, t_s)
    if isinstance(what, act.Speed):
        return _begin_speed(stage, body, what)
    if isinstance(what, act.SpeedProfile):
        base = stage.body(what.entity).speed_mps if what.entity else 0.0
        ways = tuple((base + speed, time) for speed, time in what.entries)
        return ProfileJob(body, frozenset((LONGITUDINAL,)), start_mps=body.speed_mps, ways=ways)
    if not body.present:
        raise MarqueError(f"entity '{body.name}' has no place yet")
    if isinstance(what, act.Synchronize):
        return SynchronizeJob(body, frozenset((LONGITUDINAL,)), what=what)
    if isinstance(what, act.LongitudinalDistance):
        job = DistanceJob(body, frozenset((LONGITUDINAL,)), what=what)
        job.step(stage, t_s, 0.0)
        return job
    if isinstance(what, act.LateralDistance):
        aside = LateralJob(body, frozenset((LATERAL,)), what=what)
        aside.step(stage, t_s, 0.0)
        return aside
    if isinstance(what, act.AcquirePosition):
        body.roads = routed_roads(stage, body, (what.position,))
        return AcquireJob(body, frozenset(), what=what)
    assert isinstance(what, act.LaneChange | act.LaneOffset)
    return _begin_lane(stage, body, what)


def _assign(body: Body, what: act.AssignController) -> None:
    if what.controller is not None:
        body.controller = what.controller.name
    for domain, on in ((LATERAL, what.lateral), (LONGITUDINAL, what.longitudinal)):
        if on is True:
            body.active.add(domain)
        elif on is False:
            body.active.discard(domain)


# Speed


@dataclass(slots=True, eq=False)
class SpeedJob(Job):
    """From one speed to another. relative: an entity whose speed counts, seen anew each step."""

    start_mps: float = 0.0
    end_mps: float = 0.0
    shape: str = STEP
    time_s: float = 0.0
    target: act.Target = field(default_factory=lambda: act.Target(0.0))

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """The vehicle changes its speed no faster than it can, and goes on when the time is up."""
        self.elapsed_s += dt_s
        if self.target.continuous:
            self.end_mps = _speed_target(stage, self.target)
        over = self.elapsed_s >= self.time_s - ROUNDING_S
        part = 1.0 if over else self.elapsed_s / self.time_s
        wanted = self.start_mps + (self.end_mps - self.start_mps) * share(self.shape, part)
        if self.time_s > 0.0:
            wanted = _possible(self.body, wanted, dt_s)
        self.body.speed_mps = _no_faster(self.body, wanted)
        reached = abs(self.body.speed_mps - _no_faster(self.body, self.end_mps)) < ROUNDING_S
        self.done = over and reached and not self.target.continuous


@dataclass(slots=True, eq=False)
class ProfileJob(Job):
    """Evenly from speed to speed. ways: (speed, seconds from the one before)."""

    start_mps: float = 0.0
    ways: tuple[tuple[float, float], ...] = ()

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """As the profile has it at the end of the step, as far as the vehicle can."""
        self.elapsed_s += dt_s
        wanted, since = self.start_mps, 0.0
        for speed, time in self.ways:
            part = min(1.0, (self.elapsed_s - since) / time) if time > 0.0 else 1.0
            wanted += (speed - wanted) * part
            since += time
            if part < 1.0 - ROUNDING_S:
                break
        else:
            self.done = True
        self.body.speed_mps = _no_faster(self.body, _possible(self.body, wanted, dt_s))
        self.done = self.done and abs(self.body.speed_mps - _no_faster(self.body, wanted)) < 1e-9


def _possible(body: Body, wanted_mps: float, dt_s: float) -> float:
    build, now = body.build, body.speed_mps
    speeding = abs(wanted_mps) > abs(now)
    most = (build.max_accel_mps2 if speeding else build.max_decel_mps2) * dt_s
    return min(max(wanted_mps, now - most), now + most)


def _no_faster(body: Body, wanted_mps: float) -> float:
    most = body.build.max_speed_mps
    return min(max(wanted_mps, -most), most)


def _speed_target(stage: Stage, target: act.Target) -> float:
    if not target.entity:
        return target.value
    whom = stage.body(target.entity)
    # of an entity that somebody else moves, the reference player reads the speed of the file
    other = whom.file_mps if stage.like_reference and whom.given else whom.speed_mps
    return other * target.value if target.factor else other + target.value


def _begin_speed(stage: Stage, body: Body, what: act.Speed) -> Job:
    end = _speed_target(stage, what.target)
    dynamics, start = what.dynamics, body.speed_mps
    time_s = _speed_time(dynamics, start, end)
    job = SpeedJob(
        body, frozenset((LONGITUDINAL,)), start_mps=start, end_mps=end, shape=dynamics.shape,
        time_s=time_s, target=what.target,
    )  # fmt: skip
    if time_s <= 0.0:
        body.speed_mps = _no_faster(body, end)
        job.done = not what.target.continuous
    return job


def _speed_time(dynamics: act.Dynamics, start: float, end: float) -> float:
    """A distance is covered at the mean of both speeds, as every shape is symmetric."""
    if dynamics.shape == STEP or start == end:
        return 0.0
    if dynamics.dimension == "time":
        return dynamics.value
    if dynamics.dimension == "rate":
        return time_by_rate(dynamics.shape, end - start, dynamics.value)
    mean = 0.5 * (abs(start) + abs(end))
    return dynamics.value / mean if mean > 0.0 else 0.0


# Lanes


@dataclass(slots=True, eq=False)
class LaneJob(Job):
    """Sideways from one offset to another, both left of the traffic of the lane it keeps to.

    late: the offset of a step is that of its beginning, and the way along the lane is not
    shortened by going sideways: so the reference player does for offsets within a lane.
    """

    start_m: float = 0.0
    end_m: float = 0.0
    shape: str = STEP
    time_s: float = 0.0
    way_m: float = 0.0  # instead of a time, if positive
    late: bool = False
    continuous: bool = False

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """Where it wants to be at the end of the step; `stage.move` brings it there."""
        before = self.elapsed_s
        self.elapsed_s += abs(self.body.speed_mps) * dt_s if self.way_m > 0.0 else dt_s
        span = self.way_m if self.way_m > 0.0 else self.time_s
        at = before if self.late else self.elapsed_s
        over = at >= span - ROUNDING_S
        part = 1.0 if over else at / span
        change = self.end_m - self.start_m
        body = self.body
        body.left_m = self.start_m + change * share(self.shape, part)
        body.slowed = not self.late
        body.swerve_rad = 0.0 if over else self._swerve(change * slope(self.shape, part) / span)
        self.done = over and not self.continuous

    def _swerve(self, rate: float) -> float:
        """Angle against the lane at a rate of offset, per metre or per second."""
        if self.way_m > 0.0:
            return math.atan(rate)
        speed = max(abs(self.body.speed_mps), 1e-3)
        return math.asin(min(1.0, max(-1.0, rate / speed)))


def _begin_lane(stage: Stage, body: Body, what: act.LaneChange | act.LaneOffset) -> Job:
    roads = body.roads
    if roads is None or body.place is None:
        raise MarqueError(f"entity '{body.name}' is on no road")
    body.track = None
    place = body.place
    if isinstance(what, act.LaneChange):
        lane_id = int(what.target.value)
        if what.target.entity:
            other = stage.body(what.target.entity)
            if other.place is None:
                raise MarqueError(f"entity '{other.name}' is on no road")
            lane_id = lanes_over(other.place.lane_id, lane_id)
        place = in_lane(roads, place, lane_id)
        target = what.offset_m
    else:
        target = _offset_target(stage, roads, what.target)
    body.place = place
    sign = 1.0 if roads.drives_along_s(place.road_id, place.lane_id, place.s_m) else -1.0
    return _lane_job(body, what, sign * place.lane_offset_m, sign * target)


def _offset_target(stage: Stage, roads: Roads, target: act.Target) -> float:
    if not target.entity:
        return target.value
    other = stage.body(target.entity)
    if other.place is None:
        raise MarqueError(f"entity '{other.name}' is on no road")
    return other.place.lane_offset_m + target.value


def _lane_job(
    body: Body, what: act.LaneChange | act.LaneOffset, start: float, end: float
) -> LaneJob:
    job = LaneJob(body, frozenset((LATERAL,)), start_m=start, end_m=end)
    if isinstance(what, act.LaneOffset):
        job.shape, job.late, job.continuous = what.shape, True, what.continuous
        job.time_s = time_by_bend(what.shape, end - start, what.max_accel_mps2)
        return job
    dynamics = what.dynamics
    job.shape = dynamics.shape
    if dynamics.shape == STEP:
        return job
    if dynamics.dimension == "time":
        job.time_s = dynamics.value
    elif dynamics.dimension == "rate":
        job.time_s = time_by_rate(dynamics.shape, end - start, dynamics.value)
    else:
        job.way_m = dynamics.value
    return job


# Distances to others


@dataclass(slots=True, eq=False)
class DistanceJob(Job):
    """At a distance from an entity, there at once; if continuous, kept and at its speed."""

    what: act.LongitudinalDistance = None  # type: ignore[assignment]

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """To the distance from where the other is now; the rest of the step at its speed."""
        what, body = self.what, self.body
        other = stage.body(what.entity)
        put(stage, body, *_at_distance(stage, body, other, what))
        if what.continuous:
            body.speed_mps = other.speed_mps
        self.done = not what.continuous


def _at_distance(
    stage: Stage, body: Body, other: Body, what: act.LongitudinalDistance
) -> tuple[tuple[float, float, float], RoadPlace | None]:
    away = (
        what.distance_m
        if what.distance_m is not None
        else (what.gap_s or 0.0) * abs(body.speed_mps)
    )
    c, s = math.cos(other.heading_rad), math.sin(other.heading_rad)
    ahead = c * (body.x_m - other.x_m) + s * (body.y_m - other.y_m) >= 0.0
    if what.side != "any":
        ahead = what.side == "leadingReferencedEntity"
    if what.freespace:
        turn = body.heading_rad - other.heading_rad
        low, high = mark_of(body).extent(turn)
        away += other.build.front_m - low if ahead else other.build.rear_m + high
    signed = away if ahead else -away
    if other.place is None or body.place is None or other.roads is None:
        side = -s * (body.x_m - other.x_m) + c * (body.y_m - other.y_m)
        return (
            other.x_m + c * signed - s * side,
            other.y_m + s * signed + c * side,
            body.heading_rad,
        ), None
    return _along_lane(other.roads, body, other.place, body.place, signed)


def _along_lane(
    roads: Roads, body: Body, other: RoadPlace, own: RoadPlace, signed: float
) -> tuple[tuple[float, float, float], RoadPlace | None]:
    """Along the other's lane, at the own distance from the middle of the road."""
    facing = 1.0 if math.cos(other.relative_heading_rad or 0.0) >= 0.0 else -1.0
    on = roads.follow(other, facing * signed)
    if on is None:
        raise MarqueError(f"the road ends before {signed:g} m from where '{body.name}' has to go")
    beside = own.t_m - other.t_m if own.road_id == other.road_id else 0.0
    x, y, line = roads.pose(on.road_id, on.s_m, on.t_m + beside)
    del line
    place = own_lane(roads, replace(on, t_m=on.t_m + beside, relative_heading_rad=0.0))
    heading = roads.lane_pose(place.road_id, place.lane_id, place.s_m, place.lane_offset_m)[2]
    was = own_lane(roads, own).relative_heading_rad or 0.0
    return (x, y, heading + was), replace(place, relative_heading_rad=was)


@dataclass(slots=True, eq=False)
class LateralJob(Job):
    """At a distance beside an entity, there at once; if continuous, kept."""

    what: act.LateralDistance = None  # type: ignore[assignment]

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """Sideways in our own frame, which is that of the lane where we drive along it."""
        what, body = self.what, self.body
        other = stage.body(what.entity)
        c, s = math.cos(other.heading_rad), math.sin(other.heading_rad)
        dx, dy = body.x_m - other.x_m, body.y_m - other.y_m
        ahead, left = c * dx + s * dy, c * dy - s * dx
        is_left = left >= 0.0 if what.side == "any" else what.side == "leftToReferencedEntity"
        away = what.distance_m
        if what.freespace:
            away += 0.5 * (body.build.width_m + other.build.width_m)
        aside = away if is_left else -away
        pose = other.x_m + c * ahead - s * aside, other.y_m + s * ahead + c * aside
        put(stage, body, (*pose, body.heading_rad), None)
        self.done = not what.continuous


# Routing and synchronising


@dataclass(slots=True, eq=False)
class AcquireJob(Job):
    """On the way to a place, until it is reached."""

    what: act.AcquirePosition = None  # type: ignore[assignment]

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """Looks whether it is there."""
        x, y, _ = resolve(stage, self.what.position)[0]
        near = math.hypot(x - self.body.x_m, y - self.body.y_m)
        self.done = near <= max(ARRIVED_M, abs(self.body.speed_mps) * dt_s)


@dataclass(slots=True, eq=False)
class SynchronizeJob(Job):
    """See `synchronise`."""

    what: act.Synchronize = None  # type: ignore[assignment]
    mode: str = NONE
    earlier_mps: float | None = None

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """Sets the speed for this step; done in the step in which one of the two arrives."""
        what, body = self.what, self.body
        master = stage.body(what.master)
        left = way_to(stage, master, what.master_place, mark_at(stage, what.master_place))
        way = way_to(stage, body, what.place, mark_at(stage, what.place))
        rate = master.seen_mps
        final = self._final(master)
        there = way <= max(what.tolerance_m, abs(body.speed_mps) * dt_s)
        if there or left <= max(what.master_tolerance_m, rate * dt_s):
            body.speed_mps = final if final is not None else body.speed_mps
            self.done = True
            return
        time_s = left / rate if rate > 0.0 else math.inf
        if final is None:
            body.speed_mps = _no_faster(body, way / time_s)
            return
        steady = what.final.steady if what.final is not None else None
        held_m, held_s = _steady(steady, final)
        now = body.speed_mps
        earlier = now if self.earlier_mps is None else self.earlier_mps
        self.earlier_mps = now
        need = Need(
            way - held_m, time_s - held_s, now, earlier, final,
            body.build.max_accel_mps2, body.build.max_decel_mps2,
        )  # fmt: skip
        self.mode, speed = speed_now(self.mode, need, dt_s)
        body.speed_mps = _no_faster(body, speed)

    def _final(self, master: Body) -> float | None:
        final = self.what.final
        if final is None:
            return None
        return final.value_mps + (abs(master.speed_mps) if final.relative else 0.0)


def _steady(steady: act.SteadyState | None, final_mps: float) -> tuple[float, float]:
    """(metres, seconds) that the final speed is held for."""
    if steady is None:
        return 0.0, 0.0
    if steady.distance_m > 0.0:
        return steady.distance_m, steady.distance_m / final_mps if final_mps > 0.0 else 0.0
    return steady.time_s * final_mps, steady.time_s


@dataclass(slots=True, eq=False)
class FollowJob(Job):
    """Along a track, by its own speed or by the track's times.

    It moves the entity when its turn comes: a speed that another job sets later in the same step
    counts from the next step on. So does the reference player.
    """

    track: Track = None  # type: ignore[assignment]
    timing: act.Timing | None = None
    began_s: float = 0.0

    def step(self, stage: Stage, t_s: float, dt_s: float) -> None:
        """On along the track; who drives backwards does so tail first. Ends at its end."""
        body, track = self.body, self.track
        if self.timing is not None:
            self._keep_time(self._time(t_s + dt_s), dt_s)
        else:
            way = abs(body.speed_mps) * dt_s
            body.moved_m += min(way, track.length_m - body.track_s_m)
            body.track_s_m = min(body.track_s_m + way, track.length_m)
            self.done = body.track_s_m >= track.length_m
        put_on_track(stage, body)

    def _keep_time(self, time_s: float, dt_s: float) -> None:
        """To where the track is at a time; at its end the last speed is kept."""
        body, track = self.body, self.track
        assert track.time_s is not None
        way = track.s_at(time_s) - body.track_s_m
        body.moved_m += abs(way)
        body.track_s_m += way
        self.done = time_s >= float(track.time_s[-1]) - ROUNDING_S
        if dt_s > 0.0:
            body.speed_mps = track.speed_at(min(time_s, float(track.time_s[-1])))

    def _time(self, t_s: float) -> float:
        timing = self.timing
        assert timing is not None
        since = t_s - (self.began_s if timing.relative else 0.0)
        return since * timing.scale + timing.offset_s


def _begin_follow(stage: Stage, body: Body, what: act.FollowTrajectory, t_s: float) -> Job:
    track = lay_track(what.trajectory, lambda at: resolve(stage, at)[0], body.pose)
    domains = {LATERAL} if what.timing is None else {LATERAL, LONGITUDINAL}
    if what.timing is not None and track.time_s is None:
        raise MarqueError(f"trajectory '{track.name}' has no times to follow")
    if what.start_m > track.length_m:
        raise MarqueError(f"trajectory '{track.name}' is {track.length_m:g} m long")
    job = FollowJob(body, frozenset(domains), track=track, timing=what.timing, began_s=t_s)
    body.track, body.track_s_m = track, what.start_m
    if what.timing is not None:
        body.track_s_m = max(what.start_m, track.s_at(job._time(t_s)))
    put_on_track(stage, body)
    return job
