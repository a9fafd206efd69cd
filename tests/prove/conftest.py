"""A town with traffic for the suites."""

from pathlib import Path

import pytest

from towns import own_cache, save_town


@pytest.fixture(scope="session")
def suite_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prove")


@pytest.fixture
def cache(suite_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_cache(suite_cache, monkeypatch)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    return save_town(tmp_path_factory.mktemp("town"))
