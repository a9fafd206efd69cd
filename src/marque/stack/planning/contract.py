"""The contract of a driver: what a plug-in under `marque.driver` has to offer."""

from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class AskedDriver(Protocol):
    """A driver that takes a set speed and a gap while it drives; a plug-in need not."""

    def asked(self, memory: Any, set_mps: float | None, headway_s: float | None) -> Any:
        """Memory from now on: no faster than the set speed (None: as the road allows), and no
        closer than the headway (None: its own)."""
        ...
