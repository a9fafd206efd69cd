"""From OpenDRIVE to a RoadMap."""

from dataclasses import replace

import numpy as np

from marque.maps.formats.opendrive.edges import DEFAULTED
from marque.maps.formats.opendrive.network import network_of
from marque.maps.formats.opendrive.roads import Roads
from marque.maps.formats.sumo_build import build
from marque.types.road_map import RoadMap


def road_map(roads: Roads, name: str = "", source: str = "") -> RoadMap:
    """The map of all lanes for cars, buses, bicycles and pedestrians, and of hard shoulders.

    name, source: of the map; else from the file. MarqueError: no lane for cars, or something that
    no map is made of, with file and line.
    """
    document = roads.document
    network = network_of(roads)
    made = build(
        network.net,
        name or document.name or document.file,
        source or document.file,
        frozenset((DEFAULTED,)),
    )
    stop = np.array(made.lane_stop_m)
    for lane, before_end_m in network.stops.items():
        i = made.lane_name.index(lane)
        if not np.isnan(stop[i]):
            stop[i] = min(stop[i], max(0.0, made.lane_length_m[i] - before_end_m))
    return replace(made, lane_stop_m=stop)
