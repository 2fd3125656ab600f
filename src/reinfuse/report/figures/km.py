"""Kaplan-Meier curves with a key that tells n, events and medians, and numbers at risk under their times."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reinfuse.analyses.time_axis import FEWEST_AT_RISK, axis_end, shown_days
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.figures.risk_table import RiskRows, risk_table, short_label
from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    INK,
    LINE,
    MILLIMETRES,
    SMALL,
    STYLES,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    look,
    new,
    style,
)
from reinfuse.report.text import number_format
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import Estimate

MOST_MARKS = 400
BANDS = 3
_AXIS_LETTERS = 28
"""Letters of a line beside the axis of survival."""
_PLOT: dict[Columns, float] = {1: 1.75, 2: 2.4}
_LETTER = 0.056
"""Inches of a letter of the row labels."""


@dataclass(frozen=True)
class GroupCurve:
    """One curve: its label, its points, what the key tells of it, its numbers at risk.

    Attributes
    ----------
    counts
        Further rows of the risk table: ``events``, ``censored``, where there are such records.
    """

    label: str
    curve: Curve
    median: Estimate
    at_risk: Sequence[Estimate]
    counts: Mapping[str, Sequence[Estimate]] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """What is drawn: the heads of the key, whether curves fall from 100% or rise, and what their axis is called."""

    heads: tuple[str, str, str, str]
    down: bool = True
    what: str = ""


def kaplan_meier(name: str, title: str, arms: Sequence[GroupCurve], *, p_value: float | None, synthetic: bool,
                 columns: Columns = 1, since: str = "the index infusion", what: str = "") -> Drawn:  # fmt: skip
    """Draw curves, bands of their intervals, censor marks, medians, and the table of numbers at risk.

    Parameters
    ----------
    arms
        At least one; each with numbers at risk at the same days.
    what
        The endpoint, on the axis where the title does not stand in the figure.
    p_value
        Of the log-rank test; None where there is one curve only or no test.
    """
    ci = number_format.level(arms[0].median.confidence)
    panel = Panel(("", "n", "Events", f"Median, months ({ci})"), what=what)
    key = [
        (a.label, number_format.count(a.curve.n), number_format.count(a.median.events), number_format.time(a.median))
        for a in arms
    ]
    figure, axes = curves(title, arms, key, panel=panel, columns=columns, since=since, remark=_log_rank(p_value))
    with style():
        for i, arm in enumerate(arms if look().median_lines else ()):
            _median(axes, arm, COLOURS[i])
    return finish(figure, name, title, _alt(title, arms, since), synthetic, points(arms), columns=columns)


def curves(title: str, arms: Sequence[GroupCurve], key: Sequence[tuple[str, ...]], *, panel: Panel, columns: Columns,
           since: str, remark: str = "") -> tuple[Figure, Axes]:  # fmt: skip
    """Lay out title, key, curves and numbers at risk; return the figure and the curves' axes."""
    rows = len(arms)
    last = _last(arms, apart=panel.down)
    note, tall = _beyond(arms, last), _tall(columns)
    blocks = risk_blocks(arms)
    head, legend = head_height(title, columns), LINE * (rows + 1 + bool(remark)) + 0.06
    table, foot = LINE * (rows + 1) * len(blocks), 0.16 + (LINE if note else 0)
    height = head + legend + tall + 0.4 + table + foot
    figure = new(columns, height)
    width = WIDTHS[columns]
    named = "" if look().title else textwrap.fill(panel.what, _AXIS_LETTERS)
    beside = [*(short_label(a.label) for a in arms), *(f"{block.head}m" for block in blocks)]  # heads are bold
    least = 0.52 + LINE * len(named.splitlines())
    left = max(least, min(_LETTER * max(map(len, beside)) + 0.2, 0.44 * width)) / width
    with style():
        axes = figure.add_axes((left, (foot + table + 0.4) / height, 0.975 - left, tall / height))
        for i, arm in enumerate(arms):
            _draw(axes, arm, i, down=panel.down, band=rows <= BANDS)
        ticks = [t for t in _ticks(arms[0].at_risk) if t <= last + 1e-6]
        _axes(axes, ticks if len(ticks) > 1 else _months(last), last, since=since)
        axes.set_ylabel(named, labelpad=2)
        if panel.down and look().y_limits[0] < 50 < look().y_limits[1]:
            axes.axhline(0.5, color=FAINT, linewidth=0.5, linestyle=(0, (2, 3)))
        _key(figure, key, panel.heads, top=1 - head / height, height=height, columns=columns)
        figure.text(0.4 / width, 1 - (head + LINE * (rows + 1.5)) / height, remark, va="center")
        figure.text(0.1 / width, 0.2 / height, note, fontsize=SMALL, color=FAINT, va="center")
        headline(figure, title, columns=columns)
        if blocks:
            place = (left, foot / height, 0.975 - left, table / height)
            colours = [COLOURS[i] if rows > 1 else INK for i in range(rows)]
            risk_table(figure.add_axes(place, sharex=axes), blocks, ticks=ticks, colours=colours)
    return figure, axes


def _last(arms: Sequence[GroupCurve], *, apart: bool) -> float:
    """Return the day on which the axis ends."""
    own = look().x_max
    return axis_end([a.curve for a in arms], apart=apart) if own is None else own * DAYS_A_MONTH


