"""The process in which SUMO lives: `python -m marque.sim.worlds.sumo_child FD`.

Serves frames (see `sumo_link`) until the wire closes. Imports nothing heavy, so that it starts
fast.
"""

import contextlib
import ctypes
import json
import os
import pickle
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.sim.worlds import sumo_link as link
from marque.sim.worlds.sumo_demand import Demand, Wanted, read_network
from marque.sim.worlds.sumo_run import Sumo
from marque.sim.worlds.sumo_taken import PLACE, cars, take_place

EGO_STEP = struct.Struct("<6d")  # front x, y, angle (deg), speed, accel after the step; indicator


class Server:
    """What the wire can ask for."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.lib: Any = None
        self.sumo: Sumo | None = None
        self.closed = False
        self.branched = False

    def progress(self, text: str) -> None:
        link.send(self.wire, link.PROGRESS, text.encode())

    def open(self, setup: dict[str, Any]) -> dict[str, Any]:
        """Start SUMO from a warmed state (made here when it is missing)."""
        import libsumo

        self.lib = libsumo
        state, kept = Path(setup["state"]), Path(setup["state"] + ".json")
        made = not (state.exists() and kept.exists())
        if made:
            self._warm(setup, state, kept)
        try:
            data = self._load(setup, state, kept)
        except (MarqueError, OSError, ValueError):
            if made:
                raise
            self._warm(setup, state, kept)  # a damaged state is made again
            data, made = self._load(setup, state, kept), True
        self.sumo = sumo = Sumo(libsumo, setup)
        self._check_map(sumo)
        if setup["demand"] is not None:
            sumo.demand = Demand(
                read_network(Path(setup["net"])), Wanted(*setup["demand"]), setup["seed"]
            )
            sumo.demand.load(data)
        for second in range(setup["settle_s"]):
            sumo.tend(walkers=True)
            for _ in range(10):
                libsumo.simulationStep()
            if second == 0 and sumo.demand is not None and sumo.demand.starts.edges:
                self._need_walkers()
        return {
            "version": libsumo.getVersion()[1],
            "time_s": libsumo.simulation.getTime(),
            "vehicles": libsumo.vehicle.getIDCount(),
            "walkers": libsumo.person.getIDCount(),
            "refused": sumo.demand.refused if sumo.demand is not None else 0,
            "made": made,
            "delta_s": libsumo.simulation.getDeltaT(),
        }

    def _load(self, setup: dict[str, Any], state: Path, kept: Path) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(kept.read_text())
        self._start([*setup["args"], "--load-state", str(state)])
        return data

    def _need_walkers(self) -> None:
        if self.lib.person.getIDCount() == 0 and self.sumo and self.sumo.demand:
            wanted = self.sumo.demand.target.walkers
            if wanted:
                raise MarqueError("SUMO took in none of the people on foot")

    def _start(self, args: list[str]) -> None:
        lib = self.lib
        if lib.isLoaded():
            lib.close()
        try:
            lib.start(["sumo", *args])
        except Exception as error:
            text = " ".join(str(error).split())
            raise MarqueError(f"SUMO cannot start: {text}") from error

    def _warm(self, setup: dict[str, Any], state: Path, kept: Path) -> None:
        """Fill the roads: coarse steps first, then 0.1 s, and keep the state."""
        lib = self.lib
        state.parent.mkdir(parents=True, exist_ok=True)
        aside = state.with_name(f".{os.getpid()}.{state.name}")
        demand: Demand | None = None
        begin = setup["begin"]
        saved: str | None = None
        try:
            for step, until in setup["warm"]:
                more = ["--load-state", saved] if saved else ["--begin", str(begin)]
                self._start([*setup["warm_args"], "--step-length", str(step), *more])
                sumo = Sumo(lib, setup)
                if setup["demand"] is not None:
                    if demand is None:
                        network = read_network(Path(setup["net"]))
                        demand = Demand(network, Wanted(*setup["demand"]), setup["seed"])
                    sumo.demand = demand
                per_second = round(1.0 / step)
                while lib.simulation.getTime() < until - 1e-6:
                    sumo.tend(walkers=False)
                    for _ in range(per_second):
                        lib.simulationStep()
                    now = lib.simulation.getTime()
                    if round(now) % 30 == 0:
                        self.progress(f"warming the traffic up: {now:.0f} s of {until:.0f} s")
                saved = str(aside)
                lib.simulation.saveState(saved)
            data = demand.save() if demand is not None else {}
            write_text(kept, json.dumps(data))
            os.replace(aside, state)
        finally:
            aside.unlink(missing_ok=True)

    def _check_map(self, sumo: Sumo) -> None:
        """The map and SUMO's network must be the same roads."""
        have = set(self.lib.trafficlight.getIDList())
        for group in sumo.groups:
            if group not in have:
                raise MarqueError(
                    f"the map has a signal group '{group}' that SUMO's network lacks; "
                    "map and traffic are of different networks"
                )
        edges = set(self.lib.edge.getIDList())
        for edge in sumo.setup["ego"]["route"]:
            if edge not in edges:
                raise MarqueError(
                    f"the route uses edge '{edge}' that SUMO's network lacks; "
                    "map and traffic are of different networks"
                )

    def reset(self, x: float, y: float, angle: float, speed: float, accel: float) -> bytes:
        """Insert the ego; the first frame."""
        sumo = self._sumo()
        sumo.insert_ego(x, y, angle)
        sumo.speed, sumo.accel = speed, accel
        return sumo.frame()

    def set_route(self, edges: tuple[str, ...]) -> None:
        """The ego's way from here on."""
        self._sumo().route_wanted = edges

    def facts(self) -> dict[str, Any]:
        sumo = self._sumo()
        return {
            **sumo.counts,
            "went_first": sumo.courtesy.went_first,
            "waited_beside": sumo.beside_us.holds,
            "braked_for_body": sumo.eyes.brakes,
            "steered_past": sumo.eyes.aside.passed,
            "collisions_among_others": len(sumo.pairs),
            "collisions_with_ego": [[k, *v] for k, v in sumo.ego_pairs.items()],
            "vehicles": self.lib.vehicle.getIDCount(),
            "walkers": self.lib.person.getIDCount(),
        }

    def routes(self) -> dict[str, tuple[str, ...]]:
        """Who is on the road, and the edges of each one's route."""
        vehicle = self.lib.vehicle
        return {name: tuple(vehicle.getRoute(name)) for name in vehicle.getIDList()}

    def branch(self) -> list[tuple[Any, ...]]:
        """Go on in a copy of this process, which serves until `rejoin`; here nothing moves on
        meanwhile. Whose place our car may take (see `sumo_taken`).
        """
        self._sumo().levels.sort_in()  # once for all branches
        copy = os.fork()
        if copy:
            _, status = os.waitpid(copy, 0)
            if status:
                raise MarqueError(f"SUMO died in a branch (status {status})")
            return []  # the answer to `rejoin`
        _die_with_parent()
        self.branched = True
        return cars(self._sumo())

    def take(self, name: str, far_m: float) -> bytes:
        """Our car in the place of somebody; the first frame, where it stands in front."""
        sumo = self._sumo()
        place = take_place(sumo, name, far_m)
        return PLACE.pack(*place) + sumo.frame()

    def rejoin(self) -> None:
        """End the copy; who waits for it answers."""
        if not self.branched:
            raise MarqueError("there is no branch to leave")
        os._exit(0)

    def close(self) -> None:
        """Finish SUMO's own files."""
        self.closed = True
        if self.lib is not None and self.lib.isLoaded():
            self.lib.close()

    def step(self, payload: bytearray) -> bytes:
        """Move the ego, advance 0.1 s, the next frame."""
        sumo = self._sumo()
        x, y, angle, speed, accel, indicator = EGO_STEP.unpack(payload)
        sumo.move_ego(x, y, angle, speed, accel)
        sumo.indicator = int(indicator)
        sumo.advance()
        return sumo.frame()

    def reference(self, task: dict[str, Any]) -> dict[str, Any]:
        """SUMO's own driver on the ego's route."""
        from marque.sim.worlds.sumo_driver import drive

        return drive(self._sumo(), task)

    def _sumo(self) -> Sumo:
        if self.sumo is None:
            raise MarqueError("SUMO has not been started")
        return self.sumo

    def serve(self) -> None:
        """Until the wire closes, or `close` was asked for."""
        while not self.closed:
            try:
                kind, payload = link.receive(self.wire)
            except (EOFError, OSError):
                return
            try:
                self._answer(kind, payload)
            except MarqueError as error:
                link.send(self.wire, link.ERROR, str(error).encode())
            except Exception as error:  # libsumo raises several kinds
                text = f"SUMO failed: {type(error).__name__}: {error}"
                print(text, file=sys.stderr, flush=True)
                link.send(self.wire, link.ERROR, text.encode())

    def _answer(self, kind: bytes, payload: bytearray) -> None:
        if kind == link.STEP:
            link.send(self.wire, link.FRAME, self.step(payload))
            return
        verb, args = pickle.loads(payload)
        answer = getattr(self, verb)(*args)
        if isinstance(answer, bytes):
            link.send(self.wire, link.FRAME, answer)
            return
        link.send(self.wire, link.ANSWER, pickle.dumps(answer, protocol=5))


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; Linux alone


def main() -> None:
    """Entry point."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    server = Server(socket.socket(fileno=int(sys.argv[1])))
    try:
        server.serve()
    finally:
        server.close()


if __name__ == "__main__":
    main()
