"""A recorded drive once more, from its readings: how well do we know our motion?

Localisation sees the readings alone; the reference judges. Everything is judged at the ticks of the
Episode (10 Hz) from the first on at which localisation does not call itself UNKNOWN.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.time import NS_PER_S, seconds
from marque.core.units import MPH
from marque.draw.replay import ReplayCurves
from marque.kernels.following import acc, idm_free
from marque.prove.replay.lead import LeadMemory, Track, follow, lead_of
from marque.stack.perception.localise import (
    LocaliseMemory,
    Located,
    Mounting,
    counts,
    localise,
)
from marque.types.codes import Integrity
from marque.types.episode import Episode
from marque.types.reading import Delivery
from marque.types.style import Style

SCHEMA = "marque.prove.replay/1"
WARM_S = 5.0  # of satellites before the outages of 10 and 30 s
OUTAGES_S = (10, 30)
LONG_S, LONG_WARMS_S = 60, (5.0, 2.0, 1.0)  # a minute holds no outage of 60 s: as long as it goes
EVERY_S = 2.0  # between the starts of outages
FREE_MPS = 65.0 * MPH  # no map tells a limit: what Californian motorways allow
BARS = {"speed_rms_mps": 0.1, "position_rms_m": 3.0, "position_after_10s_m": 5.0}
AIMS = {"speed_rms_mps": 0.05, "position_rms_m": 1.5, "position_after_10s_m": 2.0}
DEFINITIONS = {
    "speed_rms_mps": "forward speed of localisation less the reference's, all judged ticks",
    "yaw_rate_rms_radps": "the same of the yaw rate",
    "position_rms_m": "horizontal distance from the reference, with satellites, all judged ticks",
    "position_after_10s_m": "rms over outages that begin every 2 s from 5 s after the first fix "
    "on; the distance from the reference 10 s later. _median_m and _worst_m: over the same outages",
    "position_after_60s_m": "one outage, from 5 s after the first fix to the end of the recording "
    "(at most 60 s); outage_60s_lasted_s says how long that is. long_outages: the same after less "
    "time with satellites",
    "within_3_sigma_share": "ticks of all runs, with and without satellites, whose position error "
    "is at most 3 believed sigmas along the worst direction",
    "asked": "constant-acceleration-heuristic IDM with our style, towards the radar's lead; free "
    "speed 65 mph, because the recording has no map",
}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Localisation over some deliveries: what it said, and its memory before each of them."""

    said: list[Located]
    before: list[LocaliseMemory]
    step_ms: list[float]  # CPU time of each


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The reference at the ticks."""

    t_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    yaw_rate_radps: FloatArray
    accel_mps2: FloatArray


def replay(
    episode: Episode, antenna: Mounting, done: Callable[[float], None] = lambda share: None
) -> tuple[dict[str, Any], ReplayCurves]:
    """Numbers (schema `marque.prove.replay/1`) and curves of a recorded drive.

    `antenna`: of the satellites, from the rear axle. MarqueError: nothing was recorded, or
    localisation never knew where it was.
    """
    if not episode.readings or not episode.ticks:
        raise MarqueError("this drive has no readings: nothing can be replayed")
    truth = truth_of(episode)
    main = run(LocaliseMemory(episode.platform, antenna), episode.readings)
    done(0.2)
    errors = judge(main.said, truth)
    if errors is None:
        raise MarqueError("localisation never knew where it was: too few fixes in motion")
    lost = list(outages(main, episode.readings, truth, done))
    lead, asked = followed(main.said, episode.readings, episode.platform.front_m)
    report = {
        "schema": SCHEMA,
        "car": episode.platform.name,
        "traffic": episode.traffic,
        "duration_s": seconds(episode.readings[-1].t_ns),
        **_numbers(main, errors),
        **_lost_numbers(lost),
        "within_3_sigma_share": _honest_share([errors, *(each.errors for each in lost)]),
        **_following_numbers(truth, main.said, lead, asked),
        "counts": counts(main.before[-1]),
        "definitions": DEFINITIONS,
        "bars": BARS,
        "aims": AIMS,
    }
    report["passed"] = all(report[name] <= bar for name, bar in BARS.items())
    done(1.0)
    return report, _curves(episode, main.said, truth, errors, lost, lead, asked)


def truth_of(episode: Episode) -> Truth:
    """The way of our car through an Episode."""
    ego = [tick.world.ego for tick in episode.ticks]
    return Truth(
        np.array([seconds(tick.world.t_ns) for tick in episode.ticks]),
        np.array([e.x_m for e in ego]),
        np.array([e.y_m for e in ego]),
        np.unwrap([e.heading_rad for e in ego]),
        np.array([e.speed_mps for e in ego]),
        np.array([e.yaw_rate_radps for e in ego]),
        np.array([e.accel_mps2 for e in ego]),
    )


def run(memory: LocaliseMemory, readings: list[Delivery]) -> Run:
    """Localisation over `readings`."""
    out = Run([], [], [])
    for delivery in readings:
        begun = time.thread_time()
        after, located = localise(memory, delivery)
        out.step_ms.append(1e3 * (time.thread_time() - begun))
        out.before.append(memory)
        out.said.append(located)
        memory = after
    out.before.append(memory)
    return out


# Judging ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Localisation less reference at the judged ticks."""

    t_s: FloatArray
    east_m: FloatArray
    north_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    yaw_rate_radps: FloatArray
    spread_m: FloatArray

    @property
    def position_m(self) -> FloatArray:
        """Horizontal distance."""
        distance: FloatArray = np.hypot(self.east_m, self.north_m)
        return distance


