"""Forest plots: effects with their numbers in columns; an interval that leaves the axis ends in an arrow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from reinfuse.report.figures.rows import heads, logarithmic, panels
from reinfuse.report.figures.theme import COLOURS, FAINT, Columns, Drawn, finish, style
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import Labels
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

AXIS = (0.02, 50.0)
Named = Callable[[str], str]
_PLACES: dict[Columns, tuple[float, ...]] = {1: (0.012, 0.46, 0.49, 0.90), 2: (0.006, 0.50, 0.75, 0.935)}
"""Label, events / n, ratio, p; in one column the label has a line of its own."""
_UNDER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
"""So that the line at 1 does not run through a label."""
_PLOT: dict[Columns, tuple[float, float]] = {1: (0.03, 0.27), 2: (0.52, 0.21)}


def forest(name: str, title: str, records: Sequence[Estimate], *, labels: Labels, synthetic: bool,
           columns: Columns = 2, what: str | None = None, named: Named | None = None,
           counted: str = "Events / n") -> Drawn:  # fmt: skip
    """Draw the effects on one endpoint, univariable and multivariable one under the other.

    Parameters
    ----------
    what
        What the ratio is called; default: odds or hazard ratio.
    named
        Gives a term's label; default: that of `labels`.
    counted
        What stands behind an estimate.
    """
    named = named or labels.term
    lines: list[Estimate | str | None] = []
    for model in ("univariable", "multivariable"):
        of_model = [r for r in records if r.model == model]
        lines += [model.capitalize()] if of_model else []
        for record in of_model:
            lines += [record] if columns == 2 else [named(record.stratum or ""), record]
    what = what or ("Odds ratio" if records[0].statistic == "odds_ratio" else "Hazard ratio")
    with style():
        figure, axes, text = panels(title, len(lines), columns, plot=_PLOT[columns], xlabel=what)
        logarithmic(axes, *AXIS)
        places = _PLACES[columns]
        for y, line in enumerate(lines):
            if isinstance(line, str):
                head = line in ("Univariable", "Multivariable")
                weight = "bold" if head else "normal"
                text.text(places[0] + (0 if head else 0.012), y, line, weight=weight, va="center", bbox=_UNDER)
            elif line is not None:
                _line(axes, y, line)
                _texts(text, y, line, named=named, columns=columns)
        ci = number_format.level(records[0].confidence)
        names = ("Factor", counted, f"{what} ({ci})", number_format.p_letter())
        heads(text, places, names, sides=("left", "right", "left", "left"))
    return finish(
        figure, name, title, _alt(title, records, named=named), synthetic, table(records, named), columns=columns
    )


def _line(axes: Axes, y: int, record: Estimate) -> None:
    if record.estimate is None:
        return
    low, high = AXIS
    colour = COLOURS[0] if record.model == "univariable" else COLOURS[1]
    lower = record.lower if record.lower is not None else 0.0
    upper = record.upper if record.upper is not None else math.inf
    axes.plot([max(lower, low * 1.06), min(upper, high / 1.06)], [y, y], color=colour, linewidth=1.1)
    if lower < low:
        axes.plot([low * 1.12], [y], marker="<", color=colour, markersize=4, clip_on=False)
    if upper > high:
        axes.plot([high / 1.12], [y], marker=">", color=colour, markersize=4, clip_on=False)
    if low <= record.estimate <= high:
        marker = "s" if record.model == "univariable" else "D"
        axes.plot([record.estimate], [y], marker=marker, color=colour, markersize=3.8)


def _texts(axes: Axes, y: int, record: Estimate, *, named: Named, columns: Columns) -> None:
    places = _PLACES[columns]
    if columns == 2:
        axes.text(places[0] + 0.008, y, named(record.stratum or ""), va="center")
    axes.text(
        places[1], y, f"{number_format.count(record.events)} / {number_format.count(record.n)}", va="center", ha="right"
    )
    if record.estimate is None:
        axes.text(
            places[2],
            y,
            number_format.UNTOLD if number_format.hidden(record) else NOT_ESTIMABLE,
            va="center",
            color=FAINT,
        )
        return
    axes.text(places[2], y, f"{number_format.ratio(record.estimate)} ({number_format.interval(record)})", va="center")
    axes.text(places[3], y, number_format.p_value(record.p_value), va="center")


def table(records: Sequence[Estimate], named: Named) -> pl.DataFrame:
    """Return what a forest plot shows as a table."""
    rows = [{"term": r.stratum, "label": named(r.stratum or ""), "model": r.model, "statistic": r.statistic,
             "estimate": r.estimate, "lower": r.lower, "upper": r.upper, "p_value": r.p_value, "n": r.n,
             "events": r.events, "note": r.note} for r in records]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _alt(title: str, records: Sequence[Estimate], *, named: Named) -> str:
    parts = [f"{named(r.stratum or '')} ({r.model}) {number_format.ratio(r.estimate)}, {number_format.interval(r)}"
             for r in records if r.estimate is not None]  # fmt: skip
    return f"Forest plot, {title}. " + "; ".join(parts) + "."
