"""The cockpit's tests that need its extra are skipped by name where it is not installed."""

from pathlib import Path

NEED_EXTRA = (
    "test_server.py",
    "test_live_cockpit.py",
    "test_browser.py",
    "test_live_trip.py",
    "test_signal_rates.py",
)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """None: as usual."""
    if collection_path.name not in NEED_EXTRA:
        return None
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        print(f"\nNOT RUN: {collection_path.name} needs the extra `cockpit` ({error.name})")
        return True
    return None
