"""Peak and area by day 28, from nothing but the counts by that day: what infusions are compared by at the landmark.

A count below the limit stands for half its limit wherever it stands, also from day 0 on where the first count is below;
where its limit is not given, for half the least limit of the unit, and for 0 where no limit is. Area: linear up,
logarithmic down, the last count, of `LAST_VISIT` or later, carried on to day 28. So an infusion without a count above
the limit has the area of half the limit, one with such a count has at least that, and no greater count lowers it:
between two counts the line lies higher the higher its ends are, as both means that areas are made of grow with both.

In the terms of CDISC and PKNCA it is an AUCINT from day 0 to 28, but for those two conventions; the AUCINT of `nca`
also looks at later counts, to interpolate at day 28 or to find the terminal slope.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.nca import area
from reinfuse.kinetics.profiles import Profile

WINDOW = 28.0
"""Days of the compared area, and the landmark from which progression-free survival is followed."""
LAST_VISIT = 19.0
"""Day on which a count must have been taken, or later: the visit of day 21, two days early at most."""
NO_LIMIT = "no count above the limit, and the limit is not given"
Value = tuple[float | None, str | None]
"""A number above 0 and finite, or None and the reason."""


def least_limit(profiles: Iterable[Profile], day: float = math.inf) -> float | None:
    """Return the least limit of the counts below it by a day; None where none is given."""
    limits = [v for p in profiles for v in p.value[p.below & (p.day <= day)].tolist() if math.isfinite(v)]
    return min(limits, default=None)


def peak_by(profile: Profile, day: float, *, limit: float | None) -> Value:
    """Return the greatest count by a day; half the least limit if all are below.

    Parameters
    ----------
    limit
        Of counts whose own is not given.
    """
    by = profile.day <= day
    if not by.any():
        return None, f"no count by day {day:g}"
    counted = by & profile.counted
    if counted.any():
        return _above_zero(float(profile.value[counted].max()))
    return _above_zero(float(_standing(profile, limit)[by].min()))


def area_by(profile: Profile, limit: float | None) -> Value:
    """Return the area from day 0 to `WINDOW`, in the unit of the counts x days; `limit` as for `peak_by`."""
    by = profile.day <= WINDOW
    if profile.until is not None and profile.until < WINDOW:
        return None, f"the next infusion before day {WINDOW:g}"
    if not by.any() or profile.day[by][-1] < LAST_VISIT:
        return None, f"no count from day {LAST_VISIT:g} to {WINDOW:g}"
    days, values = profile.day[by], _standing(profile, limit)[by]
    first = values[0] if profile.below[0] else 0.0
    carried = float(values[-1]) * (WINDOW - float(days[-1]))
    measured = area(np.concatenate([[0.0], days]), np.concatenate([[first], values]), WINDOW)
    return _above_zero(measured + carried)


def _standing(profile: Profile, limit: float | None) -> Floats:
    """Return what each count stands for."""
    limits = np.where(np.isfinite(profile.value), profile.value, limit or 0.0)
    return np.where(profile.below, limits / 2, profile.value)


def _above_zero(value: float) -> Value:
    return (value, None) if 0 < value < math.inf else (None, NO_LIMIT if value == 0 else "counts too large to sum")
