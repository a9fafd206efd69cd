"""What happens on the way, as events: contacts, the guard, missed turns, news of the traffic.

A missed turn is also told to the world, because its road users see where our car is going.
"""

from marque.core.errors import MarqueError
from marque.maps.field import Route, plan_route, route_lanes
from marque.maps.lookup import LaneIndex
from marque.sim.worlds.port import RoadWorld, WorldPort
from marque.types.codes import Reaction, UserKind
from marque.types.episode import Episode, Event, Tick
from marque.types.health import FINE
from marque.types.road_map import RoadMap
from marque.types.takeover import Cause, Mode, Order
from marque.types.verdict import Action
from marque.types.world import World

LOOK_FRAMES = 5  # the way is checked every 0.5 s
SURE_LOOKS = 2  # this often off the told way before the world is told another
REACTS = {
    Reaction.NONE: "senses in order again",
    Reaction.LOG: "noted (R0)",
    Reaction.DEGRADE: "drives slower, with more headway (R1)",
    Reaction.TAKEOVER: "asks to be taken over (R2)",
    Reaction.STOP: "stops in lane (R3)",
    Reaction.HARD: "brakes with the wheel held (R4)",
}
CAUSES = {
    Cause.HANDS_TAKEN: "took the wheel",
    Cause.EYES_OFF: "eyes off the road",
    Cause.HANDS_OFF: "hands off the wheel",
    Cause.UNAVAILABLE: "not available",
    Cause.SEAT: "out of the seat",
    Cause.BELT: "not belted",
    Cause.DOOR: "a door is open",
    Cause.MINOR_FAILURE: "a failure",
    Cause.PLANNED_EXIT: "the domain ends ahead",
    Cause.UNPLANNED_EXIT: "outside of the domain",
    Cause.EMERGENCY_STOP: "at rest after an emergency manoeuvre",
}
QUIET_NS = 2_000_000_000  # the same rule of the guard within this is the same intervention


def edges_ahead(road_map: RoadMap, route: Route, lane: int, s_m: float) -> tuple[str, ...]:
    """Names of the edges from a place to the goal. MarqueError when there is no way."""
    edges: list[str] = []
    for each in route_lanes(road_map, route, lane, s_m):
        if road_map.lane_connector[each]:
            continue
        name = road_map.edge_name[road_map.lane_edge[each]]
        if not edges or edges[-1] != name:
            edges.append(name)
    return tuple(edges)


def words_of(cause: Cause) -> str:
    """A cause in words."""
    return CAUSES.get(cause, cause.name.lower().replace("_", " "))


def takeover_events(before: Order | None, now: Order) -> list[tuple[str, str]]:
    """(kind, text) of what changed from one order to the next."""
    was = before.mode if before is not None else Mode.READY
    drove = before is not None and before.drives
    why = words_of(now.cause) + (f" ({now.detail})" if now.detail else "")
    found = []
    if now.drives and not drove:
        found.append(("activation", "the system drives"))
    if drove and not now.drives:
        found.append(("deactivation", f"the person drives: {why}"))
    if was == Mode.EMERGENCY != now.mode:
        found.append(("emergency_end", "the emergency manoeuvre ends"))
    if now.mode == Mode.EMERGENCY != was:
        found.append(("emergency_start", "an emergency manoeuvre begins"))
    new = before is None or (before.mode, before.cause) != (now.mode, now.cause)
    if new and now.mode == Mode.DEMAND:
        found.append(("transition_demand", f"to be taken over: {why}"))
    if new and now.mode == Mode.MANOEUVRE and was != Mode.MANOEUVRE:
        if now.cause == Cause.SEVERE_FAILURE:
            found.append(("severe_failure", "a severe failure"))
        found.append(("minimal_risk_manoeuvre", f"it begins: {why}"))
    if now.mode == Mode.STANDSTILL != was:
        found.append(("standstill", "at rest; it does not move off"))
    if now.suppressed and not (before is not None and before.suppressed):
        found.append(("input_suppressed", "an input of the person waits for the emergency's end"))
    if now.mode == Mode.ACTIVE and now.visual and not (before is not None and before.visual):
        found.append(("attention_request", "the person is asked for attention"))
    return found


