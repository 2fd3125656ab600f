"""Forest plots of proportions: studies, what they give together, and one's own cohort as the last row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
from matplotlib.axes import Axes

from reinfuse.report.figures.rows import heads, panels
from reinfuse.report.figures.theme import COLOURS, FAINT, Columns, Drawn, finish, style
from reinfuse.report.text import number_format

_PLACES: dict[Columns, tuple[float, ...]] = {1: (0.012, 0.60, 0.985), 2: (0.006, 0.46, 0.80)}
"""Label, events / n, share with its interval."""
_PLOT: dict[Columns, tuple[float, float]] = {1: (0.03, 0.55), 2: (0.48, 0.30)}
_TICKS = (0, 0.2, 0.4, 0.6, 0.8, 1)


@dataclass(frozen=True)
class ProportionRow:
    """One row.

    Attributes
    ----------
    kind
        ``study``, ``pooled``, ``prediction`` (an interval alone) or ``own``.
    """

    label: str
    kind: Literal["study", "pooled", "prediction", "own"]
    estimate: float | None
    lower: float | None
    upper: float | None
    events: int | None = None
    n: int | None = None


def proportion_forest(
    name: str, title: str, rows: Sequence[ProportionRow], *, ci: str, synthetic: bool, columns: Columns = 2
) -> Drawn:
    """Draw proportions with their intervals from 0 to 100 percent.

    Parameters
    ----------
    ci
        How the interval is called.
    """
    lines: list[ProportionRow | str] = []
    for row in rows:
        lines += [row] if columns == 2 else [row.label, row]
    with style():
        figure, axes, text = panels(title, len(lines), columns, plot=_PLOT[columns], xlabel="Patients, %")
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks(_TICKS, [f"{100 * t:.0f}" for t in _TICKS])
        places = _PLACES[columns]
        for y, line in enumerate(lines):
            if isinstance(line, str):
                text.text(places[0], y, line, va="center")
                continue
            _bar(axes, y, line)
            if columns == 2:
                weight = "bold" if line.kind == "own" else "normal"
                text.text(places[0], y, line.label, va="center", weight=weight)
                text.text(places[1], y, _counts(line), va="center", ha="right")
                text.text(places[2], y, _share(line), va="center")
            else:
                text.text(
                    places[2], y, " ".join(x for x in (_counts(line), _share(line)) if x), va="center", ha="right"
                )
        if columns == 2:
            heads(text, places, ("", "Events / n", f"Proportion ({ci})"), sides=("left", "right", "left"))
    data = pl.DataFrame([{"label": r.label, "kind": r.kind, "estimate": r.estimate, "lower": r.lower,
                          "upper": r.upper, "events": r.events, "n": r.n} for r in rows],
                        infer_schema_length=None)  # fmt: skip
    alt = "; ".join(" ".join(x for x in (r.label, _counts(r), _share(r)) if x) for r in rows)
    return finish(figure, name, title, f"Forest plot, {title}. {alt}.", synthetic, data, columns=columns)


def _bar(axes: Axes, y: int, row: ProportionRow) -> None:
    colour = COLOURS[1] if row.kind == "own" else FAINT if row.kind == "prediction" else COLOURS[0]
    if row.lower is not None and row.upper is not None:
        width = 2.4 if row.kind == "prediction" else 1.1
        axes.plot([row.lower, row.upper], [y, y], color=colour, linewidth=width, solid_capstyle="butt")
    if row.estimate is not None and row.kind != "prediction":
        marker = {"study": "s", "pooled": "D", "own": "o"}[row.kind]
        axes.plot([row.estimate], [y], marker=marker, color=colour, markersize=4.4, clip_on=False)


def _counts(row: ProportionRow) -> str:
    return "" if row.events is None else f"{number_format.count(row.events)} / {number_format.count(row.n)}"


def _share(row: ProportionRow) -> str:
    """Return share and interval; of a prediction, the interval alone."""
    n = row.n or 0
    inside = ""
    if row.lower is not None and row.upper is not None:
        inside = number_format.limits(number_format.percent(row.lower, n), number_format.percent(row.upper, n))
    if row.estimate is None or row.kind == "prediction":
        return inside
    share = number_format.percent(row.estimate, n)
    return f"{share} ({inside})" if inside else share
