"""Non-compartmental analysis of one profile.

Conventions. Time in days since the infusion; the count at day 0 is 0. Area: linear where counts rise, logarithmic where
they fall (linear-up log-down). Terminal slope: least squares of log counts on time over the last k counts after the
peak, the k >= 3 with the largest adjusted R2, and of those within 0.0001 of it the longest. Names of parameters are
those of the CDISC PP domain (controlled terminology PKPARMCD); what it does not name bears a name of ours.
Sources: Gabrielsson and Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis, 5th ed., chapter 2 (areas and
slopes); the set of parameters follows Stein et al., CPT Pharmacometrics Syst Pharmacol 2019;8:285-295.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.profiles import Profile
from reinfuse.plan.kinetics_rules import BelowRules, NcaRules

LATEST_START = 0.75
"""A profile tells an area to day T if a count was taken at or after this share of T: day 21 of 28."""
FEWEST_POINTS = 3
SAME_R2 = 1e-4
_NONE_COUNTED = "every count is below the limit of quantification"


@dataclass(frozen=True)
class NcaParameter:
    """One parameter: `value` None where it cannot be given, and `reason` says why."""

    code: str
    value: float | None
    unit: str
    reason: str | None = None


@dataclass(frozen=True)
class Terminal:
    """The terminal phase: first and last day, number of counts, slope and adjusted R2."""

    first: float
    last: float
    points: int
    slope: float
    intercept: float
    r2: float


@dataclass(frozen=True)
class _Points:
    """A profile's counts after the rules: strictly later days, 0 at day 0."""

    day: Floats = field(repr=False)
    value: Floats = field(repr=False)


def nca(profile: Profile, rules: NcaRules | None = None) -> tuple[NcaParameter, ...]:
    """Return the parameters of one profile.

    Parameters
    ----------
    profile
        Counts after one infusion.
    rules
        Default: those of a plan that sets none.

    Returns
    -------
    tuple of NcaParameter
        CMAX, TMAX, CLST, TLST, AUCLST, AUCINT (one a day of `area_days`, the code followed by the day), LAMZHL with
        LAMZ, LAMZNPT, LAMZLL, LAMZUL and R2ADJ, TBLQ and, where asked, TABOVE.
    """
    rules = rules or NcaRules()
    return tuple(_parameters(profile, rules))


def _parameters(profile: Profile, rules: NcaRules) -> Iterator[NcaParameter]:
    unit = profile.unit
    counted = np.flatnonzero(profile.counted)
    if not counted.size:
        why = _NONE_COUNTED
        for code, of in (("CMAX", unit), ("TMAX", "days"), ("CLST", unit), ("TLST", "days")):
            yield NcaParameter(code, None, of, why)
        yield NcaParameter("AUCLST", None, f"{unit} x days", why)
        for to in rules.area_days:
            yield NcaParameter(f"AUCINT{to:g}", None, f"{unit} x days", why)
        yield NcaParameter("LAMZHL", None, "days", why)
    else:
        yield from _extremes(profile)
        terminal, why_not = terminal_phase(profile, rules)
        points = _apply(profile, rules.below)
        last = float(profile.day[counted[-1]])
        yield NcaParameter("AUCLST", area(points.day, points.value, last), f"{unit} x days")
        for to in rules.area_days:
            yield _window(profile, points, to, terminal=terminal)
        yield from _half_life(terminal, why_not)
    yield NcaParameter("TBLQ", *_first_of_two_below(profile))
    if rules.above is not None:
        yield _days_above(profile, rules)


def _extremes(profile: Profile) -> Iterator[NcaParameter]:
    counted = np.flatnonzero(profile.counted)
    peak = counted[int(np.argmax(profile.value[counted]))]  # the first of equal peaks
    at_last = peak == len(profile.day) - 1
    note = "the peak is the last count: it may lie later" if at_last else None
    yield NcaParameter("CMAX", float(profile.value[peak]), profile.unit, note)
    yield NcaParameter("TMAX", float(profile.day[peak]), "days", note)
    yield NcaParameter("CLST", float(profile.value[counted[-1]]), profile.unit)
    yield NcaParameter("TLST", float(profile.day[counted[-1]]), "days")


