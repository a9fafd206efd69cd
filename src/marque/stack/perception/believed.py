"""From the tracker's arrays to the columns that the rest of the machine reads."""

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array
from marque.core.time import NS_PER_S
from marque.maps.lookup import LaneIndex
from marque.stack.perception.life import GONE_SURE
from marque.stack.perception.motion import VX, VY, A, H, V, X, Y
from marque.stack.perception.store import (
    BODY,
    KIND,
    LEN,
    LOGIT,
    SEEN_NS,
    STILL_S,
    SURE,
    TURNING,
    UID,
    WID,
    Store,
    take,
)
from marque.types.road_map import NONE
from marque.types.scene import Doubt, Tracks

WALKS_MPS = 0.5  # slower, a walker points where its body does
ANY_RAD = np.pi / np.sqrt(3.0)  # spread of a direction of which nothing is known

Believed = tuple[Tracks, Doubt]


def believed(store: Store, now_ns: int, index: LaneIndex | None) -> Believed:
    """Those of whom the tracker is or was sure, by uid, and how far that can be off."""
    shown = np.flatnonzero((store.facts[:, SURE] == 1) & (store.slow[:, LOGIT] >= GONE_SURE))
    store = take(store, shown[np.argsort(store.facts[shown, UID], kind="stable")])
    turning = store.facts[:, TURNING] == 1
    vx, vy = store.mean[:, VX], store.mean[:, VY]
    pace = np.hypot(vx, vy)
    course = np.where(pace > WALKS_MPS, np.arctan2(vy, vx), store.slow[:, BODY])
    heading = np.where(turning, store.mean[:, H], course)
    x, y = store.mean[:, X].copy(), store.mean[:, Y].copy()
    kind = store.facts[:, KIND].astype(np.int8)
    lane, s, d = _lanes(index, x, y, heading, kind)
    tracks = Tracks(
        uid=store.facts[:, UID].copy(),
        kind=kind,
        x_m=x,
        y_m=y,
        heading_rad=heading,
        speed_mps=np.where(turning, store.mean[:, V], pace),
        accel_mps2=np.where(turning, store.mean[:, A], 0.0),
        length_m=store.slow[:, LEN].copy(),
        width_m=store.slow[:, WID].copy(),
        indicator=store.lights.argmax(axis=1).astype(np.int8),
        lane=lane,
        s_m=s,
        d_m=d,
        still_s=store.slow[:, STILL_S].copy(),
        age_s=(now_ns - store.facts[:, SEEN_NS]) / NS_PER_S,
    )
    return tracks, _doubt(store, turning, heading, pace)


def _lanes(
    index: LaneIndex | None, x: FloatArray, y: FloatArray, heading: FloatArray, kind: Int8Array
) -> tuple[Int32Array, FloatArray, FloatArray]:
    if index is None:
        count = len(x)
        return np.full(count, NONE, dtype=np.int32), np.zeros(count), np.zeros(count)
    return index.match_many(x, y, heading, kind)


def _doubt(store: Store, turning: np.ndarray, heading: FloatArray, pace: FloatArray) -> Doubt:
    """Spreads in the track's own axes. Of a walker that stands the speed's is that of one axis,
    and its direction is as good as its body's."""
    cov = store.cov
    c, s = np.cos(heading), np.sin(heading)
    along = c * c * cov[:, X, X] + s * s * cov[:, Y, Y] + 2.0 * c * s * cov[:, X, Y]
    across = s * s * cov[:, X, X] + c * c * cov[:, Y, Y] - 2.0 * c * s * cov[:, X, Y]
    sway = cov[:, VX, VX] * c * c + cov[:, VY, VY] * s * s + 2.0 * c * s * cov[:, VX, VY]
    drift = cov[:, VX, VX] * s * s + cov[:, VY, VY] * c * c - 2.0 * c * s * cov[:, VX, VY]
    angle = np.where(turning, cov[:, H, H], drift / np.maximum(pace, 0.2) ** 2)
    return Doubt(
        along_sigma_m=np.sqrt(np.maximum(along, 0.0)),
        across_sigma_m=np.sqrt(np.maximum(across, 0.0)),
        speed_sigma_mps=np.sqrt(np.maximum(np.where(turning, cov[:, V, V], sway), 0.0)),
        heading_sigma_rad=np.minimum(np.sqrt(np.maximum(angle, 0.0)), ANY_RAD),
        existence=1.0 / (1.0 + np.exp(-store.slow[:, LOGIT])),
    )
