"""Best change of the measured disease, one bar a patient."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.axes import Axes

from reinfuse.report.figures.response import CATEGORIES, HATCHES, SHADES
from reinfuse.report.figures.theme import (
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

CAP = 100.0
LINES = (-50.0, 50.0)
"""Changes by which Lugano 2014 tells partial response and progression."""


_FEWEST = 8
"""Bars that have room at least, so that those of few patients are no wider."""
_LEAST = 1.0
"""Change, in percent, below which a bar would not be seen; a stub about zero stands for it."""
_NARROW, _LETTER = 3.0, 4.0
"""Points from bar to bar below which a bar is not hatched; points that a letter of its number needs."""


def waterfall(title: str, changes: Sequence[tuple[float, str]], without: int, *, synthetic: bool,
              columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw the bars from growth to disappearance.

    Parameters
    ----------
    changes
        Change in percent and best response of each patient.
    without
        Patients without a size before or after the infusion.
    """
    ordered = sorted(changes, reverse=True)
    present = [c for c in CATEGORIES if any(r == c for _, r in ordered)]
    across = 4 if columns == 1 else 8
    head = head_height(title, columns)
    height = head + LINE * -(-len(present) // across) + 0.13 + 2.2 + 0.3
    figure = new(columns, height)
    width = WIDTHS[columns]
    left, slots = 0.62 / width, max(len(ordered), _FEWEST)
    pitch = (0.97 - left) * width * 72 / slots
    with style():
        axes = figure.add_axes((left, 0.3 / height, 0.97 - left, 2.2 / height))
        for category in present:
            _bars(axes, category, [(x, change) for x, (change, r) in enumerate(ordered) if r == category], pitch=pitch)
        _cut(axes, [(x, change) for x, (change, _) in enumerate(ordered) if change > CAP], pitch=pitch)
        axes.axhline(0, color=INK, linewidth=0.7)
        for level in LINES:
            axes.axhline(level, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
        axes.set_ylim(-104, CAP + 4)
        axes.set_xlim(-0.7, slots - 0.3)
        axes.set_yticks([-100, -50, 0, 50, 100], ["−100%", "−50%", "0%", "+50%", "+100%"])
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.set_ylabel("Best change of size", labelpad=2)
        figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0, 1 - head / height),
                      ncols=across, borderaxespad=0.2, handlelength=1.4, columnspacing=1.0)  # fmt: skip
        headline(figure, title, columns=columns)
    halved = sum(change <= LINES[0] for change, _ in ordered)
    alt = f"{title}. {len(ordered)} patients, smaller by half or more in {halved}; {without} without sizes not drawn."
    data = pl.DataFrame({"best_size_change": [c for c, _ in ordered], "best_response": [r for _, r in ordered]})
    return finish(figure, "waterfall", title, alt, synthetic, data, columns=columns, patient_level=True)


def _bars(axes: Axes, category: str, bars: Sequence[tuple[int, float]], *, pitch: float) -> None:
    """Draw the bars of one best response."""
    i = CATEGORIES.index(category)
    heights = [min(change, CAP) if abs(change) >= _LEAST else 2 * _LEAST for _, change in bars]
    bottoms = [0.0 if abs(change) >= _LEAST else -_LEAST for _, change in bars]
    hatch, line = ("", 0.25) if pitch < _NARROW else (HATCHES[i], 0.5)
    axes.bar([x for x, _ in bars], heights, bottom=bottoms, width=0.84, color=SHADES[i], hatch=hatch, edgecolor=INK,
             linewidth=line, label=category)  # fmt: skip


def _cut(axes: Axes, bars: Sequence[tuple[int, float]], *, pitch: float) -> None:
    """Mark the bars that are cut: with their number, or with an arrow head where it has no room."""
    texts = [f"+{change:.0f}" for _, change in bars]
    if pitch < _LETTER * max(map(len, texts), default=0) + 2:
        axes.scatter([x for x, _ in bars], [CAP + 5] * len(bars), s=min(14.0, pitch**2 / 2), marker="^", color=INK,
                     linewidths=0, clip_on=False, zorder=3)  # fmt: skip
        return
    for (x, _), word in zip(bars, texts, strict=True):
        axes.annotate(word, (x, CAP), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom",
                      fontsize=SMALL, annotation_clip=False)  # fmt: skip
