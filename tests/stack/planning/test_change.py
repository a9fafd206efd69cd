"""Lane changes: what they are worth."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from marque.stack.planning.change import _worth


@pytest.mark.parametrize(
    ("here_m", "worth"), [(0.0, True), (120.0, True), (150.0, False), (195.0, False)]
)
def test_a_lane_is_worth_what_is_left_of_it_before_we_would_have_to_come_back(here_m, worth):
    route = SimpleNamespace(last_chance_m=np.array([math.inf, 200.0]), best_side=np.array([0, 1]))
    memory = SimpleNamespace(context=SimpleNamespace(route=route))
    assert _worth(memory, 1, here_m, blocked=True) == worth
    assert _worth(memory, 0, here_m, blocked=True)
