"""From `Roads` to the records that `sumo_build` makes a RoadMap of.

Lanes are named ROAD.STRETCH.LANE, e.g. `0.0.-3`; a stretch is a part of a road along which lanes,
limits and marks stay the same (`stretches`). A connector through a junction is named after the
lane of the connecting road; one between stretches after what it joins.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from pyproj import Proj
from pyproj.exceptions import CRSError

from marque.maps.formats.opendrive.crosswalks import crossings_of
from marque.maps.formats.opendrive.edges import add_edges
from marque.maps.formats.opendrive.junctions import add_crossings, add_junctions
from marque.maps.formats.opendrive.roads import Roads
from marque.maps.formats.opendrive.signs import Signs
from marque.maps.formats.opendrive.ways import add_joins, find_ways
from marque.maps.formats.opendrive.work import Work, cut, name_nodes
from marque.maps.formats.region import Region, fallback_region, region_at, region_named
from marque.maps.formats.sumo_net import Net, NetProgram


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """net: for `sumo_build.build`. stops: painted stop lines, metres before the end of a lane."""

    net: Net
    stops: dict[str, float]


def network_of(roads: Roads) -> Network:
    """The network of all roads. MarqueError: what no map is made of, with file and line."""
    net = Net(left_hand=roads.left_hand)
    _georeference(roads, net)
    work = Work(roads, _region(roads), Signs(roads.document), net, crossings_of(roads))
    cut(work)
    name_nodes(work)
    add_edges(work)
    find_ways(work)
    add_joins(work)
    add_junctions(work)
    add_crossings(work)
    net.programs += [NetProgram(name, "0", 0.0, [], []) for name in work.signs.groups]
    return Network(net, work.stop_s)


def _georeference(roads: Roads, net: Net) -> None:
    x, y, turned = roads.document.offset
    if usable_projection(roads.document.geo_reference) and turned == 0.0:
        net.projection = roads.document.geo_reference
        net.offset_m = (-x, -y)


def usable_projection(text: str) -> bool:
    """Whether a geo-reference is one that this program can compute with."""
    if "+proj" not in text:
        return False
    try:
        Proj(text)
    except CRSError:
        return False
    return True


def _region(roads: Roads) -> Region:
    """By the country that most roads name, else by the geo-reference, else none."""
    named = Counter(
        one.country for road in roads.document.roads.values() for one in road.types if one.country
    )
    for country, _ in named.most_common():
        found = region_named(country)
        if found is not None:
            return found
    x, y, turned = roads.document.offset
    text = roads.document.geo_reference
    if usable_projection(text) and turned == 0.0:
        boxes = np.array([course.box for course in roads.courses.values()])
        at = 0.5 * (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0))
        lon, lat = Proj(text)(at[0] + x, at[1] + y, inverse=True)
        if math.isfinite(lon) and math.isfinite(lat):
            return region_at(lon, lat)
    return fallback_region()
