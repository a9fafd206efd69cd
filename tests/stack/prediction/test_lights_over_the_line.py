"""The light over whose line we have come, and that no drive stops to compile for it."""

from types import SimpleNamespace

import numpy as np
import pytest

from marque.stack.prediction.lanes import _lights
from marque.types.codes import SignalState
from marque.types.road_map import NONE

TABLES = SimpleNamespace(lane_head=np.array([NONE, 1], np.int32))


def scene(lane, state):
    seen = np.array([SignalState.RED, state], np.int8)
    seen.flags.writeable = False
    return SimpleNamespace(ego=SimpleNamespace(lane=lane), signal_state=seen)


@pytest.mark.parametrize(
    ("lane", "state", "believed"),
    [
        (1, SignalState.UNKNOWN, SignalState.GREEN_YIELD),
        (1, SignalState.RED, SignalState.RED),
        (0, SignalState.UNKNOWN, SignalState.UNKNOWN),
        (NONE, SignalState.UNKNOWN, SignalState.UNKNOWN),
    ],
)
def test_what_we_came_with_is_remembered_and_never_to_be_written(lane, state, believed):
    lights = _lights(TABLES, scene(lane, state))
    assert lights.tolist() == [SignalState.RED, believed]
    assert not lights.flags.writeable  # a kernel is compiled anew for arrays that may be written
