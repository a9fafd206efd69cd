"""Everything about others that the rollout needs, for each corridor a policy may use."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, IntArray
from marque.core.geometry import turned_boxes_overlap
from marque.core.jit import jit
from marque.kernels.forecast import priority_between
from marque.kernels.overlap import EGO_STEP_M, FREE, connector_at, fill_overlap
from marque.kernels.rollout import HOLD_M, YIELD_BRAKE
from marque.kernels.tables import MapTables
from marque.stack.planning.corridor import Corridor, Way
from marque.types.codes import UserKind
from marque.types.forecast import Forecast
from marque.types.road_map import NONE
from marque.types.scene import Tracks

SAMPLES = 132
WALKER_LEAST_M = 0.25  # room beside our body; how fast we pass people: see `passing`
OTHER_LEAST_M, OTHER_MOST_M = 0.2, 0.35  # it grows with our speed
SIDE_S, WAITING_S, WAITING_MPS = 0.024, 0.06, 3.0  # how room grows with our speed, from where on
# beside who stands at the kerb, which is our lane's edge, and in a turn the edge of our way
STOOD_S, WAITING_LEAST_M = 0.8, 0.15
# nobody brakes hard for a hand more beside who walks along our way; we pass slowly: see `passing`
ALONG_LEAST_M, ALONG_MPS = 0.15, 0.35
LATE_S = 1.0
# to somebody who stands beside us while we crawl: else two who stand close never part
BESIDE_M = 0.2  # more than the guard keeps, and than our path is followed to at a crawl
WAITS_FOR_US_M = 0.2  # to somebody who stands and waits for us
CRAWL_MPS, STANDS_MPS, GRAZE_M = 1.5, 0.3, 0.03
WAITS_MPS2 = 2.0  # who has to brake no harder than this waits for us, who are in the way already
GOES_ON_MPS = 4.0
SETS_OFF_MPS, SETS_OFF_MPS2 = 1.2, 0.4
FOLLOWS = 0.3  # cosine of the headings of who is behind us
PAST_US_M = 0.1  # room of who passes us from behind, and means to
LAST_MPS2, BRAKES_MPS2 = 4.5, 1.5  # who has to brake harder than this for us, and does not brake
ALONG, FARTHER_BACK_M = 0.5, 2.0  # cosine of headings; who comes round again, see `leave_out_laps`
BACK_M = 20  # how far behind who meets us the connector may lie on which they came
UNSEEN = -2
HARDLY = 0.3  # a path less likely than this is nothing to brake hard for


# track, off [K], x, y, heading [S], as in `Forecast`
Ways = tuple[Int32Array, Int32Array, FloatArray, FloatArray, FloatArray]
# lo, hi, cosr [K, J]; first, last [K]: one corridor's part of `Interactions`
Rows = tuple[FloatArray, FloatArray, FloatArray, Int32Array, Int32Array]


@dataclass(slots=True, eq=False)
class Interactions:
    """C corridors, K paths of others, J samples, n ego samples. Names as in `kernels.rollout`."""

    n: Int32Array  # [C]
    v_ref: FloatArray  # [C, n]
    s0: FloatArray  # [C] path metres of our rear axle
    active: Int32Array  # [C, K]
    n_active: Int32Array  # [C]
    samples: Int32Array  # [K]
    lo: FloatArray  # [C, K, J]
    hi: FloatArray
    cosr: FloatArray
    first: Int32Array  # [C, K]
    last: Int32Array
    relation: Int8Array
    behind: Int8Array
    k_off: FloatArray
    entry: FloatArray
    enters: FloatArray
    speed: FloatArray  # [K]
    accel: FloatArray
    length: FloatArray
    limit: FloatArray
    stop: FloatArray
    lead: Int32Array
    lead_gap: FloatArray
    walker: Int8Array
    doubt: Int8Array  # 1: a path that its user hardly takes
    rear_margin: FloatArray
    front_margin: FloatArray
    keep_clear: FloatArray  # [C, Z, 3] begin, end, 1 where others may come who go first
    beside: IntArray  # [C] uid of somebody beside whom `v_ref` is lower, -1 if for nobody,
    #   `UNSEEN` if for somebody whom we cannot see


@jit
def leave_out_laps(
    k: int, first: Int32Array, last: Int32Array, lo: FloatArray, hi: FloatArray, cosr: FloatArray
) -> None:
    """Who drives along our way, and so far round a ring that they come onto it again farther back,
    comes up behind us then: that lap is no business of ours."""
    began = FREE
    for m in range(first[k], last[k] + 1):
        if lo[k, m] >= FREE or cosr[k, m] < ALONG:
            continue
        if began >= FREE:
            began = lo[k, m]
        elif lo[k, m] < began - FARTHER_BACK_M:
            lo[k, m : last[k] + 1] = FREE
            hi[k, m : last[k] + 1] = -FREE
            last[k] = m - 1
            return


@jit
def pass_beside(
    body: FloatArray,
    track: Int32Array,
    off: Int32Array,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    length: FloatArray,
    width: FloatArray,
    stops_m: FloatArray,
    out: BoolArray,
) -> None:
    """Which paths lead past our body as it stands now, from behind to ahead of it, without
    touching it. Whoever takes one does not brake for our tail; nor does who could hardly stop
    before it any more, and means to pass beside us, whatever lane lines say.

    body: x, y of its middle, cosine, sine, half length, half width; track, off, x, y, heading as in
    `Forecast`; length, width, stops_m [n] of the tracks: the last is the way that each needs to
    stop. Fills `out` [K].
    """
    for k in range(len(track)):
        half, wide = 0.5 * length[track[k]], 0.5 * width[track[k]]
        for j in range(off[k], off[k + 1]):
            dx, dy = x[j] - body[0], y[j] - body[1]
            along = dx * body[2] + dy * body[3]
            c, s = math.cos(heading[j]), math.sin(heading[j])
            if along > body[4]:
                out[k] = j > off[k]
                break
            if j == off[k]:
                if along > 0.0 or c * body[2] + s * body[3] < FOLLOWS:
                    break
                if -along - body[4] - half < stops_m[track[k]]:
                    out[k] = True
                    break
            mine = (body[2], body[3], body[4], body[5] + PAST_US_M)
            if turned_boxes_overlap(dx, dy, *mine, c, s, half, wide):
                break


@jit
def meets_on(tables: MapTables, lanes: Int32Array, ours: int, meets: int, half: int) -> int:
    """Sample of a path `lanes` that lies on the connector on which its user meets our connector,
    -1 where none bears on ours. At sample `meets` their body touches our way: with the bumper, if
    they are long or wait close before it, and then their middle comes onto the connector later."""
    if ours < 0:
        return -1
    for ahead in range(0, half + 1, max(half, 1)):
        at = min(meets + ahead, len(lanes) - 1)
        least = max(0, at - BACK_M)
        while at >= least:
            lane = lanes[at]
            if lane >= 0 and tables.lane_connector[lane]:
                if lane != ours and priority_between(tables, ours, lane) != 2:
                    return at
                break
            at -= 1
    return -1


@jit
def relate(
    tables: MapTables,
    count: int,
    off: Int32Array,
    f_lane: Int32Array,
    ego_lane: Int32Array,
    n: int,
    s0: float,
    front: float,
    rear: float,
    first: Int32Array,
    last: Int32Array,
    lo: FloatArray,
    hi: FloatArray,
    cosr: FloatArray,
    lead_path: Int32Array,
    walker: Int8Array,
    line_lane: Int32Array,
    line_m: FloatArray,
    half: FloatArray,
    passing: BoolArray,
    relation: Int8Array,
    behind: Int8Array,
    k_off: FloatArray,
    entry: FloatArray,
    enters: FloatArray,
    active: Int32Array,
) -> int:
    """Who yields to whom, who follows us, who matters. Returns how many paths are active.

    `line_lane`, `line_m` [L]: connectors on our way and the path metres at which we enter them for
    others to see; `half` [K]: half the length of each user; `passing` [K]: see `pass_beside`.
    """
    n_active = 0
    mark = np.zeros(count, np.int8)
    for k in range(count):
        relation[k] = 0
        behind[k] = 0
        k_off[k] = -1e9
        entry[k] = FREE
        enters[k] = FREE
        j = first[k]
        if j < 0:
            continue
        mark[k] = 1
        leave_out_laps(k, first, last, lo, hi, cosr)
        # aligned somewhere: path coordinates differ by a constant from there on
        for m in range(j, last[k] + 1):
            if lo[k, m] < FREE and cosr[k, m] > 0.7:
                k_off[k] = m - 0.5 * (lo[k, m] + hi[k, m])
                break
        back = j == 0 and hi[k, 0] < s0 + 0.5 * (front + rear)
        if back and cosr[k, 0] > FOLLOWS and not passing[k]:
            behind[k] = 1
            continue
        if walker[k] == 1:
            relation[k] = -1
            continue
        at = min(n - 1, max(0, int(0.5 * (lo[k, j] + hi[k, j]) / EGO_STEP_M)))
        ours = connector_at(tables, ego_lane, at, 40)
        lanes = f_lane[off[k] : off[k + 1]]
        begin = meets_on(tables, lanes, ours, j, int(half[k] + 0.5))
        if begin >= 0:
            theirs = lanes[begin]
            rank = priority_between(tables, ours, theirs)
            relation[k] = rank
            if rank == -1:
                for m in range(line_lane.shape[0]):
                    if line_lane[m] == ours:
                        entry[k] = line_m[m]
                while begin > 0 and lanes[begin - 1] == theirs:
                    begin -= 1
                enters[k] = begin - half[k] if begin > 0 else -FREE
    for k in range(count):
        if mark[k] == 1:
            m = lead_path[k]
            for _ in range(4):
                if m < 0 or mark[m] == 1:
                    break
                mark[m] = 2
                m = lead_path[m]
    for k in range(count):
        if mark[k] != 0:
            active[n_active] = k
            n_active += 1
    return n_active


def interactions(
    tables: MapTables,
    corridors: list[Corridor],
    s0: list[float],
    front_m: float,
    rear_m: float,
    half_width_m: float,
    tracks: Tracks,
    forecast: Forecast,
    speed_mps: float,
    quiet: list[set[int]],
    crossed: list[list[Way]],
    granted: IntArray,
) -> Interactions:
    """Tables for all corridors. `quiet[c]`: crosswalks on which nobody has green; `crossed[c]`:
    ways of others who go first; `granted`: uids of those who wait for us (see
    `standoff.granted`)."""
    c_count, k_count = len(corridors), forecast.count
    n = np.array([len(c.path.xy_m) for c in corridors], np.int32)
    widest = int(n.max())
    samples = np.minimum(np.diff(forecast.off), SAMPLES).astype(np.int32)
    room = int(samples.max()) if k_count else 1
    shape = (c_count, max(k_count, 1), room)
    track = forecast.track
    kind = tracks.kind[track]
    walker = (kind == UserKind.PEDESTRIAN).astype(np.int8)
    margin = np.where(walker == 1, WALKER_LEAST_M, OTHER_LEAST_M)
    if k_count:
        margin = _side_room(corridors[0], s0[0], front_m, speed_mps, tracks)[track]
    if speed_mps < CRAWL_MPS and k_count:
        here = corridors[0].path.xy_m[min(int(s0[0] / EGO_STEP_M), len(corridors[0].path.xy_m) - 1)]
        away = np.hypot(tracks.x_m[track] - here[0], tracks.y_m[track] - here[1])
        beside = away < 0.5 * tracks.length_m[track] + front_m
        stands = beside & (tracks.speed_mps[track] < STANDS_MPS)
        margin = np.where(stands, np.minimum(margin, BESIDE_M), margin)
    if k_count:
        passed = _passed(corridors[0], s0[0], front_m, tracks)[track]
        margin = np.where(passed, np.minimum(margin, BESIDE_M), margin)
    body = (front_m, rear_m, half_width_m)
    passing = _who_passes(corridors[0], s0[0], body, speed_mps, tracks, forecast)
    margin = np.where(passing & (walker == 0), np.minimum(margin, PAST_US_M), margin)
    waits = np.isin(tracks.uid[track], granted)
    margin = np.where(waits, np.minimum(margin, WAITS_FOR_US_M), margin)
    lead_path, lead_gap = _lead_paths(tracks, forecast)
    zones = max(
        1, max(len(c.keep_clear_m) + len(x) for c, x in zip(corridors, crossed, strict=True))
    )
    it = Interactions(
        n=n,
        v_ref=np.zeros((c_count, widest)),
        s0=np.array(s0),
        active=np.zeros((c_count, max(k_count, 1)), np.int32),
        n_active=np.zeros(c_count, np.int32),
        samples=samples,
        lo=np.full(shape, FREE),
        hi=np.full(shape, -FREE),
        cosr=np.ones(shape),
        first=np.full((c_count, max(k_count, 1)), -1, np.int32),
        last=np.full((c_count, max(k_count, 1)), -1, np.int32),
        relation=np.zeros((c_count, max(k_count, 1)), np.int8),
        behind=np.zeros((c_count, max(k_count, 1)), np.int8),
        k_off=np.full((c_count, max(k_count, 1)), -1e9),
        entry=np.full((c_count, max(k_count, 1)), FREE),
        enters=np.full((c_count, max(k_count, 1)), FREE),
        speed=tracks.speed_mps[track],
        accel=np.clip(tracks.accel_mps2[track], -6.0, 2.0),
        length=tracks.length_m[track],
        limit=forecast.limit_mps,
        stop=forecast.stop_m,
        lead=lead_path,
        lead_gap=lead_gap,
        walker=walker,
        doubt=(forecast.probability < HARDLY).astype(np.int8),
        rear_margin=np.where(walker == 1, 1.2, 0.8),
        front_margin=np.where(walker == 1, 1.0, 0.5),
        keep_clear=np.full((c_count, zones, 3), -1e9),
        beside=np.full(c_count, -1, np.int64),
    )
    it.stop = np.where(waits, np.minimum(it.stop, 0.0), it.stop)
    # whoever has to yield, but moves inside the junction already, has found their gap, unless they
    # drive up to where one waits inside it
    goes_on = (forecast.connector_m <= 0.0) & (it.speed > GOES_ON_MPS) & (it.accel > -1.0)
    goes_on &= ~_before_waiting_place(it, tables, tracks, track)
    if speed_mps < CRAWL_MPS:  # and whoever sets off in it before us does not stop again for us
        goes_on |= _sets_off(it, forecast)
    for c, corridor in enumerate(corridors):
        it.v_ref[c, : n[c]] = corridor.v_ref_mps
        _keep_clear(it.keep_clear[c], corridor, crossed[c])
        if k_count == 0:
            continue
        path = corridor.path
        rows = (it.lo[c], it.hi[c], it.cosr[c], it.first[c], it.last[c])
        _overlaps(corridor, half_width_m + margin, tracks, forecast, rows)
        if speed_mps < CRAWL_MPS:
            _graze(it, c, corridor, (front_m, rear_m, half_width_m), tracks, forecast)
        for k in np.flatnonzero(forecast.walk >= 0):
            if int(forecast.walk[k]) in quiet[c]:
                it.first[c, k] = it.last[c, k] = -1
        it.n_active[c] = relate(
            tables,
            k_count,
            forecast.off,
            forecast.lane,
            path.lane,
            int(n[c]),
            s0[c],
            front_m,
            -rear_m,
            it.first[c],
            it.last[c],
            it.lo[c],
            it.hi[c],
            it.cosr[c],
            lead_path,
            walker,
            np.array([one.lane for one in corridor.junctions], np.int32),
            np.array([one.entry_m for one in corridor.junctions]),
            0.5 * it.length,
            passing,
            it.relation[c],
            it.behind[c],
            it.k_off[c],
            it.entry[c],
            it.enters[c],
            it.active[c],
        )
        if corridor.committed(s0[c] + front_m):
            _let_us_through(it, c)
        it.relation[c][goes_on & (it.relation[c] == 1)] = 0
        it.relation[c][waits & (it.relation[c] <= 0)] = 1
    return it


def _keep_clear(zones: FloatArray, corridor: Corridor, crossed: list[Way]) -> None:
    """Fills `zones` [Z, 3]: where nobody comes to rest unawares, then where nobody chooses to."""
    n = len(corridor.keep_clear_m)
    zones[:n, :2] = corridor.keep_clear_m
    zones[:n, 2] = 0.0
    for z, way in enumerate(crossed, n):
        zones[z] = way.begin_m, way.end_m, 1.0


def _overlaps(
    corridor: Corridor, wide_m: FloatArray, tracks: Tracks, forecast: Forecast, rows: Rows
) -> None:
    """Where the boxes of others lie in a strip along a corridor, `wide_m` [K] to each side. Fills
    `rows`."""
    ways = (forecast.track, forecast.off, forecast.x_m, forecast.y_m, forecast.heading_rad)
    _fill(corridor, wide_m, tracks, ways, rows)


def _fill(corridor: Corridor, wide_m: FloatArray, tracks: Tracks, ways: Ways, rows: Rows) -> None:
    """The same for any ways of tracks; see `fill_overlap`."""
    path, track = corridor.path, ways[0]
    fill_overlap(
        path.xy_m[:, 0],
        path.xy_m[:, 1],
        path.heading_rad,
        len(path.xy_m),
        corridor.swing_left_m,
        corridor.swing_right_m,
        wide_m,
        len(track),
        *ways,
        tracks.length_m,
        tracks.width_m,
        tracks.heading_rad[track],
        *rows,
    )


def present_strip(
    corridor: Corridor, wide_m: float, tracks: Tracks, some: Int32Array
) -> tuple[FloatArray, FloatArray]:
    """Where the boxes of the tracks `some` [K] lie now in a strip along a corridor, `wide_m` to
    each side: (from, to) in path metres, (FREE, -FREE) for who is not in it."""
    count = len(some)
    lo, hi, cosr = np.empty((count, 1)), np.empty((count, 1)), np.empty((count, 1))
    ends = np.empty((2, count), np.int32)
    # as those of a forecast: arrays that may be written would be compiled for once more
    off: Int32Array = np.arange(count + 1, dtype=np.int32)
    ways = some, off, tracks.x_m[some], tracks.y_m[some], tracks.heading_rad[some]
    for each in ways:
        each.setflags(write=False)
    _fill(corridor, np.full(count, wide_m), tracks, ways, (lo, hi, cosr, ends[0], ends[1]))
    return lo[:, 0], hi[:, 0]


def _graze(
    it: Interactions,
    c: int,
    corridor: Corridor,
    body: tuple[float, float, float],
    tracks: Tracks,
    forecast: Forecast,
) -> None:
    """Who stands beside us, nearer than we like, is no obstacle to driving on (see `roll`); but
    whom our side would touch on the way stands before our bumper. `body`: front, rear, half width.
    """
    front, rear = it.s0[c] + body[0], it.s0[c] - body[1]
    near = (it.first[c] == 0) & (it.lo[c, :, 0] < front) & (it.hi[c, :, 0] > rear)
    beside = np.flatnonzero(near[: forecast.count] & (it.speed < STANDS_MPS))
    if len(beside) == 0:
        return
    lo, hi, cosr = np.full_like(it.lo[c], FREE), np.full_like(it.hi[c], -FREE), it.cosr[c].copy()
    first, last = np.full_like(it.first[c], -1), np.full_like(it.last[c], -1)
    bare = np.full(forecast.count, body[2] + GRAZE_M)
    _overlaps(corridor, bare, tracks, forecast, (lo, hi, cosr, first, last))
    for k in beside.tolist():
        if first[k] == 0 and hi[k, 0] > rear:
            it.lo[c, k, 0] = front + GRAZE_M
            it.hi[c, k, 0] = max(it.hi[c, k, 0], front + 1.0)


def _before_waiting_place(
    it: Interactions, tables: MapTables, tracks: Tracks, track: Int32Array
) -> BoolArray:
    """[K] who is on a connector and can still stop at its place to wait."""
    if len(tables.lane_wait_m) == 0:
        return np.zeros(len(track), np.bool_)
    lane = tracks.lane[track]
    known = np.where(lane == NONE, 0, lane)
    room = tables.lane_wait_m[known] - tracks.s_m[track] - 0.5 * it.length
    found: BoolArray = (lane != NONE) & (room > it.speed**2 / (2.0 * YIELD_BRAKE))
    return found


def _sets_off(it: Interactions, forecast: Forecast) -> BoolArray:
    """[K] whose bumper is in the junction, and who speeds up there from rest."""
    inside = forecast.connector_m < 0.5 * it.length
    moves = (it.speed > SETS_OFF_MPS) & (it.accel > SETS_OFF_MPS2)
    found: BoolArray = inside & moves
    return found


def _let_us_through(it: Interactions, c: int) -> None:
    """Whoever comes towards us on the lane that we use, and can brake softly, waits before the
    stretch on which we pass."""
    for k in np.flatnonzero(it.first[c] > 0).tolist():
        place = float(it.first[c, k]) - HOLD_M
        towards = it.cosr[c, k, it.first[c, k]] < -0.5
        if towards and place > 0.0 and it.speed[k] ** 2 < 2.0 * WAITS_MPS2 * place:
            it.stop[k] = min(it.stop[k], place)


def _passed(corridor: Corridor, s0: float, front_m: float, tracks: Tracks) -> BoolArray:
    """[n] who stands, and already has our front bumper beside or behind."""
    i = min(int(s0 / EGO_STEP_M), len(corridor.path.xy_m) - 1)
    x, y = corridor.path.xy_m[i]
    psi = float(corridor.path.heading_rad[i])
    along = (tracks.x_m - x) * math.cos(psi) + (tracks.y_m - y) * math.sin(psi)
    out: BoolArray = (tracks.speed_mps < STANDS_MPS) & (along < front_m)
    return out


def _who_passes(
    corridor: Corridor,
    s_m: float,
    body: tuple[float, float, float],
    speed_mps: float,
    tracks: Tracks,
    forecast: Forecast,
) -> BoolArray:
    """[K] see `pass_beside`. `body`: front, rear, half width."""
    front, rear, half = body
    stops = np.zeros(tracks.count)
    if speed_mps < CRAWL_MPS:  # with us in motion, who comes up fast brakes late
        goes_on = tracks.accel_mps2 > -BRAKES_MPS2
        stops = np.where(goes_on, tracks.speed_mps**2 / (2.0 * LAST_MPS2), 0.0)
    i = min(int(s_m / EGO_STEP_M), len(corridor.path.xy_m) - 1)
    c, s = math.cos(corridor.path.heading_rad[i]), math.sin(corridor.path.heading_rad[i])
    middle = corridor.path.xy_m[i] + 0.5 * (front - rear) * np.array([c, s])
    out = np.zeros(forecast.count, np.bool_)
    pass_beside(
        np.array([*middle, c, s, 0.5 * (front + rear), half]),
        forecast.track,
        forecast.off,
        forecast.x_m,
        forecast.y_m,
        forecast.heading_rad,
        tracks.length_m,
        tracks.width_m,
        stops,
        out,
    )
    return out


def _side_room(
    corridor: Corridor, s_m: float, front_m: float, speed_mps: float, tracks: Tracks
) -> FloatArray:
    """[n] room wanted beside each road user. It grows with our speed; for those whom we reach
    within `LATE_S` it is the least, for then the way past them has been chosen. Beside people who
    walk along our way as it runs here, or stand, less is no reason to brake hard."""
    walks = tracks.kind == UserKind.PEDESTRIAN
    least = np.where(walks, WALKER_LEAST_M, OTHER_LEAST_M)
    waits = walks & (tracks.still_s > STOOD_S)
    faster = max(0.0, speed_mps - WAITING_MPS)
    beside_waiting = min(WALKER_LEAST_M, WAITING_LEAST_M + WAITING_S * faster)
    least = np.where(waits, beside_waiting, least)
    most = np.where(walks, least, min(OTHER_MOST_M, OTHER_LEAST_M + SIDE_S * speed_mps))
    i = min(int(s_m / EGO_STEP_M), len(corridor.path.xy_m) - 1)
    aside = tracks.speed_mps * np.sin(tracks.heading_rad - corridor.path.heading_rad[i])
    along = walks & (np.abs(aside) < ALONG_MPS)
    least = np.where(along, np.minimum(least, ALONG_LEAST_M), least)
    here = corridor.path.xy_m[i]
    away = np.hypot(tracks.x_m - here[0], tracks.y_m - here[1]) - front_m
    share = np.clip((away / max(speed_mps, 1.0) - LATE_S) / LATE_S, 0.0, 1.0)
    room: FloatArray = least + share * (most - least)
    return room


def _lead_paths(tracks: Tracks, forecast: Forecast) -> tuple[Int32Array, FloatArray]:
    """Leaders by path instead of by track (a leader's first path stands for it), with gaps."""
    k_count = forecast.count
    first_path = np.full(tracks.count + 1, -1, np.int32)
    first_path[forecast.track[::-1]] = np.arange(k_count - 1, -1, -1, dtype=np.int32)
    lead = forecast.lead
    path = first_path[lead]  # lead -1 reads the extra last entry, which is -1
    half = 0.5 * (tracks.length_m[forecast.track] + tracks.length_m[lead] if k_count else 0.0)
    gap = np.where(lead >= 0, forecast.lead_m - half, math.inf)
    return path, gap
