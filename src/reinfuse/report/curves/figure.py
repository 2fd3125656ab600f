"""The curves that were read, and those of all tables that agree with them, in one figure."""

from __future__ import annotations

import numpy as np
import polars as pl

from reinfuse.evidence.curves.reconstruction import ArmTables, CurveStudy
from reinfuse.report.figures.theme import COLOURS, INK, STYLES, Drawn, finish, head_height, headline, new, style
from reinfuse.statistics.reconstructed import heights

_NAME, _TITLE = "curves", "Curves as read, and of the risk tables that agree"
_PLOT = 2.3


def curves_figure(study: CurveStudy) -> Drawn:
    """Draw the points that were read, the most likely table's curve, and the range of all tables as a band."""
    head = head_height(_TITLE, 2)
    height = head + _PLOT + 0.45
    figure = new(2, height)
    with style():
        axes = figure.add_axes((0.08, 0.42 / height, 0.9, _PLOT / height))
        for i, arm in enumerate(study.arms):
            survival = heights(arm.tables)[arm.tables.weight > 0]
            time = np.concatenate([[0.0], arm.reading.time, [arm.reading.end]])
            low, high = _ended(survival.min(axis=0)), _ended(survival.max(axis=0))
            axes.fill_between(time, low, high, step="post", color=COLOURS[i], alpha=0.25, linewidth=0)
            axes.step(time, _ended(heights(arm.tables)[arm.tables.best]), where="post", color=COLOURS[i],
                      linestyle=STYLES[i], label=arm.name or "Most likely table")  # fmt: skip
            axes.plot(arm.reading.time, arm.reading.survival, ".", color=INK, markersize=2.5)
        axes.set_xlim(0, max(arm.reading.end for arm in study.arms))
        axes.set_ylim(0, 1.02)
        axes.set_xlabel(f"Time, {study.request.unit}")
        axes.set_ylabel("Survival")
        axes.legend(loc="upper right")
        headline(figure, _TITLE, columns=2)
    alt = f"{_TITLE}. " + "; ".join(_fall(arm) for arm in study.arms) + "."
    return finish(figure, _NAME, _TITLE, alt, False, _points(study), columns=2, patient_level=True)


def _ended(levels: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return heights from the beginning to the end of the curve."""
    return np.concatenate([[1.0], levels, levels[-1:]])


def _fall(arm: ArmTables) -> str:
    name = arm.name or "the curve"
    return f"{name} falls to {arm.reading.survival[-1]:.2f} at {arm.reading.end:.4g}, in {len(arm.reading.time)} steps"


def _points(study: CurveStudy) -> pl.DataFrame:
    frames = []
    for arm in study.arms:
        survival = heights(arm.tables)[arm.tables.weight > 0]
        frames.append(pl.DataFrame({
            "arm": [arm.name] * len(arm.reading.time), "time": arm.reading.time, "read": arm.reading.survival,
            "most_likely": heights(arm.tables)[arm.tables.best], "least": survival.min(axis=0),
            "greatest": survival.max(axis=0)}))  # fmt: skip
    return pl.concat(frames)
