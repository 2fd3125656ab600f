"""Published rates in a forest plot, and prior, data and posterior of the own rate side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from reinfuse.evidence.borrowing import Borrowing
from reinfuse.evidence.synthesis import Synthesis
from reinfuse.report.figures.rows import heads, panels
from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    LINE,
    STYLES,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)
from reinfuse.report.tables.published_rates import title_of
from reinfuse.report.text import number_format
from reinfuse.statistics.conjugate_mixture import BetaMixture

_PLACES: dict[Columns, tuple[float, ...]] = {1: (0.012, 0.62, 0.65), 2: (0.006, 0.42, 0.76)}
"""Label, events / n, proportion; in one column the label has a line of its own."""
_PLOT: dict[Columns, tuple[float, float]] = {1: (0.03, 0.44), 2: (0.45, 0.29)}
_UNDER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}


@dataclass(frozen=True)
class _Line:
    """One row of the plot: a study, the mean, the prediction or the own cohort."""

    kind: str
    label: str
    estimate: float | None
    lower: float | None
    upper: float | None
    n: int
    events: int | None = None


def published_forest(synthesis: Synthesis, *, columns: Columns = 2) -> Drawn | None:
    """Draw the studies, their mean with its interval, the prediction of a further study, and the own cohort last.

    Returns
    -------
    Drawn or None
        None without a study.
    """
    if synthesis.pooled is None:
        return None
    title, lines = title_of(synthesis), _lines(synthesis)
    shown = [part for line in lines for part in ((line,) if columns == 2 else (line.label, line))]
    with style():
        figure, axes, text = panels(title, len(shown), columns, plot=_PLOT[columns], xlabel="Patients, %")
        axes.set_xlim(0, 100)
        places = _PLACES[columns]
        mean = synthesis.pooled.estimate
        if mean is not None:
            axes.axvline(100 * mean, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
        for y, part in enumerate(shown):
            if isinstance(part, str):
                text.text(places[0], y, part, va="center", bbox=_UNDER)
                continue
            if columns == 2:
                text.text(places[0], y, part.label, va="center", weight="bold" if part.kind != "study" else "normal")
            _mark(axes, y, part)
            if part.events is not None:
                text.text(places[1], y, f"{part.events} / {part.n}", va="center", ha="right")
            text.text(places[2], y, _words(part), va="center")
        level = number_format.level(synthesis.confidence)
        heads(text, places, ("Study", "Events / n", f"% ({level})"), sides=("left", "right", "left"))
    data = pl.DataFrame([vars(line) for line in lines], infer_schema_length=None)
    alt = "; ".join(f"{line.label} {_words(line)}" for line in lines)
    name = "_".join(("published", synthesis.endpoint.lower(), *(x.lower() for x in (synthesis.disease,) if x)))
    return finish(figure, name, title, f"Forest plot, {title}. {alt}.", False, data, columns=columns)


def _lines(synthesis: Synthesis) -> list[_Line]:
    pooled, placed = synthesis.pooled, synthesis.placed
    assert pooled is not None
    lines = [_Line("study", r.label, r.proportion, r.lower, r.upper, r.n, r.events) for r in synthesis.rows]
    low, high = pooled.interval or (None, None)
    lines.append(_Line("mean", "Median study", pooled.estimate, low, high, pooled.n, pooled.events))
    lines.append(_Line("prediction", "Further study (prediction)", None, *pooled.prediction, pooled.n))
    if placed is not None:
        own = placed.own
        lines.append(_Line("own", own.label, own.proportion, own.lower, own.upper, own.n, own.events))
    return lines


def _words(line: _Line) -> str:
    inside = "" if line.lower is None or line.upper is None else number_format.limits(
        number_format.percent(line.lower, line.n), number_format.percent(line.upper, line.n))  # fmt: skip
    if line.estimate is None:
        return inside or "not estimable"
    shown = number_format.percent(line.estimate, line.n)
    return f"{shown} ({inside})" if inside else f"{shown} (no interval)"


def _mark(axes: Axes, y: int, line: _Line) -> None:
    colour = {"study": COLOURS[0], "own": COLOURS[1]}.get(line.kind, "#222222")
    low, high = (None if x is None else 100 * x for x in (line.lower, line.upper))
    if line.kind == "mean" and line.estimate is not None and low is not None and high is not None:
        middle = 100 * line.estimate
        axes.fill([low, middle, high, middle], [y, y - 0.28, y, y + 0.28], color=colour, linewidth=0)
        return
    if low is not None and high is not None:
        wide = line.kind == "prediction"
        axes.plot([low, high], [y, y], color=colour, linewidth=2.6 if wide else 1.1, solid_capstyle="butt",
                  alpha=0.55 if wide else 1)  # fmt: skip
    if line.estimate is not None:
        axes.plot([100 * line.estimate], [y], marker="D" if line.kind == "own" else "s", color=colour,
                  markersize=2.5 + min(line.n, 100) ** 0.5 / 2.5, clip_on=False)  # fmt: skip


def prior_and_posterior(borrowing: Borrowing, *, columns: Columns = 1) -> Drawn | None:
    """Draw the densities of the prior from the studies, of the own data alone, and of the posterior.

    Returns
    -------
    Drawn or None
        None without a study.
    """
    if borrowing.prior is None or borrowing.posterior is None:
        return None
    own = borrowing.own
    alone = BetaMixture(np.ones(1), np.array([own.events + 1.0]), np.array([own.n - own.events + 1.0]))
    p = np.linspace(0.002, 0.998, 250)
    curves = {
        "Prior from published studies, robust": np.exp(borrowing.prior.log_pdf(p)),
        f"Own data alone: {own.events} of {own.n}": np.exp(alone.log_pdf(p)),
        "Posterior": np.exp(borrowing.posterior.log_pdf(p)),
    }
    title = f"{title_of(borrowing.synthesis)}: prior, own data and posterior"
    return _densities(title, p, curves, columns=columns)


def _densities(title: str, p: Any, curves: dict[str, Any], *, columns: Columns) -> Drawn:
    head, legend, tall, foot = head_height(title, columns), LINE * len(curves) + 0.06, 1.7, 0.42
    height = head + legend + tall + foot
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    with style():
        axes = figure.add_axes((0.12 / width, foot / height, (width - 0.24) / width, tall / height))
        for i, (label, density) in enumerate(curves.items()):
            axes.plot(100 * p, density, color=COLOURS[i], linestyle=STYLES[i], label=label)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 1.05 * max(float(np.max(d)) for d in curves.values()))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("Patients, %", labelpad=2)
        figure.legend(loc="upper left", bbox_to_anchor=(0, 1 - head / height), borderaxespad=0.2, labelspacing=0.25,
                      handlelength=3)  # fmt: skip
        headline(figure, title, columns=columns)
    data = pl.DataFrame({"proportion": p, **curves})
    alt = "; ".join(f"{label}, highest at {number_format.percent(float(p[int(np.argmax(d))]), 1)}" for label, d in
                    curves.items())  # fmt: skip
    return finish(figure, "prior_and_posterior", title, f"{title}. {alt}.", False, data, columns=columns)


def drawings(synthesis: Synthesis, borrowing: Borrowing | None = None) -> Sequence[Drawn]:
    """Return the figures that there are of a synthesis, and of a borrowing."""
    drawn = (published_forest(synthesis), None if borrowing is None else prior_and_posterior(borrowing))
    return [one for one in drawn if one is not None]
