"""Files are whole or not there; the machine-code cache; errors."""

import os
from pathlib import Path

import pytest

from marque.core import jit
from marque.core.errors import MarqueError, unknown
from marque.core.files import (
    need_writable_file,
    need_writable_folder,
    user_cache,
    write_text,
    write_whole,
)


def test_a_file_is_written_whole_and_nothing_else_stays(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "größer")
    assert (tmp_path / "deep" / "a.txt").read_text(encoding="utf-8") == "größer"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("mine")])
def test_a_write_that_fails_halfway_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(aside):
        aside.write_text("ne")
        raise error

    with pytest.raises(MarqueError if isinstance(error, OSError) else ValueError) as caught:
        write_whole(path, half)
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_or_pipe_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    need_writable_file(pipe)
    write_text(pipe, "through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_folder_is_no_file(tmp_path):
    for path in (tmp_path, Path("")):
        with pytest.raises(MarqueError, match="it is a folder"):
            need_writable_file(path)
        with pytest.raises(MarqueError, match="it is a folder"):
            write_text(path, "x")


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(MarqueError, match="cannot write into"):
        need_writable_folder(tmp_path / "f" / "out")
    need_writable_folder(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_cache_is_where_it_is_asked_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("MARQUE_CACHE", str(tmp_path / "a"))
    assert user_cache() == tmp_path / "a"
    monkeypatch.delenv("MARQUE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "marque"


def test_the_code_cache_changes_with_compiled_sources_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "marque" / "core" / "jit.py"))
    (tmp_path / "marque" / "core").mkdir(parents=True)
    hot, cold = tmp_path / "marque" / "hot.py", tmp_path / "marque" / "cold.py"
    hot.write_text("@jit\ndef f(): return 1\n")
    cold.write_text("x = 1\n")
    before = jit._source_digest()
    cold.write_text("x = 2\n")
    assert jit._source_digest() == before
    hot.write_text("@jit\ndef f(): return 2\n")
    assert jit._source_digest() != before


def test_an_unknown_name_says_what_exists():
    error = unknown("car", "salon_ev", ["suv_erev", "saloon_ev"])
    assert str(error) == "no car 'salon_ev'; have [saloon_ev, suv_erev]; did you mean 'saloon_ev'?"
    assert "mean" not in str(unknown("car", "zzz", ["saloon_ev"]))
    assert error.exit_code == 2
