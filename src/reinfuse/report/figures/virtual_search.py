"""Figures of a protocol search: near-optimal protocols, sensitivity of outcomes, value of information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reinfuse.report.figures.theme import (
    FAINT,
    INK,
    LINE,
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
from reinfuse.simulation.trial.protocol import dose_text

MODEL = "A model, calibrated to group results; not validated for individual patients"
LOOKS: Mapping[str, tuple[str, str, str, float]] = {
    "above the toxicity constraint": ("x", MEANING[1], MEANING[1], 3.2),
    "inferior to the best": ("o", "white", FAINT, 3.4),
    "not distinguishable": ("o", MEANING[0], MEANING[0], 4.2),
    "usual": ("D", MEANING[4], INK, 5.0),
    "best": ("*", MEANING[6], INK, 9.0),
}
"""Marker, face, edge and size of each kind of protocol, in the order of drawing."""
_BAR = 0.15
"""Inches of a bar's row."""
_LEAST = 0.1
"""Least end of an axis of patients of 100, so that noise does not fill it."""
_LETTERS: Mapping[Columns, int] = {1: 33, 2: 62}
"""Letters of a label beside the bars of the value of information."""


def region(name: str, title: str, protocols: pl.DataFrame, *, axes_of: Sequence[tuple[str, str, str, str]], usual: str,
           synthetic: bool, columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw the protocols of a search on pairs of coordinates.

    Parameters
    ----------
    protocols
        `Region.frame()`.
    axes_of
        Pairs of coordinates: name and label of the horizontal one, name and label of the vertical one.
    usual
        Name of the usual protocol.
    """
    head, tall, foot, legend = head_height(title, columns), 2.3, 0.62, LINE * (3 - columns) + 0.1
    height = head + legend + tall + foot
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    kinds = _kinds(protocols, usual)
    each = width / len(axes_of)
    with style():
        for k, (x, across, y, up) in enumerate(axes_of):
            box = ((k * each + 0.52) / width, foot / height, (each - 0.7) / width, tall / height)
            axes = figure.add_axes(box)
            for kind, look in LOOKS.items():
                of = protocols.filter(kinds == kind)
                axes.plot(_shown(of, x), _shown(of, y), linestyle="none", zorder=2, clip_on=False, **_mark(look))
            for axis, column, label in ((axes.xaxis, x, across), (axes.yaxis, y, up)):
                axis.set_label_text(label)
                if column == "log10_dose":
                    (axes.set_xscale if column == x else axes.set_yscale)("log")
                    axis.set_major_formatter(lambda value, _: dose_text(value).removesuffix("/kg"))
            axes.margins(0.04)
        kinds_present = [kind for kind in LOOKS if (kinds == kind).any()]
        marks = [Line2D([], [], linestyle="none", label=kind, **_mark(LOOKS[kind])) for kind in kinds_present]
        figure.legend(handles=marks, loc="upper left", bbox_to_anchor=(0, 1 - head / height),
                      ncols=3 if columns == 1 else len(marks), borderaxespad=0.2, handletextpad=0.1,
                      columnspacing=1.0)  # fmt: skip
        headline(figure, title, columns=columns)
        _model(figure)
    counts = "; ".join(f"{kind}: {int((kinds == kind).sum())}" for kind in kinds_present)
    best = protocols.filter(pl.col("best"))["protocol"][0]
    alt = f"{title}. Protocols by {' and '.join(f'{a[1]} and {a[3]}' for a in axes_of)}. {counts}. Best: {best}."
    return finish(figure, name, title, alt, synthetic, protocols.with_columns(kinds.alias("kind")), columns=columns)


def _kinds(protocols: pl.DataFrame, usual: str) -> pl.Series:
    distinguished = (
        pl.when(pl.col("told_apart")).then(pl.lit("inferior to the best")).otherwise(pl.lit("not distinguishable"))
    )
    kind = (
        pl.when("best").then(pl.lit("best"))
        .when(pl.col("protocol") == usual).then(pl.lit("usual"))
        .when(~pl.col("admissible")).then(pl.lit("above the toxicity constraint"))
        .otherwise(distinguished)
    )  # fmt: skip
    return protocols.select(kind.alias("kind")).to_series()


def _shown(protocols: pl.DataFrame, column: str) -> Any:
    values = protocols[column].to_numpy()
    return 10**values if column == "log10_dose" else values


def _mark(look: tuple[str, str, str, float]) -> dict[str, Any]:
    marker, face, edge, size = look
    return {"marker": marker, "markerfacecolor": face, "markeredgecolor": edge, "markersize": size,
            "markeredgewidth": 0.7}  # fmt: skip


def tornado(name: str, title: str, indices: pl.DataFrame, *, outcomes: Mapping[str, str], labels: Mapping[str, str],
            synthetic: bool, most: int = 8, columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw Sobol's total indices of each outcome, the greatest first, with first-order indices inside them.

    Parameters
    ----------
    indices
        `Sensitivity.frame()`.
    outcomes, labels
        Outcome and unknown by name -> label.
    most
        Unknowns shown of each outcome.
    """
    down = -(-len(outcomes) // columns)
    head, tall, gap, foot = head_height(title, columns) + 0.3, _BAR * most, 0.52, 0.5
    height = head + down * tall + (down - 1) * gap + foot
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    each = width / columns
    parts = []
    with style():
        for k, (outcome, heading) in enumerate(outcomes.items()):
            top = indices.filter((pl.col("outcome") == outcome) & pl.col("total").is_finite()).sort(
                "total", descending=True
            )
            top = top.head(most)
            parts.append(top)
            row, column = k // columns, k % columns
            low = foot + (down - 1 - row) * (tall + gap)
            box = ((column * each + 2.0) / width, low / height, (each - 2.15) / width, tall / height)
            axes = figure.add_axes(box)
            _indices(axes, top, labels=[_short(labels.get(u, u), 40) for u in top["unknown"]])
            axes.set_title(heading, fontsize=7, weight="bold", loc="left", pad=3)
            if row == down - 1:
                axes.set_xlabel("Share of variance", labelpad=2)
        headline(figure, title, columns=columns)
        key = "Bar: total index with 95% CI; dark: first-order index"
        figure.text(0.03 / width, 1 - (head - 0.28) / height, key, fontsize=SMALL, color=FAINT, va="top")
        _model(figure)
    data = pl.concat(parts)
    greatest = "; ".join(f"{heading}: " + ", ".join(
        f"{labels.get(r['unknown'], r['unknown'])} {r['total']:.2f}" for r in part.head(3).iter_rows(named=True))
        for part, heading in zip(parts, outcomes.values(), strict=True))  # fmt: skip
    return finish(
        figure, name, title, f"{title}. Greatest total indices. {greatest}.", synthetic, data, columns=columns
    )


def _indices(axes: Axes, top: pl.DataFrame, *, labels: Sequence[str]) -> None:
    rows = np.arange(len(top))
    total, first = top["total"].to_numpy(), np.maximum(top["first"].to_numpy(), 0)
    axes.barh(rows, total, height=0.7, color=MEANING[5])
    axes.barh(rows, np.minimum(first, total), height=0.7, color=MEANING[0])
    axes.hlines(
        rows, np.maximum(top["total_low"].to_numpy(), 0), top["total_high"].to_numpy(), color=INK, linewidth=0.7
    )
    axes.set_yticks(rows, labels, fontsize=SMALL)
    axes.set_ylim(len(top) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)


def value_of_information(
    name: str,
    title: str,
    gains: pl.DataFrame,
    *,
    labels: Mapping[str, str],
    synthetic: bool,
    most: int = 8,
    columns: Columns = 2,
) -> Drawn:
    """Draw what the measurements and the unknowns that explain most are worth: patients of 100 who are helped if it is
    known before the choice, and the share of the variance between populations of the protocols' differences.

    Parameters
    ----------
    gains
        `Information.frame()`.
    labels
        Unknown -> label.
    most
        Unknowns shown.
    """
    order = gains.sort("narrows", descending=True)
    top = pl.concat([order.filter(pl.col("kind") == "measurement"),
                     order.filter(pl.col("kind") == "unknown").head(most)])  # fmt: skip
    first = int((top["kind"] == "measurement").sum())
    head, foot, legend = head_height(title, columns), 0.62, LINE + 0.08
    tall = _BAR * (len(top) + 1)
    height = head + legend + tall + foot
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    left = 3.1 if columns == 2 else 1.75
    each = (width - left - 0.1) / 2
    rows = np.arange(len(top)) + (np.arange(len(top)) >= first)
    with style():
        panels = [figure.add_axes(((left + k * each) / width, foot / height, (each - 0.16) / width, tall / height))
                  for k in range(2)]  # fmt: skip
        _bars(panels[0], rows, 100 * top["value"].to_numpy(), threshold=100 * top["threshold"].to_numpy(),
              stands=top["stands_out"].to_numpy())  # fmt: skip
        panels[0].set_xlabel("Gain per 100 patients", labelpad=2)
        _bars(
            panels[1],
            rows,
            100 * top["narrows"].to_numpy(),
            threshold=None,
            stands=top["narrows_p_value"].to_numpy() < 0.05,
        )
        panels[1].set_xlabel("Variance explained, %", labelpad=2)
        panels[1].set_yticks([])
        panels[0].set_yticks(rows, [_short(labels.get(n, n), _LETTERS[columns]) for n in top["name"]], fontsize=SMALL)
        marks = [Line2D([], [], color=MEANING[0], linewidth=4, label="above the permutation threshold"),
                 Line2D([], [], color="#bbbbbb", linewidth=4, label="below it"),
                 Line2D([], [], color=INK, marker="|", linestyle="none", label="threshold (5%)")]  # fmt: skip
        figure.legend(handles=marks, loc="upper left", bbox_to_anchor=(0, 1 - head / height), ncols=3,
                      borderaxespad=0.2, handlelength=1.0, columnspacing=0.8)  # fmt: skip
        headline(figure, title, columns=columns)
        _model(figure)
    described = "; ".join(f"{labels.get(r['name'], r['name'])} {number_format.ratio(100 * r['value'])} of 100, "
                          f"{number_format.hundredths(r['narrows'])}% of the variance"
                          for r in top.iter_rows(named=True))  # fmt: skip
    return finish(figure, name, title, f"{title}. {described}.", synthetic, top, columns=columns)


def _bars(axes: Axes, rows: Any, values: Any, *, threshold: Any, stands: Any) -> None:
    axes.barh(rows, values, height=0.7, color=np.where(stands, MEANING[0], "#bbbbbb"))
    if threshold is not None:
        axes.plot(threshold, rows, linestyle="none", marker="|", markersize=6, color=INK)
    axes.set_ylim(rows[-1] + 0.5, -0.5)
    axes.set_xlim(0, max(axes.get_xlim()[1], _LEAST))
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=3)


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else f"{label[: most - 1].rstrip()}…"


def _model(figure: Figure) -> None:
    """Say on the figure itself what it comes from."""
    figure.text(0.005, 0.005, MODEL, ha="left", va="bottom", fontsize=SMALL, color=FAINT, style="italic")
