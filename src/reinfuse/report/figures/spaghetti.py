"""Counts of CAR-T cells over time: one line a patient, a panel an infusion, median curves with quartiles."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from reinfuse.kinetics.median_curves import MedianCurve
from reinfuse.kinetics.profiles import Profile
from reinfuse.report.figures.theme import (
    COLOURS,
    FAINT,
    INK,
    LINE,
    SMALL,
    STYLES,
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

_LEGEND = (
    "Open triangles: below the limit, drawn at the limit. Thick: median; shaded: quartiles; both end at the limit, and "
    "where fewer than half of the infusions are still sampled."
)
MOST_LINES = 150
"""Patients of a group whose own lines are drawn; median and quartiles are always those of all."""

_LETTERS: dict[Columns, int] = {1: 56, 2: 132}
"""Letters of a line of notes."""
_DAYS = (0, 7, 28, 90, 180, 365, 730, 1460, 2555)
_FEW_DAYS = (0, 28, 180, 730)
_WIDE = 2.0
"""Inches of a panel from which all of these days stand apart."""


@dataclass(frozen=True)
class Group:
    """Profiles of one group after one infusion, and their median curve."""

    label: str
    profiles: Sequence[Profile]
    median: MedianCurve | None


def spaghetti(name: str, title: str, panels: Mapping[str, Sequence[Group]], *, unit: str, synthetic: bool,
              columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw the counts on a logarithmic axis, limits of quantification marked.

    Parameters
    ----------
    panels
        Title of a panel -> its groups, in the same order in each.
    """
    labels = list(dict.fromkeys(g.label for groups in panels.values() for g in groups))
    lines = f" Lines: {MOST_LINES} patients of a larger group." if _thinned(panels) else ""
    notes = textwrap.wrap(_LEGEND + lines, _LETTERS[columns])
    head, legend = head_height(title, columns), LINE * (len(labels) + len(notes)) + 0.1
    height = head + legend + 2.3 + 0.42
    figure = new(columns, height)
    width, count = WIDTHS[columns], len(panels)
    left, gap = 0.55, 0.18
    each = (width - left - 0.1 - gap * (count - 1)) / count
    everything = [p for groups in panels.values() for g in groups for p in g.profiles]
    with style():
        for i, (panel, groups) in enumerate(panels.items()):
            x = (left + i * (each + gap)) / width
            axes = figure.add_axes((x, 0.42 / height, each / width, 2.15 / height))
            for group in groups:
                _group(axes, group, labels.index(group.label), least=_least_limit(everything))
            _axes(axes, panel, everything, unit=unit if i == 0 else "")
        for i, label in enumerate(labels):
            n = ", ".join(f"{panel} {sum(len(g.profiles) for g in groups if g.label == label)}"
                          for panel, groups in panels.items())  # fmt: skip
            _key(figure, i, f"{label} (n: {n})", y=1 - (head + LINE * (i + 0.5)) / height, width=width)
        for i, note in enumerate(notes, len(labels)):
            figure.text(0.1 / width, 1 - (head + LINE * (i + 0.5)) / height, note, fontsize=SMALL, color=FAINT,
                        va="center")  # fmt: skip
        headline(figure, title, columns=columns)
    return finish(
        figure, name, title, _alt(title, panels), synthetic, _table(panels), columns=columns, patient_level=True
    )


def _evenly(n: int) -> list[int]:
    """Return places spread evenly over n, all of them where they are few."""
    return np.linspace(0, n - 1, min(n, MOST_LINES)).round().astype(int).tolist() if n else []


def _thinned(panels: Mapping[str, Sequence[Group]]) -> bool:
    return any(len(g.profiles) > MOST_LINES for groups in panels.values() for g in groups)


def _least_limit(profiles: Sequence[Profile]) -> float:
    """Return the least limit of quantification below which a count was; 0 where there is none."""
    limits = [p.value[p.below & np.isfinite(p.value)] for p in profiles]
    return float(np.concatenate(limits).min(initial=np.inf)) if any(v.size for v in limits) else 0.0


