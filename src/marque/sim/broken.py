"""Faults of the car and of the stack itself, laid over a drive: the twin of `sensing.faults`.

The car's are laid between the guard's command and its actuators, the stack's between the driver and
the tick. Rows are those of the table in `docs/faults.md`; a row in brackets is not in the table.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import BASE_STEP_NS, PLAN_STEP_S, nanoseconds, seconds
from marque.sensing.faults import FAULTS, Fault, Laid
from marque.sensing.faults import find as find_among
from marque.stack.planning.contract import Driver
from marque.types.codes import Reaction
from marque.types.forecast import Forecast
from marque.types.mission import Mission
from marque.types.plan import Plan, Trajectory
from marque.types.scene import Scene
from marque.vehicle import dynamics

CAR, STACK = "car", "stack"
R3, R4 = Reaction.STOP, Reaction.HARD
DEAD = Laid("dead", STACK)  # so that brakes are needed

BROKEN: tuple[Fault, ...] = (
    Fault("brakes_half", "(b)", "brake pressure halved; the planner dies, too",
          (Laid("brake", CAR, 0.5), DEAD), ("brake_weak",), R4, 1.0),
    Fault("brakes_quarter", "51", "brakes do a quarter of what is asked; the planner dies, too",
          (Laid("brake", CAR, 0.25), DEAD), ("brake_weak",), R4, 1.0),
    Fault("grip_low", "(g)", "friction 0.3; the planner dies, too",
          (Laid("friction", CAR, 0.3), DEAD), ("plan_stale",), R3, 0.3),
    Fault("steering_frozen", "50", "the road wheels stay as they are", (Laid("freeze", CAR),),
          ("steering_dead",), R4, 2.0),
    Fault("planner_late", "32", "every plan comes 300 ms late", (Laid("late", STACK, 0.3),),
          ("plan_stale",), R3, 0.3),
    Fault("planner_infeasible", "33", "plans bend harder than the car can", (Laid("hard", STACK),),
          ("fallback_too_hard", "fallback_jumps"), R3, 0.2),
    Fault("planner_dead", "34", "no more plans come", (DEAD,), ("plan_stale",), R3, 0.3),
    Fault("planner_nan", "35", "plans are not numbers", (Laid("nan", STACK),),
          ("plan_not_finite",), R3, 0.2),
)  # fmt: skip

# rows of the table that neither the car nor the stack has a part for, or that stand elsewhere
NO_PART: dict[str, str] = {
    "36": "no watch over oscillating commands; the corridor bounds them",
    "37": "guard and car run in one process: nothing times out behind the guard",
    "38": "no supervisor process",
    "43": "messages have no senders",
    "44": "units are fixed by the schema",
    "45": "one program: no schema to differ",
    "46": "no CAN on the way to the simulated car",
    "47": "no CAN on the way to the simulated car",
    "48": "no CAN on the way to the simulated car",
    "49": "no CAN on the way to the simulated car",
    "52": "the model's brake always wins",
    "53": "no torque limit in the steering's model",
    "54": "tests/guard/test_takeover.py: override",
    "55": "no camera on the driver; its attention is told",
    "56": "tests/guard/test_takeover.py: attention escalates",
    "57": "tests/guard/test_takeover.py: belt, door, seat",
    "60": "simulated time: nothing starves",
    "61": "simulated time: nothing throttles",
    "62": "no processes to restart",
    "63": "no GPU",
    "64": "tests/record: a full disk",
    "65": "the writer is a process of its own",
    "66": "tests/record: a killed writer",
    "67": "no update yet",
    "68": "no supply voltage",
    "69": "no network",
}


def find(name: str) -> Fault:
    """A fault of senses, car or stack by name or row. MarqueError: unknown."""
    return find_among(name, (*FAULTS, *BROKEN))


def breaks(fault: Fault | None) -> bool:
    """Whether it is one of the car or the stack."""
    return fault is not None and any(laid.of in (CAR, STACK) for laid in fault.laid)


class Actuators:
    """Between command and car."""

    def __init__(self, fault: Fault | None) -> None:
        self.laid = () if fault is None else tuple(one for one in fault.laid if one.of == CAR)
        self.from_ns = 0 if fault is None else nanoseconds(fault.from_s)
        self.t_ns = 0
        self.held: float | None = None

    def act(
        self, parameters: FloatArray, accel: float, curvature: float
    ) -> tuple[FloatArray, float, float]:
        """Parameters and command as the broken car has them, each base step."""
        on = self.t_ns >= self.from_ns
        self.t_ns += BASE_STEP_NS
        for laid in self.laid if on else ():
            if laid.do == "brake" and accel < 0.0:
                accel *= laid.amount
            if laid.do == "friction":
                parameters = parameters.copy()
                parameters[dynamics.FRICTION] = laid.amount
            if laid.do == "freeze":
                self.held = curvature if self.held is None else self.held
                curvature = self.held
        return parameters, accel, curvature


class BrokenDriver:
    """A driver whose plans are late, missing or wrong from a moment on."""

    def __init__(self, driver: Driver, fault: Fault) -> None:
        self.driver, self.fault = driver, fault

    def start(self, mission: Mission) -> Any:
        """The driver's own memory, and its last plans."""
        return self.driver.start(mission), (), None

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[Any, Plan]:
        """The plan as it reaches the tick."""
        own, last, whole = memory
        own, plan = self.driver.drive(own, scene, forecast)
        last = (*last[-9:], plan)
        since_s = seconds(scene.t_ns) - self.fault.from_s
        if since_s < 0.0:
            return (own, last, plan), plan
        for laid in self.fault.laid:
            if laid.of == STACK:
                plan = _spoiled(laid, plan, last, whole or plan)
        return (own, last, whole), plan


def _spoiled(laid: Laid, plan: Plan, last: tuple[Plan, ...], whole: Plan) -> Plan:
    """What comes instead; `last`: the newest plans as they were made; `whole`: the last one from
    before the fault."""
    go = plan.trajectory
    if laid.do == "dead":
        return whole
    if laid.do == "late":
        back = round(laid.amount / PLAN_STEP_S) + 1
        return last[-min(len(last), back)]
    if laid.do == "nan":
        return replace(plan, trajectory=replace(go, x_m=np.full_like(go.x_m, np.nan)))
    return replace(plan, fallback=_bent(plan.fallback))


def _bent(stop: Trajectory) -> Trajectory:
    """Half a metre to and fro between samples: no car can."""
    away = 0.5 * (np.arange(len(stop.y_m)) % 2) * (stop.speed_mps > 0.0)
    return replace(stop, y_m=stop.y_m + away, curvature_1pm=stop.curvature_1pm + away)
