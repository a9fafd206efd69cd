"""Routing in one place: the names that other rooms use.

`field` computes the cost-to-go, `route_line` draws it, `trips` draws lots, `reach` explains.
"""

from marque.maps.field import (
    Route,
    change_cost_s,
    cost_at,
    open_lanes,
    plan_route,
    route_lanes,
    route_length_m,
    side_at,
)
from marque.maps.reach import explain, reachable
from marque.maps.route_line import RoutePath, route_line, route_path
from marque.maps.trips import Trip, draw_trips

__all__ = [
    "Route",
    "RoutePath",
    "Trip",
    "change_cost_s",
    "cost_at",
    "draw_trips",
    "explain",
    "open_lanes",
    "plan_route",
    "reachable",
    "route_lanes",
    "route_length_m",
    "route_line",
    "route_path",
    "side_at",
]
