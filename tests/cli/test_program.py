"""The program as a whole: help, version, wrong words, exit codes."""

import os
import subprocess
import sys

import pytest

from marque import __version__
from marque.cli import main as program
from marque.cli.main import VERBS, main
from marque.core.errors import MarqueError


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on standard error: one line, nothing of Python's."""
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "Traceback" not in said
    assert said.startswith("marque: ")
    return said


def test_help_lists_every_verb_and_loads_no_room():
    code = (
        "import sys\nfrom marque.cli.main import main\nassert main(['--help']) == 0\n"
        "heavy = {'numba', 'numpy', 'matplotlib', 'pydantic', 'libsumo'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb, (_, text) in VERBS.items():
        assert f"  {verb} " in done.stdout
        assert text.split(";")[0] in " ".join(done.stdout.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_of_its_own(verb, capsys):
    assert main([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: marque {verb}")
    assert "--install-completion" not in said


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"marque {__version__}\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            ["drvie"],
            "no verb 'drvie'; have [bench, brand, car, cockpit, drive, info, log, map, prove]; "
            "did you mean 'drive'?",
        ),
        (["drive", "--sed", "1"], "--sed"),
        (["drive", "--seed", "x"], "--seed"),
        (["drive", "--seed", "-1"], "--seed"),
        (["drive", "--minutes", "0"], "--minutes"),
        (["drive", "--density", "-3"], "--density"),
        (["drive", "more"], "more"),
        (["drive", "--seed"], "--seed"),
        (["prove", "town"], "town"),
        (["prove", "city", "--routes", "0"], "--routes"),
        (["prove", "city", "--workers", "0"], "--workers"),
        (["prove", "city", "--seeds", "1,x"], "1,x"),
        (["prove", "city", "--seeds", "1,1"], "1,1"),
        (["log", "info"], "FILE"),
        (["log", "recover", ""], "no log file"),
        (["map", "nothing"], "nothing"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(words, named, capsys):
    assert main(words) == 2
    assert named in one_sentence(capsys)


def test_without_a_verb_the_help_is_shown_and_the_exit_is_2(capsys):
    assert main([]) == 2
    shown = capsys.readouterr()
    assert "Usage: marque" in shown.out + shown.err


@pytest.mark.parametrize(
    ("error", "code", "named"),
    [
        (MarqueError("no such thing as 'x'"), 2, "no such thing as 'x'"),
        (PermissionError(13, "Permission denied", "/some/file"), 2, "/some/file: Permission"),
    ],
)
def test_errors_of_a_verb_become_exit_codes(error, code, named, monkeypatch, capsys):
    def fail() -> None:
        raise error

    monkeypatch.setattr("marque.cli.info.gather", fail)
    assert main(["info"]) == code
    assert named in one_sentence(capsys)


def test_ctrl_c_is_exit_130_without_a_traceback(monkeypatch, capsys):
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("marque.cli.info.gather", stop)
    assert main(["info"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_of_the_program_is_not_hidden(monkeypatch):
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("marque.cli.info.gather", fail)
    with pytest.raises(ZeroDivisionError):
        main(["info"])


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "marque.cli.main", "info"]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "COLUMNS": "80"}
    )
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None
    said = child.stderr.read().decode()
    child.wait(60)
    child.stderr.close()
    assert "Traceback" not in said
    assert "Exception" not in said


def test_info_tells_what_exists(capsys, tmp_path):
    file = tmp_path / "info.json"
    assert main(["info", "--json", str(file)]) == 0
    said = capsys.readouterr().out
    for name in ("saloon_ev", "suv_erev", "berlin", "autobahn", "braunschweig", "lane", "marque"):
        assert name in said
    assert '"schema": "marque.info/1"' in file.read_text().splitlines()[1]


def test_every_verb_named_in_the_table_exists():
    verbs = ["drive", "prove", "bench", "car", "map", "brand", "log", "cockpit", "info"]
    assert list(program.VERBS) == verbs
