"""Probabilities of states as areas on top of each other, with the patients in each state under their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.figures.risk_table import RiskRows, risk_table
from reinfuse.report.figures.theme import (
    INK,
    LINE,
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

SHADES = {"In response": "#2c7fb8", "No response yet": "#c7e3f0", "Relapse or progression": "#f4a582",
          "Transplant": "#7fbf7b", "Next therapy": "#e7e1d6", "Dead": "#6b6b6b"}  # fmt: skip
"""State -> colour, in the order of the stack from below; each has its own lightness."""
HATCHES = {"Relapse or progression": "////", "Transplant": "xxx", "Next therapy": "..."}
_TALL: dict[Columns, float] = {1: 1.9, 2: 2.3}
_LEGEND_COLUMNS: dict[Columns, int] = {1: 2, 2: 3}


@dataclass(frozen=True)
class StateCurve:
    """One state: its probability after each transition, and the patients in it at some days."""

    label: str
    curve: Curve
    rates: Sequence[Estimate]
    at_risk: Sequence[Estimate]


def states(name: str, title: str, layers: Sequence[StateCurve], *, synthetic: bool, columns: Columns = 2) -> Drawn:
    """Draw the areas.

    Parameters
    ----------
    layers
        All states that were entered, with curves of the same times; those of patients under observation have records
        of how many are in them.
    """
    by_label = {layer.label: layer for layer in layers}
    stack = [by_label[label] for label in SHADES if label in by_label]
    counted = [layer for layer in stack if layer.at_risk]
    ticks = sorted({float(e.at or 0) for layer in counted for e in layer.at_risk})
    last = max([*ticks, DAYS_A_MONTH]) * 1.0
    width, tall = WIDTHS[columns], _TALL[columns]
    legend = LINE * -(-len(stack) // _LEGEND_COLUMNS[columns]) + 0.1
    head, table, foot = head_height(title, columns), LINE * (len(counted) + 1), 0.16
    height = head + legend + tall + 0.4 + table + foot
    figure = new(columns, height)
    left = 1.45 / width
    with style():
        axes = figure.add_axes((left, (foot + table + 0.4) / height, 0.975 - left, tall / height))
        _areas(axes, stack, last=last)
        _axes(axes, ticks, last)
        handles: list[Any] = [_patch(layer.label) for layer in stack]
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 1 - head / height),
                      ncols=_LEGEND_COLUMNS[columns], borderaxespad=0.2, handlelength=1.6, columnspacing=1.2,
                      labelspacing=0.3)  # fmt: skip
        headline(figure, title, columns=columns)
        rows = RiskRows("In state", [layer.label for layer in counted],
                        [{float(e.at or 0): e for e in layer.at_risk} for layer in counted])  # fmt: skip
        place = (left, foot / height, 0.975 - left, table / height)
        if "at risk" in look().risk_table:
            risk_table(figure.add_axes(place, sharex=axes), [rows], ticks=ticks, colours=[INK] * len(counted))
    return finish(figure, name, title, _alt(title, stack), synthetic, _points(stack), columns=columns)


def _patch(label: str) -> Patch:
    return Patch(facecolor=SHADES[label], hatch=HATCHES.get(label, ""), edgecolor=INK, linewidth=0.5, label=label)


def _areas(axes: Axes, stack: Sequence[StateCurve], *, last: float) -> None:
    time = np.concatenate([[0.0], stack[0].curve.time])
    shown = time <= last
    time = np.append(time[shown], last) / DAYS_A_MONTH
    below = np.zeros(len(time))
    for layer in stack:
        start = 1.0 if layer.label == "No response yet" else 0.0
        level = np.concatenate([[start], layer.curve.survival])[shown]
        above = below + np.append(level, level[-1])
        axes.fill_between(time, below, above, step="post", facecolor=SHADES[layer.label], edgecolor=INK, linewidth=0.5,
                          hatch=HATCHES.get(layer.label, ""))  # fmt: skip
        below = above


def _axes(axes: Axes, ticks: Sequence[float], last: float) -> None:
    axes.set_ylim(0, 1)
    axes.set_xlim(0, last / DAYS_A_MONTH)
    axes.set_yticks([i / 4 for i in range(5)], [f"{number_format.printed(f'{25 * i:g}')}%" for i in range(5)])
    axes.set_xticks([t / DAYS_A_MONTH for t in ticks], [number_format.printed(f"{t / DAYS_A_MONTH:g}") for t in ticks])
    axes.set_xlabel("Months since the index infusion", labelpad=2)


def _points(stack: Sequence[StateCurve]) -> pl.DataFrame:
    """Return the probabilities as a table."""
    frames = [pl.DataFrame({
        "state": layer.label, "time_days": layer.curve.time, "time_months": layer.curve.time / DAYS_A_MONTH,
        "probability": layer.curve.survival, "lower": layer.curve.lower, "upper": layer.curve.upper,
        "in_state": layer.curve.at_risk,
    }) for layer in stack]  # fmt: skip
    return pl.concat(frames).with_columns(pl.selectors.float().fill_nan(None))


def _alt(title: str, stack: Sequence[StateCurve]) -> str:
    parts = [f"{layer.label}: " + ", ".join(f"{number_format.share(e)} at {number_format.month(e.at)} months"
                                            for e in layer.rates if e.estimate is not None)
             for layer in stack]  # fmt: skip
    return f"Areas on top of each other, {title}. " + "; ".join(parts) + "."
