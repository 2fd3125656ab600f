"""The table under survival curves: numbers at risk, censored and with the event, each under its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate


@dataclass(frozen=True)
class RiskRows:
    """One kind of number: its head, and for each group the records by day."""

    head: str
    labels: Sequence[str]
    records: Sequence[Mapping[float, Estimate]]


def risk_table(axes: Axes, blocks: Sequence[RiskRows], *, ticks: Sequence[float], colours: Sequence[str]) -> None:
    """Write the blocks one under the other, a line a group, under the ticks of the axis that `axes` shares."""
    lines = sum(1 + len(block.labels) for block in blocks)
    axes.set_ylim(lines - 0.5, -0.5)
    axes.axis("off")
    place: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right", "va": "center"}
    y = 0
    for block in blocks:
        axes.annotate(block.head, (0, y), xytext=(-10, 0), weight="bold", **place)
        for label, records, colour in zip(block.labels, block.records, colours, strict=True):
            y += 1
            axes.annotate(short_label(label), (0, y), xytext=(-10, 0), color=colour, **place)
            for tick in ticks:
                if tick in records:
                    number = number_format.count(records[tick].estimate)
                    axes.text(tick / DAYS_A_MONTH, y, number, ha="center", va="center")
        y += 1


def short_label(label: str) -> str:
    """Return a label of a length that stands beside an axis."""
    return label if len(label) <= 24 else f"{label[:23]}…"
