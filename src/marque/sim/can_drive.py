"""A drive over a real car's buses: our commands go out as frames, through opendbc's judge."""

from marque.core.time import BASE_STEP_NS
from marque.sim.can_car import CYCLE_NS, CanCar, Hands
from marque.sim.drive import Car, Setup
from marque.types.world import EgoTruth
from marque.vehicle import dynamics
from marque.vehicle.can.real_car import load_real

PRESS_S, EACH_S = (
    0.3,
    1.5,
)  # the person presses set so long, and again after so long, until it is on


class OverCan(Car):
    """Stands in for `Car`: the same steps, each as two cycles of the buses."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        m = self.memory
        place = (float(m[dynamics.X]), float(m[dynamics.Y]), float(m[dynamics.HEADING]))
        self.bench = CanCar(load_real(setup.real_car), place, float(m[dynamics.SPEED]))
        self.steps = 0

    def truth(self) -> EgoTruth:
        """Where it is and how it moves."""
        return self.bench.truth()

    def step(self, accel_mps2: float, curvature_1pm: float) -> None:
        """One base step under a command, while the car lets us."""
        at_s = self.steps * BASE_STEP_NS / 1e9 % EACH_S
        press = not self.bench.ours and at_s < PRESS_S
        hands = Hands(button="set" if press else "none")
        for _ in range(BASE_STEP_NS // CYCLE_NS):
            self.bench.cycle(accel_mps2, curvature_1pm, hands)
        self.steps += 1
        self.memory = self.bench.memory
