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
BrandOption = Annotated[
    str, typer.Option("--brand", metavar="B", help="Whose character (docs/brands.md).")
]
SensorsOption = Annotated[
    str, typer.Option(metavar="PROFILE", help="ideal | standard | ... or a TOML file.")
]
FactsOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the facts as one JSON object.")
]
ResultOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="The result as one object.")
]
OnlyOption = Annotated[str, typer.Option(metavar="TEXT", help="Cases with this in their name.")]
CasesAtATimeOption = Annotated[
    int, typer.Option("--workers", min=1, metavar="K", help="Cases at a time.")
]
PicturesOption = Annotated[
    str, typer.Option(metavar="WHICH", help="none | some | all: of the worst moments.")
]
JournalOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The journal and pictures go here.")
]
PlayAgainOption = Annotated[
    bool, typer.Option("--again", help="Play every case anew, whatever DIR holds.")
]
ScenariosOption = Annotated[
    Path, typer.Option("--suite", metavar="DIR", help="OpenSCENARIO files and variations below it.")
]
ConcreteOption = Annotated[
    bool, typer.Option("--concrete", help="The scenario files alone, no variations.")
]
