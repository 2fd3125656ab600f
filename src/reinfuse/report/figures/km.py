"""Kaplan-Meier curves with numbers at risk under their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from reinfuse.analysis.estimate import Estimate
from reinfuse.analysis.survival import Curve
from reinfuse.cohort.declared import DAYS_A_MONTH
from reinfuse.report import numbers
from reinfuse.report.figures.theme import COLOURS, FAINT, INK, STYLES, Drawn, finish, new, style

MOST_MARKS = 400
BANDS = 3
_KEYS_A_LINE = 3


@dataclass(frozen=True)
class Arm:
    """One curve: its label, its points, its median, its numbers at risk."""

    label: str
    curve: Curve
    median: Estimate
    at_risk: Sequence[Estimate]


def kaplan_meier(name: str, title: str, arms: Sequence[Arm], p_value: float | None, synthetic: bool) -> Drawn:
    """Draw curves, bands of their intervals, censor marks, and the table of numbers at risk.

    Parameters
    ----------
    arms
        At least one; each with numbers at risk at the same days.
    p_value
        Of the log-rank test; None where there is one curve only or no test.
    """
    rows = len(arms)
    keys = 0.0 if rows == 1 else 0.24 * -(-rows // _KEYS_A_LINE)
    head, table, foot = 0.36 + keys, 0.32 + 0.2 * rows, 0.22
    height = head + 2.5 + 0.6 + table + foot
    figure = new(6.4, height)
    longest = max(len(a.label) for a in arms) if rows > 1 else 12
    left = min(0.34, 0.1 + 0.0115 * min(longest, 26))
    with style():
        axes = figure.add_axes((left, (table + foot + 0.6) / height, 0.97 - left, 2.5 / height))
        risk = figure.add_axes((left, foot / height, 0.97 - left, table / height), sharex=axes)
        for i, arm in enumerate(arms):
            _draw(axes, arm, COLOURS[i % len(COLOURS)], STYLES[i % len(STYLES)], band=rows <= BANDS)
        ticks = [float(r.at or 0) for r in arms[0].at_risk]
        _axes(axes, ticks, max(float(a.curve.time[-1]) for a in arms))
        figure.text(0.02, 1 - 0.1 / height, title, va="top", weight="bold", fontsize=10)
        if rows > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=_KEYS_A_LINE, fontsize=8, handlelength=2.4,
                        columnspacing=1.2, borderaxespad=0.1)  # fmt: skip
        if p_value is not None:
            said = numbers.p_value(p_value)
            text = f"log-rank p {said[0]} {said[1:]}" if said[0] in "<>" else f"log-rank p = {said}"
            axes.text(0.98, 0.96, text, transform=axes.transAxes, fontsize=8, ha="right", va="top")
        _risk_table(risk, arms, ticks)
    return finish(figure, name, title, _told(title, arms), synthetic)


def _draw(axes: Axes, arm: Arm, colour: str, line: object, band: bool) -> None:
    c = arm.curve
    time = np.concatenate([[0.0], c.time]) / DAYS_A_MONTH
    survival = np.concatenate([[1.0], c.survival])
    label = f"{arm.label} (n = {numbers.count(c.n)}, events {numbers.count(c.n_events)})"
    axes.step(time, survival, where="post", color=colour, linestyle=line, linewidth=1.7, label=label)
    if band:
        lower, upper = (np.concatenate([[1.0], v]) for v in (c.lower, c.upper))
        known = ~np.isnan(lower) & ~np.isnan(upper)
        axes.fill_between(time[known], lower[known], upper[known], step="post", color=colour, alpha=0.13, linewidth=0)
    marks = np.flatnonzero(c.censored > 0)
    if len(marks) <= MOST_MARKS:
        axes.plot(c.time[marks] / DAYS_A_MONTH, c.survival[marks], "|", color=colour, markersize=6)


def _axes(axes: Axes, ticks: Sequence[float], last: float) -> None:
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, max(last, 1.0) / DAYS_A_MONTH * 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xticks([t / DAYS_A_MONTH for t in ticks], [f"{t / DAYS_A_MONTH:g}" for t in ticks])
    axes.set_xlabel("Months since the index infusion")
    axes.axhline(0.5, color=FAINT, linewidth=0.6, linestyle=(0, (2, 3)))


def _risk_table(axes: Axes, arms: Sequence[Arm], ticks: Sequence[float]) -> None:
    axes.set_ylim(len(arms) + 0.2, -0.9)
    axes.axis("off")
    axes.annotate("At risk", (0, -0.45), xycoords=("axes fraction", "data"), xytext=(-14, 0),
                  textcoords="offset points", ha="right", va="center", fontsize=8, weight="bold")  # fmt: skip
    for i, arm in enumerate(arms):
        colour = COLOURS[i % len(COLOURS)] if len(arms) > 1 else INK
        axes.annotate(_short(arm.label), (0, i + 0.35), xycoords=("axes fraction", "data"), xytext=(-14, 0),
                      textcoords="offset points", ha="right", va="center", fontsize=8, color=colour)  # fmt: skip
        for tick, record in zip(ticks, arm.at_risk, strict=True):
            axes.text(tick / DAYS_A_MONTH, i + 0.35, numbers.count(record.estimate or 0), ha="center", va="center",
                      fontsize=8)  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= 26 else f"{label[:25]}…"


def _told(title: str, arms: Sequence[Arm]) -> str:
    parts = [f"{a.label}: {a.curve.n} patients, {a.curve.n_events} events, median {numbers.time(a.median)} months"
             for a in arms]  # fmt: skip
    return f"Kaplan-Meier curves, {title}. " + "; ".join(parts) + "."
