"""The program `marque`: verbs, and the one place where errors become exit codes.

0 passed, 1 what was judged failed, 2 wrong use or bad input, 130 stopped by Ctrl-C. The rooms
behind a verb are loaded when the verb is used, so that `--help` answers at once.
"""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from marque.core.errors import MarqueError, unknown

WRONG_USE, STOPPED, FAILED = 2, 130, 1

VERBS = {  # in the order of the help text
    "drive": ("marque.cli.drive", "Drive from A to B through real traffic; log, report, summary."),
    "prove": ("marque.cli.prove", "Judge a driver on many seeded trips or situations."),
    "bench": ("marque.cli.bench", "How fast the engine's traffic is, beside other simulators."),
    "car": ("marque.cli.car", "List, show and measure cars; real cars over CAN."),
    "map": ("marque.cli.map", "Import, make, check, draw and describe road maps."),
    "brand": ("marque.cli.brand", "Characters of brands: list, show, and compare on the road."),
    "log": (
        "marque.cli.log",
        "Look into a drive log, draw it, finish one, import one.",
    ),
    "cockpit": ("marque.cli.cockpit", "Replay a drive in the browser: what the car saw, and why."),
    "info": ("marque.cli.info", "Versions, caches, and what exists: maps, cars, drivers, worlds."),
}


class Verbs(TyperGroup):
    """The verbs; help lists them from `VERBS` alone, and only the one that runs is loaded."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help text."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in with the verb's help line."""
        if cmd_name not in VERBS:
            return None
        return TyperCommand(cmd_name, help=VERBS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real verb."""
        if args[0] not in VERBS:
            raise unknown("verb", args[0], VERBS)
        verb: typer.Typer = import_module(VERBS[args[0]][0]).app
        verb.rich_markup_mode = None
        several = verb.registered_callback is not None or len(verb.registered_commands) > 1
        make = typer.main.get_group if several else typer.main.get_command
        return args[0], make(verb), args[1:]


app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        from marque import __version__

        print(f"marque {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and end.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """marque: an open base for assisted driving."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    try:
        code = typer.main.get_command(app)(
            args=arguments, prog_name="marque", standalone_mode=False
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except MarqueError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _say("stopped", STOPPED)
    except BrokenPipeError:
        _silence()
        return FAILED
    except OSError as error:
        if error.filename is None:
            raise
        return _say(f"{error.filename}: {error.strerror or error}", WRONG_USE)
    except Exception as error:
        return _usage(error)


def _usage(error: Exception) -> int:
    """Typer's own errors, whichever package they come from; anything else is a fault of ours."""
    name = type(error).__name__
    if name == "Abort":
        return _say("stopped", STOPPED)
    if not hasattr(error, "format_message"):
        raise error
    text = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if name == "NoArgsIsHelpError":  # asked for nothing: the message is the help text
        print(text, file=sys.stderr)
        return WRONG_USE
    path = getattr(context, "command_path", "marque")
    return _say(f"{text[:1].lower()}{text[1:].rstrip('.')} (see '{path} --help')", WRONG_USE)


def _say(text: str, code: int) -> int:
    """One sentence on standard error."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print(f"marque: {text}", style="bold red", markup=False, soft_wrap=True)
    return code


def _silence() -> None:
    """The reader is gone: nothing more can be said, also not at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
