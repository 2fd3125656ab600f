"""The axes of a figure: from coordinates to times and heights, by tick labels or by what a person gives.

An axis is a row (or column) of at least three numbers that stand at ticks or grid lines and lie on a straight line; the
numbers at risk under a figure do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.evidence.curves.svg_geometry import SvgDrawing, SvgNumber
from reinfuse.exceptions import Problem

LEVEL = 0.02
"""Part of a drawing's unit within which a line is horizontal or vertical."""
_FEWEST_LABELS = 3
_TICKS_SHOWN = 8
_NEAR = 9.0
"""Units between a label and its tick."""
_MISFIT = 0.003
"""Greatest departure of a label from the straight line, as a part of the axis."""


@dataclass(frozen=True)
class Axis:
    """value = offset + slope * coordinate."""

    offset: float
    slope: float

    def at(self, coordinate: Floats) -> Floats:
        """Return the values at coordinates."""
        value: Floats = self.offset + self.slope * coordinate
        return value


def axis_of(path: Path, drawing: SvgDrawing, which: str, text: str, *, problems: list[Problem]) -> Axis | None:
    """Return an axis by what the user gave, or by its labels."""
    option = f"--{which}-axis"
    if text:
        try:
            pairs = [tuple(map(float, part.split("="))) for part in text.split(",")]
            (c0, v0), (c1, v1) = pairs
            slope = (v1 - v0) / (c1 - c0)
        except (ValueError, ZeroDivisionError):
            remedy = "give two coordinates of the file with their values, such as 50.4=0,410.4=24"
            problems.append(Problem(table="curve", column=option, value=text, rule="is no two points", remedy=remedy))
            return None
        if (slope > 0) != (which == "x"):
            rule = "runs to the left" if which == "x" else "runs downwards"
            remedy = "times rise to the right; y coordinates of an SVG file grow downwards while heights fall"
            problems.append(Problem(table="curve", column=option, value=text, rule=rule, remedy=remedy))
            return None
        return Axis(v0 - slope * c0, slope)
    axis = _by_labels(drawing, which)
    if axis is None:
        rule = f"the {which} axis cannot be calibrated by its tick labels"
        remedy = f"give {option} with two coordinates of the file and their values, such as 50.4=0,410.4=24"
        problems.append(
            Problem(table=path.name, column=option, rule=rule, remedy=remedy + _ticks_in_words(drawing, which))
        )
    return axis


def _ticks_in_words(drawing: SvgDrawing, which: str) -> str:
    """Return where ticks or grid lines stand: those of which there are most."""
    most = max(_ticks(drawing, 0 if which == "x" else 1), key=len, default=np.zeros(0))
    shown = ", ".join(f"{place:.2f}" for place in most[:_TICKS_SHOWN])
    return f"; there are ticks at {shown}" if shown else ""


def _by_labels(drawing: SvgDrawing, which: str) -> Axis | None:
    """Return the axis of the most labels that stand at ticks of one row or column, on a straight line."""
    k = 0 if which == "x" else 1
    fits = [_fitted(row, ticks, k=k) for row in _rows(drawing.numbers, which) for ticks in _ticks(drawing, k)]
    best = max((fit for fit in fits if fit is not None), key=lambda fit: (fit[0], -fit[1]), default=None)
    return None if best is None else best[2]


def _ticks(drawing: SvgDrawing, k: int) -> list[Floats]:
    """Return places of straight pieces across an axis, those together that begin in one row or column."""
    rows: dict[float, set[float]] = {}
    for line in drawing.lines:
        (x0, y0), (x1, y1) = line.points[0], line.points[-1]
        ends = ((x0, y0), (x1, y1))
        if len(line.points) == 2 and abs(ends[0][k] - ends[1][k]) <= LEVEL < abs(ends[0][1 - k] - ends[1][1 - k]):
            rows.setdefault(round(float(min(ends[0][1 - k], ends[1][1 - k])), 1), set()).add(float(ends[0][k]))
    return [np.array(sorted(places)) for places in rows.values() if len(places) >= _FEWEST_LABELS]


def _rows(numbers: Sequence[SvgNumber], which: str) -> list[list[SvgNumber]]:
    """Return numbers that stand in one row (x), or one column (y); those alone that the file gives to the axis."""
    own = [n for n in numbers if n.axis == which]
    if len(own) >= _FEWEST_LABELS:
        return [own]
    across, tolerance = (1, 1.5) if which == "x" else (0, 14.0)
    groups: list[list[SvgNumber]] = []
    for number in sorted((n for n in numbers if not n.axis), key=lambda n: (n.x, n.y)[across]):
        place = (number.x, number.y)[across]
        if groups and abs(place - (groups[-1][0].x, groups[-1][0].y)[across]) <= tolerance:
            groups[-1].append(number)
        else:
            groups.append([number])
    return [g for g in groups if len(g) >= _FEWEST_LABELS]


def _fitted(row: Sequence[SvgNumber], ticks: Floats, *, k: int) -> tuple[int, float, Axis] | None:
    """Return how many labels stand at ticks, how far they are from a straight line, and the line; None without one."""
    pairs: dict[float, float] = {}
    for number in row:
        place = (number.x, number.y)[k]
        tick = float(ticks[np.argmin(np.abs(ticks - place))])
        if abs(tick - place) <= (4 * _NEAR if number.axis else _NEAR):
            pairs[tick] = number.value
    if len(pairs) < _FEWEST_LABELS:
        return None
    where, value = np.array(list(pairs)), np.array(list(pairs.values()))
    slope, offset = np.polyfit(where, value, 1)
    spread = float(np.ptp(value))
    if spread == 0 or (slope > 0) != (k == 0):
        return None
    misfit = float(np.max(np.abs(offset + slope * where - value))) / spread
    return None if misfit > _MISFIT else (len(pairs), misfit, Axis(float(offset), float(slope)))
