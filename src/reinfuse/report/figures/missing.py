"""Missingness map: which values of which patients are not known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from reinfuse.arrays import Bools
from reinfuse.report.figures.theme import (
    FAINT,
    INK,
    SMALL,
    TEXT,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)
from reinfuse.report.text import number_format

MOST = 200
"""Patients above which their shares are drawn."""
MOST_ROWS = 48
"""Variables that a page has room for; those that are missing least often are left to the data."""
_ROW, _FOOT = 0.17, 0.6
"""Inches from row to row, and under them."""
_WIDE = 3.0
"""Points of a patient's column above which a white line sets it apart from the next."""
_LETTER = 0.052
"""Inches of a small letter, with room to spare."""


def missing(title: str, masks: Mapping[str, Bools], synthetic: bool, *, columns: Columns = 2) -> Drawn | None:
    """Draw the values that are not known, a row a variable and a column a patient; None if every value is known.

    Parameters
    ----------
    masks
        Variable -> which patients' value is not known.
    """
    rows = {name: mask for name, mask in masks.items() if mask.any()}
    if not rows:
        return None
    n = len(next(iter(rows.values())))
    names = sorted(rows, key=lambda v: -int(rows[v].sum()))[:MOST_ROWS]
    order = np.lexsort([rows[v] for v in reversed(names)])[::-1]
    head, body = head_height(title, columns), _ROW * len(names)
    height = head + 0.1 + body + _FOOT
    figure = new(columns, height)
    width = WIDTHS[columns]
    share, letter, size = (0.5, 0.05, SMALL) if columns == 1 else (0.45, 0.058, TEXT)
    most = int((share * width - 0.1) / letter)
    left = (letter * max(min(len(v), most) for v in names) + 0.1) / width
    shares = [f"{int(rows[v].sum())} ({number_format.hundredths(int(rows[v].sum()) / n)}%)" for v in names]
    right = 1 - (0.06 * max(map(len, shares)) + 0.08) / width
    points = (right - left) * width * 72 / n
    with style():
        axes = figure.add_axes((left, _FOOT / height, right - left, body / height))
        for y, name in enumerate(names):
            if n <= MOST:
                places = np.flatnonzero(rows[name][order])
                axes.broken_barh([(float(x), 1.0) for x in places], (y - 0.4, 0.8), facecolor=INK, edgecolor="white",
                                 linewidth=0.3 if points > _WIDE else 0)  # fmt: skip
            else:
                axes.barh(y, int(rows[name].sum()), height=0.8, color=INK)
            axes.annotate(shares[y], (1.01, y), xycoords=("axes fraction", "data"), va="center")
            axes.annotate(_short(name, most), (0, y), xycoords=("axes fraction", "data"), xytext=(-4, 0),
                          textcoords="offset points", ha="right", va="center", fontsize=size)  # fmt: skip
        axes.set_facecolor("#eeeeee")
        axes.set_xlim(0, n)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks([])
        axes.set_xticks([0, n])
        axes.set_xlabel("Patients, sorted" if n <= MOST else "Patients with the value missing", labelpad=0)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        figure.text(0.01, 0.2 / height, _complete(masks, rows, int(width / _LETTER)), fontsize=SMALL, color=FAINT,
                    va="center")  # fmt: skip
        headline(figure, title, columns=columns)
    alt = f"{title}. Missing: " + "; ".join(f"{v} in {int(rows[v].sum())} of {n}" for v in names)
    alt += f"; and {len(rows) - len(names)} variables less often." if len(rows) > len(names) else "."
    data = pl.DataFrame({"variable": list(masks), "missing": [int(m.sum()) for m in masks.values()],
                         "patients": [n] * len(masks)})  # fmt: skip
    return finish(figure, "missing", title, alt, synthetic, data, columns=columns, patient_level=n <= MOST)


def _complete(masks: Mapping[str, Bools], rows: Mapping[str, Bools], letters: int) -> str:
    """Return one line that tells which variables are known of every patient, as many as it has room for."""
    complete = [v for v in masks if v not in rows]
    opening = f"Complete: {len(complete)} of {len(masks)} variables"
    line, shown = opening, 0
    for name in complete:
        longer = f"{line}{'; ' if shown else ': '}{name}"
        if len(longer) > letters - len("; …"):
            break
        line, shown = longer, shown + 1
    return line if shown in (0, len(complete)) else f"{line}; …"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
