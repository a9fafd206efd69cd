"""Signals: which phase a program is in, and what a driver makes of a state. SI units."""

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.types.codes import Control, SignalState

STOOD_MPS = 0.3  # slower than this is standing
AT_LINE_M = 5.0  # who has stood so near a stop line has stood at it


@jit
def phase_at(ends_s: FloatArray, first: int, last: int, offset_s: float, t_s: float) -> int:
    """Index of the phase in force, of the phases first..last-1 whose ends are `ends_s` (cumulative
    seconds of the cycle). A positive offset delays the program."""
    at = (t_s - offset_s) % ends_s[last - 1]
    for phase in range(first, last - 1):
        if at + 1e-9 < ends_s[phase]:
            return phase
    return last - 1


@jit
def lets_pass(state: int, can_stop: bool) -> bool:
    """Whether a state lets one drive over its stop line; at amber, who can no longer stop."""
    if state == SignalState.AMBER:
        return not can_stop
    return not (
        state == SignalState.RED or state == SignalState.RED_AMBER or state == SignalState.UNKNOWN
    )


@jit
def must_stand(control: int, state: int) -> bool:
    """Whether one has to come to a stand at the line before going on."""
    if control == Control.SIGNAL:
        return state == SignalState.STOP_THEN_GO
    return control == Control.STOP or control == Control.ALL_WAY_STOP


@jit
def standing_priority(priority: int, state: int, other_state: int) -> int:
    """Who goes first between two ways, given their signals: green before green that has to yield,
    else as the conflict says (+1 we, -1 they, 0 equal)."""
    if state == SignalState.GREEN and other_state != SignalState.GREEN:
        return 1
    if other_state == SignalState.GREEN and state != SignalState.GREEN:
        return -1
    return priority
