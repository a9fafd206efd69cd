"""Health: what is wrong with the senses, and what that calls for."""

from dataclasses import dataclass

from marque.types.codes import Reaction


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: whose fault it is ("camera ahead"), which ("silent"), what it calls
    for by itself, and since when it has called for that."""

    part: str
    fault: str
    reaction: Reaction
    since_ns: int

    @property
    def text(self) -> str:
        """For people and logs."""
        return f"{self.part} {self.fault}"


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that is wrong now, and what all of it together calls for since `since_ns`."""

    level: Reaction = Reaction.NONE
    findings: tuple[Finding, ...] = ()
    since_ns: int = 0

    @property
    def text(self) -> str:
        """The findings that the level rests on first; "" when nothing is wrong."""
        worst = sorted(self.findings, key=lambda one: -one.reaction)
        return ", ".join(one.text for one in worst)


FINE = Health()


def joined(one: Health, other: Health) -> Health:
    """Both together: every finding, and the stronger of what they call for."""
    if other.level == Reaction.NONE and not other.findings:
        return one
    if one.level == Reaction.NONE and not one.findings:
        return other
    worse = one if one.level >= other.level else other
    return Health(worse.level, (*one.findings, *other.findings), worse.since_ns)
