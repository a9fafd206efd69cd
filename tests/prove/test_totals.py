"""Totals pool samples over trips; they never average averages."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.metrics.comfort import Comfort, comfort, to_json
from marque.metrics.rates import poisson_interval, share_interval
from marque.prove.city import passed
from marque.prove.totals import BUSY_USERS, totals
from marque.prove.trip import NO_NUMBERS


def samples(accel: list[float], seed: int) -> Comfort:
    noise = np.random.default_rng(seed).normal(size=(2, len(accel)))
    rounded = np.rint(noise * 1e4) / 1e4
    return Comfort(np.array(accel), rounded[0], rounded[1], 2, 100.0 * len(accel))


def trip(name: str, **more: Any) -> dict[str, Any]:
    """A clean trip of 1 km in 100 s that SUMO's driver needs 90 s and 990 m for."""
    clean = copy.deepcopy(NO_NUMBERS) | {
        "trip": name,
        "arrived": True,
        "end": "arrived",
        "distance_m": 1000.0,
        "duration_s": 100.0,
        "reference_duration_s": 90.0,
        "optimal_s": 80.0,
        "to_goal": {"duration_s": 95.0, "distance_m": 991.0},
        "reference": {
            "arrived": True,
            "duration_s": 90.0,
            "waiting_s": 10.0,
            "distance_m": 990.0,
            "collisions": [],
        },
        "reasons": {"none": 60.0, "lead": 40.0},
        "road_users_100m_mean": 6.0,
        "motor_100m_mean": 4.0,
        "foot_or_bicycle_100m_mean": 2.0,
        "memory_mb": {"own": 400.0, "largest_child": 200.0},
        "samples": {
            "comfort": to_json(samples([0.5, -0.5], 1)),
            "planner_ms": [2.0, 4.0],
            "users_100m": [BUSY_USERS, BUSY_USERS - 1],
            "wall_s": 10.0,
        },
    }
    return clean | more


def hit(at_fault: bool) -> dict[str, Any]:
    return {"at_fault": at_fault, "t_s": 3.0, "kind": "car", "who": "v1", "reason": "because"}


def test_speeds_are_pooled_over_trips_that_both_finished():
    slow = trip("slow", distance_m=2000.0, duration_s=400.0)
    lost = trip("lost", arrived=False, end="timeout", distance_m=10.0, duration_s=900.0)
    stuck = trip("stuck", reference=trip("x")["reference"] | {"arrived": False})
    found = totals([trip("a"), slow, lost, stuck])
    assert found["trips_compared"] == 2
    assert found["mean_speed_mps"] == pytest.approx(3000.0 / 500.0)
    assert found["reference_mean_speed_mps"] == pytest.approx(1980.0 / 180.0)
    assert found["speed_ratio"] == pytest.approx((3000.0 / 500.0) / (1980.0 / 180.0), abs=1e-4)
    assert found["speed_ratio_to_goal"] == pytest.approx(
        (1982.0 / 190.0) / (1980.0 / 180.0), abs=1e-4
    )
    assert found["optimal_ratio"] == pytest.approx((80.0 + 10.0) * 2 / 500.0)
    assert found["routes"] == 4
    assert found["arrived"] == 3
    assert found["arrived_share"] == 0.75
    assert found["arrived_interval_95"] == pytest.approx(share_interval(3, 4), abs=1e-4)
    assert found["distance_km"] == pytest.approx(4.01)


@given(
    first=st.lists(st.integers(-30000, 30000), min_size=1, max_size=50),
    second=st.lists(st.integers(-30000, 30000), min_size=1, max_size=50),
)
def test_comfort_is_that_of_all_samples_as_one_drive(first, second):
    parts = [
        samples([value / 1e4 for value in row], seed) for seed, row in enumerate((first, second))
    ]
    records = []
    for part in parts:
        record = trip("t")
        record["samples"]["comfort"] = to_json(part)
        records.append(record)
    whole = Comfort(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("accel_mps2", "lat_accel_mps2", "jerk_mps3")
        ),
        4,
        sum(part.distance_m for part in parts),
    )
    found = totals(records)["comfort"]
    for name, value in comfort(whole).items():
        assert found[name] == pytest.approx(value, abs=6e-5)


