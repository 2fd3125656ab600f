"""Factors and how long the cells persist: Weibull accelerated failure time model of interval-censored times.

Conventions. Times in days; log T = intercept + X b + scale W, W standard extreme value (of the minimum). A row tells
that the time is after `left` and by `right`: 0 as `left`, lost by the first count; None as `right`, not lost by `left`.
A time ratio is exp(b): above 1, the cells persist longer. Ratios, their profile limits and p are of one likelihood: a
limit solves 2 (l_max - l_profile(b)) = chi-square quantile on 1 df. With slope = 1/scale and slope x coefficients as
parameters the log likelihood is concave (Burridge, J R Stat Soc B 1981;43:41-45): it has one maximum, or grows along a
direction for ever. Such directions are sought by linear programs, as Albert and Anderson define separation
(Biometrika 1984;71:1-10).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import brentq, linprog
from scipy.special import chdtrc, chdtri

from reinfuse.analyses.association import ratio
from reinfuse.analyses.design_matrix import design_of
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined

METHOD = "Weibull, interval-censored, profile likelihood"
_FARTHEST = 40.0
"""Log time ratio over the range of a column beyond which a limit counts as not there."""
_FLATTEST = 1e-3
"""Slope, a unit being the spread of the log times, below which the times do not tell the shape."""
_MOST_STEPS = 500
_NO_GAIN = 1e-13
"""Expected gain of a step, in log likelihood, at which the steps end."""
_NO_SLOPE = 1e-9
_NO_SHAPE = "the intervals do not identify the shape"


@dataclass(frozen=True)
class AftFit:
    """A fitted model, or the reason why there is none.

    Attributes
    ----------
    coef
        Log time ratios of the columns; NaN where infinite.
    infinite
        Coefficients without a finite estimate.
    lower, upper
        Profile limits of `coef`; NaN where the likelihood never falls so far.
    p_value
        Likelihood ratio, on 1 df.
    intercept, scale
        In log days; the intercept is NaN where a coefficient is infinite.
    loglik
        Greatest log likelihood, or what it comes up to.
    reason
        Why there is no fit; then all numbers are NaN.
    """

    coef: Floats = field(repr=False)
    infinite: Bools = field(repr=False)
    lower: Floats = field(repr=False)
    upper: Floats = field(repr=False)
    p_value: Floats = field(repr=False)
    intercept: float
    scale: float
    loglik: float
    reason: str | None = None


@dataclass(frozen=True)
class _Times:
    """Log times, infinite where censored, and columns with the intercept first."""

    low: Floats
    high: Floats
    X: Floats

    def held(self, j: int, b: float) -> _Times:
        """Return what is left to fit with the coefficient of column j held at b."""
        shift = b * self.X[:, j]
        return _Times(self.low - shift, self.high - shift, np.delete(self.X, j, axis=1))

    def _hazards(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        """Return cumulative hazards at both ends and the share of those there at the first who go by the second."""
        a, b = (np.exp(np.clip(at[-1] * t - self.X @ at[:-1], -100, 100)) for t in (self.low, self.high))
        return a, b, np.maximum(-np.expm1(a - b), 1e-100)

    def value(self, at: Floats) -> float:
        """Return the log likelihood of slope x coefficients, and slope."""
        a, _, gone = self._hazards(at)
        return float(np.log(gone).sum() - a.sum())

    def slopes(self, at: Floats) -> tuple[Floats, Floats]:
        """Return gradient and minus Hessian of the log likelihood."""
        a, b, gone = self._hazards(at)
        left = np.exp(a - b)
        first = (-a / gone, b * left / gone)
        both = left / gone**2
        second = ((first[0] - a * a * both, a * b * both), (a * b * both, first[1] - b * b * both))
        rows = [np.column_stack([-self.X, np.where(np.isfinite(t), t, 0.0)]) for t in (self.low, self.high)]
        curve = sum((rows[i].T * second[i][k]) @ rows[k] for i in (0, 1) for k in (0, 1))
        return rows[0].T @ first[0] + rows[1].T @ first[1], -np.asarray(curve)

    def greatest(self) -> tuple[float, Floats]:
        """Return the greatest log likelihood (NaN: not found) and where it is: Newton's steps, halved where too long.

        A slope that runs to 0 ends near it: the likelihood is continuous there.
        """
        finite = np.concatenate([t[np.isfinite(t)] for t in (self.low, self.high)])
        at = np.zeros(self.X.shape[1] + 1)
        at[-1] = 1 / (float(finite.std()) or 1.0)
        at[0] = at[-1] * float(finite.mean())
        value = self.value(at)
        for _ in range(_MOST_STEPS):
            gradient, curve = self.slopes(at)
            step = np.linalg.lstsq(curve, gradient, rcond=None)[0]
            gain = float(gradient @ step)
            if gain < _NO_GAIN or at[-1] < _NO_SLOPE:
                return value, at
            share = min(1.0, 0.9 * at[-1] / -step[-1]) if step[-1] < 0 else 1.0
            while (next_value := self.value(at + share * step)) < value + 1e-4 * share * gain and share > 1e-9:
                share /= 2
            value, at = next_value, at + share * step
        return float("nan"), at

    @property
    def identified(self) -> bool:
        """Whether no two sets of parameters give every row the same probability."""
        ends = [np.column_stack([self.X, t])[np.isfinite(t)] for t in (self.low, self.high)]
        return bool(np.linalg.matrix_rank(np.vstack(ends), 1e-9) > self.X.shape[1])

    def growing(self, aim: Floats) -> bool:
        """Tell whether the likelihood grows for ever along a direction that goes along `aim`."""
        low, high = np.isfinite(self.low), np.isfinite(self.high)
        after = np.column_stack([-self.X, np.where(low, self.low, 0.0)])[low]
        by = np.column_stack([-self.X, np.where(high, self.high, 0.0)])[high]
        bounds = [(-1, 1)] * self.X.shape[1] + [(0, 1)]
        solution = linprog(-aim, A_ub=np.vstack([after, -by]), b_ub=np.zeros(len(after) + len(by)), bounds=bounds,
                           method="highs")  # fmt: skip
        return bool(solution.status != 0 or -solution.fun > 1e-7)


def fit(left: Sequence[float] | Floats, right: Sequence[float | None], X: Floats, confidence: float = 0.95) -> AftFit:
    """Fit the model.

    Parameters
    ----------
    left, right
        Ends of each row's interval in days; `right` None: censored at `left`.
    X
        Columns without the intercept, shape (rows, columns), none constant, none missing.
    confidence
        Of the limits.

    Raises
    ------
    ValueError
        If an interval ends before it begins, or begins before day 0.
    """
    low, high = np.asarray(left, dtype=np.float64), np.array([np.inf if r is None else float(r) for r in right])
    if (high <= low).any() or (low < 0).any():
        raise ValueError("intervals must end after they begin, and begin on day 0 or later")
    if not np.isfinite(high).any():
        return _none(X.shape[1], "no loss observed")
    with np.errstate(divide="ignore"):
        ends = np.log(low), np.log(high)
    ends_seen = np.concatenate([t[np.isfinite(t)] for t in ends])
    middle, spread = float(ends_seen.mean()), float(ends_seen.std()) or 1.0
    mean, sd = X.mean(axis=0), X.std(axis=0)
    Z = np.column_stack([np.ones(len(X)), (X - mean) / sd])
    scaled = _fit(_Times((ends[0] - middle) / spread, (ends[1] - middle) / spread, Z), confidence)
    unit = spread / sd
    intercept = spread * scaled.intercept + middle - float((scaled.coef * unit) @ mean)
    return replace(scaled, coef=scaled.coef * unit, lower=scaled.lower * unit, upper=scaled.upper * unit,
                   intercept=intercept, scale=scaled.scale * spread)  # fmt: skip


def _none(k: int, reason: str) -> AftFit:
    none, nan = np.full(k, np.nan), float("nan")
    return AftFit(none, np.zeros(k, dtype=np.bool_), none, none, none, nan, nan, nan, reason)


def _fit(times: _Times, confidence: float) -> AftFit:
    """Fit standardised times."""
    columns = times.X.shape[1]
    if not times.identified:
        return _none(columns - 1, _NO_SHAPE)
    aims = np.eye(columns + 1)
    if times.growing(aims[-1]):
        return _none(columns - 1, "the intervals are compatible with zero variance")
    best, at = times.greatest()
    slope = float(at[-1])
    if np.isnan(best) or slope < _FLATTEST:
        why = "the fit did not converge" if np.isnan(best) else _NO_SHAPE
        return _none(columns - 1, why)
    coef = at[:-1] / slope
    threshold = float(chdtri(1, 1 - confidence))
    infinite, rows = np.zeros(columns, dtype=np.bool_), []
    for j in range(1, columns):
        side = [times.growing(-aims[j]), times.growing(aims[j])]
        infinite[j] = any(side)
        rows.append(_column(times, at, j, best=best, threshold=threshold, grows=side))
    coef[infinite] = np.nan
    if infinite.any():
        coef[0] = np.nan
    lower, upper, p = np.array(rows).reshape(-1, 3).T
    return AftFit(coef[1:], infinite[1:], lower, upper, p, float(coef[0]), 1 / slope, best)


def _column(times: _Times, at: Floats, j: int, *, best: float, threshold: float,
            grows: Sequence[bool]) -> tuple[float, float, float]:  # fmt: skip
    """Return the limits and p of one coefficient."""

    def short(b: float) -> float:
        """Return how far the profile at b falls, beyond the threshold."""
        return 2 * (best - times.held(j, b).greatest()[0]) - threshold

    at_one = short(0.0)
    p = float(chdtrc(1, max(at_one + threshold, 0.0)))
    step, nowhere = 1 / float(np.ptp(times.X[:, j])), float("nan")
    if all(grows):
        return nowhere, nowhere, p
    if not any(grows):
        inside = float(at[j] / at[-1])
        return _crossing(short, inside, step=-step), _crossing(short, inside, step=step), p
    away = step if grows[1] else -step
    end = _crossing(short, 0.0, step=-away) if at_one < 0 else _crossing(lambda b: -short(b), 0.0, step=away)
    return (end, nowhere, p) if grows[1] else (nowhere, end, p)


def _crossing(short: Callable[[float], float], start: float, *, step: float) -> float:
    """Return where `short` becomes positive on the way from a point; NaN if it is not seen to."""
    near, far = start, 0.25
    while far <= _FARTHEST:
        b = start + far * step
        if (value := short(b)) > 0:
            return float(brentq(short, near, b, xtol=1e-10))
        if np.isnan(value):
            break
        near, far = b, 2 * far
    return float("nan")


def effects(
    left: Sequence[float] | Floats,
    right: Sequence[float | None],
    factors: Sequence[FactorColumn],
    *,
    model: str,
    confidence: float,
) -> list[Estimate]:
    """Return the ratio of the times of persistence for each term of one model.

    Parameters
    ----------
    left, right
        As `fit` takes them, one a patient: rows count as independent of each other.
    factors
        All factors of the model, in the order of the patients.
    model
        ``univariable`` or ``multivariable``.

    Returns
    -------
    list of Estimate
        `analysis` ``kinetics``, `endpoint` ``persistence``, `statistic` ``time_ratio``; events: losses seen. Patients
        with a factor missing are left out.
    """
    lost = np.array([r is not None for r in right], dtype=np.float64)
    days = np.asarray(left, dtype=np.float64)
    design = design_of(EndpointColumn("persistence", "Persistence", "time", lost, days), factors)
    fitted = None
    if design.usable:
        fitted = fit(days[design.rows], [right[i] for i in design.rows], design.X[:, design.usable], confidence)
    own = Estimate("kinetics", "persistence", "time_ratio", model=model, confidence=confidence, unit="ratio",
                   method=METHOD, n=design.n, events=design.events)  # fmt: skip
    records = []
    for j, term in enumerate(design.terms):
        one = replace(own, term=term, note=joined(design.notes_of_patients))
        why = design.why(j) or (fitted.reason if fitted else None)
        if why or fitted is None:
            records.append(replace(one, note=joined([f"{NOT_ESTIMABLE}: {why}", one.note])))
        else:
            records.append(_record(fitted, design.usable.index(j), one))
    return records


def _record(fitted: AftFit, at: int, one: Estimate) -> Estimate:
    value, lower, upper = (ratio(float(v[at])) for v in (fitted.coef, fitted.lower, fitted.upper))
    remark = None
    if fitted.infinite[at]:
        which = "lower" if lower is not None else "upper" if upper is not None else None
        what = "separation: the likelihood has no maximum"
        remark = f"{what}, only a {which} limit can be given" if which else f"{NOT_ESTIMABLE}: {what}"
    elif lower is None or upper is None:
        remark = "a limit is not estimable"
    return replace(one, estimate=value, lower=lower, upper=upper, p_value=finite(float(fitted.p_value[at])),
                   note=joined([remark, one.note]))  # fmt: skip
