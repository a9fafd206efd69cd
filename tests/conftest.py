"""Stands here so that pytest puts this folder on the path: `from builders import tiny_map`."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("marque", deadline=None)  # no test judges wall time
settings.load_profile("marque")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data folder beside the project; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the shared data folder beside the project (../shared/data)")
    return SHARED_DATA
