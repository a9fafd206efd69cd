"""A person at the wheel: scripts, who hears a demand, and whole drives that are handed over."""

from dataclasses import replace

import numpy as np
import pytest

from bits import exact
from builders import Lane, straight_road, tiny_map
from marque.core.errors import MarqueError
from marque.core.time import NS_PER_S
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.sensing.profile import load_profile
from marque.sim.drive import (
    BROUGHT_TO_REST,
    TAKEN_OVER,
    Setup,
    begin_episode,
    run_drive,
    trip_route,
)
from marque.sim.narrate import takeover_events
from marque.sim.person import (
    REACTS_S,
    WEATHERS,
    Attended,
    Mind,
    cabin,
    heard,
    person_script,
    weather_at,
    weather_script,
)
from marque.sim.worlds.empty import EmptyWorld
from marque.types.codes import Indicator, Reason
from marque.types.episode import Episode
from marque.types.road_map import RoadMap
from marque.types.takeover import Cause, Mode, Order
from marque.vehicle.catalog import load_platform
from marque.vehicle.domain import load_domain
from marque.vehicle.market import load_market

R157, R171 = load_market("un_r157"), load_market("un_r171")
CAR = load_platform("saloon_ev")
QUICK = replace(R157, escalates_s=1.0, manoeuvre_s=2.0, planned_s=2.0)  # to save time
ROAD = straight_road(300.0, lanes=1, limit=8.33)


def driven(
    driver: str, attended: Attended | None, road: RoadMap = ROAD, sensors: str = "ideal",
    limit_s: float = 40.0,
) -> Episode:  # fmt: skip
    trip = Trip(0, 20.0, road.lane_count - 1, float(road.lane_length_m[-1]) - 10.0)
    setup = Setup(
        road, LaneIndex(road), CAR, driver, trip, 1, load_profile(sensors), limit_s,
        attended=attended,
    )  # fmt: skip
    world = EmptyWorld(road)
    episode = begin_episode(setup, trip_route(road, trip)[0], world)
    run_drive(setup, world, episode)
    return episode


def attended(market, person: str = "", weather: str = "", domain: str = "anywhere") -> Attended:
    return Attended(market, load_domain(domain), person_script(person), weather_script(weather))


def kinds(episode: Episode) -> list[tuple[float, str]]:
    return [(round(event.t_ns / NS_PER_S, 2), event.kind) for event in episode.events]


# scripts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dreaming@3", r"no word of --driver-attention 'dreaming'; have \[accelerator, asleep"),
        ("eyes-off@-3", "--driver-attention eyes-off@-3: '-3' is no time; it is WORD@S"),
        ("eyes-off@soon", "'soon' is no time"),
        ("eyes-off@nan", "'nan' is no time"),
        ("eyes-off@", "'' is no time"),
    ],
)
def test_a_script_that_is_none_is_refused_by_name(text, words):
    with pytest.raises(MarqueError, match=words):
        person_script(text)


def test_the_weather_has_words_of_its_own():
    with pytest.raises(MarqueError, match=r"no word of --weather 'hail'; have \[clear, fog,"):
        weather_script("hail@1")
    cues = weather_script("fog@5, clear@9")
    at = [weather_at(cues, second * NS_PER_S) for second in (4, 5, 9)]
    assert at == [WEATHERS["clear"], WEATHERS["fog"], WEATHERS["clear"]]


def test_a_script_is_played_in_the_order_of_time():
    cues = person_script("attentive@8, eyes-off@5, button@6")
    told = [cabin(cues, Mind(), R171, round(second * NS_PER_S)) for second in (4, 5, 6, 6.1, 8)]
    assert [one.eyes_on for one in told] == [True, False, False, False, True]
    assert [one.button for one in told] == [False, False, True, False, False]
    assert all(one.hands_on for one in told)
    assert not cabin((), Mind(), R157, 0).hands_on