def _group(axes: Axes, group: Group, i: int, *, least: float) -> None:
    colour = COLOURS[i % len(COLOURS)]
    look: Any = STYLES[i % len(STYLES)]
    profiles = [group.profiles[i] for i in _evenly(len(group.profiles))]
    lines = [np.column_stack([p.day, p.value])[np.isfinite(p.value)] for p in profiles]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.5, alpha=0.45))
    low = [np.column_stack([p.day, p.value])[p.below & np.isfinite(p.value)] for p in profiles]
    every = np.concatenate([np.empty((0, 2)), *low])
    axes.scatter(every[:, 0], every[:, 1], s=7, marker="v", facecolor="none", edgecolor=colour, linewidths=0.5)
    m = group.median
    if m is not None and np.isfinite(m.median).any():
        finite = np.isfinite(m.low)
        bottom, middle, top = (np.maximum(v, least) for v in (m.low[finite], m.median, m.high[finite]))
        axes.plot(m.day, middle, color=colour, linewidth=2.0, linestyle=look)
        axes.fill_between(m.day[finite], bottom, top, color=colour, alpha=0.15, linewidth=0)


def _axes(axes: Axes, panel: str, profiles: Sequence[Profile], *, unit: str) -> None:
    values = np.concatenate([p.value[np.isfinite(p.value) & (p.value > 0)] for p in profiles])
    last = max(float(p.day[-1]) for p in profiles)
    axes.set_yscale("log")
    axes.set_ylim(values.min() / 2, values.max() * 2)
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set_xlim(0, last * 1.02)
    inches = axes.get_position().width * axes.figure.get_figure(root=True).get_size_inches()[0]
    days = _DAYS if inches > _WIDE else _FEW_DAYS
    axes.set_xticks([d for d in days if d <= last * 1.02])
    limits = {float(v) for p in profiles for v in p.value[p.below] if np.isfinite(v)}
    for limit in sorted(limits)[:3]:
        axes.axhline(limit, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
    axes.set_title(panel, loc="left", fontsize=7, weight="bold", pad=2)
    axes.set_xlabel("Days (square-root scale)", labelpad=2)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: number_format.dose(value).removeprefix("1 × "))
    if unit:
        axes.set_ylabel(f"CAR-T cells, {unit}", labelpad=2)
    else:
        axes.set_yticklabels([])


def _root(day: Any) -> Any:
    return np.sqrt(np.maximum(day, 0))


def _key(figure: Any, i: int, text: str, *, y: float, width: float) -> None:
    look: Any = STYLES[i % len(STYLES)]
    figure.add_artist(Line2D([0.1 / width, 0.35 / width], [y, y], color=COLOURS[i % len(COLOURS)], linestyle=look,
                             transform=figure.transFigure, linewidth=2))  # fmt: skip
    figure.text(0.42 / width, y, text, va="center", color=INK)


def _table(panels: Mapping[str, Sequence[Group]]) -> pl.DataFrame:
    rows = [(panel, g.label, p) for panel, groups in panels.items() for g in groups for p in g.profiles]
    profiles, times = [p for *_, p in rows], [len(p.day) for *_, p in rows]

    def each(values: Sequence[object]) -> list[object]:
        """Repeat what is told once a profile for each of its counts."""
        return [value for value, n in zip(values, times, strict=True) for _ in range(n)]

    return pl.DataFrame({
        "panel": each([r[0] for r in rows]), "group": each([r[1] for r in rows]),
        "patient": each([p.patient_id for p in profiles]), "infusion": each([p.infusion for p in profiles]),
        "day": np.concatenate([p.day for p in profiles]), "value": np.concatenate([p.value for p in profiles]),
        "below_lloq": np.concatenate([p.below for p in profiles]), "unit": each([p.unit for p in profiles]),
    }).with_columns(pl.col("value").fill_nan(None))  # fmt: skip


def _until(group: Group) -> str:
    """Say where the median ends."""
    last = None if group.median is None else group.median.last_day
    return ", too few for a median" if last is None else f", median up to day {last:g}"


def _alt(title: str, panels: Mapping[str, Sequence[Group]]) -> str:
    parts = [f"{panel}, {g.label}: {len(g.profiles)} patients{_until(g)}" for panel, groups in panels.items()
             for g in groups]  # fmt: skip
    lines = f" Of a larger group {MOST_LINES} patients' lines are drawn." if _thinned(panels) else ""
    ends = "a median ends where fewer than half of the infusions are still sampled, and at the limit"
    return f"{title}. Counts by day on a logarithmic axis; {ends}.{lines} " + "; ".join(parts) + "."
