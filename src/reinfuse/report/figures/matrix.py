"""Numbers in a grid of coloured cells: panels of rows by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.colors import LinearSegmentedColormap

from reinfuse.report.figures.theme import (
    INK,
    SMALL,
    TEXT,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    fitted,
    head_height,
    headline,
    new,
    style,
)

_SHADES = LinearSegmentedColormap.from_list("blue", ["#FFFFFF", "#0072B2"])
_DARK = 0.62
"""Share of the scale from which letters are white."""
_ROW, _FOOT, _GAP = 0.34, 0.2, 0.32


@dataclass(frozen=True)
class HeatmapPanel:
    """One panel: its title, values (rows, columns) between 0 and `top`, and what is written in each cell."""

    title: str
    values: Sequence[Sequence[float | None]]
    texts: Sequence[Sequence[str]]
    top: float


def matrix(
    name: str,
    title: str,
    rows: Sequence[str],
    *,
    columns_of: Sequence[str],
    panels: Sequence[HeatmapPanel],
    alt: str,
    columns: Columns = 2,
    footer: str = "",
    across: int = 2,
) -> Drawn:
    """Draw panels of coloured cells; the greater the number, the darker. Numbers stand in the cells too.

    Parameters
    ----------
    rows, columns_of
        Labels of all panels' rows and columns.
    footer
        What must be said under the figure.
    """
    across = 1 if columns == 1 else min(across, len(panels))
    down = -(-len(panels) // across)
    width = WIDTHS[columns]
    shown, label = fitted(rows, 0.55 * width / across, 0.062)
    label += 0.12
    head, tall = head_height(title, columns) + 0.08, _ROW * len(rows)
    below = 0.1 * max(c.count("\n") for c in columns_of)
    height = head + down * (tall + _GAP + 0.22 + below) + _FOOT
    figure = new(columns, height)
    each = (width - 0.1) / across
    with style():
        for i, panel in enumerate(panels):
            x, y = (i % across) * each, _FOOT + (down - 1 - i // across) * (tall + _GAP + 0.22 + below) + 0.18 + below
            axes = figure.add_axes(((x + label) / width, y / height, (each - label - 0.12) / width, tall / height))
            values = np.array([[np.nan if v is None else v for v in row] for row in panel.values], dtype=float)
            axes.imshow(values, cmap=_SHADES, vmin=0, vmax=panel.top, aspect="auto")
            for r, c in np.ndindex(*values.shape):
                dark = values[r, c] > _DARK * panel.top
                axes.text(c, r, panel.texts[r][c], ha="center", va="center", fontsize=SMALL,
                          color="white" if dark else INK, linespacing=1.15)  # fmt: skip
            axes.set_xticks(range(len(columns_of)), columns_of, fontsize=SMALL)
            axes.set_yticks(range(len(rows)), shown, fontsize=SMALL)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
            axes.set_title(panel.title, loc="left", fontsize=TEXT, weight="bold", pad=3)
        headline(figure, title, columns=columns)
        figure.text(0.995, 0.02 / height, footer, ha="right", va="bottom", fontsize=SMALL, style="italic")
    return finish(figure, name, title, alt, False, _data(rows, columns_of, panels), columns=columns)


def _data(rows: Sequence[str], columns_of: Sequence[str], panels: Sequence[HeatmapPanel]) -> pl.DataFrame:
    cells = [(p.title, row, column, p.values[r][c], p.texts[r][c].replace("\n", " "))
             for p in panels for r, row in enumerate(rows) for c, column in enumerate(columns_of)]  # fmt: skip
    return pl.DataFrame(cells, schema={"panel": pl.String, "row": pl.String, "column": pl.String, "value": pl.Float64,
                                       "text": pl.String}, orient="row")  # fmt: skip
