"""The contract of a driver: what a plug-in under `marque.driver` has to offer."""

from typing import Any, Protocol

from marque.types.forecast import Forecast
from marque.types.mission import Mission
from marque.types.plan import Plan
from marque.types.scene import Scene


class Driver(Protocol):
    """Belief in, plan out, each 100 ms. All state travels in `memory`."""

    def start(self, mission: Mission) -> Any:
        """Memory before the first drive. MarqueError when the mission cannot be driven."""
        ...

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[Any, Plan]:
        """The plan that is in force from `scene.t_ns` + 100 ms."""
        ...
