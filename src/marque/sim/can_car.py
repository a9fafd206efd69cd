"""A simulated real car behind its own buses: bytes out, bytes in.

One cycle of 10 ms: the car publishes its frames (each second cycle); opendbc's interface parses
them; its controller makes frames of what we ask; its safety model judges each; the actuators read
what it let pass; the car moves. Nothing else connects the two sides.

Steering by torque: the sum of torques at the rack is that of the tyres' alignment, so torque sets
lateral acceleration; towards standstill the tyres are turned on the spot, which takes as much
torque as LOW_MPS would. How much acceleration full torque gives is opendbc's fit of the real car.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from marque.core.arrays import FloatArray
from marque.core.time import NS_PER_S
from marque.types.world import EgoTruth
from marque.vehicle import dynamics
from marque.vehicle.can.bench import CYCLE_S, LOOPBACK, Bench, Body, Frame, Told
from marque.vehicle.can.real_car import RealCar
from marque.vehicle.can.safety import Safety

CYCLE_NS = round(CYCLE_S * NS_PER_S)
LOW_MPS = 1.0  # estimated
DRIVER_BRAKES_MPS2 = 2.5
CURVE_GAIN, CURVE_GAIN_1PS = 0.6, 0.9  # of the torque controller: per error of lateral acceleration
STOPS_MPS = 0.3

Spoil = Callable[[int, list[Frame]], list[Frame]]  # (time, frames) -> what arrives


@dataclass(frozen=True, slots=True)
class Hands:
    """What the person in the car does."""

    button: str = "none"
    brake: bool = False
    gas: bool = False
    torque: float = 0.0
    curvature_1pm: float = 0.0  # how it steers while the car does not


@dataclass(slots=True)
class Count:
    """Frames, so far."""

    published: int = 0
    sent: int = 0
    refused: list[tuple[int, Frame]] = field(default_factory=list)  # when, what


def begin_safety(car: RealCar) -> Safety:
    """opendbc's model for a car."""
    from opendbc.car import structs

    config = car.params.safetyConfigs[-1]
    modes = structs.CarParams.SafetyModel.schema.enumerants
    return Safety(modes[str(config.safetyModel)], int(config.safetyParam))


