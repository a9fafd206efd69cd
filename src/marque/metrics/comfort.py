"""Comfort: percentiles over moving time, in a form that pools exactly over trips.

A frame counts as moving when the car moves faster than 0.1 m/s in it or did so within the 0.5 s
before, so that the jolt of a stop counts. Jerk is the difference of the acceleration of two
frames, at 10 Hz. Percentiles are over all moving frames, signed: `accel_p95` that of the
acceleration, `decel_p99` that of its negative, `lat_accel_p99` that of its lateral magnitude.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.metrics.trace import MOVING_MPS, Trace

HARD_JERK_MPS3 = 5.0
_AFTER = 5  # frames after the last motion that still count
_STEP = 1.0e-4  # samples are kept to this, so that what is stored is what was measured

_MOST = 1.0e5  # and no larger than fits into 32 bits


@dataclass(frozen=True, slots=True, eq=False)
class Comfort:
    """Samples of moving frames, rounded to 0.0001; hard jerks are counted once as they begin."""

    accel_mps2: FloatArray
    lat_accel_mps2: FloatArray
    jerk_mps3: FloatArray
    hard_jerks: int
    distance_m: float

    def __post_init__(self) -> None:
        freeze_arrays(self)


def comfort_samples(trace: Trace) -> Comfort:
    """The samples of one drive."""
    moves = trace.speed_mps > MOVING_MPS
    moving = moves.copy()
    for late in range(1, min(_AFTER, len(moves) - 1) + 1):
        moving[late:] |= moves[:-late]
    jerk = np.diff(trace.accel_mps2) / np.diff(trace.t_s)
    hard = (np.abs(jerk) > HARD_JERK_MPS3) & moving[1:]
    return Comfort(
        _rounded(trace.accel_mps2[moving]),
        _rounded(trace.lat_accel_mps2[moving]),
        _rounded(jerk[moving[1:]]),
        int(np.count_nonzero(np.diff(hard.astype(np.int8), prepend=0) == 1)),
        float(trace.travelled_m[-1]) if trace.count else 0.0,
    )


def pooled(trips: Sequence[Comfort]) -> Comfort:
    """All samples of many drives as if they were one; the same as storing every frame."""
    empty = np.zeros(0)
    return Comfort(
        np.concatenate([empty, *(each.accel_mps2 for each in trips)]),
        np.concatenate([empty, *(each.lat_accel_mps2 for each in trips)]),
        np.concatenate([empty, *(each.jerk_mps3 for each in trips)]),
        sum(each.hard_jerks for each in trips),
        sum(each.distance_m for each in trips),
    )


def comfort(samples: Comfort) -> dict[str, float]:
    """The numbers. All zero for a car that never moved (`moving_s` is 0 then)."""
    return {
        "accel_p95_mps2": _percentile(samples.accel_mps2, 95.0),
        "decel_p99_mps2": _percentile(-samples.accel_mps2, 99.0),
        "lat_accel_p99_mps2": _percentile(np.abs(samples.lat_accel_mps2), 99.0),
        "jerk_rms_mps3": _rms(samples.jerk_mps3),
        "jerk_over_5_per_100km": samples.hard_jerks / max(samples.distance_m, 1.0) * 1.0e5,
        "moving_s": 0.1 * len(samples.accel_mps2),
    }


def to_json(samples: Comfort) -> dict[str, Any]:
    """Samples as one small JSON object; `from_json` gives back the same numbers bit for bit."""
    return {
        "accel": _pack(samples.accel_mps2),
        "lat_accel": _pack(samples.lat_accel_mps2),
        "jerk": _pack(samples.jerk_mps3),
        "hard_jerks": samples.hard_jerks,
        "distance_m": samples.distance_m,
    }


def from_json(stored: dict[str, Any]) -> Comfort:
    """The inverse of `to_json`. Raises KeyError or ValueError on anything else."""
    return Comfort(
        _unpack(stored["accel"]),
        _unpack(stored["lat_accel"]),
        _unpack(stored["jerk"]),
        int(stored["hard_jerks"]),
        float(stored["distance_m"]),
    )


def _rounded(values: FloatArray) -> FloatArray:
    return np.asarray(np.rint(np.clip(values, -_MOST, _MOST) / _STEP) * _STEP)


def _percentile(values: FloatArray, share: float) -> float:
    return float(np.percentile(values, share)) if len(values) else 0.0


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values * values))) if len(values) else 0.0


def _pack(values: FloatArray) -> str:
    whole = np.rint(values / _STEP).astype(np.int64)
    steps = np.diff(whole, prepend=np.int64(0)).astype("<i4")
    return base64.b64encode(zlib.compress(steps.tobytes())).decode("ascii")


def _unpack(text: str) -> FloatArray:
    try:
        steps = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), dtype="<i4")
    except zlib.error as error:
        raise ValueError(f"damaged comfort samples: {error}") from error
    return np.asarray(np.cumsum(steps, dtype=np.int64) * _STEP)
