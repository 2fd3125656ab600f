"""The dose of the infusion before against that of the index infusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from reinfuse.report.figures.theme import COLOURS, FAINT, INK, Columns, Drawn, finish, head_height, headline, new, style

RESPONSES = ("response", "no response", "not known")
_LOOKS = {"response": ("o", COLOURS[0]), "no response": ("s", "white"), "not known": ("^", "#bbbbbb")}


@dataclass(frozen=True)
class Dose:
    """A patient's two doses, in cells per kg, and the response."""

    before: float
    after: float
    response: str


def doses(title: str, found: Sequence[Dose], left_out: int, index: int, synthetic: bool,
          columns: Columns = 1) -> Drawn:  # fmt: skip
    """Draw both doses on logarithmic axes; the area of a mark grows with the patients at one place.

    Parameters
    ----------
    left_out
        Patients of whom a dose is not known.
    """
    head = head_height(title, columns)
    height = head + 0.22 + 2.5 + 0.45
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    counts = Counter((d.before, d.after, d.response) for d in found)
    with style():
        axes = figure.add_axes((0.55 / width, 0.45 / height, 2.5 / width, 2.5 / height))
        values = [v for d in found for v in (d.before, d.after)]
        low, high = min(values) / 1.9, max(values) * 1.9
        axes.plot([low, high], [low, high], color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
        for i, kind in enumerate(RESPONSES):
            _scatter(axes, [(k, n) for k, n in sorted(counts.items()) if k[2] == kind], kind, 1 + 0.07 * (i - 0.5))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_xlabel(f"CART{index - 1} dose, CAR-T cells/kg", labelpad=2)
        axes.set_ylabel(f"CART{index} dose, CAR-T cells/kg", labelpad=2)
        axes.annotate("same dose", (high / 1.15, high / 1.15), xytext=(-2, 4), textcoords="offset points", ha="right", va="bottom",
                      color=FAINT, rotation=0)  # fmt: skip
        figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0, 1 - head / height), ncols=3,
                      borderaxespad=0.2, handletextpad=0.1, columnspacing=1.0, markerscale=1)  # fmt: skip
        headline(figure, title, columns)
    higher, same = sum(d.after > d.before for d in found), sum(d.after == d.before for d in found)
    alt = (f"{title}. {len(found)} patients: higher {higher}, the same {same}, lower {len(found) - higher - same}; "
           f"{left_out} without both doses not drawn.")  # fmt: skip
    data = pl.DataFrame(
        [{"before": b, "after": a, "response": r, "patients": n} for (b, a, r), n in sorted(counts.items())]
    )
    return finish(figure, "doses", title, alt, synthetic, data, columns, patient_level=True)


def _scatter(axes, found, kind: str, push: float) -> None:  # type: ignore[no-untyped-def]
    """Draw one kind of response, pushed a little aside so that kinds at one place stand apart."""
    if not found:
        return
    marker, face = _LOOKS[kind]
    x, y = [k[0] * push for k, _ in found], [k[1] / push for k, _ in found]
    axes.scatter(x, y, s=[16 + 9 * (n - 1) for _, n in found], marker=marker, facecolor=face, edgecolor=INK, linewidths=0.7,
                 alpha=0.9, label=kind, zorder=3)  # fmt: skip
    for (key, n), a, b in zip(found, x, y, strict=True):
        if n > 1:
            side = -1 if kind == "no response" else 1
            axes.annotate(str(n), (a, b), xytext=(side * (4 + 0.6 * n**0.5), -side * 5), textcoords="offset points", ha="center",
                          va="center", fontsize=6, color=INK)  # fmt: skip
        del key
