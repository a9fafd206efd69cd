"""Parameter value distributions: one file that makes many cases of one scenario.

Deterministic distributions multiply; stochastic ones are drawn, seeded. A case is the parameters
that it gives, as texts. Cases that the scenario's own constraints rule out are told apart by
`allowed`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from marque.core.errors import MarqueError
from marque.core.xml_tree import Node
from marque.sim.scenario.catalogs import read_root
from marque.sim.scenario.document import VARIATION, settled
from marque.sim.scenario.parameters import OutsideConstraints, resolved, text_of
from marque.sim.scenario.reader import Reader, element

Case = dict[str, str]
Axis = tuple[Case, ...]  # the choices along one distribution
Draw = Callable[[np.random.Generator], str]
DIGITS = 12  # of steps of a range; hides what binary fractions leave
DRAWS = 10_000  # of one truncated distribution before it is given up
MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Variation:
    """Cases of one scenario: the product of `axes`."""

    file: Path
    scenario: Path
    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        """Cases before the scenario's own constraints."""
        return math.prod(len(axis) for axis in self.axes)

    def case(self, number: int) -> Case:
        """Case `number` of `len`; the last axis runs fastest."""
        out: Case = {}
        for axis in reversed(self.axes):
            number, at = divmod(number, len(axis))
            out = {**axis[at], **out}
        return out

    def __iter__(self) -> Iterator[Case]:
        return (self.case(number) for number in range(len(self)))

    def allowed(self, case: Case) -> bool:
        """Whether the scenario's constraints allow a case. MarqueError: it has no such parameter,
        or a value is none of its type."""
        try:
            settled(self.scenario, case)
        except OutsideConstraints:
            return False
        return True


def is_variation(path: Path) -> bool:
    """Whether a file holds a distribution. MarqueError: it is no OpenSCENARIO file."""
    return read_root(path).first(VARIATION) is not None


def read_variation(path: Path, seed: int | None = None, runs: int | None = None) -> Variation:
    """A distribution file. seed, runs: instead of those that a stochastic one states.

    MarqueError: malformed, no distribution, an unsupported element, a scenario file that does not
    exist or that is a distribution in turn.
    """
    root = read_root(path)
    node = root.first(VARIATION)
    if node is None:
        raise MarqueError(f"{path} holds no <{VARIATION}>")
    scenario, axes = _read_variation(resolved(node, {}), path, seed, runs)
    if is_variation(scenario):
        ring = scenario.resolve() == path.resolve()
        what = "includes itself" if ring else f"varies {scenario}, itself a variation"
        raise node.error(f"{what}; name a scenario")
    return Variation(path, scenario, axes)


@element
def _read_variation(
    node: Reader, path: Path, seed: int | None, runs: int | None
) -> tuple[Path, tuple[Axis, ...]]:
    scenario = path.parent / _read_file(node.child("ScenarioFile"))
    kind = node.child("Deterministic", "Stochastic")
    if kind.tag == "Deterministic":
        return scenario, _read_deterministic(kind)
    return scenario, _read_stochastic(kind, seed, runs)


@element
def _read_file(node: Reader) -> str:
    return node.text("filepath")


@element
def _read_deterministic(node: Reader) -> tuple[Axis, ...]:
    single, multi = (
        "DeterministicSingleParameterDistribution",
        "DeterministicMultiParameterDistribution",
    )
    axes = [
        _read_single(each) if each.tag == single else _read_multi(each)
        for each in node.all(single, multi)
    ]
    _need_once(node, [set(axis[0]) for axis in axes if axis])
    return tuple(axes)


def _need_once(node: Reader, names: list[set[str]]) -> None:
    seen: set[str] = set()
    for some in names:
        if some & seen:
            raise node.error(f"varies '{min(some & seen)}' twice")
        seen |= some


@element
def _read_single(node: Reader) -> Axis:
    name = node.text("parameterName")
    texts = node.one_of({"DistributionSet": _read_set, "DistributionRange": _read_range})
    return tuple({name: text} for text in texts)


@element
def _read_set(node: Reader) -> tuple[str, ...]:
    texts = tuple(_read_value(each) for each in node.all("Element"))
    if not texts:
        raise node.error("is empty")
    return texts


@element
def _read_value(node: Reader) -> str:
    return node.text("value")


@element
def _read_range(node: Reader) -> tuple[str, ...]:
    low, high = _read_limits(node.child("Range"))
    step = node.number("stepWidth")
    if step <= 0.0:
        raise node.error("has a stepWidth that is not positive")
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > MOST_STEPS:
        raise node.error(f"has {count} steps; at most {MOST_STEPS} are played")
    return tuple(text_of(round(low + i * step, DIGITS)) for i in range(count))


@element
def _read_limits(node: Reader) -> tuple[float, float]:
    low, high = node.number("lowerLimit"), node.number("upperLimit")
    if high < low:
        raise node.error(f"ends at {high:g}, before it begins at {low:g}")
    return low, high


