"""Data as TOML files in a folder of the program, or in one of the user's own."""

import tomllib
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError, unknown


def toml_names(folder: Path) -> list[str]:
    """The files that come with the program, by name, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read_named_toml(kind: str, name_or_path: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The file of that name in the folder, or that TOML file; and its fields.

    MarqueError: no such name or file, or not TOML.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in toml_names(folder):
            raise unknown(kind, name_or_path, toml_names(folder))
        path = folder / f"{name_or_path}.toml"
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MarqueError(f"cannot read {kind} {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MarqueError(f"{kind} {path} is no TOML: {error}") from error
