"""The curves of a Kaplan-Meier figure, by their form, with their censoring marks where those are asked for.

A curve is a line of horizontal and vertical pieces that goes right and down. A mark is a short vertical piece whose
middle is on a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.evidence.curves.digitised import DigitisedArm
from reinfuse.evidence.curves.svg_axes import LEVEL, Axis, axis_of
from reinfuse.evidence.curves.svg_geometry import SvgDrawing, SvgLine, read_svg
from reinfuse.exceptions import Problem

_ON_CURVE = 0.75
"""Units between the middle of a mark and its curve."""
_LONGEST_MARK = 0.1
"""Of the height from 1 to 0."""


def read_figure(path: Path, *, names: Sequence[str], chosen: Sequence[int], axes: tuple[str, str],
                problems: list[Problem], with_marks: bool = False) -> list[DigitisedArm]:  # fmt: skip
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
    with_marks
        Read censoring marks: every censoring has one, though some may hide others.
    """
    drawing = read_svg(path, problems)
    if drawing is None:
        return []
    x_axis, y_axis = (axis_of(path, drawing, k, text, problems=problems) for k, text in zip("xy", axes, strict=True))
    if x_axis is None or y_axis is None:
        return []
    curves = [line for line in drawing.lines if _is_curve(line)]
    wanted = [i - 1 for i in chosen] or [i for i, line in enumerate(curves) if not line.dashed]
    wanted = wanted or list(range(len(curves)))
    outside = [i + 1 for i in wanted if not 0 <= i < len(curves)]
    if outside or len(wanted) != len(names):
        rule = f"has {len(curves)} step curves, {len(wanted)} of them taken, for {len(names)} arms"
        problems.append(_refused(path, rule, listed="; ".join(_described(curves, x_axis, y_axis)) or "there is none"))
        return []
    highest = max(float(y_axis.at(curves[i].points[0, 1])) for i in wanted)
    scale = 100.0 if highest > 1.5 else 1.0
    arms = []
    for name, i in zip(names, wanted, strict=True):
        time, height = _steps(curves[i])
        survival = y_axis.at(height) / scale
        if abs(survival[0] - 1) > 0.02 or survival.min() < -0.01:
            rule = f"curve {i + 1} begins at {survival[0]:.3f} and ends at {survival[-1]:.3f}, not from 1 downwards"
            problems.append(
                _refused(path, rule, listed="calibrate the axes (--x-axis, --y-axis) or choose a survival curve")
            )
        arms.append(DigitisedArm(name, np.maximum(x_axis.at(time), 0), np.clip(survival, 0, 1)))
    if not with_marks:
        return arms
    places = _marks(drawing, [curves[i] for i in wanted], abs(scale / y_axis.slope))
    if not any(map(len, places)):
        rule = "has no censoring marks: no short vertical lines with their middle on a curve"
        problems.append(Problem(table=path.name, column="--marks", rule=rule, remedy="leave out --marks"))
    return [replace(arm, marks=np.sort(x_axis.at(np.array(x)))) for arm, x in zip(arms, places, strict=True)]


def _marks(drawing: SvgDrawing, curves: Sequence[SvgLine], whole: float) -> list[list[float]]:
    """Return the coordinates of the censoring marks of each curve.

    Parameters
    ----------
    whole
        Height from 1 to 0, in units of the drawing.
    """
    places: list[list[float]] = [[] for _ in curves]
    for line in drawing.lines:
        (x0, y0), (x1, y1) = line.points[0], line.points[-1]
        if len(line.points) != 2 or abs(x1 - x0) > LEVEL or not LEVEL < abs(y1 - y0) <= _LONGEST_MARK * whole:
            continue
        apart = [_apart(curve, float(x0), y=float(y0 + y1) / 2) for curve in curves]
        nearest = int(np.argmin(apart))
        if apart[nearest] <= _ON_CURVE:
            places[nearest].append(float(x0))
    return places


def _apart(curve: SvgLine, x: float, *, y: float) -> float:
    """Return how far above or below a curve a point is; infinity beyond its ends."""
    own = curve.points
    if not own[0, 0] - LEVEL <= x <= own[-1, 0] + LEVEL:
        return float("inf")
    left, right = own[:-1], own[1:]
    here = (np.minimum(left[:, 0], right[:, 0]) - LEVEL <= x) & (x <= np.maximum(left[:, 0], right[:, 0]) + LEVEL)
    low, high = np.minimum(left[here, 1], right[here, 1]), np.maximum(left[here, 1], right[here, 1])
    return float(np.min(np.maximum(np.maximum(low - y, y - high), 0)))


def _refused(path: Path, rule: str, *, listed: str) -> Problem:
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
    flat, upright = np.abs(moves[:, 1]) <= LEVEL, np.abs(moves[:, 0]) <= LEVEL
    down = upright & (moves[:, 1] > LEVEL)
    return bool(
        np.all(flat | upright)
        and np.all(moves[:, 0] >= -LEVEL)
        and np.all(moves[:, 1] >= -LEVEL)
        and np.any(down)
        and np.any(flat & (moves[:, 0] > LEVEL))
    )


def _steps(line: SvgLine) -> tuple[Floats, Floats]:
    """Return the coordinates of a curve's beginning, of the bottom of each step, and of its end."""
    x, y = line.points[:, 0], line.points[:, 1]
    rows = [(float(x[0]), float(y[0]))]
    for k in range(1, len(x)):
        if y[k] - rows[-1][1] > LEVEL:
            if abs(x[k] - rows[-1][0]) <= LEVEL and len(rows) > 1:
                rows[-1] = (float(x[k]), float(y[k]))
            else:
                rows.append((float(x[k]), float(y[k])))
    rows.append((float(x[-1]), float(y[-1])))
    time, height = np.array(rows).T
    return time, height
