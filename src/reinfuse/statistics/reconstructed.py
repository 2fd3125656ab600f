"""Patients behind risk tables, and what follows from all of them: survival, median, restricted mean.

A table says how many were censored in each gap, not when: their times are drawn uniformly between the printed numbers
at risk, or put at the censoring marks; of those left after the last step one is followed to the end of the curve.

Every estimate is made of every table. Of a mean the limits are those of the mixture of the tables' confidence
distributions, weighted as the tables are; of a median, and of survival at a time, the least lower and the greatest
upper limit of any table. What the tables do not agree on stands beside it as a range.

Kalbfleisch JD, Prentice RL, The Statistical Analysis of Failure Time Data, 2002 (log-log limits); Brookmeyer R,
Crowley J, Biometrics 1982;38:29-41; Klein JP, Moeschberger ML, Survival Analysis, 2003, section 4.5; Xie M, Singh K,
Int Stat Rev 2013;81:3-39 (confidence distributions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from reinfuse.arrays import Floats, Integers
from reinfuse.statistics.curve_reading import CurveReading, Gap
from reinfuse.statistics.risk_tables import RiskTables

_ROUNDS = 80


@dataclass(frozen=True)
class EnsembleEstimate:
    """An estimate from all tables.

    Attributes
    ----------
    value
        Of the most likely table; NaN: not reached, or not estimable.
    least, greatest
        Of any table; `greatest` is NaN where some table has no value.
    lower, upper
        Limits; `upper` is NaN where some table has none.
    lacking
        Share of the tables' weight in which there is no value.
    """

    value: float
    least: float
    greatest: float
    lower: float
    upper: float
    lacking: float


def patients_of(reading: CurveReading, at_risk: Integers, events: Integers,
                *, random: np.random.Generator) -> tuple[Floats, Floats]:  # fmt: skip
    """Return follow-up and event (1 or 0) of each patient of one table, events of a step first.

    Parameters
    ----------
    reading
        The curve.
    at_risk, events
        Shape (k,): one table.
    random
        Of the times of censoring.
    """
    every = reading.gaps
    left = np.append(reading.patients, at_risk - events)
    times, status = [], []
    for k, gap in enumerate(every):
        last = k == len(reading.time)
        censored = _censoring_times(reading, gap, int(left[k]), at_risk=0 if last else int(at_risk[k]), random=random)
        if last and len(censored):
            censored[-1] = reading.end
        times.append(censored)
        status.append(np.zeros(len(censored)))
        if not last:
            times.append(np.full(int(events[k]), reading.time[k]))
            status.append(np.ones(int(events[k])))
    return np.concatenate(times), np.concatenate(status)


def _censoring_times(
    reading: CurveReading, gap: Gap, left: int, *, at_risk: int, random: np.random.Generator
) -> Floats:
    if reading.marks is not None:
        marks = reading.marks[(reading.marks >= gap.start) & (reading.marks <= gap.end)]
        if len(marks) and left > at_risk:
            more = random.choice(marks, max(left - at_risk - len(marks), 0))
            return np.sort(np.concatenate([marks, more])[: left - at_risk])
    times, start, now = [np.zeros(0)], gap.start, left
    for end, number in (*gap.inner, (gap.end, at_risk)):
        times.append(np.sort(random.uniform(start, end, max(now - number, 0))))
        start, now = end, min(now, number)
    return np.concatenate(times)


def heights(tables: RiskTables) -> Floats:
    """Return the survival after each step of each table, shape (tables, k)."""
    survival: Floats = np.cumprod(1 - tables.events / tables.at_risk, axis=1).astype(np.float64)
    return survival


def median_time(reading: CurveReading, tables: RiskTables, *, confidence: float) -> EnsembleEstimate:
    """Return the median time with its Brookmeyer-Crowley limits (log-log).

    Parameters
    ----------
    reading, tables
        The curve and its tables.
    confidence
        Level.
    """
    survival = heights(tables)
    lower, upper = _log_log(tables, survival, confidence)
    values = [_half_times(reading.time, level) for level in (survival, lower, upper)]
    return _envelope(tables, values[0], values[1], upper=values[2])


def survival_at(reading: CurveReading, tables: RiskTables, time: float, *, confidence: float) -> EnsembleEstimate:
    """Return survival at a time with its log-log limits.

    Parameters
    ----------
    reading, tables, confidence
        As in `median_time`.
    time
        No later than the end of the curve.
    """
    k = int(np.searchsorted(reading.time, time, "right"))
    if k == 0:
        return EnsembleEstimate(1.0, 1.0, 1.0, float("nan"), float("nan"), 0.0)
    survival = heights(tables)
    lower, upper = _log_log(tables, survival, confidence)
    return _envelope(tables, survival[:, k - 1], lower[:, k - 1], upper=upper[:, k - 1])


def restricted_mean(
    reading: CurveReading, tables: RiskTables, horizon: float, *, confidence: float
) -> EnsembleEstimate:
    """Return the area under the curve up to a horizon, with normal limits of Greenwood's variance.

    Parameters
    ----------
    reading, tables, confidence
        As in `median_time`.
    horizon
        No later than the end of the curve.
    """
    mean, variance = means_to(reading, tables, horizon=horizon)
    lower, upper = mixture_limits(mean, np.sqrt(variance), tables.weight, confidence=confidence)
    return EnsembleEstimate(float(mean[tables.best]), float(mean.min()), float(mean.max()), lower, upper, 0.0)


def means_to(reading: CurveReading, tables: RiskTables, *, horizon: float) -> tuple[Floats, Floats]:
    """Return the restricted mean of each table, and its variance."""
    upto = int(np.searchsorted(reading.time, horizon, "right"))
    n, d = tables.at_risk[:, :upto], tables.events[:, :upto]
    survival = np.concatenate([np.ones((len(n), 1)), heights(tables)[:, :upto]], axis=1)
    areas = survival * np.diff(np.concatenate([[0.0], reading.time[:upto], [horizon]]))
    after = np.cumsum(areas[:, ::-1], axis=1)[:, ::-1][:, 1:]
    rises = np.where(n > d, d / np.maximum(n * (n - d), 1), 0.0)
    return areas.sum(axis=1), np.sum(after**2 * rises, axis=1)


def mixture_limits(estimate: Floats, error: Floats, weight: Floats, *, confidence: float) -> tuple[float, float]:
    """Return the limits of a weighted mixture of normal confidence distributions.

    Parameters
    ----------
    estimate, error, weight
        One a table; an error of 0 is a point.
    confidence
        Level.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import reconstructed
    >>> limits = reconstructed.mixture_limits(np.zeros(2), np.ones(2), np.full(2, 0.5), confidence=0.95)
    >>> [round(float(limit), 2) for limit in limits]
    [-1.96, 1.96]
    """
    tail = (1 - confidence) / 2
    if not np.all(error > 0):
        return float("nan"), float("nan")
    reach = float(-ndtri(tail / 100) * error.max())
    limits = []
    for wanted in (tail, 1 - tail):
        low, high = float(estimate.min()) - reach, float(estimate.max()) + reach
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            below = float(weight @ ndtr((middle - estimate) / error)) < wanted
            low, high = (middle, high) if below else (low, middle)
        limits.append((low + high) / 2)
    return limits[0], limits[1]


def _log_log(tables: RiskTables, survival: Floats, confidence: float) -> tuple[Floats, Floats]:
    n, d = tables.at_risk, tables.events
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(np.where(n > d, d / (n * (n - d)), np.nan), axis=1)
        half = -ndtri((1 - confidence) / 2) * np.sqrt(greenwood) / np.abs(np.log(survival))
        limits = survival ** np.exp(half), survival ** np.exp(-half)
    unclear = ~(survival > 0) | (survival >= 1)
    return np.where(unclear, np.nan, limits[0]), np.where(unclear, np.nan, limits[1])


def _half_times(time: Floats, level: Floats) -> Floats:
    """Return the time at which each row falls below 1/2, the middle of its flat piece where it is 1/2; NaN: never."""
    below, at = level < 0.5 - 1e-9, np.abs(level - 0.5) <= 1e-9
    half: Floats = np.where(below.any(axis=1), time[np.argmax(below, axis=1)], np.nan)
    first = time[np.argmax(at, axis=1)]
    return np.where(at.any(axis=1), np.where(np.isnan(half), first, (first + half) / 2), half)


def _envelope(tables: RiskTables, value: Floats, lower: Floats, *, upper: Floats) -> EnsembleEstimate:
    lacking = float(tables.weight[np.isnan(value)].sum())
    least, least_limit = (float(np.nanmin(x)) if not np.isnan(x).all() else float("nan") for x in (value, lower))
    return EnsembleEstimate(float(value[tables.best]), least, float(value.max()), least_limit, float(upper.max()),
                            lacking)  # fmt: skip
