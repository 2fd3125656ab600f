"""Power curves by true effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

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
from reinfuse.report.text import number_format


def power(name: str, title: str, what: str, *, curves: Mapping[str, Sequence[tuple[float, float]]], synthetic: bool,
          columns: Columns = 1) -> Drawn:  # fmt: skip
    """Draw power against the true ratio, one line a factor.

    Parameters
    ----------
    curves
        Factor -> (ratio, power) in order of the ratio.
    """
    head = head_height(title, columns)
    legend = LINE * len(curves) + 0.08
    height = head + legend + 2.0 + 0.42
    figure = new(columns, height)
    left = 0.44 / figure.get_size_inches()[0]
    with style():
        axes = figure.add_axes((left, 0.42 / height, 0.93 - left, 2.0 / height))
        for i, (label, points) in enumerate(curves.items()):
            axes.plot([r for r, _ in points], [100 * p for _, p in points], color=COLOURS[i % len(COLOURS)], marker="o",
                      markersize=2.8, linestyle=STYLES[i % len(STYLES)], label=label)  # fmt: skip
        for level, label_of_level in ((80, "80%"), (5, "5%")):
            axes.axhline(level, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
            axes.text(1.01, level / 102, label_of_level, transform=axes.transAxes, color=FAINT, va="center")
        axes.set_xscale("log")
        ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10)
        axes.set_xticks(ticks, [number_format.printed(f"{t:g}") for t in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 102)
        axes.set_xlabel(f"True {what}", labelpad=2)
        axes.set_ylabel("Power, %", labelpad=2)
        figure.legend(loc="upper left", bbox_to_anchor=(0, 1 - head / height), borderaxespad=0.2, labelspacing=0.25,
                      handlelength=3)  # fmt: skip
        headline(figure, title, columns=columns)
    alt = "; ".join(f"{label}: {', '.join(_at(r, p) for r, p in points)}" for label, points in curves.items())
    data = pl.DataFrame([{"factor": label, "ratio": r, "power": p} for label, points in curves.items()
                         for r, p in points])  # fmt: skip
    return finish(figure, name, title, f"{title}. {alt}.", synthetic, data, columns=columns)


def _at(ratio: float, power: float) -> str:
    return f"{number_format.percent(power, 0)} at {number_format.printed(f'{ratio:.2g}')}"
