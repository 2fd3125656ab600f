"""Visual predictive check: quantiles of the counts by day, against those of cohorts drawn from the fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from reinfuse.report.figures.theme import (
    FAINT,
    INK,
    LINE,
    MEANING,
    SMALL,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)

if TYPE_CHECKING:
    from reinfuse.kinetics.population.predictive import Check

_LEGEND = "Lines: 10th, 50th and 90th percentile of the counts; shaded: 90% of simulated cohorts; dashed: limit."
_ROWS = (MEANING[0], MEANING[1], MEANING[2])
_STYLES: tuple[Any, ...] = (":", "-", "--")
PERCENTILES = ("10th", "50th", "90th")


def vpc(name: str, title: str, checks: Sequence[Check], *, unit: str, synthetic: bool, columns: Columns = 2) -> Drawn:
    """Draw the check of each infusion number: counts above, the share below the limit beneath."""
    head = head_height(title, columns) + 2.2 * LINE
    upper, lower, gap, foot = 1.95, 0.55, 0.18, 0.40
    height = head + upper + gap + lower + foot + 0.12
    figure, width, left = new(columns, height), WIDTHS[columns], 0.62
    each = (width - left - 0.1 - 0.15 * (len(checks) - 1)) / len(checks)
    values = np.concatenate([np.ravel(v) for c in checks for v in (c.observed, c.low, c.high)])
    finite = values[np.isfinite(values)]
    bounds = (float(finite.min()) / 2, float(finite.max()) * 2) if finite.size else (0.1, 10.0)
    bottom = min([bounds[0], *(c.limit / 2 for c in checks if c.limit)])
    last = max(float(c.day.max()) for c in checks)
    with style():
        for i, check in enumerate(checks):
            x = (left + i * (each + 0.15)) / width
            above = figure.add_axes((x, (foot + 0.12 + lower + gap) / height, each / width, upper / height))
            below = figure.add_axes((x, (foot + 0.12) / height, each / width, lower / height))
            _counts(above, check, (bottom, bounds[1]))
            _share(below, check)
            for axes in (above, below):
                axes.set_xlim(0, last**0.5 * 1.04)
                days = [d for d in (1, 7, 14, 28, 90, 180, 365, 730, 1460) if d <= last * 1.04]
                axes.set_xticks([d**0.5 for d in days], [f"{d}" for d in days] if axes is below else [])
                axes.minorticks_off()
                if i:
                    axes.set_yticklabels([])
            above.set_title(f"CART{check.infusion}", loc="left", fontsize=7, weight="bold", pad=2)
            below.set_xlabel("Days since the infusion (square-root scale)", labelpad=2)
            if not i:
                above.set_ylabel(f"CAR-T cells, {unit}", labelpad=2)
                below.set_ylabel("Below limit", labelpad=2)
        figure.text(0.1 / width, 1 - (head - 1.7 * LINE) / height, _LEGEND, fontsize=SMALL, color=FAINT, va="center")
        headline(figure, title, columns=columns)
    return finish(figure, name, title, _alt(title, checks), synthetic, _table(checks), columns=columns)


def _counts(axes: Axes, check: Check, bounds: tuple[float, float]) -> None:
    x = np.sqrt(check.day)
    axes.set_yscale("log")
    axes.set_ylim(*bounds)
    for q in range(len(PERCENTILES)):
        high = np.where(np.isnan(check.high[q]), bounds[0], check.high[q])
        low = np.where(np.isnan(check.low[q]), bounds[0], check.low[q])
        axes.fill_between(x, low, high, color=_ROWS[q], alpha=0.2, linewidth=0)
        axes.plot(x, check.observed[q], color=_ROWS[q], linestyle=_STYLES[q], linewidth=1.3, marker="o", markersize=2)
    if check.limit:
        axes.axhline(check.limit, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))


def _share(axes: Axes, check: Check) -> None:
    x = np.sqrt(check.day)
    axes.fill_between(x, check.below_low, check.below_high, color=FAINT, alpha=0.25, linewidth=0)
    axes.plot(x, check.below, color=INK, linewidth=1.1, marker="o", markersize=2)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])


def _table(checks: Sequence[Check]) -> pl.DataFrame:
    rows = []
    for c in checks:
        for j, day in enumerate(c.day):
            row: dict[str, Any] = {"infusion": c.infusion, "day": float(day), "counts": int(c.counts[j])}
            for q, percentile in enumerate(PERCENTILES):
                row |= {f"{percentile}_observed": float(c.observed[q, j]), f"{percentile}_low": float(c.low[q, j]),
                        f"{percentile}_high": float(c.high[q, j])}  # fmt: skip
            rows.append(row | {"below_observed": float(c.below[j]), "below_low": float(c.below_low[j]),
                               "below_high": float(c.below_high[j])})  # fmt: skip
    return pl.DataFrame(rows).with_columns(pl.selectors.float().fill_nan(None))


def inside(checks: Sequence[Check]) -> tuple[int, int]:
    """Return how many observed medians lie inside their bands, and how many there are above the limit."""
    above_limit = [(o, lo, hi) for c in checks for o, lo, hi in zip(c.observed[1], c.low[1], c.high[1], strict=True)
                   if np.isfinite(o) and np.isfinite(hi)]  # fmt: skip
    return sum(hi >= o >= (lo if np.isfinite(lo) else 0) for o, lo, hi in above_limit), len(above_limit)


def _alt(title: str, checks: Sequence[Check]) -> str:
    within, of = inside(checks)
    opening = (
        f"{title}. Percentiles of the counts by day, with bands of cohorts simulated from the model: {within} of {of} "
    )
    return opening + "medians lie within their band."
