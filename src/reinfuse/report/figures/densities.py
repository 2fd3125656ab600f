"""Prior beside posterior: the density of each effect under both, a panel each, what lies beyond a margin shaded."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    INK,
    LINE,
    SMALL,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)
from reinfuse.report.text import number_format

_ACROSS: dict[Columns, int] = {1: 1, 2: 2}
_TALL, _FOOT, _LEFT, _BETWEEN = 1.1, 0.36, 0.24, 0.2
_LETTER = 0.062
"""Inches of a letter."""
_ABOVE, _SHADE = 1.12, 0.35
"""Top of an axis, of the greatest density; how dense a shade is."""
_TICKS = (
    (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100),
    (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
    (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 2),
)
"""Ticks to choose from: the first row of which three to nine stand on the axis."""
_FEWEST_TICKS, _MOST_TICKS = 3, 9
_DASHES, _DOTS = (0, (4, 2)), (0, (1, 1.5))


@dataclass(frozen=True)
class EffectDensity:
    """The densities of one effect's log ratio.

    Attributes
    ----------
    label, chances
        The effect, and its probabilities in words.
    posterior, prior
        Ratio and density of the log ratio, in order of the ratio.
    """

    label: str
    chances: str
    posterior: Sequence[tuple[float, float]]
    prior: Sequence[tuple[float, float]]


def densities(name: str, title: str, what: str, *, effects: Sequence[EffectDensity], margin: float, synthetic: bool,
              columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw one panel an effect: prior, posterior, no effect, and the margin either way."""
    across = min(_ACROSS[columns], len(effects))
    width, head = WIDTHS[columns], head_height(title, columns) + LINE * (1 if columns == 2 else 2) + 0.1
    each = (width - 0.1) / across
    labels = [textwrap.wrap(e.label, int((each - _LEFT) / _LETTER)) for e in effects]
    over = LINE * (max(map(len, labels)) + 1) + 0.04
    down, row = -(-len(effects) // across), over + _TALL + _FOOT
    height = head + down * row + 0.1
    figure = new(columns, height)
    with style():
        for i, one in enumerate(effects):
            at_row, at_column = divmod(i, across)
            bottom = height - head - at_row * row - over - _TALL
            axes = figure.add_axes(((_LEFT + at_column * each) / width, bottom / height,
                                    (each - _BETWEEN - 0.04) / width, _TALL / height))  # fmt: skip
            _draw(axes, one, margin)
            axes.set_ylabel("Density" if at_column == 0 else "", labelpad=2)
            axes.set_xlabel(what if at_row == down - 1 or i + across >= len(effects) else "", labelpad=1)
            text = "\n".join([*labels[i], f"Probability {one.chances}"])
            figure.text((_LEFT + at_column * each) / width, (bottom + _TALL + 0.04) / height, text, va="bottom",
                        linespacing=1.25)  # fmt: skip
        _key(figure, margin, top=1 - (head_height(title, columns) + 0.02) / height, columns=columns)
        headline(figure, title, columns=columns)
    rows = [{"effect": e.label, "of": name, "ratio": r, "density": d} for e in effects
            for name, points in (("prior", e.prior), ("posterior", e.posterior)) for r, d in points]  # fmt: skip
    alt = f"{title}. Probabilities: {'; '.join(f'{e.label}, {e.chances}' for e in effects)}."
    return finish(figure, name, title, alt, synthetic, pl.DataFrame(rows, infer_schema_length=None), columns=columns)


def _draw(axes: Axes, one: EffectDensity, margin: float) -> None:
    (ratios, after), (wide, before) = (np.array(points).T for points in (one.posterior, one.prior))
    low, high = min(ratios[0], wide[0]), max(ratios[-1], wide[-1])
    for colour, start, stop in ((COLOURS[0], margin, high), (COLOURS[1], low, 1 / margin)):
        x = np.unique([start, stop, *ratios[(ratios > start) & (ratios < stop)]])
        shade = np.interp(np.log(x), np.log(ratios), after, left=0, right=0)
        axes.fill_between(x, shade, color=colour, alpha=_SHADE, linewidth=0)
    axes.plot(wide, before, color=FAINT, linestyle=_DASHES, linewidth=1.0)
    axes.plot(ratios, after, color=COLOURS[0])
    axes.axvline(1, color=INK, linewidth=0.6)
    for at in (margin, 1 / margin):
        axes.axvline(at, color=FAINT, linewidth=0.7, linestyle=_DOTS)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, max(*after, *before) * _ABOVE)
    rows = [[t for t in row if low <= t <= high] for row in _TICKS]
    ticks = next((row for row in rows if _FEWEST_TICKS <= len(row) <= _MOST_TICKS), rows[-1])
    axes.set_xticks(ticks, [number_format.printed(f"{t:g}") for t in ticks])
    axes.set_yticks([])
    axes.minorticks_off()


def _key(figure: Figure, margin: float, *, top: float, columns: Columns) -> None:
    above, below = (number_format.ratio(v) for v in (margin, 1 / margin))
    handles = [Line2D([], [], color=COLOURS[0], label="posterior"),
               Line2D([], [], color=FAINT, linestyle=_DASHES, linewidth=1.0, label="prior"),
               Line2D([], [], color=FAINT, linewidth=0.7, linestyle=_DOTS, label=f"margin, {above} and {below}"),
               Patch(facecolor=COLOURS[0], alpha=_SHADE, label=f"above {above}"),
               Patch(facecolor=COLOURS[1], alpha=_SHADE, label=f"below {below}")]  # fmt: skip
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, top), ncols=5 if columns == 2 else 3,
                  borderaxespad=0, handlelength=1.8, columnspacing=1.2, fontsize=SMALL)  # fmt: skip
