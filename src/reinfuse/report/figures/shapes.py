"""Shapes of associations: the ratio against a reference value over the values of each number, a panel each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    SMALL,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    fitted,
    head_height,
    headline,
    new,
    style,
)
from reinfuse.report.text import number_format

_ACROSS: dict[Columns, int] = {1: 2, 2: 4}
_TALL, _FOOT, _LEFT, _BETWEEN = 1.35, 0.42, 0.48, 0.26
_LETTER = 0.055
"""Inches of a letter."""
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_WIDEST = 50.0
"""Ratios beyond it, and below one over it, are cut off."""


@dataclass(frozen=True)
class AssociationCurve:
    """The curve of one number.

    Attributes
    ----------
    label, axis, test
        The number's name, the same with its unit below the panel, and above it the test of non-linearity.
    points
        Value, ratio, lower and upper limit, in order of the value; None where not estimable.
    reference
        The value whose ratio is 1.
    """

    label: str
    axis: str
    test: str
    points: Sequence[tuple[float, float | None, float | None, float | None]]
    reference: float


def shapes(
    name: str, title: str, what: str, *, curves: Sequence[AssociationCurve], synthetic: bool, columns: Columns = 2
) -> Drawn:
    """Draw one panel a number: line, interval, and the reference value."""
    across = min(_ACROSS[columns], len(curves))
    down = -(-len(curves) // across)
    head, width = head_height(title, columns) + 0.08, WIDTHS[columns]
    height = head + down * (_TALL + _FOOT + 0.16) + 0.06
    figure, each = new(columns, height), (width - _LEFT - 0.05) / across
    limits = [v for c in curves for p in c.points for v in p[1:] if v is not None]
    low, high = max(min(limits), 1 / _WIDEST) / 1.15, min(max(limits), _WIDEST) * 1.15
    with style():
        for i, one in enumerate(curves):
            row, column = divmod(i, across)
            bottom = height - head - 0.14 - row * (_TALL + _FOOT + 0.16) - _TALL
            axes = figure.add_axes(((_LEFT + column * each) / width, bottom / height, (each - _BETWEEN) / width,
                                    _TALL / height))  # fmt: skip
            shown = [p for p in one.points if p[1] is not None]
            x = [p[0] for p in shown]
            lower, upper = ([low if v is None and k == 2 else high if v is None else v for v in (p[k] for p in shown)]
                            for k in (2, 3))  # fmt: skip
            axes.fill_between(x, lower, upper, color=COLOURS[0], alpha=0.18, linewidth=0)
            axes.plot(x, [p[1] or 0.0 for p in shown], color=COLOURS[0])
            axes.axhline(1, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
            axes.plot([one.reference], [1], "o", color=COLOURS[0], markersize=3)
            axes.set_yscale("log")
            axes.set_ylim(low, high)
            ticks = [t for t in _TICKS if low <= t <= high]
            axes.set_yticks(ticks, [number_format.printed(f"{t:g}") if column == 0 else "" for t in ticks])
            axes.minorticks_off()
            axes.locator_params(axis="x", nbins=4)
            axes.set_title(one.test, loc="left", fontsize=SMALL, color=FAINT, pad=3)
            axes.set_xlabel(fitted([one.axis], each - 0.1, _LETTER)[0][0], labelpad=2)
            if column == 0:
                axes.set_ylabel(what, labelpad=2)
        headline(figure, title, columns=columns)
    alt = "; ".join(f"{c.label}: {_ends(c)}, {c.test}" for c in curves)
    rows = [{"factor": c.label, "value": v, "ratio": r, "lower": lo, "upper": hi, "reference": c.reference}
            for c in curves for v, r, lo, hi in c.points]  # fmt: skip
    data = pl.DataFrame(rows, infer_schema_length=None)
    return finish(figure, name, title, f"{title}. {alt}.", synthetic, data, columns=columns)


def _ends(shape: AssociationCurve) -> str:
    """Return the ratio at both ends of a curve, in words."""
    ends = [p for p in (shape.points[0], shape.points[-1]) if p[1] is not None]
    return " and ".join(f"{number_format.ratio(r)} at {number_format.printed(f'{v:.4g}')}" for v, r, _, _ in ends)
