"""The flow of patients, from the cohort to those analysed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from reinfuse.analysis.estimate import Estimate
from reinfuse.report import numbers
from reinfuse.report.figures.theme import FAINT, INK, Drawn, finish, new, style


def flow(records: Sequence[Estimate], index: int, synthetic: bool) -> Drawn:
    """Draw boxes: all patients, those excluded with the reason, those analysed.

    Parameters
    ----------
    records
        Records of the analysis ``flow``: the first is the whole cohort, the last the analysed patients.
    """
    first, *out, last = records
    height = 2.2 + 0.5 * max(len(out) - 1, 0)
    figure = new(6.0, height)
    with style():
        axes = figure.add_axes((0, 0.03, 1, 0.97))
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        axes.axis("off")
        _box(axes, 3, 8.4, f"Patients in the cohort\nn = {numbers.count(first.estimate or 0)}")
        _box(axes, 3, 1.6, f"Analysed from infusion {index}\nn = {numbers.count(last.estimate or 0)}", strong=True)
        axes.annotate("", (3, 2.9), (3, 7.1), arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.1})
        for i, record in enumerate(out):
            y = 5 + 1.6 * ((len(out) - 1) / 2 - i)
            axes.annotate("", (5.6, y), (3, y), arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 1})
            reason = (record.term or "").removeprefix("excluded: ")
            _box(axes, 7.7, y, f"Excluded: {reason}\nn = {numbers.count(record.estimate or 0)}")
        if not out:
            axes.text(3.3, 5, "none excluded", va="center", fontsize=8, color=FAINT)
    alt = "Flow of patients. " + "; ".join(f"{r.term}: {numbers.count(r.estimate or 0)}" for r in records) + "."
    return finish(figure, "flow", "Flow of patients", alt, synthetic)


def _box(axes: Axes, x: float, y: float, text: str, strong: bool = False) -> None:
    shape = {"boxstyle": "round,pad=0.5", "facecolor": "#EAF2F8" if strong else "white", "edgecolor": INK}
    axes.text(x, y, text, ha="center", va="center", fontsize=9, bbox=shape, weight="bold" if strong else "normal")
