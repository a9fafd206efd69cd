"""Brands compared: the guard hears nothing of them, and unlike motion is told apart."""

from dataclasses import replace

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import straight_lane
from marque.maps.trips import Trip
from marque.prove.brands.compare import Comparison, check
from marque.prove.brands.guard_same import guard_digest
from marque.sensing.profile import load_profile
from marque.sim.drive import Asked, Setup, begin_stack
from marque.sim.order import Order
from marque.vehicle.brand import brand_names, load_brand
from marque.vehicle.catalog import load_platform


@pytest.fixture(scope="module")
def plain():
    road = straight_lane(300.0)
    return Setup(
        road_map=road, index=LaneIndex(road), platform=load_platform("saloon_ev"), driver="marque",
        trip=Trip(0, 5.0, 0, 290.0), seed=1, profile=load_profile("ideal"), limit_s=10.0,
    )  # fmt: skip


def test_all_guard_results_are_the_same_over_all_brands(plain):
    told = {guard_digest(plain)}
    for name in brand_names():
        told.add(guard_digest(replace(plain, asked=Asked(style=load_brand(name).style))))
    assert len(told) == 1


def test_the_driver_has_the_brands_style(plain):
    style = load_brand("kestrel").style
    stack = begin_stack(replace(plain, asked=Asked(style=style)))
    assert stack.driving.context.style == style


@pytest.mark.parametrize(
    ("brands", "words"),
    [(("kestrel",), "two or more"), (("kestrel", "kestrel"), "each once"),
     (("kestrel", "nobody"), "no brand 'nobody'")],
)  # fmt: skip
def test_a_comparison_that_is_none_is_refused(tmp_path, brands, words):
    asked = Comparison(Order(), brands, ("berlin",), ("saloon_ev",), 2, tmp_path)
    with pytest.raises(MarqueError, match=words):
        check(asked)


def test_unlike_motion_is_told_apart_and_like_motion_is_not():
    pytest.importorskip("sklearn")
    from marque.metrics.character import GROUPS
    from marque.prove.brands.told_apart import accuracy

    draw = np.random.default_rng(1)

    def minute(shift):
        return {group: (draw.normal(0.0, 1.0, 3) + shift).tolist() for group in GROUPS}

    brand = ["a", "b"] * 40
    trip = [f"t{k // 8}" for k in range(80)]
    unlike = [minute(0.0 if name == "a" else 2.0) for name in brand]
    alike = [minute(0.0) for _ in brand]
    assert accuracy(unlike, brand, trip) > 0.9
    assert 0.3 < accuracy(alike, brand, trip) < 0.7
    assert np.isnan(accuracy(unlike, brand, ["one"] * 80))