class CanCar:
    """One real car on its bench, with our side of the bus beside it."""

    def __init__(self, car: RealCar, place: tuple[float, float, float], speed_mps: float) -> None:
        from opendbc.car import structs

        self.car = car
        self._structs = structs
        self.safety = begin_safety(car)
        self.bench = Bench(car, self.safety)
        self.parameters: FloatArray = dynamics.parameters(car.platform)
        self.memory: FloatArray = dynamics.initial(car.platform, *place, speed_mps)
        self.t_ns = 0
        self.told = Told()
        self.cruise = False  # the car's own state
        self.parsed: Any = None  # opendbc's CarState
        self.count = Count()
        self.log: Callable[[int, Frame, bool], None] | None = None  # when, frame, from the car
        self._pressed = "none"
        self._steer_deg = 0.0
        self._torque_sum = 0.0
        self._again: list[Frame] = []
        self._cycle = 0

    def truth(self) -> EgoTruth:
        """Where it is and how it moves."""
        return EgoTruth(*dynamics.ego_truth(self.memory))

    def cycle(
        self, accel_mps2: float, curvature_1pm: float, hands: Hands, spoil: Spoil | None = None
    ) -> None:
        """10 ms, in which we ask for this while the car lets us."""
        self.t_ns += CYCLE_NS
        self.safety.at(self.t_ns)
        self._cruise(hands)
        heard: list[Frame] = []
        if self._cycle % 2 == 0:
            heard = self.bench.publish(self.body(hands))
            heard = heard if spoil is None else spoil(self.t_ns, heard)
        self._cycle += 1
        for frame in heard:
            self.safety.heard(frame.address, frame.data, frame.bus)
            self._note(frame, True)
        self.count.published += len(heard)
        heard, self._again = [*heard, *self._again], []
        self.parsed = self.car.interface.update([(self.t_ns, [tuple(f) for f in heard])])
        for frame in self._ask(accel_mps2, curvature_1pm):
            self._send(frame)
        self._move(hands)

    def _note(self, frame: Frame, from_car: bool) -> None:
        if self.log is not None:
            self.log(self.t_ns, frame, from_car)

    def _cruise(self, hands: Hands) -> None:
        """The car's own cruise control: on when set is let go, off by brake or cancel."""
        if self._pressed == "set" and hands.button == "none":
            self.cruise = True
        if hands.brake or hands.button == "cancel":
            self.cruise = False
        self._pressed = hands.button

    def body(self, hands: Hands) -> Body:
        """The truth as the car's sensors have it."""
        m = dynamics.ego_truth(self.memory)
        steer = math.degrees(m.steer_rad) * self.car.steer_ratio
        rate = (steer - self._steer_deg) / (2.0 * CYCLE_S)
        self._steer_deg = steer
        return Body(
            m.speed_mps, m.accel_mps2, steer, rate, m.yaw_rate_radps, self.cruise, hands.gas,
            hands.brake, hands.button, hands.torque, self.told.raw_torque,
        )  # fmt: skip

    @property
    def ours(self) -> bool:
        """Whether we may drive: the parsed state says so, and the safety model lets us."""
        state = self.parsed
        if state is None or not state.canValid or state.canTimeout:
            return False
        return bool(self.safety.allowed and state.cruiseState.enabled and not state.brakePressed)

    def _ask(self, accel: float, curvature: float) -> list[Frame]:
        """opendbc's controller, asked for this."""
        made = self._structs.CarControl()
        ours = self.ours
        made.enabled = ours
        made.latActive = ours and not self.parsed.steeringPressed
        made.longActive = ours and not self.parsed.gasPressed
        v = float(self.parsed.vEgo)
        lateral = made.actuators
        lateral.curvature = -curvature  # opendbc: right positive
        lateral.steeringAngleDeg = self._angle_deg(curvature, v)
        lateral.torque = self._torque(curvature, v) if made.latActive else 0.0
        if not made.latActive:
            self._torque_sum = 0.0
        lateral.accel = accel if made.longActive else 0.0
        state = self._structs.CarControl.Actuators.LongControlState
        stops = accel < 0.0 and v < STOPS_MPS
        lateral.longControlState = (
            (state.stopping if stops else state.pid) if made.longActive else state.off
        )
        made.hudControl.setSpeed = 15.0
        made.hudControl.speedVisible = ours
        made.hudControl.leadDistanceBars = 2
        made.cruiseControl.resume = ours and accel > 0.0 and bool(self.parsed.standstill)
        _, sends = self.car.interface.apply(made.as_reader(), self.t_ns)
        return [Frame(int(a), bytes(d), int(b)) for a, d, b in sends]

    def _angle_deg(self, curvature: float, v: float) -> float:
        p = self.car.platform
        angle = math.atan(curvature * (p.wheelbase_m + p.understeer_rads2pm * v * v))
        return math.degrees(angle) * self.car.steer_ratio

    def _torque(self, curvature: float, v: float) -> float:
        """Feed-forward of lateral acceleration, and a correction by the angle that is measured."""
        p = self.car.platform
        angle = math.radians(float(self.parsed.steeringAngleDeg)) / self.car.steer_ratio
        now = math.tan(angle) / (p.wheelbase_m + p.understeer_rads2pm * v * v)
        stiff = v * v + LOW_MPS * LOW_MPS
        error = (curvature - now) * stiff
        most = self.car.lateral_factor_mps2
        self._torque_sum += CURVE_GAIN_1PS * error * CYCLE_S
        self._torque_sum = min(0.5 * most, max(-0.5 * most, self._torque_sum))
        asked = curvature * stiff + CURVE_GAIN * error + self._torque_sum
        return min(1.0, max(-1.0, asked / most))

    def _send(self, frame: Frame) -> None:
        """Through the judge, to the actuators."""
        self.count.sent += 1
        if not self.safety.may_send(*frame):
            self.count.refused.append((self.t_ns, frame))
            return
        self._note(frame, False)
        self._again.append(Frame(frame.address, frame.data, LOOPBACK + frame.bus))
        self.told = self.bench.read(self.told, frame, float(self.memory[dynamics.SPEED]))

    def _move(self, hands: Hands) -> None:
        """What the actuators were told, while the car lets them; else it rolls, or is braked."""
        accel, curvature = 0.0, hands.curvature_1pm
        v = float(self.memory[dynamics.SPEED])
        if self.cruise:
            accel = self.told.accel_mps2 or 0.0
            curvature = self._curvature(v) if self.told.lateral is not None else curvature
        if hands.brake:
            accel = -DRIVER_BRAKES_MPS2
        elif hands.gas:
            accel = max(accel, 0.5)
        self.memory = dynamics.step(self.parameters, self.memory, accel, curvature, CYCLE_S)

    def _curvature(self, v: float) -> float:
        """Of what steers now."""
        value, p = self.told.lateral, self.car.platform
        if value is None:
            return 0.0
        if self.told.way == "torque":
            return value * self.car.lateral_factor_mps2 / (v * v + LOW_MPS * LOW_MPS)
        if self.told.way == "angle_deg":
            angle = math.radians(value) / self.car.steer_ratio
            return math.tan(angle) / (p.wheelbase_m + p.understeer_rads2pm * v * v)
        return value
