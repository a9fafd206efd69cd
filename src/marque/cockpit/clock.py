"""The clock of a replay: `at(clock, wall_s)` says which moment of the drive is shown."""

from dataclasses import dataclass, replace

SLOWEST, FASTEST = 0.1, 50.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Shown since `wall_s`: `begin_s`, and from there `speed` times the wall clock if it runs."""

    end_s: float
    begin_s: float = 0.0
    wall_s: float = 0.0
    speed: float = 1.0
    runs: bool = False


def at(clock: Clock, wall_s: float) -> float:
    """Seconds of the drive."""
    passed = clock.speed * max(0.0, wall_s - clock.wall_s) if clock.runs else 0.0
    return min(clock.end_s, clock.begin_s + passed)


def played(clock: Clock, wall_s: float) -> Clock:
    """Runs from here; at the end, from the start again."""
    now_s = at(clock, wall_s)
    return replace(clock, begin_s=0.0 if now_s >= clock.end_s else now_s, wall_s=wall_s, runs=True)


def paused(clock: Clock, wall_s: float) -> Clock:
    """Stands here."""
    return replace(clock, begin_s=at(clock, wall_s), wall_s=wall_s, runs=False)


def sought(clock: Clock, wall_s: float, t_s: float) -> Clock:
    """Goes on from another moment."""
    return replace(clock, begin_s=min(max(0.0, t_s), clock.end_s), wall_s=wall_s)


def hastened(clock: Clock, wall_s: float, speed: float) -> Clock:
    """Goes on faster or slower."""
    kept = min(max(speed, SLOWEST), FASTEST)
    return replace(clock, begin_s=at(clock, wall_s), wall_s=wall_s, speed=kept)
