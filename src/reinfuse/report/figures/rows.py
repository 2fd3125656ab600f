"""Rows of estimates on a logarithmic axis, with their texts in columns: what forest and influence plots share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reinfuse.report.figures.theme import FAINT, LINE, Columns, head_height, headline, new
from reinfuse.report.text import number_format

_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_APART = 0.26
"""Inches between two ticks, so that their labels do not touch."""


def panels(title: str, lines: int, columns: Columns, *, plot: tuple[float, float], xlabel: str
           ) -> tuple[Figure, Axes, Axes]:  # fmt: skip
    """Lay out a title, a row of heads, lines of text, and beside them an axis.

    Parameters
    ----------
    lines
        Rows, the heads not counted.
    plot
        Left edge and width of the axis, as shares of the figure's width.

    Returns
    -------
    figure, axes, text
        `axes` and `text` share rows: row i is at y = i, the heads at y = -1; x of `text` runs from 0 to 1.
    """
    head, foot = head_height(title, columns), 0.42
    height = head + LINE * (lines + 1.4) + foot
    figure = new(columns, height)
    box = (foot / height, LINE * lines / height)
    axes = figure.add_axes((plot[0], box[0], plot[1], box[1]))
    text = figure.add_axes((0, box[0], 1, box[1]), frameon=False)
    for a in (axes, text):
        a.set_ylim(lines - 0.5, -0.5)
    text.set_xlim(0, 1)
    text.axis("off")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(xlabel, labelpad=2)
    headline(figure, title, columns=columns)
    return figure, axes, text


def logarithmic(axes: Axes, low: float, high: float) -> None:
    """Make the axis logarithmic, with a line at 1 and as many ticks as stand apart."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.axvline(1, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
    inches = axes.get_position().width * axes.figure.get_figure(root=True).get_size_inches()[0]
    least = _APART / inches * math.log(high / low)
    chosen: list[float] = []
    for tick in sorted((t for t in _TICKS if low <= t <= high), key=lambda t: (t != 1, abs(math.log(t)))):
        if all(abs(math.log(tick / other)) > least for other in chosen):
            chosen.append(tick)
    axes.set_xticks(sorted(chosen), [number_format.printed(f"{t:g}") for t in sorted(chosen)])
    axes.minorticks_off()


def heads(text: Axes, places: Sequence[float], names: Sequence[str], *, sides: Sequence[str] | None = None) -> None:
    """Write the heads of the columns."""
    for i, (x, name) in enumerate(zip(places, names, strict=True)):
        side: Any = "left" if sides is None else sides[i]
        text.text(x, -1, name, weight="bold", va="center", ha=side)
