"""Each patient's exposure after one infusion against the next, a panel a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    LINE,
    SMALL,
    STYLES,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)


def pairs(name: str, title: str, panels: Mapping[str, pl.DataFrame], *, ends: tuple[str, str], groups: Sequence[str],
          synthetic: bool, columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw lines from one infusion to the next on a logarithmic axis.

    Parameters
    ----------
    panels
        Label of a measure -> `patient_id`, `before`, `after`, `group`.
    ends
        What the two ends are called.
    groups
        In the order of the legend.
    """
    head, foot, tall = head_height(title, columns) + LINE * (len(groups) + 0.4), 0.35, 1.95
    rows = 1 if columns == 2 else len(panels)
    height, width = head + rows * (tall + 0.5) + foot, WIDTHS[columns]
    figure, left = new(columns, height), 0.5
    each = (width - 0.1) / (len(panels) if columns == 2 else 1)
    with style():
        for i, (label, frame) in enumerate(panels.items()):
            x, y = (i * each, 0) if columns == 2 else (0.0, (rows - 1 - i) * (tall + 0.5))
            axes = figure.add_axes(
                ((x + left) / width, (foot + y) / height, (each - left - 0.05) / width, tall / height)
            )
            _panel(axes, label, frame, ends=ends, groups=groups)
        for i, group in enumerate(groups):
            look: Any = STYLES[i]
            y = 1 - (head - LINE * (len(groups) - i - 0.1)) / height
            figure.add_artist(Line2D([0.1 / width, 0.35 / width], [y, y], color=COLOURS[i], linestyle=look,
                                     transform=figure.transFigure))  # fmt: skip
            n = max(frame.filter(pl.col("group") == group).height for frame in panels.values())
            figure.text(0.42 / width, y, f"{group} (n = {n})", va="center")
        headline(figure, title, columns=columns)
    data = pl.concat([f.select(pl.lit(label).alias("measure"), pl.all()) for label, f in panels.items()])
    alt = f"{title}. One line a patient from {ends[0]} to {ends[1]}: {', '.join(panels)}."
    return finish(figure, name, title, alt, synthetic, data, columns=columns, patient_level=True)


def _panel(axes: Axes, label: str, frame: pl.DataFrame, *, ends: tuple[str, str], groups: Sequence[str]) -> None:
    axes.set_yscale("log")
    for before, after, group in frame.select("before", "after", "group").iter_rows():
        i = groups.index(group)
        look: Any = STYLES[i]
        axes.plot([0, 1], [before, after], color=COLOURS[i], linestyle=look, linewidth=0.7, alpha=0.7, marker="o",
                  markersize=2)  # fmt: skip
    axes.set_xlim(-0.15, 1.15)
    axes.set_xticks([0, 1], ends)
    axes.minorticks_off()
    axes.tick_params(axis="y", labelsize=SMALL)
    what, _, unit = label.rpartition(", ")
    axes.set_title(f"{what}\n{unit} (n = {frame.height})", loc="left", fontsize=SMALL, color=FAINT, pad=3)
