"""OpenDRIVE (.xodr): exact road geometry for scenarios, and road maps from it."""

from marque.maps.formats.opendrive.read import read_opendrive
from marque.maps.formats.opendrive.road_map import road_map
from marque.maps.formats.opendrive.roads import LaneHere, RoadPlace, Roads

__all__ = ["LaneHere", "RoadPlace", "Roads", "read_opendrive", "road_map"]
