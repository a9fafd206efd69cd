"""A small crossing with its own traffic, made on the spot: a priority road and a side road."""

import os
import subprocess
from pathlib import Path

import numpy as np

from marque.maps.formats import import_map
from marque.maps.library import sumo_folder
from marque.sim.worlds.sumo import SumoSpec
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth

NODES = """<nodes>
<node id="w" x="-300" y="0"/><node id="e" x="300" y="0"/>
<node id="s" x="0" y="-300"/><node id="n" x="0" y="300"/>
<node id="c" x="0" y="0" type="{kind}"/>
</nodes>"""
EDGES = """<edges>
<edge id="wc" from="w" to="c" numLanes="{lanes}" speed="13.89" priority="9"/>
<edge id="ce" from="c" to="e" numLanes="{lanes}" speed="13.89" priority="9"/>
<edge id="sc" from="s" to="c" numLanes="1" speed="13.89" priority="2"/>
<edge id="cn" from="c" to="n" numLanes="1" speed="13.89" priority="2"/>
</edges>"""
CFG = """<configuration><input><net-file value="x.net.xml"/><route-files value="x.rou.xml"/></input>
<time><begin value="0"/></time></configuration>"""
LENGTH_M, WIDTH_M, FRONT_M = 4.7, 1.85, 3.75


def make(folder: Path, vehicles: str, kind: str = "priority", lanes: int = 1) -> Path:
    """The sumocfg of a crossing with these vehicles."""
    (folder / "n.nod.xml").write_text(NODES.format(kind=kind))
    (folder / "e.edg.xml").write_text(EDGES.format(lanes=lanes))
    subprocess.run(
        [
            str(sumo_folder() / "bin" / "netconvert"),
            *("-n", str(folder / "n.nod.xml"), "-e", str(folder / "e.edg.xml")),
            *(
                "-o",
                str(folder / "x.net.xml"),
                "--no-turnarounds",
                "--offset.disable-normalization",
            ),
        ],
        check=True,
        capture_output=True,
        env=os.environ | {"SUMO_HOME": str(sumo_folder())},
    )
    (folder / "x.rou.xml").write_text(f"<routes>{vehicles}</routes>")
    cfg = folder / "x.sumocfg"
    cfg.write_text(CFG)
    return cfg


def spec_of(cfg: Path, route: tuple[str, ...], begin_s: float, **more: object) -> SumoSpec:
    """A drive on that crossing; warmed states are kept beside it."""
    road_map, _ = import_map(cfg.parent / "x.net.xml")
    return SumoSpec(
        road_map=road_map,
        net=None,
        route_edges=route,
        ego_length_m=LENGTH_M,
        ego_width_m=WIDTH_M,
        ego_front_m=FRONT_M,
        sumocfg=cfg,
        begin_s=begin_s,
        cache=cfg.parent / "cache",
        **more,  # type: ignore[arg-type]
    )


def on_lane(road_map: RoadMap, name: str, s_m: float, speed: float = 0.0) -> EgoTruth:
    """The ego with its rear axle on a lane's centre line."""
    lane = road_map.lane_name.index(name)
    arc, xy = road_map.arc(lane), road_map.points(lane)
    angle = np.unwrap(road_map.pt_heading_rad[road_map.pt_off[lane] : road_map.pt_off[lane + 1]])
    return EgoTruth(
        x_m=float(np.interp(s_m, arc, xy[:, 0])),
        y_m=float(np.interp(s_m, arc, xy[:, 1])),
        heading_rad=float(np.interp(s_m, arc, angle)),
        speed_mps=speed,
        accel_mps2=0.0,
        lat_accel_mps2=0.0,
        yaw_rate_radps=0.0,
        steer_rad=0.0,
    )
