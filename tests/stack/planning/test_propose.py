"""The stops that every corridor carries."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marque.kernels.rollout import FALLBACK_JERK_MPS3, slew
from marque.stack.planning.propose import SOFT_MPS2, soft_stop_mps2
from marque.types.plan import STEP_S, STEPS


@given(st.floats(0.0, 38.0), st.floats(-3.0, 1.9))
def test_the_soft_stop_stands_within_the_plan_also_while_we_speed_up(speed, accel):
    brake = soft_stop_mps2(speed, accel)
    v, a = speed, accel
    for _ in range(STEPS - 1):
        a = slew(a, -brake, v, FALLBACK_JERK_MPS3, FALLBACK_JERK_MPS3, STEP_S)
        v = max(0.0, v + a * STEP_S)
    assert v == 0.0


@given(st.floats(0.0, 14.0))
def test_in_town_it_is_a_comfortable_one(speed):
    assert soft_stop_mps2(speed, 0.0) == SOFT_MPS2
    assert np.isclose(soft_stop_mps2(speed, -2.0), soft_stop_mps2(speed, 0.0))
