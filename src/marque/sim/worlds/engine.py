"""A world of our own engine's traffic, with our car in it.

Our car is a road user of the engine that others see and the engine does not move: it stands in the
lists of its lane, with a shadow on a lane beside that its body reaches into, and comes to junctions
as committed as its speed makes it. The others decide from what they saw at the beginning of a step.
Results in this world are labelled `own engine` and never stand for results in foreign traffic.
"""

from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np

from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS
from marque.kernels.gaps import brake_way
from marque.maps.lookup import LaneIndex
from marque.sim.engine import state as at
from marque.sim.engine.bodies import boxes_of
from marque.sim.engine.engine import STEP_S, Engine, open_engine
from marque.sim.engine.entry import decide_pass
from marque.sim.engine.network import CONNECTOR, LENGTH
from marque.sim.engine.people import KIND_USER, KIND_WIDTH_M
from marque.sim.engine.rows import cast_shadow, drop_shadow, put_in, take_out
from marque.sim.engine.state import scratch_row
from marque.sim.engine.step import OUTSIDE, set_heads
from marque.sim.worlds.port import TrafficCounts
from marque.types.codes import Indicator, Turn
from marque.types.episode import Event
from marque.types.road_map import NONE, RoadMap
from marque.types.world import EgoTruth, RoadUsers, World

