"""Forest plots: effects with their numbers in columns; an interval that leaves the axis ends in an arrow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from reinfuse.analysis.estimate import Estimate
from reinfuse.report import numbers
from reinfuse.report.figures.theme import COLOURS, FAINT, Drawn, finish, new, style
from reinfuse.report.labels import Labels

AXIS = (0.02, 50.0)
_COLUMNS = (0.0, 0.40, 0.71, 0.925)


def forest(name: str, title: str, records: Sequence[Estimate], labels: Labels, synthetic: bool) -> Drawn:
    """Draw the effects on one endpoint, univariable and multivariable one under the other."""
    lines: list[Estimate | str] = []
    for model in ("univariable", "multivariable"):
        mine = [r for r in records if r.model == model]
        lines += [model.capitalize(), *mine] if mine else []
    height = 1.1 + 0.27 * len(lines)
    figure = new(8.6, height)
    what = "Odds ratio" if records[0].statistic == "odds_ratio" else "Hazard ratio"
    with style():
        axes = figure.add_axes((0.46, 0.48 / height, 0.24, (height - 1.1) / height))
        text = figure.add_axes((0.01, 0.48 / height, 0.98, (height - 1.1) / height), frameon=False)
        for a in (axes, text):
            a.set_ylim(len(lines) - 0.5, -0.5)
        text.set_xlim(0, 1)
        text.axis("off")
        _frame(axes, what)
        for i, line in enumerate(lines):
            if isinstance(line, str):
                text.text(0, i, line, weight="bold", va="center", fontsize=8.5)
                continue
            _line(axes, i, line)
            _texts(text, i, line, labels)
        ci = numbers.level(records[0].confidence)
        for x, head, side in zip(_COLUMNS, ("Factor", "Events / n", f"{what} ({ci})", "p"),
                                 ("left", "center", "left", "left"), strict=True):  # fmt: skip
            text.text(x, -0.95, head, fontsize=8.5, weight="bold", va="center", ha=side)
        figure.text(0.01, 1 - 0.12 / height, title, weight="bold", va="top")
    return finish(figure, name, title, _told(title, records, labels), synthetic)


def _frame(axes: Axes, what: str) -> None:
    axes.set_xscale("log")
    axes.set_xlim(*AXIS)
    axes.axvline(1, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
    ticks = (0.05, 0.2, 1, 5, 20)
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(what, fontsize=8.5)


def _line(axes: Axes, y: int, record: Estimate) -> None:
    if record.estimate is None:
        return
    low, high = AXIS
    colour = COLOURS[0] if record.model == "univariable" else COLOURS[1]
    lower = record.lower if record.lower is not None else 0.0
    upper = record.upper if record.upper is not None else math.inf
    axes.plot([max(lower, low * 1.06), min(upper, high / 1.06)], [y, y], color=colour, linewidth=1.4)
    if lower < low:
        axes.plot([low * 1.12], [y], marker="<", color=colour, markersize=5, clip_on=False)
    if upper > high:
        axes.plot([high / 1.12], [y], marker=">", color=colour, markersize=5, clip_on=False)
    if low <= record.estimate <= high:
        marker = "s" if record.model == "univariable" else "D"
        axes.plot([record.estimate], [y], marker=marker, color=colour, markersize=5)


def _texts(axes: Axes, y: int, record: Estimate, labels: Labels) -> None:
    label = labels.term(record.term or "")
    axes.text(0.012, y, label if len(label) <= 46 else f"{label[:45]}…", fontsize=8, va="center")
    axes.text(_COLUMNS[1], y, f"{numbers.count(record.events or 0)} / {numbers.count(record.n or 0)}", fontsize=8,
              va="center", ha="center")  # fmt: skip
    if record.estimate is None:
        axes.text(_COLUMNS[2], y, "not estimable", fontsize=8, va="center", color=FAINT)
        return
    axes.text(_COLUMNS[2], y, f"{numbers.ratio(record.estimate)} ({numbers.interval(record)})", fontsize=8, va="center")
    axes.text(_COLUMNS[3], y, numbers.p_value(record.p_value), fontsize=8, va="center")


def _told(title: str, records: Sequence[Estimate], labels: Labels) -> str:
    parts = [f"{labels.term(r.term or '')} ({r.model}) {numbers.ratio(r.estimate)}, {numbers.interval(r)}"
             for r in records if r.estimate is not None]  # fmt: skip
    return f"Forest plot, {title}. " + "; ".join(parts) + "."
