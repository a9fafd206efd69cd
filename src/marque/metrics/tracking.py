"""How well others are tracked: MOTA, HOTA and changes of identity, truth against belief.

The judging itself is TrackEval's (Luiten et al., "HOTA: A Higher Order Metric for Evaluating
Multi-Object Tracking", IJCV 129, 2021; Bernardin, Stiefelhagen, "Evaluating Multiple Object
Tracking Performance: The CLEAR MOT Metrics", 2008), an extra: `pip install 'marque[tracking]'`.
Alike are two road users by the distance of their middles: 1 at none, 0 from 2 m on, as TrackEval
does for tracks on the ground (MOT15-3D). MOTA takes a pair from 0.5 on, which is 1 m.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray, freeze_arrays
from marque.core.errors import MarqueError
from marque.core.time import seconds

UNLIKE_M = 2.0
PAIR = 0.5
STRANGER_S = 5.0  # who was not judged for longer comes back as somebody new: no eye could tell
# so far from where two places led, from frame to frame, nothing moves: the simulator has set
# somebody anew (SUMO's people at the corners of walking areas), who is somebody new as well
JUMP_M = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class TrackFrame:
    """One instant: n who are there and m who are believed to be, map frame.

    `judged` marks those who have to be tracked. The others (too far off, hidden) may be, and
    nobody is blamed for a track of one of them.
    """

    t_ns: int
    true_uid: IntArray  # [n]
    true_x_m: FloatArray  # [n] middle of the box
    true_y_m: FloatArray
    judged: BoolArray  # [n]
    uid: IntArray  # [m]
    x_m: FloatArray  # [m]
    y_m: FloatArray

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True)
class TrackScore:
    """Shares in 0..1 (MOTA can be below 0)."""

    mota: float
    hota: float
    detection: float  # DetA of HOTA
    association: float  # AssA of HOTA
    switches: int
    switches_per_km: float  # nan where nothing was driven
    missed: int
    false: int
    judged: int
    position_rms_m: float  # of the pairs


def track_score(frames: Sequence[TrackFrame], driven_km: float) -> TrackScore:
    """Score of one drive. Raises MarqueError: TrackEval is not installed, ids twice in a frame."""
    hota, clear = _judges()
    kept = [_judged_part(number, frame) for number, frame in enumerate(_stays(frames))]
    data = _as_sequence(kept)
    a, b = hota.eval_sequence(data), clear.eval_sequence(data)
    judged = int(data["num_gt_dets"])
    switches = int(b["IDSW"])
    return TrackScore(
        mota=float(b["MOTA"]) if judged else 1.0,
        hota=float(np.mean(a["HOTA"])) if judged else 1.0,
        detection=float(np.mean(a["DetA"])) if judged else 1.0,
        association=float(np.mean(a["AssA"])) if judged else 1.0,
        switches=switches,
        switches_per_km=switches / driven_km if driven_km > 0.0 else float("nan"),
        missed=int(b["CLR_FN"]),
        false=int(b["CLR_FP"]),
        judged=judged,
        position_rms_m=_position_rms(kept),
    )


def need_judges() -> None:
    """MarqueError: TrackEval is not installed."""
    _judges()


def _judges() -> tuple[Any, Any]:
    try:
        from trackeval.metrics import CLEAR, HOTA
    except ImportError as error:
        raise MarqueError(
            "scores of tracking need TrackEval: pip install 'marque[tracking]'"
        ) from error
    return HOTA(), CLEAR({"THRESHOLD": PAIR, "PRINT_CONFIG": False})


@dataclass(frozen=True, slots=True)
class _Stay:
    """A road user in sight, in the last frame that held it."""

    number: int
    frame: int
    judged_ns: int  # when last judged
    x_m: float
    y_m: float
    step: tuple[float, float] | None  # from the frame before; None: it was not there


def _stays(frames: Sequence[TrackFrame]) -> list[TrackFrame]:
    """The frames with a true id of its own for each stay in sight."""
    last: dict[int, _Stay] = {}
    count = 0
    out = []
    for k, frame in enumerate(frames):
        ids = np.empty(len(frame.true_uid), dtype=np.int64)
        for i, uid in enumerate(frame.true_uid.tolist()):
            x, y = float(frame.true_x_m[i]), float(frame.true_y_m[i])
            old = last.get(uid)
            step = None
            if old is not None and old.frame == k - 1:
                step = (x - old.x_m, y - old.y_m)
            if old is None or _is_somebody_new(old, frame.t_ns, step):
                old, step = _Stay(count, k, frame.t_ns, x, y, None), None
                count += 1
            judged_ns = frame.t_ns if frame.judged[i] else old.judged_ns
            last[uid] = _Stay(old.number, k, judged_ns, x, y, step)
            ids[i] = old.number
        out.append(replace(frame, true_uid=ids))
    return out


def _is_somebody_new(old: _Stay, t_ns: int, step: tuple[float, float] | None) -> bool:
    """Unseen for too long, or not where anything could have moved to."""
    if seconds(t_ns - old.judged_ns) > STRANGER_S:
        return True
    if step is None or old.step is None:
        return False
    return bool(np.hypot(step[0] - old.step[0], step[1] - old.step[1]) > JUMP_M)


Part = tuple[IntArray, IntArray, FloatArray]  # true ids, believed ids, likeness [n, m]


def _judged_part(number: int, frame: TrackFrame) -> Part:
    """A frame without those who are not judged, and without the tracks that are of them."""
    for ids in (frame.true_uid, frame.uid):
        if len(np.unique(ids)) != len(ids):
            raise MarqueError(f"frame {number} holds a road user or a track twice")
    dx = frame.true_x_m[:, None] - frame.x_m[None, :]
    dy = frame.true_y_m[:, None] - frame.y_m[None, :]
    alike = np.maximum(0.0, 1.0 - np.hypot(dx, dy) / UNLIKE_M)
    excused = _partners(alike, ~frame.judged)
    use = np.ones(len(frame.uid), dtype=np.bool_)
    use[excused] = False
    return frame.true_uid[frame.judged], frame.uid[use], alike[np.ix_(frame.judged, use)]


def _partners(alike: FloatArray, rows: BoolArray) -> IntArray:
    """The tracks of those in `rows`, when all are paired at best."""
    from scipy.optimize import linear_sum_assignment

    row, column = linear_sum_assignment(np.where(alike >= PAIR, -1.0 - alike, 0.0))
    mine = rows[row] & (alike[row, column] >= PAIR)
    found: IntArray = column[mine]
    return found


def _as_sequence(parts: list[Part]) -> dict[str, Any]:
    """As TrackEval wants it: ids counted from 0 over the whole drive."""
    names_true = np.unique(np.concatenate([part[0] for part in parts] or [np.zeros(0, int)]))
    names = np.unique(np.concatenate([part[1] for part in parts] or [np.zeros(0, int)]))
    true = [np.searchsorted(names_true, part[0]) for part in parts]
    found = [np.searchsorted(names, part[1]) for part in parts]
    return {
        "gt_ids": true,
        "tracker_ids": found,
        "similarity_scores": [part[2] for part in parts],
        "num_gt_dets": sum(map(len, true)),
        "num_tracker_dets": sum(map(len, found)),
        "num_gt_ids": len(names_true),
        "num_tracker_ids": len(names),
        "num_timesteps": len(parts),
    }


def _position_rms(parts: list[Part]) -> float:
    """Root mean square distance of each judged road user to the nearest track within 1 m."""
    best = [part[2].max(axis=1) for part in parts if part[2].size]
    near = np.concatenate(best or [np.zeros(0)])
    near = near[near >= PAIR]
    return float(np.sqrt(np.mean(((1.0 - near) * UNLIKE_M) ** 2))) if len(near) else 0.0
