"""The flow of patients, from the cohort to those analysed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import polars as pl
from matplotlib.axes import Axes

from reinfuse.report.figures.theme import FAINT, INK, WIDTHS, Columns, Drawn, finish, new, style
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

_BOX = 0.42


def flow(records: Sequence[Estimate], index: int, synthetic: bool, *, columns: Columns = 1) -> Drawn:
    """Draw boxes: all patients, those excluded with the reason, those analysed.

    Parameters
    ----------
    records
        Records of the analysis ``flow``: the first is the whole cohort, the last the analysed patients.
    """
    first, *out, last = records
    between = max(0.5, 0.55 * len(out) + 0.1)
    height = 2 * _BOX + between + 0.3
    figure = new(columns, height)
    width = WIDTHS[columns]
    with style():
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(0, height)
        axes.axis("off")
        x = 0.95 if columns == 1 else 2.2
        top, bottom = height - 0.08 - _BOX / 2, 0.2 + _BOX / 2
        axes.annotate("", (x, bottom + _BOX / 2), (x, top - _BOX / 2), arrowprops=_arrow(INK))
        _box(axes, x, top, text=f"Patients in the cohort\nn = {number_format.count(first.estimate)}")
        _box(
            axes,
            x,
            bottom,
            text=f"Analysed from infusion {index}\nn = {number_format.count(last.estimate)}",
            strong=True,
        )
        for i, record in enumerate(out):
            y = (top + bottom) / 2 + 0.55 * ((len(out) - 1) / 2 - i)
            axes.annotate("", (x + 0.55, y), (x, y), arrowprops=_arrow(FAINT))
            reason = textwrap.fill(f"Excluded: {record.level}", 30)
            axes.text(
                x + 0.65, y, f"{reason}\nn = {number_format.count(record.estimate)}", va="center", bbox=_frame(False)
            )
        if not out:
            axes.text(x + 0.1, (top + bottom) / 2, "none excluded", va="center", color=FAINT)
    alt = "Flow of patients. " + "; ".join(f"{_stage(r)}: {number_format.count(r.estimate)}" for r in records) + "."
    data = pl.DataFrame({"stage": [_stage(r) for r in records], "patients": [r.estimate for r in records]})
    return finish(figure, "flow", "Flow of patients", alt, synthetic, data, columns=columns)


def _stage(record: Estimate) -> str:
    """Return a stage in words; with the reason of those who are excluded."""
    return f"{record.term}: {record.level}" if record.level else f"{record.term}"


def _arrow(colour: str) -> dict[str, object]:
    return {"arrowstyle": "-|>", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}


def _frame(strong: bool) -> dict[str, object]:
    return {"boxstyle": "round,pad=0.45", "facecolor": "#EAF2F8" if strong else "white", "edgecolor": INK,
            "linewidth": 0.8}  # fmt: skip


def _box(axes: Axes, x: float, y: float, *, text: str, strong: bool = False) -> None:
    axes.text(x, y, text, ha="center", va="center", bbox=_frame(strong), weight="bold" if strong else "normal")
