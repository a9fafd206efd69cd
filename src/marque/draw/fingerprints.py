"""Characters of brands as one picture: a row of dots for each number, one dot for each brand."""

from collections.abc import Mapping
from pathlib import Path

from marque.core.files import write_whole

INK, COLOURS = "#14181d", ("#0b57c4", "#b3161f", "#0a7a5c", "#8a5200", "#6a3fb5", "#48515c")


def fingerprints_picture(prints: Mapping[str, Mapping[str, float | None]], path: Path) -> None:
    """Draw the fingerprints of brands, PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    keys = list(next(iter(prints.values())))
    figure = Figure(figsize=(9.0, 0.55 * len(keys) + 1.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(keys), 1)
    for axis, key in zip(rows, keys, strict=True):
        values = {name: each[key] for name, each in prints.items() if each[key] is not None}
        for number, name in enumerate(prints):
            if name in values:
                colour = COLOURS[number % len(COLOURS)]
                axis.plot([values[name]], [0.0], "o", ms=10, color=colour, alpha=0.85, label=name)
        axis.set_yticks([0.0], [key.replace("_", " ")], color=INK)
        axis.set_ylim(-1.0, 1.0)
        axis.margins(x=0.12)
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)
    handles, labels = rows[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(prints), frameon=False)
    write_whole(
        path, lambda aside: figure.savefig(aside, format="png", metadata={"Software": "marque"})
    )