def _apply(profile: Profile, rules: BelowRules) -> _Points:
    """Return the counts that areas are made of."""
    counted = np.flatnonzero(profile.counted)
    first, last = counted[0], counted[-1]
    days, values = [0.0], [0.0]
    for i, (day, value, below) in enumerate(zip(profile.day, profile.value, profile.below, strict=True)):
        rule = rules.before if i < first else rules.between if i < last else rules.after
        if below:
            if rule == "missing":
                continue
            half = i <= last + 1 and rule == "half" and math.isfinite(value)
            value = value / 2 if half else 0.0
        days.append(float(day))
        values.append(float(value))
    return _Points(np.array(days), np.array(values))


def area(day: Floats, value: Floats, to: float) -> float:
    """Return the area under counts from the first day to `to`, linear up and logarithmic down.

    Between two counts the curve is cut at `to` along the same line; beyond the last count nothing is added.
    """
    total = 0.0
    for a, b, x, y in zip(day[:-1], day[1:], value[:-1], value[1:], strict=True):
        if a >= to:
            break
        if b > to:
            b, y = to, _between(a, b, x, y=y, at=to)
        total += (b - a) * ((x - y) / math.log(x / y) if 0 < y < x else (x + y) / 2)
    return float(total)


def _between(a: float, b: float, x: float, *, y: float, at: float) -> float:
    share = (at - a) / (b - a)
    return float(math.exp((1 - share) * math.log(x) + share * math.log(y)) if 0 < y < x else x + share * (y - x))


def _window(profile: Profile, points: _Points, to: float, *, terminal: Terminal | None) -> NcaParameter:
    """Return the area from day 0 to a day, with what was assumed to get there."""
    code, unit = f"AUCINT{to:g}", f"{profile.unit} x days"
    until = float(points.day[-1])
    if float(profile.day[-1]) < LATEST_START * to:
        return NcaParameter(code, None, unit, f"no count at or after day {LATEST_START * to:g}")
    measured = area(points.day, points.value, to)
    if until >= to or points.value[-1] == 0:
        return NcaParameter(code, measured, unit)
    if profile.until is not None and profile.until < to:
        return NcaParameter(code, None, unit, f"the next infusion came on day {profile.until:g}")
    if terminal is None:
        return NcaParameter(code, measured, unit, f"to day {until:g}, the last count")
    left = float(points.value[-1]) * (1 - math.exp(-terminal.slope * (to - until))) / terminal.slope
    return NcaParameter(code, measured + left, unit, f"from day {until:g} on along the terminal slope")


def terminal_phase(profile: Profile, rules: NcaRules | None = None) -> tuple[Terminal | None, str | None]:
    """Return the terminal phase, or the reason why there is none."""
    rules = rules or NcaRules()
    counted = np.flatnonzero(profile.counted)
    if not counted.size:
        return None, _NONE_COUNTED
    peak = counted[int(np.argmax(profile.value[counted]))]
    day, value = profile.day[counted[counted > peak]], np.log(profile.value[counted[counted > peak]])
    if len(day) < FEWEST_POINTS:
        return None, f"{len(day)} counts after the peak, fewer than {FEWEST_POINTS}"
    fits = [_line(day[-k:], value[-k:]) for k in range(FEWEST_POINTS, len(day) + 1)]
    falling = [f for f in fits if f.slope > 0]
    if not falling:
        return None, "no terminal decline"
    best = max(f.r2 for f in falling)
    chosen = max((f for f in falling if f.r2 >= best - SAME_R2), key=lambda f: f.points)
    span = (chosen.last - chosen.first) * chosen.slope / math.log(2)
    if chosen.r2 < rules.least_r2:
        return None, f"adjusted R2 {chosen.r2:.2f}, below {rules.least_r2:g}"
    if span < rules.least_span:
        return None, f"the counts span {span:.1f} half-lives, fewer than {rules.least_span:g}"
    return chosen, None


