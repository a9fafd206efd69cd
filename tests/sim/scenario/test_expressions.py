import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.core.errors import MarqueError
from marque.sim.scenario.expressions import evaluate

NUMBERS = st.floats(min_value=-1e3, max_value=1e3).map(lambda x: round(x, 3))
NAMES = {"a": 2.5, "b": -3.0, "long_Name_1": 0.125}


def _trees() -> st.SearchStrategy[tuple[str, str]]:
    """(text in the scenario's language, the same for Python)."""
    leaves = st.one_of(
        NUMBERS.map(lambda x: (f"({x!r})", f"({x!r})")),
        st.sampled_from(sorted(NAMES)).map(lambda name: (f"${name}", name)),
        st.just(("pi", "math.pi")),
    )

    def grow(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
        signs = st.sampled_from("+-*/%")
        pairs = st.tuples(inner, signs, inner).map(
            lambda p: (f"{p[0][0]} {p[1]} {p[2][0]}", f"{p[0][1]} {p[1]} {p[2][1]}")
        )
        brackets = inner.map(lambda p: (f"({p[0]})", f"({p[1]})"))
        minus = inner.map(lambda p: (f"-{p[0]}", f"-{p[1]}"))
        ones = st.tuples(st.sampled_from(("floor", "ceil", "abs", "sqrt", "sin", "cos")), inner)
        calls = ones.map(lambda p: (f"{p[0]}({p[1][0]})", f"{_python(p[0])}({p[1][1]})"))
        twos = st.tuples(st.sampled_from(("min", "max")), inner, inner)
        both = twos.map(
            lambda p: (f"{p[0]}({p[1][0]}, {p[2][0]})", f"{p[0]}({p[1][1]}, {p[2][1]})")
        )
        return st.one_of(pairs, brackets, minus, calls, both)

    return st.recursive(leaves, grow, max_leaves=12)


def _python(name: str) -> str:
    return "abs" if name == "abs" else f"math.{name}"


@given(_trees())
def test_it_computes_what_python_computes(tree: tuple[str, str]) -> None:
    ours, pythons = tree
    scope = {"math": math, "min": min, "max": max, "abs": abs, **NAMES}
    try:
        wanted = float(eval(pythons, {"__builtins__": {}}, scope))
    except (ZeroDivisionError, ValueError, OverflowError):
        wanted = math.nan
    if not math.isfinite(wanted):
        with pytest.raises(MarqueError):
            evaluate(ours, NAMES)
        return
    found = evaluate(ours, NAMES)
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 < 2 and not (2 <= 1)", True),
        ("$yes or 1/0 == 1 and false", None),  # no short cut hides a fault
        ("true and false or true", True),
        ("1 == 1 == true", None),  # comparisons do not chain
        ("'x'", None),
        ("$word", "left"),
        ("$word == $word", True),
        ("pow(2, 10)", 1024.0),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("sign(-4) + sign(0)", -1.0),
        ("-7 % 3", 2.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("$word + 1", None),
        ("1 + true", None),
        ("1 +", None),
        ("(1", None),
        ("sqrt(1, 2)", None),
        ("sqrt 1", None),
        ("import", None),
        ("", None),
        ("$", None),
        ("2 ** 3", None),
        ("1" + "+(1" * 200 + ")" * 200, None),
        ("pow(10, 400)", None),
        ("acos(2)", None),
    ],
)
def test_words(text: str, wanted: object) -> None:
    have = {"yes": True, "word": "left"}
    if wanted is None:
        with pytest.raises(MarqueError, match="expression"):
            evaluate(text, have)
    else:
        assert evaluate(text, have) == wanted
        assert type(evaluate(text, have)) is type(wanted)
