"""Estimates with intervals in rows, in panels side by side, several series in one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from matplotlib.lines import Line2D

from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    LINE,
    SMALL,
    TEXT,
    WIDTHS,
    Columns,
    Cycle,
    Drawn,
    finish,
    fitted,
    head_height,
    headline,
    new,
    style,
)
from reinfuse.report.text import number_format

_MARKS: Cycle[str] = Cycle(("o", "s", "D"))


@dataclass(frozen=True)
class PlottedInterval:
    """One estimate: where it stands, its number and limits; None is not drawn."""

    panel: str
    row: str
    series: str
    estimate: float | None
    lower: float | None
    upper: float | None


def intervals(name: str, title: str, marks: Sequence[PlottedInterval], *, alt: str, log: bool, none: float | None,
              columns: Columns = 2, footer: str = "", axis: str = "") -> Drawn:  # fmt: skip
    """Draw marks with their intervals; `none` is the value of no effect.

    Parameters
    ----------
    log
        Whether axes are logarithmic.
    axis
        What all axes show.
    """
    panels, rows, series = (list(dict.fromkeys(getattr(m, what) for m in marks)) for what in ("panel", "row", "series"))
    width = WIDTHS[columns]
    shown, label = fitted(rows, 0.45 * width, 0.058)
    label += 0.1
    key = LINE if len(series) > 1 else 0.0
    lines = max(p.count("\n") for p in panels) + 1
    head, tall = head_height(title, columns) + key + 0.1 + 0.12 * lines, 0.115 * len(rows) * (len(series) + 0.6)
    height = head + tall + 0.55
    figure, each = new(columns, height), (width - label - 0.05) / len(panels)
    with style():
        for i, panel in enumerate(panels):
            axes = figure.add_axes(((label + i * each) / width, 0.45 / height, (each - 0.15) / width, tall / height))
            for mark in (m for m in marks if m.panel == panel and m.estimate is not None):
                k = series.index(mark.series)
                y = rows.index(mark.row) + (k - (len(series) - 1) / 2) * 0.28
                assert mark.estimate is not None
                low, high = (mark.estimate if v is None else v for v in (mark.lower, mark.upper))
                axes.plot([low, high], [y, y], color=COLOURS[k], linewidth=1)
                axes.plot([mark.estimate], [y], _MARKS[k], color=COLOURS[k], markersize=3.5)
            if none is not None:
                axes.axvline(none, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
            axes.set_ylim(len(rows) - 0.4, -0.6)
            axes.set_yticks(range(len(rows)), shown if i == 0 else [""] * len(rows), fontsize=SMALL)
            axes.tick_params(axis="y", length=0)
            if log:
                axes.set_xscale("log")
                axes.minorticks_off()
                axes.xaxis.set_major_formatter(lambda value, _: number_format.printed(f"{value:g}"))
            axes.set_title(panel, loc="left", fontsize=TEXT, weight="bold", pad=3)
            axes.set_xlabel(axis, labelpad=2)
        if len(series) > 1:
            lines = [
                Line2D([], [], color=COLOURS[k], marker=_MARKS[k], markersize=3.5, label=s)
                for k, s in enumerate(series)
            ]
            figure.legend(handles=lines, loc="upper left", ncols=len(series), fontsize=TEXT, borderaxespad=0.2,
                          bbox_to_anchor=(0.0, 1 - head_height(title, columns) / height))  # fmt: skip
        headline(figure, title, columns=columns)
        figure.text(0.995, 0.02 / height, footer, ha="right", va="bottom", fontsize=SMALL, style="italic")
    data = pl.DataFrame([vars(m) for m in marks], infer_schema_length=None)
    return finish(figure, name, title, alt, False, data, columns=columns)
