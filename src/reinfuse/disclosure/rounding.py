"""Times and values told no finer than an interval that holds those of k patients.

A median, a quartile and the limits of a median each are the value of one patient, or lie between two. Each is rounded
to the finest step at which at least k patients of its group lie in the interval that rounds to the same: the median
and quartiles to the nearest, limits outwards, so that an interval covers as often as before. A limit is not told
either where it would, as printed, be by chance the time of fewer than k. Where no step does, the value is not told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.results.estimate import LIMIT_NOT_SHOWN, ROUNDED, Estimate, joined

Way = Literal["nearest", "down", "up"]
MONTHS = tuple(m * DAYS_A_MONTH for m in (0.1, 0.2, 0.5, 1, 2, 3, 6, 12))
"""Steps of times, in days."""
_SLACK = 1e-9
_PRINTED = MONTHS[0] / 2
"""Days within which times are printed alike."""


def rounded(value: float, of: Floats, k: int, *, steps: Iterable[float], way: Way = "nearest") -> float | None:
    """Return a value rounded to the finest step that hides it among k; None where none does.

    Parameters
    ----------
    value
        What would tell a patient's.
    of
        The values of all patients of the group, the same one as often as it occurs.
    steps
        From fine to coarse. A step of more than half the value is too coarse for the nearest; outwards one of more
        than the value is.
    """
    if value == 0:
        return 0.0 if int((of == 0).sum()) >= k else None
    for step in steps:
        if step > abs(value) / (2 if way == "nearest" else 1):
            break
        at = value / step
        if way == "nearest":
            i, below, above = math.floor(at + 0.5), -0.5, 0.5
        else:
            i = math.floor(at + _SLACK) if way == "down" else math.ceil(at - _SLACK)
            below, above = (0.0, 1.0) if way == "down" else (-1.0, 0.0)
        inside = (of / step >= i + below - _SLACK) & (of / step <= i + above + _SLACK)
        by_chance = way != "nearest" and 0 < int((abs(of - i * step) <= _PRINTED).sum()) < k
        if int(inside.sum()) >= k and not by_chance:
            return i * step if i else None
    return None


def nice_steps(value: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten, from three digits of a value on; 0 is rounded to itself."""
    ten = math.floor(math.log10(abs(value)))
    return [m * 10.0**e for e in range(ten - 2, ten + 1) for m in (1, 2, 5)]


def rounded_time(e: Estimate, times: Floats, *, k: int) -> Estimate | None:
    """Return a median time whose numbers hide each patient's; None where the median itself cannot.

    Parameters
    ----------
    times
        Of the events of the group; of a median follow-up, of the censorings.
    """
    mid = None if e.estimate is None else rounded(e.estimate, times, k, steps=MONTHS)
    if e.estimate is not None and mid is None:
        return None
    low = None if e.lower is None else rounded(e.lower, times, k, steps=MONTHS, way="down")
    high = None if e.upper is None else rounded(e.upper, times, k, steps=MONTHS, way="up")
    untold = [LIMIT_NOT_SHOWN[side] for side, was, now in (("lower", e.lower, low), ("upper", e.upper, high))
              if was is not None and now is None]  # fmt: skip
    if mid is not None:  # a step of one of them may lead it past the other
        low, high = None if low is None else min(low, mid), None if high is None else max(high, mid)
    rounding_note = None if (mid, low, high) == (None, None, None) else ROUNDED
    return replace(e, estimate=mid, lower=low, upper=high, note=joined([e.note, rounding_note, *untold]))