@element
def _read_multi(node: Reader) -> Axis:
    return _read_sets(node.child("ValueSetDistribution"))


@element
def _read_sets(node: Reader) -> Axis:
    sets = tuple(_read_value_set(each) for each in node.all("ParameterValueSet"))
    if not sets:
        raise node.error("is empty")
    for each in sets[1:]:
        if set(each) != set(sets[0]):
            raise node.error("has sets that give different parameters")
    return sets


@element
def _read_value_set(node: Reader) -> Case:
    return dict(_read_assignment(each) for each in node.all("ParameterAssignment"))


@element
def _read_assignment(node: Reader) -> tuple[str, str]:
    return node.text("parameterRef"), node.text("value")


@element
def _read_stochastic(node: Reader, seed: int | None, runs: int | None) -> tuple[Axis, ...]:
    count = node.integer("numberOfTestRuns") if runs is None or node.has("numberOfTestRuns") else 0
    count = count if runs is None else runs
    if count < 1:
        raise node.error(f"has numberOfTestRuns={count}; at least one is needed")
    stated = node.integer("randomSeed") if node.has("randomSeed") else 0
    random = np.random.default_rng(abs(int(stated if seed is None else seed)))
    draws = dict(_read_distribution(each) for each in node.all("StochasticDistribution"))
    if len(draws) != len(node.all("StochasticDistribution")):
        raise node.error("varies a parameter twice")
    return (tuple({name: draw(random) for name, draw in draws.items()} for _ in range(count)),)


@element
def _read_distribution(node: Reader) -> tuple[str, Draw]:
    parsers: Mapping[str, Callable[[Node], Draw]] = {
        "ProbabilityDistributionSet": _read_weighted,
        "NormalDistribution": _read_normal,
        "LogNormalDistribution": _read_log_normal,
        "UniformDistribution": _read_uniform,
        "PoissonDistribution": _read_poisson,
        "Histogram": _read_histogram,
    }
    return node.text("parameterName"), node.one_of(parsers)


@element
def _read_weighted(node: Reader) -> Draw:
    pairs = [_read_weighted_element(each) for each in node.all("Element")]
    cumulated = _cumulated(node, [weight for _, weight in pairs])
    return lambda random: pairs[_pick(cumulated, random)][0]


@element
def _read_weighted_element(node: Reader) -> tuple[str, float]:
    return node.text("value"), node.positive("weight")


def _cumulated(node: Reader, weights: list[float]) -> list[float]:
    total = sum(weights)
    if total <= 0.0:
        raise node.error("has no weight")
    return list(np.cumsum(weights) / total)


def _pick(cumulated: list[float], random: np.random.Generator) -> int:
    at = int(np.searchsorted(cumulated, random.random(), side="right"))
    return min(at, len(cumulated) - 1)


@element
def _read_uniform(node: Reader) -> Draw:
    low, high = _read_limits(node.child("Range"))
    return lambda random: text_of(float(random.uniform(low, high)))


def _spread(node: Reader) -> tuple[float, float, tuple[float, float] | None]:
    limits = node.maybe("Range")
    sigma = math.sqrt(node.positive("variance"))
    return node.number("expectedValue"), sigma, None if limits is None else _read_limits(limits)


def _within(
    node: Node, limits: tuple[float, float] | None, draw: Callable[[np.random.Generator], float]
) -> Draw:
    """Drawn until it lies between the limits."""

    def drawn(random: np.random.Generator) -> str:
        for _ in range(DRAWS):
            value = draw(random)
            if limits is None or limits[0] <= value <= limits[1]:
                return text_of(value)
        raise node.error(f"gives nothing within its limits in {DRAWS} draws")

    return drawn


@element
def _read_normal(node: Reader) -> Draw:
    mean, sigma, limits = _spread(node)
    return _within(node.node, limits, lambda random: float(random.normal(mean, sigma)))


@element
def _read_log_normal(node: Reader) -> Draw:
    mean, sigma, limits = _spread(node)
    return _within(node.node, limits, lambda random: float(random.lognormal(mean, sigma)))


@element
def _read_poisson(node: Reader) -> Draw:
    limits = node.maybe("Range")
    bounds = None if limits is None else _read_limits(limits)
    mean = node.positive("expectedValue")
    return _within(node.node, bounds, lambda random: float(random.poisson(mean)))


@element
def _read_histogram(node: Reader) -> Draw:
    bins = [_read_bin(each) for each in node.all("HistogramBin")]
    cumulated = _cumulated(node, [weight for _, weight in bins])

    def drawn(random: np.random.Generator) -> str:
        low, high = bins[_pick(cumulated, random)][0]
        return text_of(float(random.uniform(low, high)))

    return drawn


@element
def _read_bin(node: Reader) -> tuple[tuple[float, float], float]:
    return _read_limits(node.child("Range")), node.positive("weight")