class Narrator:
    """Watches one drive and appends to `episode.events`."""

    def __init__(self, episode: Episode, index: LaneIndex, world: WorldPort) -> None:
        self._episode = episode
        self._index = index
        self._world = world if isinstance(world, RoadWorld) else None
        self._told = 0  # news of the traffic that are in the episode
        self._frame = 0
        self._rule, self._rule_ns = "", -QUIET_NS
        self._health = FINE
        self._order: Order | None = None
        self._lost_looks = 0
        self._route: Route | None = None
        self._edges: frozenset[str] = frozenset()

    def look(self, tick: Tick) -> None:
        """One frame."""
        if tick.verdicts:
            self._guard(tick)
        if tick.health is not self._health:
            self._senses(tick)
        for t_ns, order in tick.orders:
            self._takeover(tick.world, t_ns, order)
        if self._world is None:
            return
        if len(self._world.events) > self._told:
            self._episode.events.extend(self._world.events[self._told :])
            self._told = len(self._world.events)
        if self._frame % LOOK_FRAMES == 0:
            self._way(self._world, tick.world)
        self._frame += 1

    def contact(self, truth: World, row: int) -> None:
        """The first touch of the drive, by the truth."""
        kind = UserKind(int(truth.users.kind[row])).name.lower()
        speed = float(truth.ego.speed_mps)
        self._note(truth, "contact", f"contact with a {kind} at {speed:.1f} m/s")

    def passed_goal(self, truth: World) -> None:
        """The goal was reached, and the car drove on."""
        self._note(truth, "passed_goal", f"drove past the goal at {truth.ego.speed_mps:.1f} m/s")

    def another_goal(self, truth: World) -> None:
        """The person chose another destination; the way was told already."""
        self._route, self._edges, self._lost_looks = None, frozenset(), 0
        x, y = self._episode.goal_xy_m
        self._note(truth, "destination", f"a new destination: xy:{x:.1f},{y:.1f}")

    def _guard(self, tick: Tick) -> None:
        verdict = max(tick.verdicts, key=lambda each: each.action)
        t_ns = tick.world.t_ns
        again = verdict.rule == self._rule and t_ns - self._rule_ns < QUIET_NS
        self._rule, self._rule_ns = verdict.rule, t_ns
        if again or verdict.action == Action.PASS:
            return
        did = {Action.LIMIT: "limits", Action.BRAKE: "brakes", Action.FALLBACK: "takes over"}
        text = f"the guard {did[verdict.action]}: {verdict.rule} (margin {verdict.margin:.2f})"
        self._note(tick.world, "guard", text)

    def _senses(self, tick: Tick) -> None:
        """What is newly wrong with the senses, and each change of what is done about it."""
        before, now = self._health, tick.health
        self._health = now
        known = {one.text for one in before.findings}
        if now.level == before.level and {one.text for one in now.findings} <= known:
            return
        why = f": {now.text}" if now.findings else ""
        self._note(tick.world, "senses", f"{REACTS[now.level]}{why}")

    def _takeover(self, truth: World, t_ns: int, order: Order) -> None:
        """What a data store for automated driving has to keep (UN R157, 8.2), and warnings."""
        before, self._order = self._order, order
        for kind, text in takeover_events(before, order):
            ego = truth.ego
            self._episode.events.append(Event(t_ns, kind, text, ego.x_m, ego.y_m))

    def _way(self, world: RoadWorld, truth: World) -> None:
        ego, road_map = truth.ego, self._episode.road_map
        place = self._index.nearest(ego.x_m, ego.y_m, ego.heading_rad)
        if place is None or road_map.lane_connector[place[0]]:
            return
        lane, s_m, d_m = place
        if self._route is None:
            self._begin(lane, s_m)
        name = road_map.edge_name[road_map.lane_edge[lane]]
        aside = abs(d_m) > 0.5 * float(road_map.lane_width_m[lane])
        if aside or not self._edges or name in self._edges:
            self._lost_looks = 0
            return
        self._lost_looks += 1
        if self._lost_looks >= SURE_LOOKS:
            self._reroute(world, truth, lane, s_m)

    def _begin(self, lane: int, s_m: float) -> None:
        """The way as it was told at the start."""
        episode = self._episode
        self._route = plan_route(episode.road_map, episode.goal_lane, episode.goal_s_m)
        self._edges = frozenset(self._ahead(lane, s_m))

    def _ahead(self, lane: int, s_m: float) -> tuple[str, ...]:
        assert self._route is not None
        try:
            return edges_ahead(self._episode.road_map, self._route, lane, s_m)
        except MarqueError:
            return ()

    def _reroute(self, world: RoadWorld, truth: World, lane: int, s_m: float) -> None:
        self._lost_looks = 0
        edges = self._ahead(lane, s_m)
        name = self._episode.road_map.lane_name[lane]
        if not edges:
            self._edges = frozenset()  # nothing to tell from here on
            self._note(truth, "no_route", f"from lane '{name}' no way leads to the goal")
            return
        world.set_route(edges)
        self._edges = frozenset(edges)
        self._note(truth, "reroute", f"off the planned way on lane '{name}', a new way is taken")

    def _note(self, truth: World, kind: str, text: str) -> None:
        ego = truth.ego
        self._episode.events.append(Event(truth.t_ns, kind, text, ego.x_m, ego.y_m))