def test_planner_times_are_pooled_and_told_for_busy_frames():
    found = totals([trip("a"), trip("b")])
    assert found["planner_ms"] == {"p50": 3.0, "p99": 4.0, "max": 4.0, "frames": 4}
    assert found["planner_busy_ms"] == {"p50": 2.0, "p99": 2.0, "max": 2.0, "frames": 2}
    assert found["realtime_factor"] == pytest.approx(10.0)


def test_contacts_are_listed_with_their_trip_and_counted():
    found = totals(
        [
            trip("a", collisions_at_fault=1, collisions=[hit(True), hit(False)]),
            trip("b", collisions=[hit(False)]),
        ]
    )
    assert found["collisions_at_fault"] == 1
    assert [each["trip"] for each in found["collisions"]] == ["a", "a", "b"]
    assert [each["trip"] for each in found["collisions_other"]] == ["a", "b"]
    assert not any(each["at_fault"] for each in found["collisions_other"])


def test_rates_carry_their_exposure_and_an_exact_interval():
    found = totals([trip("a", red_light=2), trip("b", distance_m=3000.0, duration_s=1700.0)])
    rates = found["rates"]
    assert rates["exposure_km"] == pytest.approx(4.0)
    assert rates["exposure_h"] == pytest.approx(0.5)
    assert rates["red_light"]["count"] == 2
    assert rates["red_light"]["per_100km"] == pytest.approx(50.0)
    assert rates["red_light"]["interval_95"] == pytest.approx(
        poisson_interval(2, 4.0 / 100.0), abs=1e-4
    )
    assert rates["collisions_at_fault"]["interval_95"][0] == 0.0
    assert rates["collisions_at_fault"]["interval_95"][1] > 0.0


def test_time_shares_and_traffic_weigh_by_time():
    found = totals(
        [
            trip("a", road_users_100m_mean=10.0),
            trip("b", duration_s=300.0, reasons={"lead": 300.0}, road_users_100m_mean=2.0),
        ]
    )
    assert found["reasons"] == {"lead": 340.0, "none": 60.0}
    assert found["road_users_100m_mean"] == pytest.approx((10.0 * 100 + 2.0 * 300) / 400)


def test_a_trip_that_could_not_be_driven_counts_as_not_arrived():
    failed = NO_NUMBERS | {"trip": "x", "end": "failed", "failed": "no way"}
    found = totals([trip("a"), failed])
    assert found["routes"] == 2
    assert found["arrived_share"] == 0.5
    assert found["planner_ms"]["frames"] == 2
    alone = totals([failed])
    assert alone["arrived_share"] == 0.0
    assert alone["comfort"] is None
    assert alone["speed_ratio"] is None
    assert "collisions_at_fault" not in alone["rates"]


@pytest.mark.parametrize(
    ("more", "good"),
    [
        ({}, True),
        ({"collisions_at_fault": 1}, False),
        ({"red_light": 1}, False),
        ({"off_road_s": 0.1}, False),
        ({"wrong_way_s": 0.1}, False),
        ({"stuck": 1}, False),
        ({"guard_interventions": 5, "needless_hard_braking": 3}, True),
        ({"arrived": False}, True),  # 19 of 20 is 95 %
    ],
)
def test_what_passes(more, good):
    records = [trip(str(k)) for k in range(19)] + [trip("last", **more)]
    assert passed(totals(records)) is good


def test_too_few_arrivals_do_not_pass():
    records = [trip(str(k)) for k in range(18)]
    records += [trip("x", arrived=False), trip("y", arrived=False)]
    assert not passed(totals(records))
