"""What a map holds, in numbers: the facts behind `marque map info`."""

from pathlib import Path
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray
from marque.maps.check import car_lanes, smoothness
from marque.maps.closeness import CLOSE_M, SourceOffsets, held_points
from marque.maps.places import to_latlon
from marque.types.codes import Control, LaneKind
from marque.types.road_map import RoadMap

NETWORK_ENDINGS = (".net.xml", ".net.xml.gz")


def map_facts(road_map: RoadMap, path: Path) -> dict[str, Any]:
    """Facts of `marque map info` for machines; lengths in km, shares by length."""
    lanes = ~road_map.lane_connector
    car = car_lanes(road_map) & lanes
    smooth = smoothness(road_map)
    return {
        "schema": "marque.map.info/1",
        "map": road_map.name,
        "file": str(path),
        "bytes": path.stat().st_size,
        "source": road_map.source,
        "attribution": road_map.attribution,
        "traffic_side": "left" if road_map.left_hand else "right",
        "geo_reference": road_map.projection or None,
        "centre_lat_lon": _centre(road_map),
        "size_m": [round(float(v), 1) for v in np.ptp(road_map.pt_xy_m, axis=0)],
        "edges": len(set(road_map.lane_edge[lanes].tolist())),
        "lanes": int(lanes.sum()),
        "connectors": int(road_map.lane_connector.sum()),
        "car_lanes": int(car.sum()),
        "junctions": len(road_map.junction_name),
        "lane_km": {
            kind.name.lower(): _km(road_map, lanes & (road_map.lane_kind == kind))
            for kind in LaneKind
        },
        "car_lane_km": _km(road_map, car),
        "limits_from": _limits_from(road_map),
        "limit_defaulted_share": _share(road_map, car, road_map.lane_limit_defaulted),
        "limits_kph_km": _limits(road_map, car),
        "signal_groups": len(road_map.group_name),
        "signal_heads": len(road_map.head_group),
        "roundabout_lanes": int((road_map.lane_roundabout & lanes).sum()),
        "roundabouts": _roundabouts(road_map),
        "crosswalks": len(road_map.walk_name),
        "crosswalks_on_roads": len(set(road_map.cross_walk.tolist())),
        "conflicts": len(road_map.conf_lane) // 2,
        "priorities_guessed": int(road_map.conf_guessed.sum()) // 2,
        "entries": {
            control.name.lower(): int(
                (road_map.lane_connector & (road_map.lane_control == control)).sum()
            )
            for control in Control
        },
        "kink_at_joins_deg": {
            "before": _three(
                smooth.kink_before_p50_deg, smooth.kink_before_p95_deg, smooth.kink_before_max_deg
            ),
            "after": _three(
                smooth.kink_after_p50_deg, smooth.kink_after_p95_deg, smooth.kink_after_max_deg
            ),
        },
        "off_source_m": _off_source(road_map, car),
        "lanes_below_4_5_m_radius": smooth.tight_lanes,
    }


def _km(road_map: RoadMap, lanes: BoolArray) -> float:
    return round(float(road_map.lane_length_m[lanes].sum()) / 1000.0, 3)


def _share(road_map: RoadMap, among: BoolArray, part: BoolArray) -> float:
    total = float(road_map.lane_length_m[among].sum())
    return round(float(road_map.lane_length_m[among & part].sum()) / max(total, 1e-9), 4)


def _limits_from(road_map: RoadMap) -> str:
    """A network file does not tell which of its limits were defaults."""
    if road_map.source.endswith(NETWORK_ENDINGS):
        return "the network file; which of them were defaults is not known"
    if road_map.source.endswith(".xodr"):
        return "the file's speed records, else the region's defaults"
    return "signs where mapped, else the region's defaults"


def _limits(road_map: RoadMap, car: BoolArray) -> dict[str, float]:
    """Road length per limit."""
    kph = np.round(road_map.lane_limit_mps * 3.6).astype(int)
    return {str(v): _km(road_map, car & (kph == v)) for v in np.unique(kph[car]).tolist()}


def _roundabouts(road_map: RoadMap) -> int:
    """Rings: groups of roundabout lanes joined by roundabout connectors."""
    member = np.flatnonzero(road_map.lane_roundabout)
    parent = {int(i): int(i) for i in member}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i in parent:
        for j in (*road_map.successors(i).tolist(), *_beside(road_map, i)):
            if j in parent:
                parent[root(i)] = root(j)
    rings = {root(i) for i in parent if not road_map.lane_connector[i]}
    return len(rings)


def _beside(road_map: RoadMap, lane: int) -> list[int]:
    pair = (int(road_map.lane_left[lane]), int(road_map.lane_right[lane]))
    return [i for i in pair if i >= 0]


def _centre(road_map: RoadMap) -> list[float] | None:
    if not road_map.projection:
        return None
    middle = 0.5 * (road_map.pt_xy_m.max(axis=0) + road_map.pt_xy_m.min(axis=0))
    lat, lon = to_latlon(road_map, float(middle[0]), float(middle[1]))
    return [round(lat, 5), round(lon, 5)]


def _off_source(road_map: RoadMap, car: BoolArray) -> dict[str, dict[str, float]]:
    """How far drivable car lanes lie from the source's polylines: everywhere, and where they are
    held to it; by length."""
    found = held_points(road_map, car)
    everywhere = np.ones(len(found.held), dtype=np.bool_)
    return {
        "all": _offsets(found, everywhere),
        "away_from_joins_and_kinks": _offsets(found, found.held),
    }


def _offsets(found: SourceOffsets, part: BoolArray) -> dict[str, float]:
    away, length = found.away_m[part], found.length_m[part]
    if not len(away):
        return {"length_share": 0.0}
    order = np.argsort(away)
    share = np.cumsum(length[order]) / length.sum()
    p50, p95 = (float(away[order][np.searchsorted(share, q)]) for q in (0.5, 0.95))
    return {
        "length_share": round(float(length.sum() / found.length_m.sum()), 3),
        "p50": round(p50, 3),
        "p95": round(p95, 3),
        "max": round(float(away.max()), 3),
        "within_5_cm_share": round(float(length[away <= CLOSE_M].sum() / length.sum()), 4),
    }


def _three(p50: float, p95: float, most: float) -> dict[str, float]:
    return {"p50": round(p50, 2), "p95": round(p95, 2), "max": round(most, 2)}
