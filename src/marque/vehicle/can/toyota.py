"""The buses of a Toyota RAV4 (2016 to 2018): own motion and radar.

DBC files of opendbc: `toyota_new_mc_pt_generated` for the powertrain on bus 0, `toyota_adas` for
the radar on bus 1. What opendbc 0.3.1 says of this car (car/toyota): steering ratio 16.88, angles
left positive; the radar counts distance from the front of the car and to the right.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from marque.core.arrays import FloatArray, IntArray, freeze_arrays
from marque.core.errors import MarqueError
from marque.core.units import KPH
from marque.types.platform import Platform
from marque.vehicle.can.codec import Frames, Message, decode, load_dbc
from marque.vehicle.catalog import read_platform

TITLE = "Toyota RAV4"
CAR_DBC, CAR_BUS = "toyota_new_mc_pt_generated", 0
RADAR_DBC, RADAR_BUS = "toyota_adas", 1
STEER_RATIO = 16.88
TRACKS = 16  # the radar's slots; a slot's address is 0x210 and up
FIRST_TRACK = 0x210
SCORE_FULL = 100.0  # the radar's own score, from which on a target is taken for sure
CYCLE_GAP_S = 0.010  # the radar tells all of one cycle within less
DAMAGED_SHARE = 0.5
WHEELS = ("WHEEL_SPEED_FL", "WHEEL_SPEED_FR", "WHEEL_SPEED_RL", "WHEEL_SPEED_RR")


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Wheel telegrams, n of them, each with the newest steering angle."""

    t_s: FloatArray  # [n] the logger's clock
    wheel_mps: FloatArray  # [n, 4] front left, front right, rear left, rear right
    steering_wheel_rad: FloatArray  # [n] left positive

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def steer_rad(self) -> FloatArray:
        """[n] angle of the road wheel."""
        angle: FloatArray = self.steering_wheel_rad / STEER_RATIO
        return angle


@dataclass(frozen=True, slots=True, eq=False)
class RadarPoints:
    """Targets that the radar calls valid, n of them, in the order in which they came."""

    t_s: FloatArray  # [n] the logger's clock
    slot: IntArray  # [n] the radar's own track, 0 to 15; used again for other targets
    fresh: IntArray  # [n] 1 where the slot begins with a new target
    ahead_m: FloatArray  # [n] from the front of the car
    left_m: FloatArray  # [n]
    closing_mps: FloatArray  # [n] range rate against our car, away positive
    score: FloatArray  # [n] 0 to 1
    cycle: IntArray  # [n] number of the radar's cycle

    def __post_init__(self) -> None:
        freeze_arrays(self)


@cache
def platform() -> Platform:
    """This car."""
    return read_platform(Path(__file__).with_name("toyota_rav4.toml"))


def decode_motion(frames: Frames) -> Motion:
    """Wheel speeds and steering. MarqueError: another car's log."""
    dbc = load_dbc(CAR_DBC)
    wheels = _needed(decode(frames, dbc, "WHEEL_SPEEDS", CAR_BUS))
    angles = _needed(decode(frames, dbc, "STEER_ANGLE_SENSOR", CAR_BUS))
    speed = _needed(decode(frames, dbc, "SPEED", CAR_BUS))
    mps = np.column_stack([wheels.signals[name] for name in WHEELS]) * KPH
    whole = angles.signals["STEER_ANGLE"] + angles.signals["STEER_FRACTION"]
    newest = np.searchsorted(angles.t_s, wheels.t_s, side="right") - 1
    known = newest >= 0
    told = np.interp(wheels.t_s, speed.t_s, speed.signals["SPEED"] * KPH)
    if np.median(np.abs(told - mps.mean(axis=1))) > 2.0 or np.min(mps) < -1.0:
        raise MarqueError(
            f"these CAN frames are no {TITLE}'s: wheel speeds and speed contradict each other"
        )
    return Motion(wheels.t_s[known], mps[known], np.radians(whole[newest[known]]))


def decode_radar(frames: Frames) -> RadarPoints:
    """Every valid target of the front radar. MarqueError: no such radar in these frames."""
    dbc = load_dbc(RADAR_DBC)
    rows = []
    for slot in range(TRACKS):
        track = _needed(decode(frames, dbc, f"TRACK_A_{slot}", RADAR_BUS))
        more = _needed(decode(frames, dbc, f"TRACK_B_{slot}", RADAR_BUS))
        newest = np.clip(np.searchsorted(more.t_s, track.t_s + CYCLE_GAP_S) - 1, 0, None)
        found = track.signals
        rows.append(
            np.column_stack(
                (
                    track.t_s, np.full(len(track.t_s), slot), found["NEW_TRACK"],
                    found["LONG_DIST"], -found["LAT_DIST"], found["REL_SPEED"],
                    np.minimum(more.signals["SCORE"][newest] / SCORE_FULL, 1.0),
                )
            )[found["VALID"] > 0]
        )  # fmt: skip
    table = np.concatenate(rows)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    t_s, slot, fresh, ahead, left, rate, score = table.T.copy()
    cycle = np.cumsum(np.diff(t_s, prepend=-math.inf) > CYCLE_GAP_S) - 1
    return RadarPoints(
        t_s, slot.astype(np.int64), fresh.astype(np.int64), ahead, left, rate, score, cycle
    )


def _needed(message: Message) -> Message:
    """A message that this car always sends."""
    count = len(message.t_s)
    if count and message.damaged <= DAMAGED_SHARE * (count + message.damaged):
        return message
    why = "come with wrong checksums" if message.damaged else "are missing"
    raise MarqueError(f"these CAN frames are no {TITLE}'s: its {message.name} telegrams {why}")
