"""What many judged trips add up to. Nothing is averaged over trips: samples are pooled.

Speeds: metres over seconds, each summed over the trips that both our driver and SUMO's own driver
finished. `speed_ratio` takes our time to standstill at the goal against SUMO's time to its last
10 m, which favours SUMO; `speed_ratio_to_goal` takes both to their last 10 m.
`optimal_ratio`: time-optimal profile plus the waiting of SUMO's driver, over our time, summed over
the same trips.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from marque.metrics.comfort import comfort, from_json, pooled
from marque.metrics.rates import poisson_interval, share_interval

BUSY_USERS = 40  # road users within 100 m: the planner's time is also given for these frames
COUNTED = (
    "collisions_at_fault",
    "collisions_other",
    "red_light",
    "stuck",
    "needless_hard_braking",
    "guard_interventions",
)
DEFINITIONS = {
    "mean_speed_mps": "sum of distance_m over sum of duration_s, trips that both drivers finished",
    "reference_mean_speed_mps": "the same of SUMO's own driver",
    "speed_ratio": "mean_speed_mps over reference_mean_speed_mps; ours until it stands at the "
    "goal, SUMO's until 10 m before it",
    "speed_ratio_to_goal": "the same, both until 10 m before the goal",
    "optimal_ratio": "sum of optimal_s and the reference's waiting_s over sum of duration_s, "
    "trips that both drivers finished",
    "rates": "events per 100 km of ours, with the exact 95 % Poisson interval",
    "arrived_interval_95": "exact (Clopper-Pearson)",
    "planner_ms": "CPU time of the planning thread per 100 ms frame, all frames of all trips",
    "planner_busy_ms": f"the same over frames with at least {BUSY_USERS} road users in 100 m",
    "comfort": "all moving frames of all trips as one; jerk from acceleration at 10 Hz",
}

Record = Mapping[str, Any]


def totals(records: Sequence[Record]) -> dict[str, Any]:
    """The totals of trip records, under the same names as in a trip."""
    distance_m = _sum(records, "distance_m")
    duration_s = _sum(records, "duration_s")
    arrived = sum(bool(record["arrived"]) for record in records)
    compared = [record for record in records if _both_finished(record)]
    hits = [{"trip": r["trip"], **hit} for r in records for hit in r["collisions"]]
    return {
        "routes": len(records),
        "arrived": arrived,
        "arrived_share": _round(arrived / len(records)) if records else 0.0,
        "arrived_interval_95": [_round(v) for v in share_interval(arrived, len(records))]
        if records
        else None,
        "distance_m": _round(distance_m),
        "distance_km": _round(distance_m / 1000.0),
        "duration_s": _round(duration_s),
        "reference_duration_s": _round(_sum(compared, "reference_duration_s")),
        "collisions_at_fault": int(_sum(records, "collisions_at_fault")),
        "collisions_other": [hit for hit in hits if not hit["at_fault"]],
        "collisions": hits,
        "moments": [{"trip": r["trip"], **each} for r in records for each in r.get("moments", ())],
        "red_light": int(_sum(records, "red_light")),
        "off_road_s": _round(_sum(records, "off_road_s")),
        "wrong_way_s": _round(_sum(records, "wrong_way_s")),
        "stuck": int(_sum(records, "stuck")),
        "needless_hard_braking": int(_sum(records, "needless_hard_braking")),
        "guard_interventions": int(_sum(records, "guard_interventions")),
        **_speeds(compared),
        "comfort": _comfort(records),
        **_planner(records),
        "realtime_factor": _realtime(records),
        "reasons": _reasons(records),
        **_traffic(records, duration_s),
        "rates": _rates(records, distance_m, duration_s),
        "reference_collisions": sum(len(_reference(r).get("collisions", ())) for r in records),
        "memory_mb": _most(records, lambda r: (r.get("memory_mb") or {}).get("own", 0.0)),
        "definitions": DEFINITIONS,
    }


def _both_finished(record: Record) -> bool:
    return bool(record["arrived"]) and bool(_reference(record).get("arrived", False))


def _reference(record: Record) -> Record:
    return record.get("reference") or {}


def _speeds(compared: Sequence[Record]) -> dict[str, Any]:
    if not compared:
        names = ("mean_speed_mps", "reference_mean_speed_mps", "speed_ratio",
                 "speed_ratio_to_goal", "optimal_ratio")  # fmt: skip
        return {"trips_compared": 0} | dict.fromkeys(names)
    ours_s = _sum(compared, "duration_s")
    theirs_s = sum(_reference(record)["duration_s"] for record in compared)
    ours = _sum(compared, "distance_m") / ours_s
    theirs = sum(_reference(record)["distance_m"] for record in compared) / theirs_s
    to_goal = [record["to_goal"] for record in compared if record.get("to_goal")]
    goal = sum(each["distance_m"] for each in to_goal) / max(
        sum(each["duration_s"] for each in to_goal), 1e-9
    )
    best_s = sum(record["optimal_s"] + _reference(record)["waiting_s"] for record in compared)
    return {
        "trips_compared": len(compared),
        "mean_speed_mps": _round(ours),
        "reference_mean_speed_mps": _round(theirs),
        "speed_ratio": _round(ours / theirs),
        "speed_ratio_to_goal": _round(goal / theirs),
        "optimal_ratio": _round(best_s / ours_s),
    }


def _comfort(records: Sequence[Record]) -> dict[str, float] | None:
    driven = [from_json(record["samples"]["comfort"]) for record in records if "samples" in record]
    if not driven:
        return None
    return {name: _round(value) for name, value in comfort(pooled(driven)).items()}


def _planner(records: Sequence[Record]) -> dict[str, Any]:
    times: list[float] = []
    busy: list[float] = []
    for record in records:
        samples = record.get("samples")
        if samples is None:
            continue
        times += samples["planner_ms"]
        pairs = zip(samples["planner_ms"], samples["users_100m"], strict=False)
        busy += [time for time, users in pairs if users >= BUSY_USERS]
    return {"planner_ms": _percentiles(times), "planner_busy_ms": _percentiles(busy)}


def _percentiles(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    p50, p99 = np.percentile(values, (50, 99))
    return {
        "p50": _round(p50),
        "p99": _round(p99),
        "max": _round(max(values)),
        "frames": len(values),
    }


def _realtime(records: Sequence[Record]) -> float | None:
    driven = [record for record in records if "samples" in record]
    wall_s = sum(record["samples"]["wall_s"] for record in driven)
    return _round(_sum(driven, "duration_s") / wall_s) if wall_s > 0.0 else None


def _reasons(records: Sequence[Record]) -> dict[str, float]:
    total: dict[str, float] = {}
    for record in records:
        for name, value in record["reasons"].items():
            total[name] = total.get(name, 0.0) + value
    return {name: _round(total[name]) for name in sorted(total, key=lambda name: -total[name])}


def _traffic(records: Sequence[Record], duration_s: float) -> dict[str, float]:
    names = ("road_users_100m_mean", "motor_100m_mean", "foot_or_bicycle_100m_mean")
    return {
        name: _round(sum(r[name] * r["duration_s"] for r in records) / max(duration_s, 1e-9))
        for name in names
    }


def _rates(records: Sequence[Record], distance_m: float, duration_s: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "exposure_km": _round(distance_m / 1000.0),
        "exposure_h": _round(duration_s / 3600.0),
    }
    if not distance_m > 0.0:
        return found
    exposure = distance_m / 1e5
    for name in COUNTED:
        count = sum(_count(record[name]) for record in records)
        low, high = poisson_interval(count, exposure)
        found[name] = {
            "count": count,
            "per_100km": _round(count / exposure),
            "interval_95": [_round(low), _round(high)],
        }
    return found


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value)


def _sum(records: Sequence[Record], name: str) -> float:
    return float(sum(record[name] or 0.0 for record in records))


def _most(records: Sequence[Record], of: Callable[[Record], float]) -> float | None:
    return max((of(record) for record in records), default=None)


def _round(value: float) -> float:
    return round(float(value), 4)
