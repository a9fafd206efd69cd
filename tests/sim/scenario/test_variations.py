from pathlib import Path

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.sim.scenario.variations import is_variation, read_variation
from scenario_files import HEADER, text, write

DECLARED = "".join(
    f'<ParameterDeclaration name="{name}" parameterType="{kind}" value="{value}">{inside}'
    "</ParameterDeclaration>"
    for name, kind, value, inside in (
        ("v", "double", "10", '<ConstraintGroup><ValueConstraint rule="lessOrEqual" value="$most"/>'
         "</ConstraintGroup>"),
        ("car", "string", "a", ""),
        ("n", "integer", "1", ""),
    )
)  # fmt: skip
MOST = '<ParameterDeclaration name="most" parameterType="double" value="30"/>'


def _vary(folder: Path, inside: str, of: str = "one.xosc") -> Path:
    write(folder, text(declared=MOST + DECLARED))
    path = folder / "vary.xosc"
    path.write_text(
        f'<OpenSCENARIO>{HEADER}<ParameterValueDistribution><ScenarioFile filepath="{of}"/>'
        f"{inside}</ParameterValueDistribution></OpenSCENARIO>"
    )
    return path


def _range(name: str, low: str, high: str, step: str) -> str:
    return (
        f'<DeterministicSingleParameterDistribution parameterName="{name}"><DistributionRange '
        f'stepWidth="{step}"><Range lowerLimit="{low}" upperLimit="{high}"/></DistributionRange>'
        "</DeterministicSingleParameterDistribution>"
    )


SETS = (
    "<DeterministicMultiParameterDistribution><ValueSetDistribution>"
    '<ParameterValueSet><ParameterAssignment parameterRef="car" value="a"/>'
    '<ParameterAssignment parameterRef="n" value="1"/></ParameterValueSet>'
    '<ParameterValueSet><ParameterAssignment parameterRef="car" value="b"/>'
    '<ParameterAssignment parameterRef="n" value="2"/></ParameterValueSet>'
    "</ValueSetDistribution></DeterministicMultiParameterDistribution>"
)


def test_deterministic_ones_multiply(tmp_path: Path) -> None:
    inside = f"<Deterministic>{_range('v', '0.1', '0.5', '0.1')}{SETS}</Deterministic>"
    path = _vary(tmp_path, inside)
    assert is_variation(path) and not is_variation(tmp_path / "one.xosc")
    variation = read_variation(path)
    cases = list(variation)
    assert len(variation) == len(cases) == 10
    assert cases[0] == {"v": "0.1", "car": "a", "n": "1"}
    assert cases[3] == {"v": "0.2", "car": "b", "n": "2"}
    assert [case["v"] for case in cases[::2]] == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    assert len({tuple(sorted(case.items())) for case in cases}) == 10


def test_the_scenarios_own_constraints_rule_cases_out(tmp_path: Path) -> None:
    inside = f"<Deterministic>{_range('v', '10', '50', '10')}</Deterministic>"
    variation = read_variation(_vary(tmp_path, inside))
    assert [case["v"] for case in variation if variation.allowed(case)] == ["10", "20", "30"]


DRAWS = {
    "NormalDistribution": (
        '<NormalDistribution expectedValue="20" variance="4"><Range lowerLimit="17" '
        'upperLimit="23"/></NormalDistribution>',
        (17.0, 23.0, 20.0),
    ),
    "UniformDistribution": (
        '<UniformDistribution><Range lowerLimit="5" upperLimit="7"/></UniformDistribution>',
        (5.0, 7.0, 6.0),
    ),
    "Histogram": (
        '<Histogram><HistogramBin weight="3"><Range lowerLimit="0" upperLimit="1"/></HistogramBin>'
        '<HistogramBin weight="1"><Range lowerLimit="1" upperLimit="3"/></HistogramBin>'
        "</Histogram>",
        (0.0, 3.0, 0.75 * 0.5 + 0.25 * 2.0),
    ),
    "PoissonDistribution": (
        '<PoissonDistribution expectedValue="4"/>', (0.0, 40.0, 4.0),
    ),
    "ProbabilityDistributionSet": (
        '<ProbabilityDistributionSet><Element value="1" weight="1"/><Element value="5" weight="3"/>'
        "</ProbabilityDistributionSet>",
        (1.0, 5.0, 4.0),
    ),
    "LogNormalDistribution": (
        '<LogNormalDistribution expectedValue="0" variance="0.25"/>',
        (0.0, 100.0, float(np.exp(0.125))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(DRAWS))
def test_stochastic_ones_are_drawn_by_seed(tmp_path: Path, kind: str) -> None:
    inside, (low, high, mean) = DRAWS[kind]
    content = (
        '<Stochastic numberOfTestRuns="4000" randomSeed="7"><StochasticDistribution '
        f'parameterName="v">{inside}</StochasticDistribution></Stochastic>'
    )
    path = _vary(tmp_path, content)
    values = np.array([float(case["v"]) for case in read_variation(path)])
    assert len(values) == 4000 and low <= values.min() and values.max() <= high
    assert abs(values.mean() - mean) < 5.0 * values.std() / np.sqrt(4000.0)
    again = np.array([float(case["v"]) for case in read_variation(path)])
    other = np.array([float(case["v"]) for case in read_variation(path, seed=8)])
    assert (values == again).all() and (values != other).any()
    assert len(read_variation(path, runs=3)) == 3


@pytest.mark.parametrize(
    ("inside", "of", "words"),
    [
        (f"<Deterministic>{_range('v', '5', '1', '1')}</Deterministic>", "one.xosc", "before it"),
        (f"<Deterministic>{_range('v', '1', '5', '0')}</Deterministic>", "one.xosc", "stepWidth"),
        (f"<Deterministic>{_range('v', '0', '9e9', '1')}</Deterministic>", "one.xosc", "steps"),
        (
            f"<Deterministic>{_range('v', '1', '5', '1')}{_range('v', '1', '5', '1')}"
            "</Deterministic>",
            "one.xosc", "varies 'v' twice",
        ),
        ("<Deterministic/>", "vary.xosc", "includes itself"),
        ("<Deterministic/>", "gone.xosc", "gone.xosc"),
        ("<Random/>", "one.xosc", "<Random>"),
        (
            '<Stochastic numberOfTestRuns="1" randomSeed="1"><StochasticDistribution '
            'parameterName="v"><NormalDistribution expectedValue="0" variance="1"><Range '
            'lowerLimit="90" upperLimit="99"/></NormalDistribution></StochasticDistribution>'
            "</Stochastic>",
            "one.xosc", "within its limits",
        ),
        (
            '<Stochastic numberOfTestRuns="0" randomSeed="1"/>', "one.xosc", "at least one",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, inside: str, of: str, words: str) -> None:
    with pytest.raises(MarqueError, match=words):
        read_variation(_vary(tmp_path, inside, of))


def test_a_parameter_that_the_scenario_has_not(tmp_path: Path) -> None:
    inside = f"<Deterministic>{_range('speed', '1', '2', '1')}</Deterministic>"
    variation = read_variation(_vary(tmp_path, inside))
    with pytest.raises(MarqueError, match="no parameter 'speed'"):
        variation.allowed(variation.case(0))
