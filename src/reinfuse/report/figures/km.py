"""Kaplan-Meier curves with a key that tells n, events and medians, and numbers at risk under their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reinfuse.analyses.time_axis import FEWEST_AT_RISK, axis_end
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    INK,
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
from reinfuse.report.text import number_format
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import Estimate

MOST_MARKS = 400
BANDS = 3
_PLOT: dict[Columns, float] = {1: 1.75, 2: 2.4}
_LETTER = 0.056
"""Inches of a letter of the row labels."""


@dataclass(frozen=True)
class GroupCurve:
    """One curve: its label, its points, what the key tells of it, its numbers at risk."""

    label: str
    curve: Curve
    median: Estimate
    at_risk: Sequence[Estimate]


@dataclass(frozen=True)
class Panel:
    """What is drawn: survival (False) or its complement, and the heads of the key."""

    heads: tuple[str, str, str, str]
    down: bool = True


def kaplan_meier(name: str, title: str, arms: Sequence[GroupCurve], *, p_value: float | None, synthetic: bool,
                 columns: Columns = 1, since: str = "the index infusion") -> Drawn:  # fmt: skip
    """Draw curves, bands of their intervals, censor marks, medians, and the table of numbers at risk.

    Parameters
    ----------
    arms
        At least one; each with numbers at risk at the same days.
    p_value
        Of the log-rank test; None where there is one curve only or no test.
    """
    ci = number_format.level(arms[0].median.confidence)
    panel = Panel(("", "n", "Events", f"Median, months ({ci})"))
    key = [
        (a.label, number_format.count(a.curve.n), number_format.count(a.median.events), number_format.time(a.median))
        for a in arms
    ]
    figure, axes = curves(title, arms, key, panel=panel, columns=columns, since=since, remark=_log_rank(p_value))
    with style():
        for i, arm in enumerate(arms):
            _median(axes, arm, COLOURS[i % len(COLOURS)])
    return finish(figure, name, title, _alt(title, arms, since), synthetic, points(arms), columns=columns)


def curves(title: str, arms: Sequence[GroupCurve], key: Sequence[tuple[str, ...]], *, panel: Panel, columns: Columns,
           since: str, remark: str = "") -> tuple[Figure, Axes]:  # fmt: skip
    """Lay out title, key, curves and numbers at risk; return the figure and the curves' axes."""
    rows = len(arms)
    last = axis_end([a.curve for a in arms], apart=panel.down)
    note = _beyond(arms, last)
    head, legend = head_height(title, columns), LINE * (rows + 1 + bool(remark)) + 0.06
    table, foot = LINE * (rows + 1), 0.16 + (LINE if note else 0)
    height = head + legend + _PLOT[columns] + 0.4 + table + foot
    figure = new(columns, height)
    width = WIDTHS[columns]
    left = max(0.56, min(_LETTER * max(len(_short(a.label)) for a in arms) + 0.2, 0.44 * width)) / width
    with style():
        axes = figure.add_axes((left, (foot + table + 0.4) / height, 0.975 - left, _PLOT[columns] / height))
        risk = figure.add_axes((left, foot / height, 0.975 - left, table / height), sharex=axes)
        for i, arm in enumerate(arms):
            _draw(axes, arm, i, down=panel.down, band=rows <= BANDS)
        ticks = [t for t in (float(r.at or 0) for r in arms[0].at_risk) if t <= last]
        _axes(axes, ticks if len(ticks) > 1 else _months(last), last, since=since)
        if panel.down:
            axes.axhline(0.5, color=FAINT, linewidth=0.5, linestyle=(0, (2, 3)))
        _key(figure, key, panel.heads, top=1 - head / height, height=height, columns=columns)
        figure.text(0.4 / width, 1 - (head + LINE * (rows + 1.5)) / height, remark, va="center")
        figure.text(0.1 / width, 0.2 / height, note, fontsize=SMALL, color=FAINT, va="center")
        headline(figure, title, columns=columns)
        _risk_table(risk, arms, ticks=ticks)
    return figure, axes


def _beyond(arms: Sequence[GroupCurve], last: float) -> str:
    """Say that the axis ends before the follow-up, and how many events come later; nothing where it does not."""
    if last >= max(float(a.curve.time[-1]) for a in arms):
        return ""
    later = round(sum(float(np.nansum(a.curve.events[a.curve.time > last])) for a in arms))
    few = f"fewer than {FEWEST_AT_RISK} are at risk"
    return f"Axis ends where {few}; later events not drawn: {number_format.count(later)}."


def ends(arms: Sequence[GroupCurve], *, apart: bool = True) -> str:
    """Say in an alternative text where the axis ends; nothing where it shows the whole follow-up."""
    last = axis_end([a.curve for a in arms], apart=apart)
    note = _beyond(arms, last)
    return f" {note} That is month {number_format.months(last)}." if note else ""


def _log_rank(p_value: float | None) -> str:
    if p_value is None:
        return ""
    return f"log-rank {number_format.p_is(p_value)}"


