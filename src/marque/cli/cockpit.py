"""`marque cockpit`: a drive log in the cockpit's page, to play, scrub and understand."""

from pathlib import Path
from typing import Annotated

import typer

from marque.cli.options import MapOption
from marque.cli.show import Waiting
from marque.core.errors import MarqueError

app = typer.Typer(add_completion=False, rich_markup_mode=None)

PortOption = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, metavar="P", help="On loopback. [first from 8420]"),
]
BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page where there is a browser.")
]


@app.command()
def cockpit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A drive log (MCAP).")],
    map_name: MapOption = "",
    port: PortOption = None,
    brand: Annotated[str, typer.Option(metavar="B", help="How it looks and sounds.")] = "marque",
    vss: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A whole VSS catalogue (vspec export json)."),
    ] = None,
    browser: BrowserOption = True,
) -> None:
    """Replay a drive in the browser. Ctrl-C ends it.

    Signals are offered by the names of COVESA VSS at ws://127.0.0.1:PORT/viss (VISS v3).
    """
    need_cockpit()
    from marque.cockpit.brands import load_brand
    from marque.cockpit.replay import Replay
    from marque.cockpit.run import run_replay
    from marque.cockpit.server import need_page
    from marque.cockpit.signals.tree import load_tree
    from marque.record.reader import open_drive

    need_page()
    load_brand(brand)
    tree = load_tree(vss)
    waiting = Waiting()
    waiting("opening the drive and its map")
    source = Replay(open_drive(file, map_name), file.name)
    waiting.clear()
    run_replay(source, tree, port, brand, browser)


def need_cockpit() -> None:
    """MarqueError: the extra is not installed."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise MarqueError(
            f"the cockpit needs the extra `cockpit` ({error.name} is missing): "
            "pip install 'marque[cockpit]'"
        ) from error