def test_who_hears_takes_over_after_a_while_and_who_sleeps_does_not():
    mind = heard(Mind(), Order(Mode.DEMAND), NS_PER_S)
    assert heard(mind, Order(Mode.DEMAND), 2 * NS_PER_S) == mind
    assert heard(mind, Order(Mode.ACTIVE), 2 * NS_PER_S) == Mind()
    then = round((1.0 + REACTS_S) * NS_PER_S)
    for word, takes in (("attentive", True), ("eyes-off", True), ("asleep", False)):
        cues = person_script(word)
        assert not cabin(cues, mind, R157, then - 1).hands_on
        assert cabin(cues, mind, R157, then).hands_on == takes
    assert not cabin(person_script("eyes-off"), mind, R171, then).eyes_on
    # whose hands are on the wheel already presses the button, once
    pressed = [cabin((), mind, R171, then + step * 20_000_000).button for step in (-1, 0, 1)]
    assert pressed == [False, True, False]


def test_what_a_data_store_has_to_keep_is_told():
    active, none = Order(), None
    emergency = Order(Mode.EMERGENCY)
    person = Order(Mode.READY, Cause.BRAKE_PEDAL, drives=False)
    told = [
        takeover_events(none, active),
        takeover_events(active, Order(Mode.DEMAND, Cause.PLANNED_EXIT, detail="signals")),
        takeover_events(active, Order(Mode.MANOEUVRE, Cause.SEVERE_FAILURE)),
        takeover_events(active, emergency),
        takeover_events(emergency, replace(emergency, suppressed=True)),
        takeover_events(emergency, active),
        takeover_events(active, person),
        takeover_events(person, person),
    ]
    assert [[kind for kind, _ in one] for one in told] == [
        ["activation"], ["transition_demand"], ["severe_failure", "minimal_risk_manoeuvre"],
        ["emergency_start"], ["input_suppressed"], ["emergency_end"], ["deactivation"], [],
    ]  # fmt: skip
    assert told[1][0][1] == "to be taken over: the domain ends ahead (signals)"
    assert told[6][0][1] == "the person drives: brake pedal"


# whole drives


@pytest.mark.parametrize(
    ("sensors", "limit_s"), [pytest.param("ideal", 6.0, marks=pytest.mark.prove), ("standard", 1.5)]
)
def test_an_attentive_person_changes_nothing(sensors, limit_s):
    plain = driven("lane", None, sensors=sensors, limit_s=limit_s)
    watched = driven("lane", attended(R171), sensors=sensors, limit_s=limit_s)
    assert [exact(replace(tick, orders=())) for tick in watched.ticks] == [
        exact(tick) for tick in plain.ticks
    ]
    assert kinds(watched) == [(0.0, "activation"), *kinds(plain)]


def judged_rest(episode: Episode) -> None:
    """At rest, softly, with hazard lights since the manoeuvre began."""
    began = next(event.t_ns for event in episode.events if event.kind == "minimal_risk_manoeuvre")
    after = [tick for tick in episode.ticks if tick.world.t_ns > began]
    assert all(tick.command.indicator == Indicator.HAZARD for tick in after)
    assert after[-1].world.ego.speed_mps < 0.05
    assert min(tick.world.ego.accel_mps2 for tick in after) >= -4.0
    assert episode.end.startswith(BROUGHT_TO_REST)


def test_the_driver_brings_us_to_rest_when_nobody_takes_over():
    episode = driven("marque", attended(QUICK, "unbelted@4"))
    assert (4.0, "transition_demand") in kinds(episode)
    assert (6.0, "minimal_risk_manoeuvre") in kinds(episode)
    judged_rest(episode)
    assert Reason.TAKEOVER in {tick.reason for tick in episode.ticks}
    assert not any(verdict.rule == "manoeuvre" for t in episode.ticks for verdict in t.verdicts)


def test_the_guard_does_where_the_driver_does_not():
    """The driver `lane` knows nothing of manoeuvres."""
    episode = driven("lane", attended(QUICK, "unbelted@4"))
    judged_rest(episode)
    rules = {verdict.rule for tick in episode.ticks for verdict in tick.verdicts}
    assert "manoeuvre" in rules


def test_an_attentive_person_takes_over_in_time():
    episode = driven("lane", attended(R157, weather="ice@3", domain="fast_road"), fast_road())
    assert kinds(episode)[:2] == [(0.0, "activation"), (3.02, "transition_demand")]
    assert episode.end == f"{TAKEN_OVER}: took the wheel"
    assert np.isclose(episode.ticks[-1].world.t_ns / NS_PER_S, 3.0 + REACTS_S, atol=0.2)


def fast_road() -> RoadMap:
    return tiny_map([Lane([(0.0, 0.0), (900.0, 0.0)], edge="fast", limit=27.8)])
