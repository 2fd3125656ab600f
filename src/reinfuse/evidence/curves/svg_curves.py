"""The curves of a Kaplan-Meier figure: its axes by their tick labels, its step lines by their form.

An axis is a row (or column) of at least three numbers that stand at ticks or grid lines and lie on a straight line; the
numbers at risk under a figure do not. A curve is a line of horizontal and vertical pieces that goes right and down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.evidence.curves.digitised import DigitisedArm
from reinfuse.evidence.curves.svg_geometry import SvgDrawing, SvgLine, SvgNumber, read_svg
from reinfuse.exceptions import Problem

_FEWEST_LABELS = 3
_LEVEL = 0.02
"""Part of a drawing's unit within which a line is horizontal or vertical."""
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


def read_figure(path: Path, *, names: Sequence[str], chosen: Sequence[int], axes: tuple[str, str],
                problems: list[Problem]) -> list[DigitisedArm]:  # fmt: skip
    """Return the curves of an SVG file, in the order in which they are drawn.

    Parameters
    ----------
    path
        The file.
    names
        Of the arms, as many as there are curves.
    chosen
        Numbers of the curves to take, from 1; empty: all that are no dashed lines.
    axes
        Texts `COORDINATE=VALUE,COORDINATE=VALUE` for x and y; empty: by the tick labels.
    problems
        Takes all that is wrong.
    """
    drawing = read_svg(path, problems)
    if drawing is None:
        return []
    x_axis, y_axis = (_axis(path, drawing, k, text, problems=problems) for k, text in zip("xy", axes, strict=True))
    if x_axis is None or y_axis is None:
        return []
    curves = [line for line in drawing.lines if _is_curve(line)]
    wanted = [i - 1 for i in chosen] or [i for i, line in enumerate(curves) if not line.dashed]
    wanted = wanted or list(range(len(curves)))
    outside = [i + 1 for i in wanted if not 0 <= i < len(curves)]
    if outside or len(wanted) != len(names):
        rule = f"has {len(curves)} step curves, {len(wanted)} of them taken, for {len(names)} arms"
        problems.append(_refused(path, rule, "; ".join(_described(curves, x_axis, y_axis)) or "there is none"))
        return []
    highest = max(float(y_axis.at(curves[i].points[0, 1])) for i in wanted)
    scale = 100.0 if highest > 1.5 else 1.0
    arms = []
    for name, i in zip(names, wanted, strict=True):
        time, height = _steps(curves[i])
        survival = y_axis.at(height) / scale
        if abs(survival[0] - 1) > 0.02 or survival.min() < -0.01:
            rule = f"curve {i + 1} begins at {survival[0]:.3f} and ends at {survival[-1]:.3f}, not from 1 downwards"
            problems.append(_refused(path, rule, "calibrate the axes (--x-axis, --y-axis) or choose a survival curve"))
        arms.append(DigitisedArm(name, np.maximum(x_axis.at(time), 0), np.clip(survival, 0, 1)))
    return arms


def _refused(path: Path, rule: str, listed: str) -> Problem:
    return Problem(table=path.name, rule=rule, remedy=f"choose with --curves, such as --curves 1,2; {listed}")


def _described(curves: Sequence[SvgLine], x_axis: Axis, y_axis: Axis) -> list[str]:
    """Return a line on each curve, so that a person can choose."""
    shown = []
    for k, line in enumerate(curves[:12], 1):
        ends = y_axis.at(line.points[[0, -1], 1])
        last = float(x_axis.at(line.points[-1:, 0])[0])
        look = f"{line.colour}{', dashed' if line.dashed else ''}"
        shown.append(f"{k}: {look}, from {ends[0]:.2f} to {ends[1]:.2f} at time {last:.1f}")
    return shown


def _is_curve(line: SvgLine) -> bool:
    moves = np.diff(line.points, axis=0)
    flat, upright = np.abs(moves[:, 1]) <= _LEVEL, np.abs(moves[:, 0]) <= _LEVEL
    down = upright & (moves[:, 1] > _LEVEL)
    return bool(
        np.all(flat | upright)
        and np.all(moves[:, 0] >= -_LEVEL)
        and np.all(moves[:, 1] >= -_LEVEL)
        and np.any(down)
        and np.any(flat & (moves[:, 0] > _LEVEL))
    )


def _steps(line: SvgLine) -> tuple[Floats, Floats]:
    """Return the coordinates of a curve's beginning, of the bottom of each step, and of its end."""
    x, y = line.points[:, 0], line.points[:, 1]
    rows = [(float(x[0]), float(y[0]))]
    for k in range(1, len(x)):
        if y[k] - rows[-1][1] > _LEVEL:
            if abs(x[k] - rows[-1][0]) <= _LEVEL and len(rows) > 1:
                rows[-1] = (float(x[k]), float(y[k]))
            else:
                rows.append((float(x[k]), float(y[k])))
    rows.append((float(x[-1]), float(y[-1])))
    time, height = np.array(rows).T
    return time, height


def _axis(path: Path, drawing: SvgDrawing, which: str, text: str, *, problems: list[Problem]) -> Axis | None:
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
        return Axis(v0 - slope * c0, slope)
    axis = _by_labels(drawing, which)
    if axis is None:
        rule = f"the {which} axis cannot be calibrated by its tick labels"
        remedy = f"give {option} with two coordinates of the file and their values, such as 50.4=0,410.4=24"
        problems.append(Problem(table=path.name, column=option, rule=rule, remedy=remedy))
    return axis


def _by_labels(drawing: SvgDrawing, which: str) -> Axis | None:
    """Return the axis of the most labels that stand at ticks of one row or column, on a straight line."""
    k = 0 if which == "x" else 1
    fits = [_fitted(row, ticks, k) for row in _rows(drawing.numbers, which) for ticks in _ticks(drawing, k)]
    best = max((fit for fit in fits if fit is not None), key=lambda fit: (fit[0], -fit[1]), default=None)
    return None if best is None else best[2]


def _ticks(drawing: SvgDrawing, k: int) -> list[Floats]:
    """Return places of straight pieces across an axis, those together that begin in one row or column."""
    rows: dict[float, set[float]] = {}
    for line in drawing.lines:
        (x0, y0), (x1, y1) = line.points[0], line.points[-1]
        ends = ((x0, y0), (x1, y1))
        if len(line.points) == 2 and abs(ends[0][k] - ends[1][k]) <= _LEVEL < abs(ends[0][1 - k] - ends[1][1 - k]):
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


def _fitted(row: Sequence[SvgNumber], ticks: Floats, k: int) -> tuple[int, float, Axis] | None:
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