def _draw(axes: Axes, arm: GroupCurve, i: int, *, down: bool, band: bool) -> None:
    c, colour = arm.curve, _colour(i)

    def line(values: Floats) -> Floats:
        return values if down else 1 - values

    time = np.concatenate([[0.0], c.time]) / DAYS_A_MONTH
    style_of: Any = STYLES[i % len(STYLES)]
    axes.step(time, line(np.concatenate([[1.0], c.survival])), where="post", color=colour, linestyle=style_of,
              label=arm.label)  # fmt: skip
    if band:
        lower, upper = (line(np.concatenate([[1.0], v])) for v in (c.lower, c.upper))
        finite = ~np.isnan(lower) & ~np.isnan(upper)
        axes.fill_between(
            time[finite], lower[finite], upper[finite], step="post", color=colour, alpha=0.13, linewidth=0
        )
    marks = np.flatnonzero(c.censored > 0)
    if len(marks) <= MOST_MARKS:
        axes.plot(c.time[marks] / DAYS_A_MONTH, line(c.survival[marks]), "|", color=colour, markersize=4.5,
                  markeredgewidth=0.8)  # fmt: skip


def _colour(i: int) -> str:
    return str(COLOURS[i])


def _months(last: float) -> list[float]:
    """Return some six whole months up to the last day of a curve that is told of its beginning alone."""
    months = int(last / DAYS_A_MONTH + 1e-9)
    return [m * DAYS_A_MONTH for m in range(0, months + 1, max(1, round(months / 6)))]


def _axes(axes: Axes, ticks: Sequence[float], last: float, *, since: str = "the index infusion") -> None:
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, max(last, 1.0) / DAYS_A_MONTH * 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xticks([t / DAYS_A_MONTH for t in ticks], [f"{t / DAYS_A_MONTH:g}" for t in ticks])
    axes.set_xlabel(f"Months since {since}", labelpad=2)


def _median(axes: Axes, arm: GroupCurve, colour: str) -> None:
    """Drop a line from the curve at one half to the axis of time."""
    if arm.median.estimate is not None:
        at = arm.median.estimate / DAYS_A_MONTH
        axes.plot([at, at], [0, 0.5], color=colour, linewidth=0.6, linestyle=(0, (1, 2)))


def _key(figure: Figure, key: Sequence[tuple[str, ...]], heads: tuple[str, ...], *, top: float, height: float,
         columns: Columns) -> None:  # fmt: skip
    """Write a small table: line, group, n, events, and what the curve comes to."""
    width = WIDTHS[columns]
    first = _LETTER * max(len(_short(row[0])) for row in key) + 0.46
    places = [0.4, first + 0.14, first + 0.56, first + 0.74]
    step = LINE / height
    for x, text, side in zip(places, heads, ("left", "right", "right", "left"), strict=True):
        figure.text(x / width, top - step / 2, text, ha=side, va="center", weight="bold")
    for i, row in enumerate(key):
        y = top - (i + 1.5) * step
        look: Any = STYLES[i % len(STYLES)]
        line = Line2D([0.1 / width, 0.33 / width], [y, y], color=_colour(i), linestyle=look,
                      transform=figure.transFigure)  # fmt: skip
        figure.add_artist(line)
        cells = (_short(row[0]), *row[1:])
        for x, text, side in zip(places, cells, ("left", "right", "right", "left"), strict=True):
            figure.text(x / width, y, text, ha=side, va="center")


def _risk_table(axes: Axes, arms: Sequence[GroupCurve], *, ticks: Sequence[float]) -> None:
    axes.set_ylim(len(arms) + 0.5, -0.5)
    axes.axis("off")
    place: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right", "va": "center"}
    axes.annotate("At risk", (0, 0), xytext=(-10, 0), weight="bold", **place)
    for i, arm in enumerate(arms):
        axes.annotate(
            _short(arm.label), (0, i + 1), xytext=(-10, 0), color=_colour(i) if len(arms) > 1 else INK, **place
        )
        for tick, record in zip(ticks, arm.at_risk, strict=False):
            axes.text(tick / DAYS_A_MONTH, i + 1, number_format.count(record.estimate), ha="center", va="center")


def _short(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:23]}…"


def points(arms: Sequence[GroupCurve]) -> pl.DataFrame:
    """Return the points of the curves as a table."""
    frames = [pl.DataFrame({
        "group": arm.label, "time_days": arm.curve.time, "time_months": arm.curve.time / DAYS_A_MONTH,
        "survival": arm.curve.survival, "lower": arm.curve.lower, "upper": arm.curve.upper,
        "at_risk": arm.curve.at_risk, "events": arm.curve.events, "censored": arm.curve.censored,
    }) for arm in arms]  # fmt: skip
    return pl.concat(frames).with_columns(pl.selectors.float().fill_nan(None))


def _alt(title: str, arms: Sequence[GroupCurve], since: str) -> str:
    parts = [f"{a.label}: {number_format.count(a.median.n)} patients, "
             f"{number_format.count(a.median.events)} events, median "
             f"{number_format.time(a.median)} months" for a in arms]  # fmt: skip
    return f"Kaplan-Meier curves, {title}, in months since {since}. " + "; ".join(parts) + f".{ends(arms)}"
