"""Person, domain, locks and automaton together, at 20 ms and with the times of each market."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from marque.core.time import BASE_STEP_NS, NS_PER_S
from marque.guard import lockout
from marque.guard.domain import border, failure
from marque.guard.supervision import Supervision, begin_supervision, informed, supervise
from marque.types.codes import Reaction
from marque.types.domain import Stretch, Trait
from marque.types.market import Market
from marque.types.takeover import Cabin, Cause, Domain, Failure, Mode, Order, Weather
from marque.vehicle.domain import load_domain
from marque.vehicle.market import load_market

TICK_S = BASE_STEP_NS / NS_PER_S
R157, R171, GB = (load_market(name) for name in ("un_r157", "un_r171", "cn_gb47955"))
ANYWHERE, MOTORWAY = load_domain("anywhere"), load_domain("motorway")
GOOD = MOTORWAY.needs


@dataclass
class Ride:
    """A car at a steady speed that slows down softly in a manoeuvre."""

    market: Market
    memory: Supervision | None = None
    t_ns: int = 0
    speed_mps: float = 20.0
    slows_mps2: float = 2.0

    def __post_init__(self) -> None:
        self.memory = self.memory or begin_supervision(self.market, ANYWHERE)

    def go(
        self, seconds: float, stamped: bool = True, accel: float = 0.0, **cabin: object
    ) -> list[tuple[float, Order]]:
        """Every new mode or warning, with its time."""
        news = []
        for _ in range(round(seconds / TICK_S)):
            told = Cabin(self.t_ns, **cabin) if stamped else Cabin(0, **cabin)
            before = self.memory.order.news
            self.memory = supervise(self.memory, told, self.t_ns, self.speed_mps, accel, False)
            order = self.memory.order
            if order.news != before:
                news.append((self.t_ns / NS_PER_S, order))
            if order.mode == Mode.MANOEUVRE:
                self.speed_mps = max(0.0, self.speed_mps - self.slows_mps2 * TICK_S)
            self.t_ns += BASE_STEP_NS
        return news

    @property
    def mode(self) -> Mode:
        return self.memory.order.mode


def when(news: list[tuple[float, Order]], is_so: Callable[[Order], bool]) -> float:
    return next(t for t, order in news if is_so(order))


@pytest.mark.parametrize("market", [R171, GB], ids=["un_r171", "cn_gb47955"])
def test_eyes_off_the_road_is_escalated_in_time(market):
    ride = Ride(market)
    ride.go(1.0)
    news = ride.go(32.0, eyes_on=False)
    asked = when(news, lambda order: order.visual)
    assert asked == pytest.approx(1.0 + 5.0, abs=TICK_S)
    demanded = when(news, lambda order: order.mode == Mode.DEMAND)
    assert demanded == pytest.approx(1.0 + 8.0, abs=TICK_S)
    louder = when(news, lambda order: order.haptic)
    assert demanded < louder <= demanded + 5.0 + TICK_S
    rests = when(news, lambda order: order.mode == Mode.MANOEUVRE)
    assert rests == pytest.approx(demanded + 10.0, abs=TICK_S)
    assert ride.mode == Mode.STANDSTILL and ride.memory.order.hazard
    assert ride.memory.order.cause == Cause.EYES_OFF


def test_hands_off_the_wheel_are_asked_back_later():
    news = Ride(R171).go(16.0, hands_on=False)
    assert when(news, lambda order: order.visual) == pytest.approx(5.0, abs=TICK_S)
    assert not news[1][1].acoustic
    assert when(news, lambda order: order.mode == Mode.DEMAND) == pytest.approx(15.0, abs=TICK_S)


def test_eyes_off_driving_asks_for_neither():
    ride = Ride(R157)
    assert [order.mode for _, order in ride.go(60.0, eyes_on=False, hands_on=False)] == [
        Mode.ACTIVE
    ]


def test_who_sleeps_is_warned_for_15_s_then_asked_for_10_s_then_brought_to_rest():
    news = Ride(R157).go(40.0, eyes_on=False, hands_on=False, available=False)
    assert when(news, lambda order: order.visual) == pytest.approx(0.0, abs=TICK_S)
    assert when(news, lambda order: order.mode == Mode.DEMAND) == pytest.approx(15.0, abs=TICK_S)
    assert when(news, lambda order: order.haptic) == pytest.approx(19.0, abs=TICK_S)
    assert when(news, lambda order: order.mode == Mode.MANOEUVRE) == pytest.approx(25.0, abs=TICK_S)


@pytest.mark.parametrize(
    ("lacks", "after_s", "cause"),
    [({"seated": False}, 1.0, Cause.SEAT), ({"belted": False}, 0.0, Cause.BELT),
     ({"doors_shut": False}, 0.0, Cause.DOOR), ({"ignition": False}, 0.0, Cause.IGNITION)],
)  # fmt: skip
def test_who_is_not_there_is_asked_at_once(lacks, after_s, cause):
    ride = Ride(R157)
    ride.go(1.0)
    news = ride.go(2.0, **lacks)
    assert news[0][1].mode == Mode.DEMAND and news[0][1].cause == cause
    assert news[0][0] == pytest.approx(1.0 + after_s, abs=2 * TICK_S)


def test_short_glances_do_not_count_as_having_looked():
    ride = Ride(R171)
    for _ in range(12):  # 9 s off the road, but for glances of 0.1 s
        ride.go(0.65, eyes_on=False)
        ride.go(0.1)
    assert ride.mode == Mode.DEMAND
    ride.go(0.3)
    assert ride.mode == Mode.ACTIVE


def test_nothing_is_asked_of_who_drives_slowly():
    ride = Ride(R171, speed_mps=2.0)
    ride.go(30.0, eyes_on=False)
    assert ride.mode == Mode.ACTIVE


def test_a_cabin_that_says_nothing_new_is_a_person_of_whom_nothing_is_known():
    news = Ride(R171).go(20.0, stamped=False)
    assert when(news, lambda order: order.mode == Mode.DEMAND) < 9.0
    nothing = Ride(R171)
    nothing.memory = supervise(nothing.memory, None, 0, 20.0, 0.0, False)
    assert nothing.memory.order.visual


def test_a_wheel_force_that_is_no_number_overrides_nothing():
    ride = Ride(R171)
    ride.go(1.0, wheel_n=math.nan)
    assert ride.mode == Mode.ACTIVE
    ride.go(0.1, wheel_n=-60.0)
    assert ride.mode == Mode.OVERRIDE


@pytest.mark.parametrize("seconds", [3.0, 9.0, 13.0])
def test_taking_the_wheel_ends_a_demand_or_a_manoeuvre(seconds):
    ride = Ride(R157)
    ride.go(seconds, belted=False, hands_on=False)
    assert ride.mode == (Mode.MANOEUVRE if seconds > 10.0 else Mode.DEMAND)
    ride.go(TICK_S, belted=False)
    assert ride.mode == Mode.READY and not ride.memory.order.drives


# emergencies, and what the manoeuvre is held to


def test_an_emergency_lasts_as_long_as_the_guards_brake_is_latched():
    ride = Ride(R157)
    ride.go(0.1, accel=-8.0, hands_on=False)
    assert ride.mode == Mode.EMERGENCY
    memory = ride.memory
    kept = supervise(memory, Cabin(ride.t_ns), ride.t_ns, 15.0, -1.0, held=True)
    assert kept.order.mode == Mode.EMERGENCY
    over = supervise(memory, Cabin(ride.t_ns), ride.t_ns, 15.0, -1.0, held=False)
    assert over.order.mode == Mode.ACTIVE


@pytest.mark.parametrize(("slows_mps2", "missed"), [(2.0, False), (0.8, False), (0.3, True)])
def test_a_manoeuvre_that_does_not_slow_down_is_the_guards(slows_mps2, missed):
    ride = Ride(R157, slows_mps2=slows_mps2)
    ride.go(17.0, belted=False, hands_on=False)
    assert ride.mode == Mode.MANOEUVRE
    assert ride.memory.missed == missed
    assert (ride.memory.order.most_mps == 0.0) == missed


# locks


def brought_to_rest(market: Market) -> Ride:
    ride = Ride(market)
    ride.go(32.0, belted=False, hands_on=False)
    assert ride.mode == Mode.STANDSTILL
    ride.go(0.1)
    assert ride.mode == Mode.READY
    return ride


def test_after_a_manoeuvre_only_a_new_start_helps():
    ride = brought_to_rest(R157)
    ride.go(TICK_S, button=True)
    assert ride.mode == Mode.READY
    ride.go(0.1, ignition=False)
    assert ride.mode == Mode.OFF
    ride.go(0.1)
    ride.go(TICK_S, button=True)
    assert ride.mode == Mode.ACTIVE


def test_a_second_manoeuvre_locks_where_one_is_forgiven():
    ride = brought_to_rest(R171)
    ride.go(TICK_S, button=True)
    assert ride.mode == Mode.ACTIVE
    ride.speed_mps = 20.0
    ride.go(32.0, belted=False, hands_on=False)
    ride.go(0.1)
    ride.go(TICK_S, button=True)
    assert ride.mode == Mode.READY


def test_half_an_hour_is_half_an_hour_also_after_a_new_start():
    at = lockout.locks(lockout.Locks(), Mode.DEMAND, Mode.MANOEUVRE, Cause.BELT, 0, GB)
    at = lockout.locks(at, Mode.STANDSTILL, Mode.OFF, Cause.NONE, 10**9, GB)
    assert at.locked(1799 * NS_PER_S) and not at.locked(1800 * NS_PER_S)


def test_three_demands_for_attention_within_half_an_hour_lock():
    def after(minutes: list[int]) -> bool:
        at = lockout.Locks()
        for minute in minutes:
            now = minute * 60 * NS_PER_S
            at = lockout.locks(at, Mode.ACTIVE, Mode.DEMAND, Cause.EYES_OFF, now, GB)
        return at.locked(minutes[-1] * 60 * NS_PER_S)

    assert after([0, 10, 20]) and after([0, 31, 40, 61])
    assert not after([0, 10]) and not after([0, 20, 40, 60])


# the domain


def test_a_limit_that_is_too_low_is_a_border():
    way = (Stretch(-1.0, 30.0, GOOD), Stretch(100.0, 13.9, GOOD))
    found = border(MOTORWAY, way, Weather(), 10.0, 30.0)
    assert found.domain == Domain.NEAR_EXIT and found.what == "a limit of 50 km/h"
    assert border(MOTORWAY, way[:1], Weather(), 10.0, 30.0).ahead_m == math.inf


def road(*stretches: tuple[float, Trait]) -> tuple[Stretch, ...]:
    return tuple(Stretch(begin, 30.0, traits) for begin, traits in stretches)


@pytest.mark.parametrize(
    ("ahead_m", "speed_mps", "domain"),
    [(2000.0, 30.0, Domain.INSIDE), (899.0, 30.0, Domain.NEAR_EXIT), (901.0, 30.0, Domain.INSIDE),
     (20.0, 0.0, Domain.INSIDE), (4.0, 30.0, Domain.OUTSIDE)],
)  # fmt: skip
def test_the_border_is_near_in_time(ahead_m, speed_mps, domain):
    way = road((-50.0, GOOD), (ahead_m, GOOD | Trait.SIGNALS))
    found = border(MOTORWAY, way, Weather(), speed_mps, R157.planned_s)
    assert found.domain == domain and found.ahead_m == ahead_m and found.what == "signals"


@pytest.mark.parametrize(
    ("traits", "words"),
    [(GOOD & ~Trait.SEPARATED, "oncoming traffic"), (GOOD & ~Trait.MOTOR_ONLY, "people on foot"),
     (GOOD | Trait.CROSSWALKS, "crosswalks"), (GOOD | Trait.ROUNDABOUT, "a roundabout"),
     (GOOD | Trait.CROSSINGS, "crossing traffic")],
)  # fmt: skip
def test_a_road_of_another_kind_is_outside(traits, words):
    found = border(MOTORWAY, road((-1.0, traits)), Weather(), 20.0, 30.0)
    assert found.domain == Domain.OUTSIDE and words in found.what


@pytest.mark.parametrize(
    ("weather", "speed_mps", "words"),
    [(Weather(visibility_m=80.0), 20.0, "visibility"), (Weather(rain_mmph=9.0), 20.0, "rain"),
     (Weather(friction=0.3), 20.0, "grip"), (Weather(friction=math.nan), 20.0, "grip"),
     (Weather(), 40.0, "faster than 130"), (Weather(), math.nan, "faster")],
)  # fmt: skip
def test_weather_and_speed_beyond_the_bounds_are_outside(weather, speed_mps, words):
    found = border(MOTORWAY, road((-1.0, GOOD)), weather, speed_mps, 30.0)
    assert found.domain == Domain.OUTSIDE and words in found.what


def test_without_a_map_a_domain_that_needs_one_is_left():
    assert border(MOTORWAY, (), Weather(), 20.0, 30.0).domain == Domain.OUTSIDE
    assert border(ANYWHERE, (), Weather(), 20.0, 30.0).domain == Domain.INSIDE


def test_senses_are_failures_by_degrees():
    assert failure(MOTORWAY, Reaction.LOG) == Failure.NONE
    assert failure(MOTORWAY, Reaction.DEGRADE) == Failure.MINOR
    assert failure(ANYWHERE, Reaction.DEGRADE) == Failure.NONE
    assert failure(ANYWHERE, Reaction.TAKEOVER) == Failure.MINOR
    assert failure(ANYWHERE, Reaction.STOP) == Failure.SEVERE


def test_the_domain_is_left_with_a_demand_before_its_border():
    """On towards signals at 30 m/s: demanded 30 s before, at rest before them."""
    ride = Ride(R157, begin_supervision(R157, MOTORWAY), speed_mps=30.0)
    place, border_m, news = 0.0, 2000.0, []
    while ride.mode != Mode.STANDSTILL:
        way = road((-1.0, GOOD), (border_m - place, GOOD | Trait.SIGNALS))
        ride.memory = informed(ride.memory, way, None, Reaction.NONE, ride.speed_mps)
        news += [(place, order) for _, order in ride.go(0.1, hands_on=False)]
        place += 0.1 * ride.speed_mps
    demanded = next(at for at, order in news if order.mode == Mode.DEMAND)
    assert demanded == pytest.approx(border_m - 900.0, abs=10.0)
    assert any(order.detail == "signals" for _, order in news)
    assert place < border_m - 100.0


def test_a_severe_failure_begins_the_manoeuvre_at_once():
    ride = Ride(R157)
    ride.go(1.0, hands_on=False)
    ride.memory = replace(ride.memory, failure=Failure.SEVERE)
    ride.go(TICK_S, hands_on=False)
    assert ride.mode == Mode.MANOEUVRE and ride.memory.order.cause == Cause.SEVERE_FAILURE
