"""`marque bench`: how fast something is, beside others."""

import json
import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from marque.cli.options import MapOption, ResultOption
from marque.cli.show import Waiting, facts_table, standard_output
from marque.core.files import need_writable_file, write_text

app = typer.Typer(no_args_is_help=True, help="How fast something is, beside others.")


@app.callback()
def _group() -> None:
    """One command for each thing that is measured."""


@app.command()
def engine(
    map_name: MapOption = "town",
    worlds: Annotated[int, typer.Option(metavar="W", help="Worlds side by side.")] = 200,
    agents: Annotated[int, typer.Option(metavar="N", help="Road users in each.")] = 600,
    steps: Annotated[int, typer.Option(metavar="T", help="Steps of 0.1 s.")] = 600,
    device: Annotated[str, typer.Option(metavar="D", help="cpu | cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, metavar="K", help="0: one for each core.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the demand.")] = 1,
    peers: Annotated[str, typer.Option(metavar="A,B", help="sumo, highway-env.")] = "",
    cold: Annotated[
        bool, typer.Option("--cold", help="Also the very first start, which compiles all.")
    ] = False,
    json_file: ResultOption = None,
) -> int:
    """The engine's traffic: road-user steps per second, and peers on as many vehicles.

    Exit 0: measured; 2: wrong use or bad input.
    """
    from marque.prove.engine_bench import Bench, run_bench
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    threads = threads or len(os.sched_getaffinity(0))
    chosen = tuple(peer.strip() for peer in peers.split(",") if peer.strip())
    bench = Bench(map_name, worlds, agents, steps, device, seed, threads, chosen, cold)
    waiting = Waiting()
    result = run_bench(bench, waiting)
    waiting.clear()
    result["command"] = command_line(
        ("bench", "engine"),
        [
            ("--map", map_name), ("--worlds", worlds), ("--agents", agents), ("--steps", steps),
            ("--device", device), ("--threads", threads), ("--seed", seed),
            ("--peers", ",".join(chosen) or None), ("--cold", cold or None),
        ],
    )  # fmt: skip
    console = standard_output()
    console.print(facts_table("Engine (own engine)", _rows(result)))
    if json_file is not None:
        write_text(json_file, json.dumps(result, indent=2) + "\n")
        console.print(f"wrote {json_file}", markup=False)
    console.print(f"again: {result['command']}", soft_wrap=True, markup=False)
    return 0


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("map", f"{result['map']}, {result['worlds']} worlds of {result['agents']} road users"),
        (
            "road-user steps per second",
            f"{result['agent_steps_per_s']:,.0f}; per core-second "
            f"{result['agent_steps_per_core_s']:,.0f} ({result['threads']} threads)",
        ),
        ("km per hour of computing", f"{result['km_per_hour']:,.0f}"),
        (
            "traffic",
            f"mean {result['mean_kph']:.1f} km/h, {100 * result['standing_share']:.0f} % standing; "
            f"per km {result['lane_changes_per_km']:.2f} lane changes, "
            f"{result['junction_crossings_per_km']:.2f} crossings, "
            f"{result['gridlocks_per_km']:.4f} gridlocks",
        ),
        ("bytes per road user", f"{result['bytes_per_agent']:.0f}"),
        ("warm start", f"{result['warm_start_s']:.1f} s"),
    ]
    if result["first_start_s"] is not None:
        rows.append(("very first start", f"{result['first_start_s']:.0f} s"))
    for name, peer in result["peers"].items():
        rows.append(
            (
                name,
                f"{peer['agent_steps_per_core_s']:,.0f} per core-second with "
                f"{peer['vehicles']:.0f} vehicles: ours is {result['ratio'][name]:,.0f} times that",
            )
        )
    return rows
