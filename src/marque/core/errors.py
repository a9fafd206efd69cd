"""Errors that a user caused or can cure: one clear sentence, and an exit code."""

from collections.abc import Iterable
from difflib import get_close_matches


class MarqueError(Exception):
    """What is wrong, where, and what exists instead. The command line prints it and exits 2."""

    exit_code = 2


def unknown(kind: str, name: str, have: Iterable[str]) -> MarqueError:
    """The error for a name that does not exist: `no driver 'x'; have [...]`."""
    names = sorted(have)
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return MarqueError(f"no {kind} '{name}'; have [{', '.join(names)}]{hint}")
