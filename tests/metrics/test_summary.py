"""One drive in one object: every key of the contract, from the truth."""

import json

from builders import street_grid
from marque.maps.field import plan_route, route_lanes
from marque.maps.lookup import LaneIndex
from marque.maps.route_line import route_path
from marque.metrics.summary import guard_interventions, judge, summarise
from marque.metrics.trace import make_trace
from marque.metrics.way import driven_way
from marque.types.codes import Indicator, Reason
from marque.types.command import Command
from marque.types.verdict import Action, Verdict
from metrics.drives import along, drive, moving, standing

TOWN = street_grid(4, 3)
GOAL = TOWN.lane_name.index("2,2>1,2")


def town_drive(speed: float = 8.0, **more: object):  # type: ignore[no-untyped-def]
    route = plan_route(TOWN, GOAL, 60.0)
    path = route_path(TOWN, route, 0, 10.0)
    frames = int(path.s_m[-1] / speed / 0.1) + 20
    return drive(TOWN, along(path.xy_m, speed, frames), goal=(GOAL, 60.0), **more)  # type: ignore[arg-type]


def test_every_key_is_there_and_is_json() -> None:
    numbers = summarise(town_drive(reason=Reason.CURVE), reference_duration_s=60.0)
    want = {
        "arrived", "distance_m", "duration_s", "reference_duration_s", "collisions_at_fault",
        "collisions_other", "red_light", "off_road_s", "wrong_way_s", "stuck",
        "guard_interventions", "comfort", "reasons", "road_users_100m_mean",
    }  # fmt: skip
    assert want <= set(numbers)
    names = {"accel_p95_mps2", "decel_p99_mps2", "lat_accel_p99_mps2", "jerk_rms_mps3"}
    assert names <= set(numbers["comfort"])
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_a_clean_drive_is_clean() -> None:
    numbers = summarise(town_drive())
    assert numbers["arrived"] and numbers["distance_m"] > 300.0
    for name in ("collisions_at_fault", "collisions_other", "red_light", "stuck"):
        assert numbers[name] == 0
    assert numbers["off_road_s"] == numbers["wrong_way_s"] == 0.0


def test_the_driven_way_is_the_route() -> None:
    route = plan_route(TOWN, GOAL, 60.0)
    trace = make_trace(town_drive())
    way = driven_way(trace, LaneIndex(TOWN))
    assert list(dict.fromkeys(way.lane.tolist())) == route_lanes(TOWN, route, 0, 10.0)


def test_a_crash_is_told_with_its_record() -> None:
    route = plan_route(TOWN, GOAL, 60.0)
    x, y = route_path(TOWN, route, 0, 10.0).xy_m[60]
    numbers = summarise(town_drive(users=[standing(3, float(x), float(y))]))
    (record,) = numbers["collisions"]
    assert numbers["collisions_at_fault"] == 1 and record["uid"] == 3 and record["at_fault"]
    assert record["reason"] and record["side"] == "front"


def test_guard_interventions_count_beginnings() -> None:
    def acts(frame: int) -> tuple[Verdict, ...]:
        if frame not in (3, 4, 5, 9):
            return ()
        command = Command(0, -1.0, 0.0, Indicator.OFF)
        return (Verdict(0, Action.LIMIT, command, "envelope", 0.1, False),)

    assert guard_interventions(town_drive(verdicts=acts)) == 2


def test_reasons_sum_to_the_time_driven() -> None:
    numbers = summarise(town_drive(reason=Reason.YIELD))
    assert sum(numbers["reasons"].values()) > 0.99 * numbers["duration_s"]
    assert list(numbers["reasons"]) == ["yield"]


def test_the_same_drive_gives_the_same_numbers() -> None:
    users = [moving(1, 0.0, 40.0, 0.3, 5.0)]
    assert summarise(town_drive(users=users)) == summarise(town_drive(users=users))


def test_no_drive_at_all() -> None:
    verdict = judge(drive(TOWN, [], goal=(GOAL, 60.0)))
    assert not verdict.numbers["arrived"] and verdict.numbers["distance_m"] == 0.0
