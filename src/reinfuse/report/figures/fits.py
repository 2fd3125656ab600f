"""Counts of single patients with the curves fitted to them, a small panel each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from reinfuse.arrays import Floats
from reinfuse.kinetics.profiles import Profile
from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
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

A_FIGURE = 24
"""Patients on one figure."""
_ACROSS: dict[Columns, int] = {1: 3, 2: 6}
_TALL = 0.95
_LEGEND = "Points: counts (open: below the limit). Line and shade: fitted curve with its 90% interval."


@dataclass(frozen=True)
class FittedCurve:
    """The counts of one infusion, and the curve fitted to them."""

    profile: Profile
    day: Floats = field(repr=False)
    median: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)


def fits(
    name: str, title: str, curves: Sequence[FittedCurve], *, unit: str, synthetic: bool, columns: Columns = 2
) -> Drawn:
    """Draw up to `A_FIGURE` patients, in the order of their ids, their infusions in one panel."""
    patients = sorted({c.profile.patient_id for c in curves})[:A_FIGURE]
    infusions = sorted({c.profile.infusion for c in curves})
    across = _ACROSS[columns]
    down = -(-len(patients) // across)
    head, foot, left = head_height(title, columns) + 2 * LINE, 0.48, 0.52
    height, width = head + down * _TALL + foot, WIDTHS[columns]
    figure = new(columns, height)
    each = (width - left - 0.08) / across
    values = np.concatenate([c.profile.value[np.isfinite(c.profile.value)] for c in curves])
    bounds = float(values.min()) / 3, float(values.max()) * 4
    with style():
        for i, patient in enumerate(patients):
            row, column = divmod(i, across)
            box = ((left + column * each) / width, (foot + (down - 1 - row) * _TALL + 0.06) / height,
                   (each - 0.07) / width, (_TALL - 0.2) / height)  # fmt: skip
            axes = figure.add_axes(box)
            for c in (c for c in curves if c.profile.patient_id == patient):
                _curve(axes, c, infusions.index(c.profile.infusion), bounds=bounds)
            _axes(axes, patient, bounds, first=column == 0, last=i + across >= len(patients))
        keys = " ".join(
            f"CART{i}: {('solid', 'dashed', 'dash-dotted', 'dotted')[k % 4]}." for k, i in enumerate(infusions)
        )
        for k, text in enumerate((_LEGEND, keys)):
            figure.text(
                0.1 / width, 1 - (head - (1.5 - k) * LINE) / height, text, fontsize=SMALL, color=FAINT, va="center"
            )
        figure.text(0.08 / width, 0.5, f"CAR-T cells, {unit}", rotation=90, va="center")
        figure.text(0.5, 0.16 / height, "Days since the infusion (square-root scale)", ha="center")
        headline(figure, title, columns=columns)
    alt = f"{title}. Counts and fitted curves of {len(patients)} patients, one panel each."
    return finish(figure, name, title, alt, synthetic, _table(curves, patients), columns=columns, patient_level=True)


def _curve(axes: Axes, c: FittedCurve, k: int, *, bounds: tuple[float, float]) -> None:
    colour = COLOURS[k % len(COLOURS)]
    look: Any = STYLES[k % len(STYLES)]
    shown = c.day <= max(float(c.profile.day[-1]) * 1.05, 28.0)
    x = np.sqrt(c.day[shown])
    axes.fill_between(x, np.maximum(c.low[shown], bounds[0]), np.maximum(c.high[shown], bounds[0]), color=colour,
                      alpha=0.18, linewidth=0)  # fmt: skip
    axes.plot(x, c.median[shown], color=colour, linestyle=look, linewidth=0.9)
    p = c.profile
    for mask, face in ((~p.below, colour), (p.below & np.isfinite(p.value), "none")):
        axes.scatter(
            np.sqrt(p.day[mask]), p.value[mask], s=5, facecolor=face, edgecolor=colour, linewidths=0.5, zorder=3
        )


def _axes(axes: Axes, patient: str, bounds: tuple[float, float], *, first: bool, last: bool) -> None:
    axes.set_yscale("log")
    axes.set_ylim(*bounds)
    axes.set_xlim(0, 390**0.5)
    days = (7, 28, 90, 180, 365)
    axes.set_xticks([d**0.5 for d in days], [str(d) for d in days] if last else [], fontsize=SMALL)
    axes.set_yticks([10.0**e for e in range(-2, 9, 2) if bounds[0] < 10.0**e < bounds[1]])
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.minorticks_off()
    if not first:
        axes.set_yticklabels([])
    axes.text(0.98, 0.97, patient, transform=axes.transAxes, ha="right", va="top", fontsize=SMALL)


def _table(curves: Sequence[FittedCurve], patients: Sequence[str]) -> pl.DataFrame:
    frames = [pl.DataFrame({"patient": c.profile.patient_id, "infusion": c.profile.infusion, "day": c.day,
                            "median": c.median, "low": c.low, "high": c.high})
              for c in curves if c.profile.patient_id in patients]  # fmt: skip
    return pl.concat(frames)
