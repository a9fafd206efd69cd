"""The first screen is true: its snippet runs, its commands and links exist."""

import re
import shlex

import pytest
import typer
from pages import PAGES, ROOT, blocks, commands
from typer.testing import CliRunner

from marque.cli.main import app

README = ROOT / "README.md"


def shape(text: str) -> str:
    """The text with every number made #: how fast a driver is may change, the words may not."""
    return re.sub(r"\d+(\.\d+)?", "#", text)


def test_the_snippet_runs_and_prints_what_the_page_shows(capsys):
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    exec(compile(blocks(README, "python")[0], str(README), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out.splitlines()
    shown = blocks(README, "text")[0].splitlines()
    assert shape(printed[0]) == shape(shown[0])
    lines = re.compile(r" *\d+\.\d s  [a-z_]+")
    assert len(printed) > 1
    assert all(lines.fullmatch(line) for line in (*printed[1:], *shown[1:]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_in_the_pages_exist(page):
    named = re.findall(r"`((?:src|tests|docs|scripts)/[\w/.]+)`", page.read_text(encoding="utf-8"))
    for target in named:
        assert (ROOT / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_the_pages_has_such_options(page):
    for command in commands(page):
        words = shlex.split(command)[1:]
        verb = [word for word in words[:2] if re.fullmatch(r"[a-z][a-z0-9-]*", word)]
        helped = help_of(verb)
        for option in (word for word in words if word.startswith("-")):
            assert re.search(rf"(^|[\s,]){re.escape(option)}\b", helped), f"{command}: {option}"


def help_of(verb: list[str]) -> str:
    """The help of a verb; of `drive out` the help of `drive`."""
    group = typer.main.get_command(app)
    runner = CliRunner()
    for words in (verb, verb[:1]):
        result = runner.invoke(app, [*words, "--help"])
        if result.exit_code == 0:
            return result.output
    raise AssertionError(f"no verb {verb} in {group.name}")


def test_the_picture_is_small_and_attributed():
    picture = ROOT / "docs/img/drive.png"
    data = picture.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data) < 600_000
    assert "© OpenStreetMap contributors" in README.read_text(encoding="utf-8")
    assert "© OpenStreetMap contributors" in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_constraints_pin_everything_and_name_no_index():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.!+_-]+", line), line
