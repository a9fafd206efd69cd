"""Curves keep their extremes, axes their round numbers."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.draw.svg import (
    WIDTH,
    Curve,
    bands,
    clock,
    curve_path,
    histogram,
    line_chart,
    nice_ceiling,
    thin,
    ticks,
)

NAN = float("nan")


@given(st.integers(0, 2**31), st.integers(1, 9000))
def test_thinning_keeps_ends_and_extremes(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    px = np.sort(rng.uniform(0.0, WIDTH, count))
    py = rng.normal(size=count)
    kept = thin(px, py)
    assert len(kept) <= max(4 * WIDTH + 4, 2 * WIDTH)
    assert kept[0] == 0 and kept[-1] == count - 1
    assert np.all(np.diff(kept) > 0)
    assert py[kept].min() == py.min() and py[kept].max() == py.max()
    for pixel in np.unique(np.floor(px))[:: max(1, count // 20)]:
        inside = np.flatnonzero(np.floor(px) == pixel)
        chosen = kept[np.isin(kept, inside)]
        assert py[chosen].max() == py[inside].max()
        assert py[chosen].min() == py[inside].min()


def test_gaps_break_the_line() -> None:
    d = curve_path(np.arange(6.0), np.array([1.0, 2.0, NAN, NAN, 5.0, 6.0]))
    assert d.count("M") == 2
    assert "nan" not in d


def test_steps_go_across_then_up() -> None:
    d = curve_path(np.arange(4.0), np.array([5.0, 5.0, 9.0, 9.0]), step=True)
    assert d == "M0.0 5.0H2.0V9.0H3.0"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 9))
def test_ticks_cover_the_range(low: float, span: float, count: int) -> None:
    marks = ticks(low, low + span, count)
    slack = 1e-6 * max(abs(low) + span, 1.0)
    assert marks[0] <= low + slack and marks[-1] >= low + span - slack
    assert len(marks) <= count + 3


@given(st.floats(1e-9, 1e9))
def test_nice_numbers(value: float) -> None:
    nice = nice_ceiling(value)
    assert value * (1 - 1e-6) <= nice <= 2.6 * value
    assert re.fullmatch(r"(1|2|2\.5|5)0*e[+-]\d+", f"{nice:.1e}".replace(".0e", "e"))


@pytest.mark.parametrize("value", [0.0, -3.0, NAN, float("inf")])
def test_no_range_at_all(value: float) -> None:
    assert nice_ceiling(value) == 1.0


def test_charts_are_well_formed() -> None:
    x = np.linspace(0.0, 100.0, 500)
    flat = np.zeros(500)
    empty = np.full(500, NAN)
    for lines in (
        [Curve("a", np.sin(x), "blue", filled=True), Curve("b", empty, "limit", step=True)],
        [Curve("flat", flat, "blue")],
        [Curve("none", empty, "blue")],
    ):
        root = ElementTree.fromstring(line_chart(x, lines, "m/s²", labels=True, guides=(0.5,)))
        numbers = re.findall(r"nan|inf", ElementTree.tostring(root, encoding="unicode"))
        assert numbers == []
    strip = bands(x, [(0, 100, "r-free", "<&>"), (100, 500, "r-lead", "b")])
    assert len(ElementTree.fromstring(strip).findall("rect")) == 2


def test_histogram_counts_everything() -> None:
    values = np.concatenate((np.random.default_rng(1).gamma(3.0, 2.0, 999), [500.0]))
    root = ElementTree.fromstring(histogram(values, "ms", [("p99", 9.0)]))
    titles = [bar.findtext("title") or "" for bar in root.findall("rect")]
    assert sum(int(title.split()[0]) for title in titles) == 1000


def test_clock() -> None:
    assert [clock(t) for t in (0.0, 59.4, 59.6, 754.0)] == ["0:00", "0:59", "1:00", "12:34"]
