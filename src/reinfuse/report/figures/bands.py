"""Curves with bands, in panels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from matplotlib.lines import Line2D

from reinfuse.report.figures.theme import (
    COLOURS,
    LINE,
    SMALL,
    STYLES,
    TEXT,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)

_TALL, _FOOT = 1.7, 0.55


@dataclass(frozen=True)
class Band:
    """One curve of a panel: day, value, low and high in a frame's columns of these names."""

    panel: str
    label: str
    points: pl.DataFrame


def bands(name: str, title: str, curves: Sequence[Band], *, ylabel: str, alt: str, scale: Literal["share", "log"],
          xlabel: str, columns: Columns = 2, footer: str = "") -> Drawn:  # fmt: skip
    """Draw each panel's curves with their bands; the same labels look the same in all panels."""
    panels, labels = (list(dict.fromkeys(getattr(c, what) for c in curves)) for what in ("panel", "label"))
    width, across = WIDTHS[columns], len(panels) if columns == 2 else 1
    down = -(-len(panels) // across)
    head = head_height(title, columns) + LINE * (1 if columns == 2 else len(labels)) + 0.08
    height = head + down * (_TALL + _FOOT) + 0.12
    figure, left = new(columns, height), 0.5
    each = (width - 0.05) / across
    with style():
        shared: Any = None
        for i, panel in enumerate(panels):
            x, y = (i % across) * each, 0.12 + (down - 1 - i // across) * (_TALL + _FOOT) + 0.38
            axes = figure.add_axes(((x + left) / width, y / height, (each - left - 0.1) / width, _TALL / height),
                                   sharey=shared)  # fmt: skip
            shared = shared or axes
            for curve in curves:
                if curve.panel == panel:
                    _draw(axes, curve, labels.index(curve.label), scale=scale)
            _axes(axes, panel, scale, ylabel=ylabel if i % across == 0 else "", xlabel=xlabel)
        lines = [Line2D([], [], color=COLOURS[k], linestyle=STYLES[k], label=label) for k, label in enumerate(labels)]
        figure.legend(handles=lines, loc="upper left", bbox_to_anchor=(0.0, 1 - (head_height(title, columns)) / height),
                      ncols=len(labels) if columns == 2 else 1, fontsize=TEXT, borderaxespad=0.2)  # fmt: skip
        headline(figure, title, columns=columns)
        figure.text(0.995, 0.02 / height, footer, ha="right", va="bottom", fontsize=SMALL, style="italic")
    data = pl.concat([c.points.with_columns(panel=pl.lit(c.panel), label=pl.lit(c.label)) for c in curves])
    return finish(figure, name, title, alt, False, data, columns=columns)


def _draw(axes: Any, curve: Band, k: int, *, scale: str) -> None:
    least = 1e-3 if scale == "log" else None
    points = curve.points.drop_nulls("value")
    value, low, high = (points[c].to_numpy() for c in ("value", "low", "high"))
    if least is not None:
        value, low, high = (v.clip(least) for v in (value, low, high))
    axes.plot(points["day"], value, color=COLOURS[k], linestyle=STYLES[k])
    axes.fill_between(points["day"], low, high, color=COLOURS[k], alpha=0.13, linewidth=0)


def _axes(axes: Any, title: str, scale: str, *, ylabel: str, xlabel: str) -> None:
    axes.set_title(title, loc="left", fontsize=TEXT, weight="bold", pad=3)
    axes.set_xlabel(xlabel, labelpad=2)
    axes.set_ylabel(ylabel, labelpad=2)
    axes.set_xlim(0)
    if scale == "share":
        axes.set_ylim(0, 1.03)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    else:
        axes.set_yscale("log")
        axes.minorticks_off()
