"""Who else is on the motorway: seeded flows at three densities, and their configuration."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from marque.core.errors import MarqueError
from marque.core.files import user_cache, write_text
from marque.prove import roads as drawn_roads
from marque.prove.motorway.draw import Motorway, OnRamp
from marque.prove.roads import build_net
from marque.sim.worlds.sumo_spec import sumo_version

END_S = 7200.0
NAME = "motorway"


@dataclass(frozen=True, slots=True)
class Density:
    """Vehicles per hour: on each lane of the motorway where it begins, and on each ramp."""

    name: str
    lane_vph: float
    ramp_vph: float
    begin_s: float  # of the drive: flows have filled the road, and what breaks down has done so


# the capacity of a lane is about 2,000 vehicles per hour; ramps come on top
DENSITIES = (
    Density("free", 450.0, 150.0, 420.0),
    Density("dense", 1150.0, 350.0, 540.0),
    Density("breakdown", 1700.0, 600.0, 900.0),
)
LEAVES_SHARE = 0.12  # of those on the motorway, at each exit
# type: (share, class, length, width, accel, decel, top speed m/s, speed factor)
TYPES: dict[str, tuple[float, str, float, float, float, float, float, str]] = {
    "calm": (0.25, "passenger", 4.3, 1.8, 2.6, 4.5, 32.0, "normc(0.97,0.07,0.8,1.1)"),
    "usual": (0.34, "passenger", 4.6, 1.85, 2.8, 4.5, 37.0, "normc(1,0.08,0.8,1.2)"),
    "brisk": (0.17, "passenger", 4.8, 1.9, 3.2, 4.5, 47.0, "normc(1.08,0.08,0.9,1.3)"),
    "van": (0.08, "passenger", 5.9, 2.05, 2.2, 4.0, 36.0, "normc(1,0.08,0.8,1.2)"),
    "coach": (0.02, "bus", 12.0, 2.55, 1.2, 4.0, 27.8, "1"),
    "truck": (0.14, "truck", 16.0, 2.55, 1.0, 3.8, 24.4, "normc(1,0.03,0.93,1.05)"),
}


def stage_motorway(motorway: Motorway, density: Density) -> Path:
    """The .sumocfg of a motorway with its demand, in the user's cache.

    MarqueError: SUMO is missing or refuses, or the cache cannot be written.
    """
    flows = flows_xml(motorway, density)
    key = hashlib.sha256(repr((motorway.roads, flows, sumo_version())).encode())
    key.update(Path(drawn_roads.__file__).read_bytes())
    folder = user_cache() / "motorways" / key.hexdigest()[:20]
    made = folder / f"{NAME}.sumocfg"
    if made.exists():
        return made
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        net = build_net(motorway.roads, aside, NAME)
        write_text(aside / f"{NAME}.rou.xml", flows)
        write_text(aside / made.name, _configuration(net.name))
        if not made.exists():  # else another process was faster
            os.replace(aside, folder)
    except OSError as error:
        raise MarqueError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return made


def flows_xml(motorway: Motorway, density: Density) -> str:
    """Vehicle types, routes and flows as SUMO reads them; entries are Poisson."""
    rows = [
        f'<vType id="{name}" vClass="{of}" length="{long}" width="{wide}" accel="{acc}" '
        f'decel="{dec}" maxSpeed="{top}" speedFactor="{factor}" probability="{share}"/>'
        for name, (share, of, long, wide, acc, dec, top, factor) in TYPES.items()
    ]
    found = ['<vTypeDistribution id="mix">', *rows, "</vTypeDistribution>"]
    for name, edges, vph in streams(motorway, density):
        found.append(f'<route id="{name}" edges="{" ".join(edges)}"/>')
        found.append(
            f'<flow id="{name}" type="mix" route="{name}" begin="0" end="{END_S:g}" '
            f'period="exp({vph / 3600.0:.6f})" departLane="best" departSpeed="max"/>'
        )
    return "<routes>\n" + "\n".join(found) + "\n</routes>\n"


def streams(motorway: Motorway, density: Density) -> list[tuple[str, tuple[str, ...], float]]:
    """(name, edges, vehicles per hour) of every way in to every way out."""
    found = []
    entries: list[tuple[OnRamp | None, float]] = [(None, motorway.lanes * density.lane_vph)]
    entries += [(ramp, density.ramp_vph) for ramp in motorway.on]
    for i, (on, vph) in enumerate(entries):
        left = vph
        for j, off in enumerate(motorway.off):
            # nobody comes on to leave at once: the shared lane of a weaving is for both to cross
            if on is not None and (off.at_m <= on.at_m + 1.0):
                continue
            share = LEAVES_SHARE * left
            left -= share
            found.append((f"f{i}x{j}", motorway.way(on, off), share))
        found.append((f"f{i}end", motorway.way(on, None), left))
    return found


def _configuration(net: str) -> str:
    return (
        f'<configuration><input><net-file value="{net}"/><route-files value="{NAME}.rou.xml"/>'
        '</input><time><begin value="0"/></time></configuration>\n'
    )
