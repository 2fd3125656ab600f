"""Where a chart of curves has its lines, bands, ticks and steps: numbers for a template, and none that is estimated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reinfuse.study.curve_steps import CurveChart, CurveStep, SteppedCurve

WIDTH, LEFT, RIGHT, TOP, HEIGHT = 600, 64, 14, 12, 260
_ROW, _AXIS = 17, 40


@dataclass(frozen=True)
class DrawnStep:
    """A step: where it is, what it says, and whether it is an event or censored patients alone."""

    x: float
    y: float
    step: CurveStep
    event: bool


@dataclass(frozen=True)
class DrawnCurve:
    """A curve: paths of its line and of its band ("" of several curves), and its steps."""

    curve: SteppedCurve
    line: str
    band: str
    steps: tuple[DrawnStep, ...]
    row: float


@dataclass(frozen=True)
class DrawnChart:
    """A chart, with its height below the axis for numbers at risk."""

    curves: tuple[DrawnCurve, ...]
    ticks: tuple[tuple[float, float], ...]
    levels: tuple[tuple[int, float], ...]
    height: float

    width = WIDTH
    left, right, top, bottom = LEFT, WIDTH - RIGHT, TOP, TOP + HEIGHT


def drawn(chart: CurveChart) -> DrawnChart:
    """Return where everything is."""
    scale = _Scale(max(chart.until, chart.times[-1], 1.0))
    curves = tuple(_curve(c, scale, number, band=len(chart.curves) == 1) for number, c in enumerate(chart.curves))
    levels = tuple((percent, scale.y(percent / 100)) for percent in (0, 25, 50, 75, 100))
    height = TOP + HEIGHT + _AXIS + _ROW * (len(chart.curves) + 1) + 8
    return DrawnChart(curves, tuple((t, scale.x(t)) for t in chart.times), levels, height)


@dataclass(frozen=True)
class _Scale:
    until: float

    def x(self, day: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * day / self.until, 1)

    def y(self, share: float) -> float:
        return round(TOP + HEIGHT * (1 - share), 1)


def _curve(curve: SteppedCurve, scale: _Scale, number: int, *, band: bool) -> DrawnCurve:
    shown = [s for s in curve.steps if s.day <= scale.until]
    steps = tuple(DrawnStep(scale.x(s.day), scale.y(s.survival), s, s.events > 0) for s in shown)
    points = [(0.0, 1.0), *((s.day, s.survival) for s in shown)]
    if len(shown) < len(curve.steps):
        points.append((scale.until, points[-1][1]))
    row = TOP + HEIGHT + _AXIS + _ROW * (number + 1.7)
    return DrawnCurve(curve, _line(points, scale), _band(shown, scale) if band else "", steps, row)


def _line(points: Sequence[tuple[float, float]], scale: _Scale) -> str:
    return "M" + "".join(_stairs(points, scale))[1:]


def _stairs(points: Sequence[tuple[float, float]], scale: _Scale) -> Iterator[str]:
    """Yield a step function: along to each day, then down."""
    for k, (day, share) in enumerate(points):
        if k == 0:
            yield f"L{scale.x(day)},{scale.y(share)}"
        else:
            yield f"H{scale.x(day)}V{scale.y(share)}"


def _band(steps: Sequence[CurveStep], scale: _Scale) -> str:
    """Return the band between the limits; it ends where one is not defined."""
    limits = [(s.day, s.lower, s.upper) for s in steps if s.lower is not None and s.upper is not None]
    last = next((s.day for s in steps if s.day > limits[-1][0]), limits[-1][0]) if limits else 0.0
    if not limits:
        return ""
    upper = _line([(limits[0][0], limits[0][2] or 0.0), *((d, u or 0.0) for d, _, u in limits[1:])], scale)
    back = [f"H{scale.x(last)}V{scale.y(limits[-1][1] or 0.0)}"]
    for (day, low, _), (_, before, _) in zip(limits[:0:-1], limits[-2::-1], strict=True):
        del low
        back.append(f"H{scale.x(day)}V{scale.y(before or 0.0)}")
    return f"{upper}{''.join(back)}H{scale.x(limits[0][0])}Z"
