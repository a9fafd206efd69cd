"""The drive's curves as they grow, for the page's charts: one row for each frame."""

from typing import Any

COLUMNS = ("t", "mps", "limit_mps", "accel", "lat", "jerk", "why")


class Series:
    """Columns of numbers; `why` holds codes."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}

    def add(self, frame: dict[str, Any]) -> None:
        """One more frame."""
        ego, speed = frame["ego"], frame["speed"]
        row = (
            frame["t"], speed["mps"], speed["limit_mps"], ego["accel"], ego["lat"], ego["jerk"],
            frame["why"]["code"],
        )  # fmt: skip
        for name, value in zip(COLUMNS, row, strict=True):
            self._columns[name].append(value)

    def plain(self) -> dict[str, list[Any]]:
        """For JSON."""
        return {name: list(values) for name, values in self._columns.items()}