def _line(day: Floats, value: Floats) -> Terminal:
    n = len(day)
    x, y = day - day.mean(), value - value.mean()
    b = float((x * y).sum() / (x * x).sum())
    total = float((y * y).sum())
    left = float(((y - b * x) ** 2).sum())
    r2 = 1 - left / total if total > 0 else 0.0
    adjusted = 1 - (1 - r2) * (n - 1) / (n - 2)
    return Terminal(float(day[0]), float(day[-1]), n, -b, float(value.mean() - b * day.mean()), adjusted)


def _half_life(terminal: Terminal | None, why: str | None) -> Iterator[NcaParameter]:
    if terminal is None:
        yield NcaParameter("LAMZHL", None, "days", why)
        return
    yield NcaParameter("LAMZHL", math.log(2) / terminal.slope, "days")
    yield NcaParameter("LAMZ", terminal.slope, "1/days")
    yield NcaParameter("LAMZNPT", float(terminal.points), "counts")
    yield NcaParameter("LAMZLL", terminal.first, "days")
    yield NcaParameter("LAMZUL", terminal.last, "days")
    yield NcaParameter("R2ADJ", terminal.r2, "")


def persistence(profile: Profile) -> tuple[float, float | None]:
    """Return between which days the cells fell below the limit for good.

    The event is the first of two results below the limit that follow each other.

    Returns
    -------
    left, right
        It happened after day `left` and by day `right`; `right` None: not seen up to `left` (censored). A single
        result below the limit at the end is not confirmed, and so no event.
    """
    below = profile.below
    pairs = np.flatnonzero(below[:-1] & below[1:]) if len(below) > 1 else np.array([], dtype=int)
    counted = np.flatnonzero(~below)
    if counted.size:
        pairs = pairs[pairs > counted[0]]  # two results below the limit before the cells came up are no loss
    elif pairs.size:
        return 0.0, float(profile.day[0])
    if not pairs.size:
        return (float(profile.day[counted[-1]]) if counted.size else 0.0), None
    i = int(pairs[0])
    return float(profile.day[i - 1]) if i else 0.0, float(profile.day[i])


def _first_of_two_below(profile: Profile) -> tuple[float | None, str, str | None]:
    left, right = persistence(profile)
    if right is None:
        return None, "days", f"still above the limit, or not confirmed, on day {left:g}"
    return right, "days", f"after day {left:g}"


def _days_above(profile: Profile, rules: NcaRules) -> NcaParameter:
    """Return the days above the level; without a count above its limit, 0 if no limit is above the level."""
    if profile.counted.any():
        return NcaParameter("TABOVE", time_above(profile, rules), "days")
    if (profile.value <= (rules.above or 0.0)).all():  # not so where a limit is not known
        return NcaParameter("TABOVE", 0.0, "days", _NONE_COUNTED)
    return NcaParameter("TABOVE", None, "days", f"{_NONE_COUNTED}, which is above the level or not known")


def time_above(profile: Profile, rules: NcaRules) -> float:
    """Return the days that the counts were above a level, crossings found along the lines that areas are made of."""
    points, level, total = _apply(profile, rules.below), rules.above or 0.0, 0.0
    for a, b, x, y in zip(points.day[:-1], points.day[1:], points.value[:-1], points.value[1:], strict=True):
        if x > level and y > level:
            total += b - a
        elif (x > level) != (y > level):
            logarithmic = 0 < y < x and level > 0
            share = (math.log(x / level) / math.log(x / y)) if logarithmic else (level - x) / (y - x)
            total += (b - a) * (share if x > level else 1 - share)
    return float(total)


def folds(of: Sequence[tuple[Profile, tuple[NcaParameter, ...]]]) -> dict[tuple[str, int, str, str], float]:
    """Return each infusion's peak divided by that of the infusion before, same subset and unit."""
    peaks = {(p.patient_id, p.infusion, p.subset, p.unit): v.value
             for p, parameters in of for v in parameters if v.code == "CMAX" and v.value}  # fmt: skip
    ratios = {}
    for (patient, number, subset, unit), peak in peaks.items():
        before = peaks.get((patient, number - 1, subset, unit))
        if before and peak:
            ratios[patient, number, subset, unit] = peak / before
    return ratios
