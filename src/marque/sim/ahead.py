"""Machine code of a drive, made ahead of it.

Where there is none yet, a process of its own makes it on a road of one lane, while ours converts
the map and makes the traffic ready: what is compiled does not depend on the road.
"""

import subprocess
import sys
from contextlib import suppress
from types import TracebackType

import numpy as np

from marque.core.jit import none_kept
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import straight_lane
from marque.maps.trips import Trip
from marque.sensing.profile import load_profile
from marque.sim.drive import Car, Setup, begin_sensing, begin_stack
from marque.sim.warm import warm
from marque.sim.worlds.empty import nobody
from marque.types.world import World
from marque.vehicle.catalog import load_platform

LANE_M = 300.0


class CodeAhead:
    """The process that compiles, where there is nothing kept; ends with the block it is used in."""

    def __init__(self, driver: str, car: str, sensors: str) -> None:
        self.words = (driver, car, sensors)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "CodeAhead":
        if none_kept():
            self.process = subprocess.Popen(
                [sys.executable, "-m", "marque.sim.ahead", *self.words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return self

    def wait(self) -> None:
        """Until it is made."""
        if self.process is not None:
            self.process.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def load_code(setup: Setup, ahead: CodeAhead | None = None) -> None:
    """Load the machine code of a drive ahead of it, with nobody on the road but our car: in another
    thread, while traffic is made ready in another process. What fails here fails in the drive
    again, and is told there."""
    if ahead is not None:
        ahead.wait()
    heads = np.zeros(len(setup.road_map.head_group), dtype=np.int8)
    with suppress(Exception):
        truth = World(0, Car(setup).truth(), nobody(), heads)
        warm(begin_stack(setup), begin_sensing(setup), truth)


def _practice(driver: str, car: str, sensors: str) -> Setup:
    """A drive along one lane."""
    road = straight_lane(LANE_M)
    return Setup(
        road_map=road,
        index=LaneIndex(road),
        platform=load_platform(car),
        driver=driver,
        trip=Trip(0, 0.1 * LANE_M, 0, 0.9 * LANE_M),
        seed=1,
        profile=load_profile(sensors),
        limit_s=1.0,
    )


if __name__ == "__main__":
    load_code(_practice(*sys.argv[1:]))
