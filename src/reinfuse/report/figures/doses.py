"""The dose of the infusion before against that of the index infusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reinfuse.report.figures.theme import (
    FAINT,
    INK,
    MEANING,
    SMALL,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)
from reinfuse.report.text import number_format

LOOKS = {
    "response": ("o", MEANING[0], "white"),
    "no response": ("s", "white", INK),
    "missing": ("^", "#cccccc", INK),
}
"""Marker, face and colour of the number of each kind of response."""
MOST_PLACES = 150
"""Different pairs of doses above which their patients are not written into the marks."""
_ONE = 22.0
"""Area of a mark of one patient, in square points."""
_APART = 1.3
"""Factor by which kinds of response at one place are set apart."""


@dataclass(frozen=True)
class Dose:
    """A patient's two doses, in cells per kg, and the response."""

    before: float
    after: float
    response: str


def doses(title: str, dose_pairs: Sequence[Dose], left_out: int, *, index: int, synthetic: bool,
          columns: Columns = 1) -> Drawn:  # fmt: skip
    """Draw both doses on logarithmic axes; a mark of more than one patient tells their number.

    Parameters
    ----------
    left_out
        Patients of whom a dose is not known.
    """
    head = head_height(title, columns)
    height = head + 0.24 + 2.5 + 0.45
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    counts = Counter((d.before, d.after, d.response) for d in dose_pairs)
    values = [v for d in dose_pairs for v in (d.before, d.after)]
    low, high = min(values) / 2.2, max(values) * 2.2
    with style():
        axes = figure.add_axes((0.6 / width, 0.45 / height, 2.6 / width, 2.5 / height))
        axes.plot([low, high], [low, high], color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
        for kind in LOOKS:
            _scatter(axes, counts, kind=kind)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        decades = [10.0**k for k in range(-2, 14) if low <= 10.0**k <= high]
        axes.set_xticks(decades, [number_format.dose(d).removeprefix("1 × ") for d in decades])
        axes.set_yticks(decades, [number_format.dose(d).removeprefix("1 × ") for d in decades])
        axes.tick_params(which="minor", labelbottom=False, labelleft=False)
        axes.set_xlabel(f"CART{index - 1} dose, CAR-T cells/kg", labelpad=2)
        axes.set_ylabel(f"CART{index} dose, CAR-T cells/kg", labelpad=2)
        axes.annotate("same dose", (high, high), xytext=(-16, -4), textcoords="offset points", ha="right", va="center",
                      color=FAINT)  # fmt: skip
        if len(counts) <= MOST_PLACES and max(counts.values()) > 1:
            axes.text(0.99, 0.012, "number in a mark: patients", transform=axes.transAxes, ha="right", va="bottom",
                      fontsize=SMALL, color=FAINT)  # fmt: skip
        shown = [_handle(kind) for kind in LOOKS if any(d.response == kind for d in dose_pairs)]
        figure.legend(handles=shown, loc="upper left", bbox_to_anchor=(0, 1 - head / height), ncols=3,
                      borderaxespad=0.2, handletextpad=0.1, columnspacing=1.0)  # fmt: skip
        headline(figure, title, columns=columns)
    higher, same = sum(d.after > d.before for d in dose_pairs), sum(d.after == d.before for d in dose_pairs)
    lower = len(dose_pairs) - higher - same
    alt = (f"{title}. {len(dose_pairs)} patients: higher {higher}, the same {same}, lower {lower}; "
           f"{left_out} without both doses not drawn.")  # fmt: skip
    rows = [{"before": b, "after": a, "response": r, "patients": n} for (b, a, r), n in sorted(counts.items())]
    return finish(figure, "doses", title, alt, synthetic, pl.DataFrame(rows), columns=columns, patient_level=True)


def _handle(kind: str) -> Line2D:
    marker, face, _ = LOOKS[kind]
    return Line2D([], [], linestyle="none", marker=marker, markerfacecolor=face, markeredgecolor=INK,
                  markersize=_ONE**0.5, markeredgewidth=0.7, label=kind)  # fmt: skip


def _scatter(axes: Axes, counts: Counter[tuple[float, float, str]], *, kind: str) -> None:
    """Draw one kind of response, set aside where another kind stands at the same place."""
    of_kind = sorted((key, n) for key, n in counts.items() if key[2] == kind)
    if not of_kind:
        return
    marker, face, ink = LOOKS[kind]
    order = list(LOOKS)
    x = []
    for (before, after, _), _n in of_kind:
        kinds = [k for k in order if (before, after, k) in counts]
        x.append(before * _APART ** (2 * kinds.index(kind) - len(kinds) + 1))
    few = len(counts) <= MOST_PLACES
    areas = [(_ONE if n == 1 else min(70 + 5 * n, 400)) if few else 8 for _, n in of_kind]
    axes.scatter(x, [key[1] for key, _ in of_kind], s=areas, marker=marker, facecolor=face, edgecolor=INK,
                 linewidths=0.7, label=kind, zorder=3)  # fmt: skip
    for at, (key, n) in zip(x, of_kind, strict=True) if few else ():
        if n > 1:
            axes.text(at, key[1], str(n), ha="center", va="center", fontsize=SMALL, color=ink, zorder=4)
