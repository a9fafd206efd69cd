"""The files of one comma2k19 segment, checked.

A segment is a folder with `processed_log` and `global_pose`: NumPy arrays without extension, times
in seconds of the recording device since it was started. Axes of inertia: forward, right, down.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.errors import MarqueError
from marque.vehicle.can.codec import BYTES, Frames

CAN = "processed_log/CAN"
FIXES = "processed_log/GNSS/live_gnss_ublox"
IMU = "processed_log/IMU"
POSE = "global_pose"
LEAST_S = 5.0  # of overlap between all sensors: less says nothing
MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """What the sensors of one segment delivered. Times in seconds on the device's clock."""

    folder: Path
    frames: Frames
    imu_t_s: FloatArray  # [m]
    accel_mps2: FloatArray  # [m, 3] specific force: forward, right, down
    gyro_radps: FloatArray  # [m, 3]
    fix_t_s: FloatArray  # [k] when each fix came
    fix_utc_s: FloatArray  # [k] the receiver's own time
    fix_lat_deg: FloatArray  # [k]
    fix_lon_deg: FloatArray  # [k]
    fix_height_m: FloatArray  # [k]
    fix_speed_mps: FloatArray  # [k]
    fix_bearing_deg: FloatArray  # [k] clockwise from north

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def begin_s(self) -> float:
        """From here on every sensor speaks."""
        return float(max(self.frames.t_s[0], self.imu_t_s[0], self.fix_t_s[0]))

    @property
    def end_s(self) -> float:
        """Up to here."""
        return float(min(self.frames.t_s[-1], self.imu_t_s[-1], self.fix_t_s[-1]))


@dataclass(frozen=True, slots=True, eq=False)
class PoseFiles:
    """The reference: poses of the camera, from a post-processed solution of all sensors. ECEF."""

    t_s: FloatArray  # [p]
    position_m: FloatArray  # [p, 3]
    velocity_mps: FloatArray  # [p, 3]
    quaternion: FloatArray  # [p, 4] w, x, y, z: the camera's axes (forward, right, down) in ECEF

    def __post_init__(self) -> None:
        freeze_arrays(self)


def read_segment(folder: Path) -> Segment:
    """The sensors of a segment, without its reference.

    MarqueError: no segment there, a file that is missing, empty, damaged, of another length than
    its times or not finite; times that run backwards; sensors that do not overlap.
    """
    if not (folder / "processed_log").is_dir():
        raise MarqueError(
            f"{folder} is no comma2k19 segment: it has no folder processed_log; "
            "name the folder that holds processed_log and global_pose"
        )
    imu_t, accel = _timed(folder, f"{IMU}/accelerometer", 3)
    gyro_t, gyro = _timed(folder, f"{IMU}/gyro", 3)
    fix_t, fixes = _timed(folder, FIXES, 6)
    if len(gyro_t) != len(imu_t) or np.max(np.abs(gyro_t - imu_t)) > 1e-3:
        gyro = np.column_stack([np.interp(imu_t, gyro_t, column) for column in gyro.T])
    lat, lon, speed, utc_ms, height, bearing = fixes.T.copy()
    segment = Segment(
        folder, read_frames(folder), imu_t, accel, gyro, fix_t, utc_ms / MS_PER_S, lat, lon,
        height, speed, bearing,
    )  # fmt: skip
    if segment.end_s - segment.begin_s < LEAST_S:
        raise MarqueError(
            f"{folder}: CAN, inertia and satellites overlap for "
            f"{max(0.0, segment.end_s - segment.begin_s):.1f} s; {LEAST_S:g} s are needed"
        )
    return segment


def read_frames(folder: Path) -> Frames:
    """The raw CAN frames of a segment. MarqueError as in `read_segment`."""
    base = f"{CAN}/raw_can"
    t_s = _times(folder, f"{base}/t")
    address, bus = (_array(folder, f"{base}/{name}") for name in ("address", "src"))
    data = _array(folder, f"{base}/data")
    for name, column in (("address", address), ("src", bus), ("data", data)):
        _same_length(folder, f"{base}/{name}", column, t_s)
    if data.dtype.kind != "S" or data.dtype.itemsize > BYTES:
        raise MarqueError(f"{folder / base}/data holds {data.dtype}, not frames of up to 8 bytes")
    padded = data.astype(f"S{BYTES}")  # the type drops trailing zero bytes; this puts them back
    rows = np.frombuffer(padded.tobytes(), dtype=np.uint8).reshape(-1, BYTES).copy()
    return Frames(t_s, address.astype(np.int64), bus.astype(np.int64), rows)


def read_decoded(folder: Path, name: str) -> tuple[FloatArray, FloatArray]:
    """Times [n] and values [n, ...] of a decoded CAN column of the segment: `speed`,
    `steering_angle`, `wheel_speed` or `radar`. For comparison only."""
    t_s = _times(folder, f"{CAN}/{name}/t")
    return t_s, _array(folder, f"{CAN}/{name}/value").astype(np.float64)


def read_pose(folder: Path) -> PoseFiles:
    """The reference of a segment. MarqueError as in `read_segment`."""
    t_s = _times(folder, f"{POSE}/frame_times")
    parts = []
    for name, width in (("positions", 3), ("velocities", 3), ("orientations", 4)):
        parts.append(_table(folder, f"{POSE}/frame_{name}", width, t_s))
    return PoseFiles(t_s, parts[0], parts[1], parts[2])


def _timed(folder: Path, name: str, width: int) -> tuple[FloatArray, FloatArray]:
    t_s = _times(folder, f"{name}/t")
    return t_s, _table(folder, f"{name}/value", width, t_s)


def _times(folder: Path, name: str) -> FloatArray:
    t_s = _array(folder, name).astype(np.float64)
    if t_s.ndim != 1 or not np.all(np.isfinite(t_s)):
        raise MarqueError(f"{folder / name} is no list of times")
    if np.any(np.diff(t_s) < 0.0):
        raise MarqueError(f"{folder / name}: times run backwards at {np.diff(t_s).argmin()}")
    return t_s


def _table(folder: Path, name: str, width: int, t_s: FloatArray) -> FloatArray:
    found = _array(folder, name)
    _same_length(folder, name, found, t_s)
    if found.ndim != 2 or found.shape[1] < width:
        raise MarqueError(f"{folder / name} has the shape {found.shape}, not [n, {width}]")
    table: FloatArray = found[:, :width].astype(np.float64)
    if not np.all(np.isfinite(table)):
        raise MarqueError(f"{folder / name} holds numbers that are not finite")
    return table


def _same_length(folder: Path, name: str, found: npt.NDArray[Any], t_s: FloatArray) -> None:
    if len(found) != len(t_s):
        raise MarqueError(f"{folder / name} has {len(found)} entries for {len(t_s)} times")


def _array(folder: Path, name: str) -> npt.NDArray[Any]:
    path = folder / name
    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise MarqueError(f"{path} is missing") from error
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise MarqueError(f"{path} is damaged or no NumPy array") from error
    if not isinstance(found, np.ndarray) or found.ndim == 0 or len(found) == 0:
        raise MarqueError(f"{path} is empty")
    return found
