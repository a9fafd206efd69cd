"""The registry: names, and plug-ins that stand in a file."""

from importlib.metadata import EntryPoint

import pytest

from marque.core import registry
from marque.core.errors import MarqueError
from marque.core.registry import load, names


def test_a_plug_in_in_a_file_is_loaded_once(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("class Mine:\n    pass\n")
    found = load("driver", f"{file}:Mine")
    assert found.__name__ == "Mine"
    assert load("driver", f"{file}:Mine") is found
    assert all("Mine" not in name for name in names("driver"))


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        (None, "Mine", "no driver file"),
        ("x = 1\n", "Mine", "no driver 'Mine'"),
        ("class Other: ...\n", "Mine", "have [Other]"),
        ("import no_such_module_at_all\n", "Mine", "cannot be loaded"),
        ("def broken(:\n", "Mine", "cannot be loaded"),
    ],
)
def test_a_file_that_does_not_serve(tmp_path, text, wanted, said):
    file = tmp_path / "mine.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(MarqueError) as caught:
        load("driver", f"{file}:{wanted}")
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_an_unknown_name_lists_what_exists():
    with pytest.raises(MarqueError, match=r"no driver 'marqe'; have \[.*\]; did you mean 'marque'"):
        load("driver", "marqe")


def with_points(monkeypatch, *rows):
    points = [EntryPoint(name, value, "marque.driver") for name, value in rows]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def test_two_of_one_name_are_refused(monkeypatch):
    with_points(monkeypatch, ("lane", "somewhere:Else"))
    with pytest.raises(MarqueError, match="two drivers are named 'lane'; one is somewhere:Else"):
        names("driver")


@pytest.mark.parametrize("value", ["no_such_module_at_all:X", "marque.core.units:NoSuchThing"])
def test_an_entry_point_that_cannot_be_loaded_is_named(monkeypatch, value):
    with_points(monkeypatch, ("mine", value))
    with pytest.raises(MarqueError, match=r"driver 'mine'.*cannot be loaded"):
        load("driver", "mine")


def test_everything_in_the_tree_can_be_loaded():
    for kind, table in registry.IN_TREE.items():
        for name in table:
            assert isinstance(load(kind, name), type), (kind, name)
