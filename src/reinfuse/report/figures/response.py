"""Best responses as bars, one a group: all patients, each diagnosis, each level of each factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from reinfuse.report.figures.theme import (
    FAINT,
    INK,
    LINE,
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
from reinfuse.results.estimate import Estimate

CATEGORIES = ("CR", "CRi", "nPR", "PR", "SD", "PD", "NE", "not assessed")
SHADES = ("#08519c", "#3182bd", "#6baed6", "#9ecae1", "#e7e1d6", "#f4a582", "#ffffff", "#ffffff")
HATCHES = ("", "\\\\\\", "xxx", "///", "", "...", "", "|||")
_NARROW = 0.055
"""Share of a bar below which its number would not fit."""


@dataclass(frozen=True)
class Bar:
    """One group: its label, its counts by category; a heading has none."""

    label: str
    counts: Sequence[Estimate] = ()


def response(title: str, bars: Sequence[Bar], synthetic: bool, *, columns: Columns = 2) -> Drawn:
    """Draw the shares of best responses.

    Parameters
    ----------
    bars
        Groups in order, headings between them; each count's `level` is the category.
    """
    present = [c for c in CATEGORIES if any(_count(bar, c) for bar in bars)]
    rows = -(-len(present) // (4 if columns == 1 else 8))
    head, legend = head_height(title, columns), LINE * rows + 0.1
    height = head + legend + 0.19 * len(bars) + 0.42
    figure = new(columns, height)
    width = WIDTHS[columns]
    left = (1.15 if columns == 1 else 1.25) / width
    with style():
        axes = figure.add_axes((left, 0.42 / height, 0.95 - left, 0.19 * len(bars) / height))
        for y, bar in enumerate(bars):
            _label(axes, y, bar)
            _bar(axes, y, bar, present=present)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        axes.set_xlabel("Patients", labelpad=2)
        handles, labels = _unique(axes)
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0, 1 - head / height),
                      ncols=4 if columns == 1 else 8, borderaxespad=0.2, handlelength=1.4, columnspacing=1.0,
                      labelspacing=0.25)  # fmt: skip
        headline(figure, title, columns=columns)
    return finish(figure, "response_best", title, _alt(title, bars, present), synthetic, _table(bars), columns=columns)


def _count(bar: Bar, category: str) -> float:
    return next((e.estimate or 0 for e in bar.counts if e.level == category), 0)


def _label(axes: Axes, y: int, bar: Bar) -> None:
    n = next((e.n for e in bar.counts), None)
    text = bar.label if not bar.counts else f"{bar.label} (n = {number_format.count(n)})"
    if bar.counts:
        axes.annotate(text, (0, y), xycoords=("axes fraction", "data"), xytext=(-4, 0), textcoords="offset points",
                      ha="right", va="center")  # fmt: skip
    else:
        axes.annotate(text, (0, y), xycoords=("figure fraction", "data"), xytext=(2, 0), textcoords="offset points",
                      va="center", weight="bold")  # fmt: skip


def _bar(axes: Axes, y: int, bar: Bar, *, present: Sequence[str]) -> None:
    total = sum(_count(bar, c) for c in present)
    start = 0.0
    for category in present:
        count = _count(bar, category)
        if not count:
            continue
        i = CATEGORIES.index(category)
        share = count / total
        axes.barh(y, share, left=start, height=0.74, color=SHADES[i], hatch=HATCHES[i], edgecolor=INK, linewidth=0.5,
                  label=category)  # fmt: skip
        if share >= _NARROW:
            dark = i < 2
            under = {"facecolor": SHADES[i], "edgecolor": "none", "pad": 0.6} if HATCHES[i] and not dark else None
            axes.text(start + share / 2, y, number_format.count(count), ha="center", va="center",
                      color="white" if dark else INK, bbox=under)  # fmt: skip
        start += share
    if bar.counts and not total:
        axes.text(0.01, y, "not shown", va="center", color=FAINT)


def _unique(axes: Axes) -> tuple[list[Artist], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    first = dict(zip(labels[::-1], handles[::-1], strict=True))
    names = [c for c in CATEGORIES if c in first]
    return [first[n] for n in names], names


def _named(bars: Sequence[Bar]) -> list[tuple[str, Bar]]:
    """Return each group with the heading that it stands under."""
    named, heading = [], ""
    for bar in bars:
        if not bar.counts:
            heading = f"{bar.label}: "
        else:
            named.append((f"{heading}{bar.label}", bar))
    return named


def _table(bars: Sequence[Bar]) -> pl.DataFrame:
    rows = [{"group": name, "response": e.level, "patients": e.estimate, "n": e.n}
            for name, bar in _named(bars) for e in bar.counts]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _alt(title: str, bars: Sequence[Bar], present: Sequence[str]) -> str:
    parts = []
    for name, bar in _named(bars):
        counts = ", ".join(f"{c} {number_format.count(_count(bar, c))}" for c in present if _count(bar, c))
        parts.append(f"{name}, {number_format.count(bar.counts[0].n)} patients: {counts}")
    return f"{title}. " + "; ".join(parts) + "."
