"""What can be wrong with `prove motorway`, each in one sentence before anything is driven."""

from pathlib import Path

import pytest

from marque.cli.main import main

pytestmark = pytest.mark.usefixtures("cache")


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """These words must be refused in one sentence."""
    assert main(["prove", "motorway", *(str(word) for word in words)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("marque: ")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("km", ["0", "-5", "nan", "far", "inf"])
def test_a_length_that_is_none(km, tmp_path, capsys):
    said = refused(capsys, f"--km={km}", "--out", tmp_path / "out")
    assert "--km is" in said
    assert km in said
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    assert str(file) in refused(capsys, "--km", 3, "--out", file / "out")
    assert str(file) in refused(capsys, "--km", 3, "--json", file / "x.json")
    assert str(tmp_path) in refused(capsys, "--km", 3, "--json", tmp_path)


@pytest.mark.parametrize(
    ("option", "named"), [("--driver", "driver"), ("--car", "car"), ("--sensors", "sensor")]
)
def test_who_or_what_does_not_exist(option, named, tmp_path, capsys):
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    said = refused(capsys, "--km", 3, option, "nobody", "--out", tmp_path / "out")
    assert "nobody" in said
    assert named in said
    assert "have [" in said
    assert not list(Path(tmp_path / "out").glob("*.json"))


@pytest.mark.parametrize("words", [["--km", "3", "--workers", "0"], ["--km", "3", "--seed", "-1"]])
def test_numbers_out_of_range(words, capsys):
    assert words[2] in refused(capsys, *words)


def test_without_a_length(capsys):
    assert "--km" in refused(capsys)
