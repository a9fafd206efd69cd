"""Fixtures of the command line's tests: a cache of their own, and a town to drive in."""

from pathlib import Path

import pytest

from towns import own_cache, save_streets, save_town


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for converted maps and warmed traffic."""
    return tmp_path_factory.mktemp("cli")


@pytest.fixture
def cache(session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_cache(session_cache, monkeypatch)


@pytest.fixture(scope="session")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_streets(tmp_path_factory.mktemp("streets"))


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    return save_town(tmp_path_factory.mktemp("town"))