def judge(said: list[Located], truth: Truth) -> Errors | None:
    """Errors at the ticks that lie between the first and the last pose; None without any pose.

    What localisation says while it coasts into UNKNOWN is judged, too: only the time before it
    began is left out.
    """
    begun = next((i for i, one in enumerate(said) if one.integrity != Integrity.UNKNOWN), None)
    if begun is None:
        return None
    told = [one for one in said[begun:] if math.isfinite(one.spread_m)]
    t = np.array([seconds(one.t_ns) for one in told])
    judged = (truth.t_s >= t[0]) & (truth.t_s <= t[-1])
    if not judged.any():
        return None
    at = truth.t_s[judged]

    def less(values: list[float], true: FloatArray) -> FloatArray:
        found: FloatArray = np.interp(at, t, np.array(values)) - true[judged]
        return found

    heading = np.unwrap([one.heading_rad for one in told]).tolist()
    turned = less(heading, truth.heading_rad)
    return Errors(
        at,
        less([one.x_m for one in told], truth.x_m),
        less([one.y_m for one in told], truth.y_m),
        np.remainder(turned + math.pi, math.tau) - math.pi,
        less([one.speed_mps for one in told], truth.speed_mps),
        less([one.yaw_rate_radps for one in told], truth.yaw_rate_radps),
        np.interp(at, t, np.array([one.spread_m for one in told])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outage:
    """One run without satellites."""

    start_s: float
    warm_s: float  # with satellites before it
    asked_s: int  # the longest that it is judged at
    errors: Errors

    def after(self, duration_s: float) -> float | None:
        """Position error that long after the start; None where the recording ends before."""
        at = self.start_s + duration_s
        if at > self.errors.t_s[-1] + 1e-6:
            return None
        return float(np.interp(at, self.errors.t_s, self.errors.position_m))


def outages(
    main: Run, readings: list[Delivery], truth: Truth, done: Callable[[float], None]
) -> Iterator[Outage]:
    """The long one, then one every `EVERY_S`; each goes on from the main run's memory."""
    first = next(i for i, one in enumerate(main.said) if one.integrity != Integrity.UNKNOWN)
    begun_ns, end_ns = readings[first].t_ns, readings[-1].t_ns
    starts = np.arange(seconds(begun_ns) + WARM_S, seconds(end_ns) - min(OUTAGES_S), EVERY_S)
    plan = [(seconds(begun_ns) + warm_s, LONG_S) for warm_s in LONG_WARMS_S]
    plan += [(float(start), max(OUTAGES_S)) for start in starts]
    stamps = np.array([each.t_ns for each in readings])
    for n, (start_s, length_s) in enumerate(plan):
        i = int(np.searchsorted(stamps, round(start_s * NS_PER_S)))
        last = int(np.searchsorted(stamps, stamps[i] + (length_s * NS_PER_S + NS_PER_S // 5)))
        blind = [replace(each, gnss=()) for each in readings[i:last]]
        errors = judge(run(main.before[i], blind).said, truth)
        if errors is not None:
            yield Outage(
                seconds(int(stamps[i])), seconds(int(stamps[i]) - begun_ns), length_s, errors
            )
        done(0.2 + 0.75 * (n + 1) / len(plan))


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _numbers(main: Run, errors: Errors) -> dict[str, Any]:
    words = [one.integrity for one in main.said]
    nis: dict[str, list[float]] = {}
    for one in main.said:
        for check in one.checks:
            nis.setdefault(check.what, []).append(check.nis / check.freedom)
    return {
        "judged_ticks": len(errors.t_s),
        "speed_rms_mps": _rms(errors.speed_mps),
        "speed_mean_mps": float(np.mean(errors.speed_mps)),
        "yaw_rate_rms_radps": _rms(errors.yaw_rate_radps),
        "heading_rms_rad": _rms(errors.heading_rad),
        "position_rms_m": _rms(errors.position_m),
        "position_max_m": float(np.max(errors.position_m)),
        **{
            f"{word.name.lower()}_share": words.count(word) / len(words)
            for word in (Integrity.KNOWN, Integrity.COASTING, Integrity.UNKNOWN)
        },
        "nis_mean": {what: float(np.mean(values)) for what, values in nis.items()},
        "step_p99_ms": float(np.percentile(main.step_ms, 99)),
    }


def _lost_numbers(lost: list[Outage]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for length_s in OUTAGES_S:
        after = [each.after(length_s) for each in lost if each.asked_s == max(OUTAGES_S)]
        values = np.array([value for value in after if value is not None])
        name = f"position_after_{length_s}s"
        found[f"{name}_m"] = _rms(values) if len(values) else math.inf
        found[f"{name}_median_m"] = float(np.median(values)) if len(values) else math.inf
        found[f"{name}_worst_m"] = float(np.max(values)) if len(values) else math.inf
        found[f"{name}_outages"] = len(values)
    long = [_long_numbers(each) for each in lost if each.asked_s == LONG_S]
    found["position_after_60s_m"] = long[0]["position_m"] if long else None
    found["outage_60s_lasted_s"] = long[0]["lasted_s"] if long else None
    found["long_outages"] = long
    return found


def _long_numbers(outage: Outage) -> dict[str, float | None]:
    lasted_s = min(float(LONG_S), float(outage.errors.t_s[-1]) - outage.start_s)
    return {
        "warm_s": outage.warm_s,
        "lasted_s": lasted_s,
        "position_m": outage.after(lasted_s),
    }


def _honest_share(runs: list[Errors]) -> float:
    inside = [each.position_m <= 3.0 * each.spread_m for each in runs]
    return float(np.mean(np.concatenate(inside)))


# The car ahead ---------------------------------------------------------------------------------


def followed(
    said: list[Located], readings: list[Delivery], front_m: float
) -> tuple[list[Track | None], list[float]]:
    """At each delivery: whom we follow, and the acceleration that our following would ask for."""
    style, memory = Style(), LeadMemory()
    leads: list[Track | None] = []
    asked: list[float] = []
    for located, delivery in zip(said, readings, strict=True):
        v, spin = located.speed_mps, located.yaw_rate_radps
        for objects in delivery.objects:
            memory = follow(memory, objects, v, spin)
        lead = lead_of(memory)
        leads.append(lead)
        free = idm_free(v, style.limit_share * FREE_MPS, style.accel_mps2)
        if lead is not None:
            held = acc(
                v, lead.speed_mps, lead.accel_mps2, lead.x_m - front_m, style.accel_mps2,
                style.brake_mps2, style.headway_s, style.standstill_gap_m,
            )  # fmt: skip
            free = min(free, held)
        asked.append(free if located.integrity != Integrity.UNKNOWN else math.nan)
    return leads, asked


def _following_numbers(
    truth: Truth, said: list[Located], leads: list[Track | None], asked: list[float]
) -> dict[str, Any]:
    t = np.array([seconds(one.t_ns) for one in said])
    wanted = np.interp(truth.t_s, t, np.array(asked))
    both = np.isfinite(wanted)
    numbers = [lead.number for lead in leads if lead is not None]
    return {
        "lead_share": len(numbers) / len(leads),
        "lead_tracks": len(set(numbers)),
        "asked_less_human_rms_mps2": _rms(wanted[both] - truth.accel_mps2[both]),
        "asked_min_mps2": float(np.min(wanted[both])),
        "asked_max_mps2": float(np.max(wanted[both])),
        "human_min_mps2": float(np.min(truth.accel_mps2)),
        "human_max_mps2": float(np.max(truth.accel_mps2)),
    }


def _known(values: list[float], said: list[Located]) -> FloatArray:
    """nan where localisation does not know."""
    known = np.array([one.integrity != Integrity.UNKNOWN for one in said])
    found: FloatArray = np.where(known, np.array(values), math.nan)
    return found


def _curves(
    episode: Episode,
    said: list[Located],
    truth: Truth,
    errors: Errors,
    lost: list[Outage],
    leads: list[Track | None],
    asked: list[float],
) -> ReplayCurves:
    t = np.array([seconds(one.t_ns) for one in said])
    front = episode.platform.front_m
    seen = [o for each in episode.readings for o in each.objects]
    return ReplayCurves(
        title=f"{episode.platform.title}: one minute again, from its own sensors",
        attribution=episode.road_map.attribution,
        t_s=t,
        speed_mps=_known([one.speed_mps for one in said], said),
        true_speed_mps=np.interp(t, truth.t_s, truth.speed_mps),
        yaw_rate_radps=_known([one.yaw_rate_radps for one in said], said),
        true_yaw_rate_radps=np.interp(t, truth.t_s, truth.yaw_rate_radps),
        error_m=np.interp(t, errors.t_s, errors.position_m, left=math.nan),
        spread_m=np.interp(t, errors.t_s, errors.spread_m, left=math.nan),
        outages=tuple(
            (each.errors.t_s, each.errors.position_m) for each in lost if each.warm_s >= WARM_S
        ),
        radar_t_s=np.concatenate([np.full(o.count, seconds(o.t_ns)) for o in seen] or [t[:0]]),
        radar_x_m=np.concatenate([o.x_m - front for o in seen] or [t[:0]]),
        lead_x_m=np.array([math.nan if one is None else one.x_m - front for one in leads]),
        lead_speed_mps=np.array([math.nan if one is None else one.speed_mps for one in leads]),
        accel_mps2=np.interp(t, truth.t_s, truth.accel_mps2),
        asked_mps2=np.array(asked),
    )
