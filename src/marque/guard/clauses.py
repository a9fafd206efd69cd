"""What each rule of the guard stands on.

Clauses are those of UN R157 (01 series), UN R171, UN R79 and of the conventions of 1968; nobody has
checked them against the official texts yet. "guard law n" is the n-th law in `guard.py`, where no
clause asks for the rule: it is the guard's own.
"""

from collections.abc import Mapping
from types import MappingProxyType

_OF: dict[str, tuple[str, ...]] = {
    "": ("",),
    "UN R157 5.2.3.3": ("rss",),
    "UN R157 5.2.5.2": ("cut_in",),
    "UN R157 5.3.1.1": ("aeb_partial", "aeb_full"),
    "UN R157 5.2.1": ("corridor",),
    "UN R157 5.2.3.1": ("speed",),
    "UN R79, ACSF limits": ("lateral_accel", "lateral_speed", "curvature_rate"),
    "UN R157 5.5": ("manoeuvre",),
    "UN R171 5.5.3.3.4": ("standstill",),
    "Convention on Road Signs and Signals, article 23": ("red_light",),
    "Convention on Road Traffic, article 18": ("priority",),
    "guard law 1": ("accel",),
    "guard law 2": ("fallback_elsewhere", "fallback_jumps", "fallback_too_hard",
                    "fallback_no_stop"),
    "guard law 7": ("fallback_hits",),
    "guard law 8": ("brake_weak", "steering_dead"),
    "guard, freshness 1": ("command_not_finite", "ego_not_finite", "objects_not_finite",
                           "plan_not_finite"),
    "guard, freshness 2": ("ego_stamp_back", "ego_stamp_ahead", "objects_stamp_back",
                           "objects_stamp_ahead"),
    "guard, freshness 3": ("command_stale", "ego_stale", "objects_stale"),
    "guard, freshness 4": ("no_plan", "plan_stale", "plan_expired"),
    "guard, freshness 5": ("plan_stamp_back", "plan_stamp_ahead"),
}  # fmt: skip

CLAUSES: Mapping[str, str] = MappingProxyType(
    {rule: clause for clause, rules in _OF.items() for rule in rules}
)
