"""What the guard does for the automaton's order.

1. A manoeuvre that is not driven as it has to be is taken over: the last verified fall-back, to the
   end; plans that come later are not looked at any more.
2. Where the car may not set off it is held at rest.
3. Hazard lights are shown as ordered; who indicates a change of lanes goes on doing so.
"""

from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.takeover import Mode, Order

RESTS_MPS, HOLD_MPS2 = 0.3, -1.0


def taken_over(order: Order) -> bool:
    """Whether the guard stops the car, whatever is planned."""
    return order.mode in (Mode.MANOEUVRE, Mode.EMERGENCY) and order.most_mps <= 0.0


def held(order: Order, speed_mps: float, accel_mps2: float) -> float:
    """The acceleration, at rest no more than what holds the car where it may not set off."""
    if order.may_move or not order.drives or speed_mps > RESTS_MPS:
        return accel_mps2
    return min(accel_mps2, HOLD_MPS2)


def lights(order: Order, command: Command) -> Indicator:
    """What is shown."""
    shown = command.indicator
    return Indicator.HAZARD if order.hazard and shown == Indicator.OFF else shown
