"""The engine: worlds of road users on one map, stepped by as many threads as are asked for."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from marque.core.errors import MarqueError
from marque.sim.engine import state
from marque.sim.engine.look import Rules
from marque.sim.engine.network import LAT_ACCEL_MPS2, Lights, Network, Shape, network_of
from marque.sim.engine.people import BICYCLE, KINDS, WALKER, Habits, Kinds
from marque.sim.engine.state import Scratch, World, Worlds, new_scratch, new_worlds
from marque.sim.engine.step import fill, run_worlds
from marque.sim.engine.ways import Goal, Starts, Ways, ways_of
from marque.types.road_map import RoadMap

STEP_S = 0.1
FILL_ROUNDS = 60
Plan = tuple[Network, Lights, Shape, Ways, Starts]


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """W worlds on one map. `step` changes them in place."""

    network: Network
    lights: Lights
    shape: Shape
    ways: Ways
    starts: Starts
    kinds: Kinds
    rules: Rules
    worlds: Worlds
    scratch: Scratch
    threads: int

    def step(self, steps: int = 1) -> None:
        """Advance all worlds. The result does not depend on the number of threads."""
        count, threads = self.worlds.count, min(self.threads, self.worlds.count)
        if threads <= 1:
            self._run(0, 0, count, steps)
            return
        cut = np.linspace(0, count, threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            parts = [pool.submit(self._run, t, cut[t], cut[t + 1], steps) for t in range(threads)]
            for part in parts:
                part.result()

    def _run(self, thread: int, low: int, high: int, steps: int) -> None:
        run_worlds(
            self.network, self.lights, self.ways, self.starts, self.kinds, self.rules,
            self.worlds.rows, self.scratch, thread, low, high, steps,
        )  # fmt: skip

    def snapshot(self) -> World:
        """A copy of everything that changes."""
        return state.snapshot(self.worlds)

    def restore(self, saved: World) -> None:
        """Back to a snapshot."""
        state.restore(self.worlds, saved)

    def totals(self) -> np.ndarray:
        """[COUNTERS] sums over all worlds since the beginning (see `state`)."""
        return np.asarray(self.worlds.rows.counts.sum(axis=0))

    def bytes_per_user(self) -> float:
        """Of the state of all worlds."""
        return self.worlds.nbytes / (self.worlds.count * self.worlds.users)


def open_engine(
    road_map: RoadMap,
    worlds: int,
    users: int,
    seed: int = 1,
    habits: Habits | None = None,
    threads: int = 1,
    lat_accel: float = LAT_ACCEL_MPS2,
    first_goal: Goal | None = None,
) -> Engine:
    """Worlds whose road users begin a new trip whenever one ends, filled and ready.

    MarqueError: no worlds or road users, a map without lanes for cars, more than fit.
    """
    if worlds < 1 or users < 1:
        raise MarqueError(
            f"an engine needs at least one world and one road user, not {worlds} and {users}"
        )
    plan = plan_of(road_map, seed, lat_accel, first_goal)
    made = make_engine(road_map, plan, worlds, users, seed, habits, threads, hold=True)
    spread_out(made, road_map.name, habits or Habits())
    return made


def plan_of(
    road_map: RoadMap,
    seed: int,
    lat_accel: float = LAT_ACCEL_MPS2,
    first_goal: Goal | None = None,
) -> Plan:
    """A map as the engine needs it, with goals drawn by seed; first_goal (lane of the map, s) is
    number 0."""
    network, lights, shape = network_of(road_map, lat_accel)
    return network, lights, shape, *ways_of(road_map, network, shape, seed, first_goal)


def make_engine(
    road_map: RoadMap,
    plan: Plan,
    worlds: int,
    users: int,
    seed: int,
    habits: Habits | None,
    threads: int,
    hold: bool,
) -> Engine:
    """An engine with nobody on the road yet."""
    habits = habits or Habits()
    network, lights, shape, ways, starts = plan
    lanes, walks = network.lanes, network.walks.shape[1]
    rules = Rules(
        krauss=int(habits.model == "krauss"),
        change=int(habits.lane_changes),
        left_hand=int(road_map.left_hand),
        hold=int(hold),
        blind_share=float(habits.inattentive),
        seed=int(seed),
        step_s=STEP_S,
    )
    threads = max(1, threads)
    return Engine(
        network=network,
        lights=lights,
        shape=shape,
        ways=ways,
        starts=starts,
        kinds=KINDS,
        rules=rules,
        worlds=new_worlds(worlds, users, lanes + walks),
        scratch=new_scratch(threads, lanes, users, lights.head_count, walks),
        threads=threads,
    )


def spread_out(engine: Engine, map_name: str, habits: Habits) -> None:
    """Everybody on the road. MarqueError: they do not fit; it says how many do."""
    mix = mix_of(engine, habits)
    spreads = np.array([habits.speed_spread, habits.headway_spread])
    args = (engine.network, engine.ways, engine.starts, engine.kinds, engine.rules)
    users = engine.worlds.users
    for k in range(engine.worlds.count):
        there = fill(*args, engine.worlds.rows, engine.scratch, mix, spreads, k, FILL_ROUNDS)
        if there < 0.97 * users:
            raise MarqueError(
                f"map '{map_name}' has no room for {users} road users in one world; {there} fit"
            )


def mix_of(engine: Engine, habits: Habits) -> np.ndarray:
    """Cumulative shares of the kinds, without those for whom the map has no ways."""
    share = np.array(habits.mix, dtype=np.float64)
    if len(engine.network.over_walk) == 0:
        share[WALKER] = 0.0
    if engine.ways.first_cycle == len(engine.ways.goal_s):
        share[BICYCLE] = 0.0
    until = np.cumsum(share / share.sum())
    until[-1] = 2.0
    return until
