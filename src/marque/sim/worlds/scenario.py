"""A scenario file as a world: everybody but our car does what the file says.

Our car is the file's entity `ego`. The file drives it until its controller is activated; a file
that activates none hands it over at once. Then the drive begins, at t = 0.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from marque.core.arrays import FloatArray, Int8Array
from marque.core.errors import MarqueError, unknown
from marque.core.geometry import wrap_angle
from marque.core.time import NS_PER_S, PLAN_STEP_NS
from marque.maps.formats.opendrive import Roads
from marque.maps.formats.opendrive.signs import Signs
from marque.maps.lookup import LaneIndex
from marque.sim.scenario.actions import AssignController
from marque.sim.scenario.document import Scenario
from marque.sim.scenario.jobs import LATERAL, LONGITUDINAL
from marque.sim.scenario.player import STEP_S, Player
from marque.sim.scenario.stage import Body
from marque.sim.worlds.empty import Programs
from marque.sim.worlds.port import WORLD_OVER, TrafficCounts
from marque.types.codes import Indicator, SignalState
from marque.types.episode import Event
from marque.types.platform import Platform
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, RoadUsers, World

EGO = "Ego"
STEPS = round(PLAN_STEP_NS / NS_PER_S / STEP_S)  # of the player in one of ours
FARTHEST_M, NEAREST_M = 8192.0, 1.0  # a way is looked for so far, and so finely
LONGEST_WAIT_S = 600.0  # for the hand-over
# words for the states of a signal in files, in small letters; others are UNKNOWN
WORDS: Mapping[str, SignalState] = MappingProxyType(
    {
        "red": SignalState.RED,
        "yellow": SignalState.AMBER,
        "amber": SignalState.AMBER,
        "green": SignalState.GREEN,
        "red;yellow": SignalState.RED_AMBER,
        "redyellow": SignalState.RED_AMBER,
        "off": SignalState.OFF,
        "on;off;off": SignalState.RED,
        "off;on;off": SignalState.AMBER,
        "off;off;on": SignalState.GREEN,
        "on;on;off": SignalState.RED_AMBER,
        "off;off;off": SignalState.OFF,
    }
)


class ScenarioWorld:
    """One play of a scenario around our car. A `RoadWorld`; `over` says when the file ends it."""

    def __init__(
        self,
        scenario: Scenario,
        roads: Roads,
        road_map: RoadMap,
        index: LaneIndex,
        platform: Platform | None = None,
        ego: str = EGO,
        backwards: bool = False,
    ) -> None:
        """platform: our car's, whose box then stands for the ego's; None: the file's box.
        backwards: it may be handed over rolling backwards, for a person to drive on.

        MarqueError: no entity of that name, or it is not handed over.
        """
        self.label = f"OpenSCENARIO {scenario.file.stem}"
        self.names: dict[int, str] = {}
        self.events: list[Event] = []
        self.over = ""
        self._player = Player(scenario, roads)
        self._ego, self._index = ego, index
        self._programs = Programs(road_map)
        self._head_ids = _head_ids(roads, road_map)
        self._t_ns = 0
        if ego not in self._player.bodies:
            raise unknown("entity", ego, self._player.bodies)
        if platform is not None:
            body = self._player.bodies[ego]
            body.build = replace(
                body.build, length_m=platform.length_m, width_m=platform.width_m,
                centre_x_m=platform.centre_m, centre_y_m=0.0,
            )  # fmt: skip
        self._hand_over(activates_ego(scenario, ego), backwards)
        self.goal = self._way_end()
        self._player.give(ego)
        others = [name for name in self._player.bodies if name != ego]
        self._uids = {name: number + 1 for number, name in enumerate(others)}
        self.names = {uid: name for name, uid in self._uids.items()}
        self.begin_s = self._player.t_s  # of the scenario, when the drive begins

    @property
    def start(self) -> EgoTruth:
        """Where the file hands our car over, and how fast."""
        body = self._player.bodies[self._ego]
        return EgoTruth(*body.pose, body.speed_mps, 0.0, 0.0, 0.0, 0.0)

    @property
    def start_pose(self) -> tuple[float, float, float]:
        """The same place: x, y, heading."""
        return self._player.bodies[self._ego].pose

    @property
    def player(self) -> Player:
        """Who plays it, for judges."""
        return self._player

    def reset(self, ego: EgoTruth) -> World:
        """The truth at the hand-over."""
        self._put(ego)
        return self._world(ego)

    def step(self, ego: EgoTruth, indicator: Indicator = Indicator.OFF) -> World:
        """100 ms: our car goes evenly from where it was to where it is."""
        body = self._player.bodies[self._ego]
        begin = (body.x_m, body.y_m, body.heading_rad, body.speed_mps)
        for number in range(STEPS):
            self._player.step()
            part = (number + 1) / STEPS
            turn = float(wrap_angle(ego.heading_rad - begin[2]))
            self._player.place(
                self._ego,
                begin[0] + part * (ego.x_m - begin[0]),
                begin[1] + part * (ego.y_m - begin[1]),
                begin[2] + part * turn,
                begin[3] + part * (ego.speed_mps - begin[3]),
            )
        self._t_ns += PLAN_STEP_NS
        if self._player.over:
            self.over = WORLD_OVER
        return self._world(ego)

    def counts(self) -> TrafficCounts:
        """What a file makes collide is no fault of a simulator."""
        return TrafficCounts(len(self._uids), 0, 0, 0)

    def set_route(self, edges: tuple[str, ...]) -> None:
        """The file knows nothing of where we go."""

    def facts(self) -> dict[str, str]:
        """For printing."""
        return {
            "simulator": self.label,
            "handed over": f"{self.begin_s:.2f} s into the scenario",
            "others": ", ".join(self.names.values()) or "none",
        }

    def close(self) -> None:
        """Nothing to end."""

    def _hand_over(self, wanted: bool, backwards: bool) -> None:
        player, ego = self._player, self._player.bodies[self._ego]
        player.step()
        while wanted and not ego.active >= {LATERAL, LONGITUDINAL}:
            if player.over or player.t_s > LONGEST_WAIT_S:
                raise MarqueError(
                    f"{player.scenario.file} ends before its ego's controller is activated"
                )
            player.step()
        if not ego.present:
            raise MarqueError(f"{player.scenario.file} never says where '{self._ego}' is")
        if ego.speed_mps < 0.0 and not backwards:
            raise MarqueError(
                f"{player.scenario.file} drives '{self._ego}' backwards, which our car does not; "
                "have marque prove scenarios, which plays the file's own driving"
            )

    def _way_end(self) -> tuple[float, float, float]:
        """Where the way ends that the file means for our car: x, y, heading; as far as roads go."""
        body = self._player.bodies[self._ego]
        if body.track is not None:
            return body.track.pose(body.track.length_m)
        roads, place = body.roads, body.place
        if roads is None or place is None:
            return body.pose
        step = FARTHEST_M
        while step > NEAREST_M:  # ever shorter steps, each as long as the last one that failed
            after = roads.follow(place, step, lane_offset_m=0.0)
            place = after if after is not None else place
            step *= 0.5
        return roads.lane_pose(place.road_id, place.lane_id, place.s_m)

    def _put(self, ego: EgoTruth) -> None:
        self._player.place(self._ego, ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps)

    def _world(self, ego: EgoTruth) -> World:
        return World(t_ns=self._t_ns, ego=ego, users=self._users(), heads=self._heads())

    def _users(self) -> RoadUsers:
        bodies = [self._player.bodies[name] for name in self._uids]
        shown = [body for body in bodies if body.present and body.seen]
        middles = np.array([body.centre for body in shown]).reshape(-1, 2)
        headings = np.array([body.heading_rad for body in shown])
        kinds = np.array([int(body.build.kind) for body in shown], dtype=np.int8)
        x_m, y_m = middles[:, 0].copy(), middles[:, 1].copy()
        lane, _, _ = self._index.match_many(x_m, y_m, headings, kinds)
        return RoadUsers(
            uid=np.array([self._uids[body.name] for body in shown], dtype=np.int64),
            kind=kinds,
            x_m=x_m,
            y_m=y_m,
            heading_rad=headings,
            speed_mps=_column(shown, "speed_mps"),
            accel_mps2=_column(shown, "accel_mps2"),
            length_m=np.array([body.build.length_m for body in shown]),
            width_m=np.array([body.build.width_m for body in shown]),
            indicator=np.array([int(_indicator(body)) for body in shown], dtype=np.int8),
            lane=lane,
        )

    def _heads(self) -> Int8Array:
        """The map's programs, and over them what the file says."""
        heads = self._programs.heads((self.begin_s * NS_PER_S + self._t_ns) / NS_PER_S)
        told = self._player.signals() if self._head_ids else {}
        for head, name in enumerate(self._head_ids):
            if name in told:
                word = told[name].replace(" ", "").lower()
                heads[head] = int(WORDS.get(word, SignalState.UNKNOWN))
        return heads


def _indicator(body: Body) -> Indicator:
    left, right = "indicatorLeft" in body.lamps, "indicatorRight" in body.lamps
    if "warningLights" in body.lamps or (left and right):
        return Indicator.HAZARD
    return Indicator.LEFT if left else Indicator.RIGHT if right else Indicator.OFF


def _column(bodies: list[Body], name: str) -> FloatArray:
    return np.array([float(getattr(body, name)) for body in bodies])


def _head_ids(roads: Roads, road_map: RoadMap) -> list[str]:
    """The file's signal id of every head of the map."""
    groups = Signs(roads.document).groups
    out = []
    for group, link in zip(road_map.head_group.tolist(), road_map.head_link.tolist(), strict=True):
        ids = groups.get(road_map.group_name[group], ())
        out.append(ids[link] if 0 <= link < len(ids) else "")
    return out


def activates_ego(scenario: Scenario, ego: str) -> bool:
    """Whether an event of the file activates the ego's controller."""
    return any(
        isinstance(action.what, AssignController)
        and action.what.longitudinal
        and ego in group.actors
        for story in scenario.storyboard.stories
        for each in story.acts
        for group in each.groups
        for maneuver in group.maneuvers
        for event in maneuver.events
        for action in event.actions
    )
