"""Time is `t_ns: int64`, counted from the start of a drive; durations are seconds."""

NS_PER_S = 1_000_000_000
BASE_STEP_NS = 20_000_000  # control and guard, 50 Hz
PLAN_STEP_NS = 100_000_000  # perceive, drive and traffic, 10 Hz
BASE_STEP_S = BASE_STEP_NS / NS_PER_S
PLAN_STEP_S = PLAN_STEP_NS / NS_PER_S


def seconds(duration_ns: int) -> float:
    """Nanoseconds to seconds."""
    return duration_ns / NS_PER_S


def nanoseconds(duration_s: float) -> int:
    """Seconds to nanoseconds, rounded."""
    return round(duration_s * NS_PER_S)
