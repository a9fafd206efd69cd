"""Reading signals: heads in view of a camera, with misses and mistakes."""

import math

import numpy as np

from marque.core.arrays import FloatArray, Int8Array
from marque.sensing.equipment import Signals
from marque.sensing.objects import Mounted
from marque.sensing.occlusion import heads_in_view, hiding
from marque.types.codes import SignalState
from marque.types.reading import SignalReading
from marque.types.road_map import RoadMap
from marque.types.world import World

# what a camera takes for one another: lights, not the law behind them
LIGHTS = np.array(
    [SignalState.RED, SignalState.AMBER, SignalState.GREEN, SignalState.OFF], dtype=np.int8
)


def read_signals(
    mount: Mounted,
    rules: Signals,
    road_map: RoadMap,
    headings: FloatArray,
    world: World,
    draw: np.random.Generator,
) -> SignalReading:
    """One scan: UNKNOWN for heads that are not read; a few are taken for another light."""
    ex, ey, heading = mount.pose(world.ego)
    box, span, tall = hiding(ex, ey, world.users)
    seen = heads_in_view(
        ex,
        ey,
        heading,
        mount.x_m,
        road_map.head_xy_m,
        headings,
        box,
        span,
        tall,
        rules.range_m,
        math.radians(mount.sensor.half_angle_deg),
        rules.past_m,
    )
    read = seen & (draw.random(len(seen)) >= rules.missed)
    wrong = draw.random(len(seen)) < rules.wrong
    other = LIGHTS[draw.integers(0, len(LIGHTS), len(seen))]
    state: Int8Array = np.full(len(seen), np.int8(SignalState.UNKNOWN), dtype=np.int8)
    state[read] = np.where(wrong, other, world.heads)[read]
    return SignalReading(world.t_ns, state)
