"""Options that several verbs share, said once."""

from pathlib import Path
from typing import Annotated

import typer

MapOption = Annotated[
    str, typer.Option("--map", metavar="M", help="A name, a map file, or a source to convert.")
]
DriverOption = Annotated[str, typer.Option(metavar="D", help="Who drives.")]
AnyDriverOption = Annotated[
    str, typer.Option(metavar="D", help="Who drives. Default: marque; without a map, marks.")
]
CarOption = Annotated[str, typer.Option(metavar="C", help="A name or a TOML file.")]
SensorsOption = Annotated[
    str, typer.Option(metavar="PROFILE", help="ideal | standard | ... or a TOML file.")
]
FactsOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the facts as one JSON object.")
]
ResultOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="The result as one object.")
]
