"""Verdict: what the guard lets through, and why."""

from dataclasses import dataclass
from enum import IntEnum

from marque.types.command import Command


class Action(IntEnum):
    """What the guard did with the command."""

    PASS = 0
    LIMIT = 1  # the command, cut to the envelope
    BRAKE = 2  # the command's curvature, stronger braking
    FALLBACK = 3  # the last verified fall-back, tracked by the guard itself


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """`rule` names the rule that decided ("" for PASS); `margin` is its measured margin, `clause`
    what it stands on; `note` says which of the guard's own eyes are shut ("": none)."""

    t_ns: int
    action: Action
    command: Command
    rule: str
    margin: float
    warning: bool  # tell the driver
    clause: str = ""
    note: str = ""