def _tall(columns: Columns) -> float:
    """Return the height of the curves' axes, in inches."""
    own = look().height
    return _PLOT[columns] if own is None else own / MILLIMETRES


def _ticks(at_risk: Sequence[Estimate]) -> list[float]:
    """Return the days of the ticks: those that the plan asks for, where there are numbers at risk of all of them."""
    days = sorted(float(r.at or 0) for r in at_risk)
    chosen = look()
    if not days or (chosen.x_breaks is None and chosen.x_max is None):
        return days
    wanted = shown_days(chosen, days)
    return wanted if set(wanted) <= set(days) else days


def _beyond(arms: Sequence[GroupCurve], last: float) -> str:
    """Say that the axis ends before the follow-up, and how many events come later; nothing where it does not."""
    if last >= max(float(a.curve.time[-1]) for a in arms):
        return ""
    later = round(sum(float(np.nansum(a.curve.events[a.curve.time > last])) for a in arms))
    few = f"where fewer than {FEWEST_AT_RISK} are at risk"
    where = few if look().x_max is None else f"at month {number_format.month(last)}"
    return f"Axis ends {where}; later events not drawn: {number_format.count(later)}."


def ends(arms: Sequence[GroupCurve], *, apart: bool = True) -> str:
    """Say in an alternative text where the axis ends; nothing where it shows the whole follow-up."""
    last = _last(arms, apart=apart)
    note = _beyond(arms, last)
    return f" {note} That is month {number_format.months(last)}." if note else ""


def _log_rank(p_value: float | None) -> str:
    if p_value is None:
        return ""
    return f"log-rank {number_format.p_is(p_value)}"


def _draw(axes: Axes, arm: GroupCurve, i: int, *, down: bool, band: bool) -> None:
    c, colour = arm.curve, COLOURS[i]

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
    if look().censor_marks and len(marks) <= MOST_MARKS:
        axes.plot(c.time[marks] / DAYS_A_MONTH, line(c.survival[marks]), "|", color=colour, markersize=4.5,
                  markeredgewidth=0.8)  # fmt: skip


def _months(last: float) -> list[float]:
    """Return some six whole months up to the last day of a curve that is told of its beginning alone."""
    months = int(last / DAYS_A_MONTH + 1e-9)
    return [m * DAYS_A_MONTH for m in range(0, months + 1, max(1, round(months / 6)))]


def _axes(axes: Axes, ticks: Sequence[float], last: float, *, since: str = "the index infusion") -> None:
    low, high = (limit / 100 for limit in look().y_limits)
    axes.set_ylim(low, high + 0.03 * (high - low))
    axes.set_xlim(0, max(last, 1.0) / DAYS_A_MONTH * 1.02)
    shares = low + (high - low) * np.arange(5) / 4
    axes.set_yticks(shares, [f"{number_format.printed(f'{100 * share:g}')}%" for share in shares])
    axes.set_xticks([t / DAYS_A_MONTH for t in ticks], [number_format.printed(f"{t / DAYS_A_MONTH:g}") for t in ticks])
    axes.set_xlabel(f"Months since {since}", labelpad=2)


def _median(axes: Axes, arm: GroupCurve, colour: str) -> None:
    """Drop a line from the curve at one half to the axis of time."""
    if arm.median.estimate is not None and look().y_limits[0] < 50 < look().y_limits[1]:
        at = arm.median.estimate / DAYS_A_MONTH
        axes.plot([at, at], [look().y_limits[0] / 100, 0.5], color=colour, linewidth=0.6, linestyle=(0, (1, 2)))


def _key(figure: Figure, key: Sequence[tuple[str, ...]], heads: tuple[str, ...], *, top: float, height: float,
         columns: Columns) -> None:  # fmt: skip
    """Write a small table: line, group, n, events, and what the curve comes to."""
    width = WIDTHS[columns]
    first = _LETTER * max(len(short_label(row[0])) for row in key) + 0.46
    places = [0.4, first + 0.14, first + 0.56, first + 0.74]
    step = LINE / height
    for x, text, side in zip(places, heads, ("left", "right", "right", "left"), strict=True):
        figure.text(x / width, top - step / 2, text, ha=side, va="center", weight="bold")
    for i, row in enumerate(key):
        y = top - (i + 1.5) * step
        line = Line2D([0.1 / width, 0.33 / width], [y, y], color=COLOURS[i], linestyle=STYLES[i],
                      transform=figure.transFigure)  # fmt: skip
        figure.add_artist(line)
        cells = (short_label(row[0]), *row[1:])
        for x, text, side in zip(places, cells, ("left", "right", "right", "left"), strict=True):
            figure.text(x / width, y, text, ha=side, va="center")


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


def risk_blocks(arms: Sequence[GroupCurve]) -> list[RiskRows]:
    """Return the rows under the curves that the plan asks for, as far as there are records of them."""
    blocks = []
    for row in look().risk_table:
        records = [arm.at_risk if row == "at risk" else arm.counts.get(row, ()) for arm in arms]
        if any(records):
            by_day = [{float(e.at or 0): e for e in own} for own in records]
            blocks.append(RiskRows(row.capitalize(), [arm.label for arm in arms], by_day))
    return blocks
