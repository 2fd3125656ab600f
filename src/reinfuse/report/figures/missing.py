"""Missingness map: which values of which patients are not known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.report.figures.theme import (
    FAINT,
    INK,
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

MOST = 200


def missing(title: str, found: Mapping[str, NDArray[np.bool_]], synthetic: bool, columns: Columns = 2) -> Drawn | None:
    """Draw the values that are not known, a row a variable and a column a patient; None if every value is known.

    Parameters
    ----------
    found
        Variable -> which patients' value is not known.
    """
    rows = {name: mask for name, mask in found.items() if mask.any()}
    if not rows:
        return None
    n = len(next(iter(rows.values())))
    names = sorted(rows, key=lambda v: -int(rows[v].sum()))
    order = np.lexsort([rows[v] for v in reversed(names)])[::-1]
    head, foot = head_height(title, columns), 0.5
    height = head + 0.17 * len(names) + 0.1 + foot
    figure = new(columns, height)
    width = WIDTHS[columns]
    left = min(0.056 * max(len(v) for v in names) + 0.1, 0.45 * width) / width
    with style():
        axes = figure.add_axes((left, foot / height, 0.86 - left, 0.17 * len(names) / height))
        for y, name in enumerate(names):
            gone = int(rows[name].sum())
            if n <= MOST:
                places = np.flatnonzero(rows[name][order])
                axes.broken_barh([(float(x), 1.0) for x in places], (y - 0.4, 0.8), facecolor=INK, edgecolor="white",
                                 linewidth=0.3)  # fmt: skip
            else:
                axes.barh(y, gone, height=0.8, color=INK)
            axes.annotate(f"{gone} ({100 * gone / n:.0f}%)", (1.01, y), xycoords=("axes fraction", "data"), va="center")
            axes.annotate(_short(name), (0, y), xycoords=("axes fraction", "data"), xytext=(-4, 0),
                          textcoords="offset points", ha="right", va="center")  # fmt: skip
        axes.set_facecolor("#eeeeee")
        axes.set_xlim(0, n)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks([])
        axes.set_xticks([0, n])
        axes.set_xlabel("Patients, sorted" if n <= MOST else "Patients without the value", labelpad=-4)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        complete = len(found) - len(rows)
        figure.text(0.01, 0.14 / height, f"Known of everybody: {complete} of {len(found)} variables", fontsize=SMALL,
                    color=FAINT, va="center")  # fmt: skip
        headline(figure, title, columns)
    alt = f"{title}. Not known: " + "; ".join(f"{v} in {int(rows[v].sum())} of {n}" for v in names) + "."
    data = pl.DataFrame({"variable": list(found), "missing": [int(m.sum()) for m in found.values()],
                         "patients": [n] * len(found)})  # fmt: skip
    return finish(figure, "missing", title, alt, synthetic, data, columns, patient_level=n <= MOST)


def _short(name: str) -> str:
    return name if len(name) <= 48 else f"{name[:47]}…"
