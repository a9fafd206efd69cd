"""A class of situations: how its cases are drawn, when one counts, and what it demands."""

from collections.abc import Callable
from dataclasses import dataclass

from marque.prove.situations.case import Case
from marque.prove.situations.cast import Rng
from marque.prove.situations.checks import COMMON, Criterion
from marque.prove.situations.view import View


@dataclass(frozen=True, slots=True)
class Situation:
    """`posed`: whether the truth of a drive held the situation at all; if not, and nothing else
    went wrong, another case is drawn in its place."""

    name: str
    title: str
    draw: Callable[[Rng], Case]
    posed: Callable[[View], bool]
    own: tuple[Criterion, ...]

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Those of every drive, then its own."""
        return COMMON + self.own
