"""What is asked of a car: the WLTC, and the accelerations that were asked on city trips."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.time import BASE_STEP_S
from marque.core.units import KPH
from marque.sim.order import Order, drive_out, open_ground, prepare

CYCLE = Path(__file__).with_name("wltc_3b.toml")
JERK_MPS3 = 4.0  # of a request, as our own controller asks
SPEED_GAIN_1PS = 0.5  # of whoever follows the trace
AHEAD_S = 0.4  # whoever follows it sees it coming
MOST_MPS2 = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Speeds to be driven, each base step."""

    name: str
    speed_mps: FloatArray  # [n]

    def __post_init__(self) -> None:
        freeze_arrays(self)


@cache
def wltc() -> Trace:
    """The cycle of UN GTR No. 15 for class 3b, rounded over a second where its corners are."""
    whole = tomllib.loads(CYCLE.read_text(encoding="utf-8"))["speed_dkph"]
    speed = np.array(whole, dtype=np.float64) * 0.1 * KPH
    t = np.arange(0.0, len(speed) - 1, BASE_STEP_S)
    fine = np.interp(t, np.arange(len(speed)), speed)
    width = round(1.0 / BASE_STEP_S)
    return Trace("WLTC", np.convolve(fine, np.ones(width) / width, mode="same"))


def city(trips: int, seed: int, map_name: str) -> list[Trace]:
    """The speeds that the reference saloon drove on seeded trips through a city's traffic.

    MarqueError: no such map, or the traffic dies.
    """
    out = []
    for number in range(trips):
        order = Order(map_name=map_name, seed=seed + number, min_length_m=800.0)
        ready = prepare(order, open_ground(order))
        episode, _ = drive_out(ready)
        speed = np.array([tick.world.ego.speed_mps for tick in episode.ticks])
        t = np.arange(0.0, 0.1 * (len(speed) - 1), BASE_STEP_S)
        out.append(Trace(f"city {seed + number}", np.interp(t, 0.1 * np.arange(len(speed)), speed)))
    return out


def asked(trace: Trace, step: int, speed_mps: float, last_mps2: float) -> float:
    """The request of a base step: the trace's acceleration a little ahead, what brings the speed
    back, and no more jerk than our own controller asks."""
    n = len(trace.speed_mps)
    soon = min(n - 2, step + round(AHEAD_S / BASE_STEP_S))
    rise = (trace.speed_mps[soon + 1] - trace.speed_mps[soon]) / BASE_STEP_S
    wanted = float(rise) + SPEED_GAIN_1PS * (float(trace.speed_mps[min(step, n - 1)]) - speed_mps)
    if trace.speed_mps[soon] < 0.05 and speed_mps < 0.5:
        wanted = min(wanted, -0.8)  # stand
    room = JERK_MPS3 * BASE_STEP_S
    return min(MOST_MPS2, max(-3.5, min(last_mps2 + room, max(last_mps2 - room, wanted))))