LABEL = "own engine"
EGO = 0  # its slot
WARM_S = 60.0
ROOM_M = 12.0  # nobody begins so near our car
SIGN_M = 40.0  # a turn is indicated so far ahead
USERS_PER_KM, MOST_USERS = 9.0, 1200  # present, where nobody says how many
SURE_BRAKE_MPS2 = 2.5


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What traffic it will be. goal: of our car, by which others know where it turns."""

    road_map: RoadMap
    index: LaneIndex
    seed: int
    density: int | None
    goal_lane: int
    goal_s_m: float
    ego_length_m: float
    ego_width_m: float
    ego_front_m: float

    @property
    def users(self) -> int:
        """How many others there are."""
        if self.density is not None:
            return self.density
        m = self.road_map
        road = ~m.lane_connector & ((m.lane_allow & 1) != 0)
        km = float(m.lane_length_m[road].sum()) / 1000.0
        return int(min(MOST_USERS, max(1.0, USERS_PER_KM * km)))


class EngineWorld:
    """A `RoadWorld`."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        if spec.users < 1:
            raise MarqueError(
                "the engine's traffic needs --density of at least 1; have "
                "--traffic none for an empty road"
            )
        goal = (spec.goal_lane, spec.goal_s_m)
        self._engine: Engine = open_engine(
            spec.road_map, 1, spec.users + 1, spec.seed, None, 1, first_goal=goal
        )
        self._w = self._engine.worlds.world(0)
        self._leave_to_us()
        self._engine.step(round(WARM_S / STEP_S))
        self._warm = self._engine.snapshot()
        self._t_ns = 0
        self._removed = 0
        self.label = f"{LABEL} ({spec.users} road users)"
        self.names: dict[int, str] = {}
        self.events: list[Event] = []

    def _leave_to_us(self) -> None:
        """Slot 0 becomes our car, which is nowhere yet."""
        w = self._w
        if w.whole[at.LANE, EGO] >= 0:
            drop_shadow(w, EGO)
            take_out(w, EGO)
        w.whole[at.BLIND, EGO] = OUTSIDE
        w.whole[at.KIND, EGO] = 0
        w.real[at.SIZE, EGO] = self._spec.ego_length_m

    def reset(self, ego: EgoTruth) -> World:
        """Bring the traffic to the start of the drive, with the ego in it; the truth at t = 0."""
        self._engine.restore(self._warm)
        self._t_ns = 0
        self.names.clear()
        self.events.clear()
        self._make_room(ego)
        self._put(ego)
        return self._world(ego)

    def step(self, ego: EgoTruth, indicator: Indicator = Indicator.OFF) -> World:
        """The others drive for 100 ms, then our car is where it is at the end of them."""
        self._engine.step(1)
        self._put(ego)
        self._t_ns += PLAN_STEP_NS
        return self._world(ego)

    def counts(self) -> TrafficCounts:
        """Totals since `reset`; who stood for five minutes was removed, as SUMO teleports."""
        done = self._w.counts - self._warm.counts[0]
        return TrafficCounts(int(done[at.BEGUN]), int(done[at.STUCK]), 0, 0)

    def set_route(self, edges: tuple[str, ...]) -> None:
        """The others read our way from our goal; a detour shows when we take it."""

    def facts(self) -> dict[str, str]:
        """How the traffic was set up and what it did, for printing."""
        done = self._w.counts - self._warm.counts[0]
        return {
            "simulator": LABEL,
            "demand": f"{self._spec.users} road users, each begins a new trip when one ends, "
            f"seed {self._spec.seed}",
            "arrived meanwhile": f"{int(done[at.ARRIVED])}",
            "removed after five minutes of standing": f"{int(done[at.STUCK])}",
            "removed to make room for our car": f"{self._removed}",
        }

    def close(self) -> None:
        """Nothing to end."""

    def _make_room(self, ego: EgoTruth) -> None:
        """Take those away who stand where our car begins."""
        w, middle = self._w, self._middle(ego)
        boxes = boxes_of(self._engine.network, self._engine.shape, w, self._spec.users + 1)
        self._removed = 0
        for k, slot in enumerate(boxes.slot.tolist()):
            if slot != EGO and hypot(boxes.x[k] - middle[0], boxes.y[k] - middle[1]) < ROOM_M:
                drop_shadow(w, slot)
                take_out(w, slot)
                w.whole[at.TRIP, slot] += 1
                w.whole[at.BEGAN, slot] = w.clock[at.STEP]
                self._removed += 1

    def _middle(self, ego: EgoTruth) -> tuple[float, float]:
        ahead = self._spec.ego_front_m - 0.5 * self._spec.ego_length_m
        return ego.x_m + ahead * cos(ego.heading_rad), ego.y_m + ahead * sin(ego.heading_rad)

    def _lane_at(self, x: float, y: float, heading: float) -> tuple[int, float, float]:
        """(engine lane, s, d) there; -1 when our car is on none."""
        found = self._spec.index.nearest(x, y, heading, max_m=6.0)
        if found is None:
            return NONE, 0.0, 0.0
        lane = int(self._engine.shape.engine_of[found[0]])
        return lane, found[1], found[2]

    def _put(self, ego: EgoTruth) -> None:
        """Our car into the lists, where it is now."""
        w, net, spec = self._w, self._engine.network, self._spec
        if w.whole[at.LANE, EGO] >= 0:
            drop_shadow(w, EGO)
            take_out(w, EGO)
        c, s = cos(ego.heading_rad), sin(ego.heading_rad)
        front = ego.x_m + spec.ego_front_m * c, ego.y_m + spec.ego_front_m * s
        lane, along, _aside = self._lane_at(*front, ego.heading_rad)
        w.real[at.SPEED, EGO] = max(0.0, ego.speed_mps)
        w.real[at.ACC, EGO] = ego.accel_mps2
        if lane < 0:
            return
        put_in(w, EGO, lane, min(along, float(net.real[LENGTH, lane])))
        self._way_on(lane, along)
        w.real[at.WAIT, EGO] = w.real[at.WAIT, EGO] + STEP_S if ego.speed_mps < 0.1 else 0.0
        half = 0.5 * spec.ego_width_m
        for side in (half, -half):  # a corner on another lane casts a shadow there
            for reach in (spec.ego_front_m, 0.0):
                x, y = ego.x_m + reach * c - side * s, ego.y_m + reach * s + side * c
                other, there, d = self._lane_at(x, y, ego.heading_rad)
                beside = other >= 0 and other != lane and abs(d) < 1.6
                if beside and not net.whole[CONNECTOR, other] and not net.whole[CONNECTOR, lane]:
                    gone = spec.ego_front_m - reach
                    length = float(net.real[LENGTH, other])
                    cast_shadow(w, EGO, other, min(there + gone, length))
                    return

    def _way_on(self, lane: int, along: float) -> None:
        """Where our car goes next, and whether it can still stop before."""
        w, net, ways = self._w, self._engine.network, self._engine.ways
        w.whole[at.GOAL, EGO] = 0
        w.whole[at.PASS1, EGO] = w.whole[at.PASS2, EGO] = NONE
        if net.whole[CONNECTOR, lane]:
            w.whole[at.CAME, EGO] = lane
            w.whole[at.VIA, EGO] = NONE
            return
        via = int(ways.table[0, 0, lane]) if ways.goals[0, 0] != lane else NONE
        w.whole[at.VIA, EGO] = via
        room = float(net.real[LENGTH, lane]) - along
        v = float(w.real[at.SPEED, EGO])
        if via >= 0 and v > 0.5 and brake_way(v, SURE_BRAKE_MPS2) + 0.5 * v > room:
            decide_pass(w, EGO, via)

    def _world(self, ego: EgoTruth) -> World:
        engine, w = self._engine, self._w
        boxes = boxes_of(engine.network, engine.shape, w, self._spec.users + 1)
        keep = boxes.slot != EGO
        slot = boxes.slot[keep]
        uid = slot + (self._spec.users + 1) * w.whole[at.TRIP, slot].astype(np.int64)
        for one in uid.tolist():
            self.names.setdefault(one, f"own-{one}")
        lane = w.whole[at.LANE, slot]
        on_road = lane < engine.network.lanes
        map_lane = np.full(len(slot), NONE, dtype=np.int32)
        map_lane[on_road] = engine.shape.lane_of[lane[on_road]]
        kind = w.whole[at.KIND, slot]
        users = RoadUsers(
            uid=uid,
            kind=KIND_USER[kind],
            x_m=boxes.x[keep],
            y_m=boxes.y[keep],
            heading_rad=boxes.heading[keep],
            speed_mps=w.real[at.SPEED, slot].astype(np.float64),
            accel_mps2=w.real[at.ACC, slot].astype(np.float64),
            length_m=boxes.length[keep],
            width_m=KIND_WIDTH_M[kind],
            indicator=self._indicators(slot),
            lane=map_lane,
        )
        scratch = scratch_row(engine.scratch, 0)
        set_heads(engine.lights, scratch, float(w.clock[at.STEP]) * STEP_S)
        heads = scratch.heads[: engine.lights.head_count].astype(np.int8)
        return World(t_ns=self._t_ns, ego=ego, users=users, heads=heads)

    def _indicators(self, slot: np.ndarray) -> np.ndarray:
        """A change of lanes under way, or the turn that comes next."""
        w, engine = self._w, self._engine
        out = np.zeros(len(slot), dtype=np.int8)
        lane, via = w.whole[at.LANE, slot], w.whole[at.VIA, slot]
        turning = np.where(via >= 0, via, np.where(lane < engine.network.lanes, lane, 0))
        left_m = engine.network.real[LENGTH, lane] - w.real[at.AT, slot]
        turn = self._spec.road_map.lane_turn[engine.shape.lane_of[turning]]
        near = (left_m < SIGN_M) & (lane < engine.network.lanes)
        out[near & ((turn == Turn.LEFT) | (turn == Turn.U_TURN))] = Indicator.LEFT
        out[near & (turn == Turn.RIGHT)] = Indicator.RIGHT
        changing = w.whole[at.SHADOW, slot] >= 0
        lat = w.real[at.LAT, slot]
        out[changing & (lat < 0.0)] = Indicator.LEFT
        out[changing & (lat > 0.0)] = Indicator.RIGHT
        return out
