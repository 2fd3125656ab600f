"""The time axis of curves: where it ends, and the days at which numbers at risk are counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.plan.figure_options import FigureLook
from reinfuse.results.curves import Curve

FEWEST_AT_RISK = 5
"""Patients at risk below whom a curve is not drawn further: each of its later steps would be one or two patients'."""
TICK_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
MOST_TICKS = 7
MOST_CLOSE_TICKS = 15
"""Ticks where the median asks for close ones."""
_A_LINE = 100
"""Patients from which numbers at risk are too wide to stand so close."""


def axis_end(curves: Sequence[Curve], *, apart: bool = True) -> float:
    """Return the last day on which `FEWEST_AT_RISK` patients are at risk; the last day where there never are so many.

    Parameters
    ----------
    curves
        Their patients are counted together.
    apart
        False: all curves are of the same patients.
    """
    days = np.unique(np.concatenate([c.time for c in curves]))
    at_risk = np.array([_at_risk(c, days) for c in curves])
    enough = np.flatnonzero((at_risk.sum(axis=0) if apart else at_risk.max(axis=0)) >= FEWEST_AT_RISK)
    return float(days[enough[-1]] if enough.size else days[-1])


def _at_risk(curve: Curve, days: Floats) -> Floats:
    """Return the numbers at risk on these days; none after the last."""
    at_risk: Floats = np.append(curve.at_risk, 0.0)[np.searchsorted(curve.time, days)]
    return np.asarray(np.nan_to_num(at_risk), dtype=np.float64)


def axis_days(end: float, *, median: float | None = None, n: int = 0) -> list[float]:
    """Return the days of the ticks: 0 and equal steps of whole months, few enough to stand apart.

    Two steps at least lie before the median, in whole months and as far as ticks stand apart: a median of two months
    is not read from ticks of six.
    """
    most = MOST_CLOSE_TICKS if n < _A_LINE else MOST_TICKS + 3
    wide = _step(end, TICK_MONTHS, most=MOST_TICKS)
    wanted = [m for m in TICK_MONTHS if median is not None and 2 * m * DAYS_A_MONTH <= median] or [1]
    close = wide if median is None else _step(end, [m for m in TICK_MONTHS if m >= wanted[-1]], most=most)
    step = min(wide, close) * DAYS_A_MONTH
    return [i * step for i in range(int(end // step) + 1)]


def shown_days(look: FigureLook, marks: Sequence[float]) -> list[float]:
    """Return the days at which a plan wants ticks and numbers under a curve.

    Parameters
    ----------
    marks
        The days at which they stand by themselves; 0 first, in equal steps.
    """
    if isinstance(look.x_breaks, tuple):
        return [month * DAYS_A_MONTH for month in look.x_breaks]
    end = marks[-1] if look.x_max is None else look.x_max * DAYS_A_MONTH
    if look.x_breaks is not None:
        step = look.x_breaks * DAYS_A_MONTH
    else:
        step = marks[1] - marks[0] if len(marks) > 1 else DAYS_A_MONTH
        while end / step >= MOST_CLOSE_TICKS:
            step *= 2
    return [i * step for i in range(int(end / step + 1e-9) + 1)]


def _step(end: float, months: Sequence[int], *, most: int) -> int:
    return next((m for m in months if end / (m * DAYS_A_MONTH) < most), TICK_MONTHS[-1])
