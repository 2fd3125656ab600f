"""Missing factor values: multiple imputation by chained equations, to be read beside the complete cases.

Factor after factor, for ten cycles, each missing value is drawn from a model of its factor given the others and the
outcome (White, Royston and Wood, Stat Med 2011;30:377-399), of a time the event and the Nelson-Aalen cumulative hazard
(White and Royston, Stat Med 2009;28:1982-1998). Numbers: Bayesian linear regression and predictive mean matching, type
1, five donors (van Buuren, Flexible Imputation of Missing Data, 2018, section 3.4). Yes or no: Firth's logistic model,
its coefficients drawn from their normal approximation; categories: a chain of these, each level against those after
it. A prior of precision `_RIDGE` on standardised predictors keeps constant and collinear ones harmless. Firth fits of
the completed data are pooled by Rubin's rules. Values are taken as missing at random given what is in the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from scipy.special import expit, stdtr, stdtrit

from reinfuse.analyses.association import infinite, ratio
from reinfuse.analyses.base import Analysis, Inputs, Model, Step, of_endpoint, seed_words
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.small_groups import events_for_normal, withheld
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth, firth_batch

METHOD = "multiple imputation by chained equations ({} imputations), Firth, Rubin's rules, Barnard-Rubin df"
CYCLES = 10
DONORS = 5
FEWEST_KNOWN = 5
MOST_PATIENTS = 2000
_RIDGE = 0.1
_PRIOR_AT = 0.2  # predictor of the pseudo-patients that carry the prior: so small that they add about a parabola
_MOST_DF = 1e30
_WALD = ", and the Wald interval is unreliable"
_FAR = "too extreme to report"
_LEAST_SHARE = 1e-4  # of the variance between data sets, for the degrees of freedom; as R's mice has it
_TRIES = 5  # more rounds of steps, from where the last ended: a plateau of the likelihood makes steps short


@dataclass(frozen=True)
class Pooled:
    """An effect pooled over completed data sets; limits and p-value are of the t distribution with `df`.

    Attributes
    ----------
    missing_information
        Fraction of missing information; None of a single data set, which does not tell.
    variance
        Total variance of the estimate.
    """

    estimate: float
    lower: float
    upper: float
    p_value: float
    df: float
    missing_information: float | None
    variance: float


def pool(estimates: Floats, variances: Floats, confidence: float, *, complete_df: float) -> Pooled:
    """Pool by Rubin's rules with Barnard and Rubin's degrees of freedom (Biometrika 1999;86:948-955).

    Parameters
    ----------
    estimates, variances
        Of each completed data set.
    complete_df
        Degrees of freedom that the complete data would have, above 0; infinite for Rubin's own.
    """
    m = len(estimates)
    estimate, within = float(np.mean(estimates)), float(np.mean(variances))
    between = (1 + 1 / m) * float(np.var(estimates, ddof=1)) if m > 1 else 0.0
    total = within + between
    share = between / total if total > 0 else 0.0
    df = _degrees(m, share, complete_df=complete_df)
    error = math.sqrt(total)
    half = error * float(stdtrit(df, (1 + confidence) / 2))
    p = 2 * float(stdtr(df, -abs(estimate) / error)) if error > 0 else float(estimate == 0)
    information = share + (1 - share) * 2 / (df + 3) if m > 1 else None
    return Pooled(estimate, estimate - half, estimate + half, p, df, information, total)


def _degrees(m: int, share: float, *, complete_df: float) -> float:
    """Return the degrees of freedom; `share`: of the variance, what is between data sets."""
    share = max(share, _LEAST_SHARE) if m > 1 else 0.0
    drawn = (m - 1) / share**2 if m > 1 else _MOST_DF
    complete_df = min(complete_df, _MOST_DF)
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    return drawn * observed / (drawn + observed)


@dataclass(frozen=True)
class _Column:
    """A factor in the patients whose endpoint is known: numbers, or places in its levels; NaN = missing."""

    factor: FactorColumn
    codes: Floats

    @property
    def missing(self) -> Bools:
        """Patients whose value is missing."""
        return np.isnan(self.codes)

    def design(self, filled: Floats) -> Floats:
        """Return the design columns of completed values: shape (m, n) becomes (m, n, terms)."""
        if self.factor.kind == "number":
            return filled[:, :, None]
        return np.asarray(filled[:, :, None] == np.arange(1, len(self.factor.levels)), dtype=np.float64)


def imputed(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, confidence: float, imputations: int,
            rng: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Fit one model of an endpoint to completed data sets; return one record a term, none where nothing is missing.

    Parameters
    ----------
    endpoint, factors, model, confidence
        As in `association.associations`.
    imputations, rng
        How many completed data sets; the same state of the generator gives the same numbers.
    """
    evaluated = endpoint.known
    columns = [_Column(f, _codes(f)[evaluated]) for f in factors if f.terms]
    count = int(np.sum(np.any([c.missing for c in columns], axis=0)))
    if imputations < 1 or not count:
        return []
    own = Estimate("imputation", endpoint.name, "odds_ratio" if endpoint.kind == "binary" else "hazard_ratio",
                   model=model, confidence=confidence, unit="ratio", method=METHOD.format(imputations),
                   n=int(evaluated.sum()), events=int(endpoint.event[evaluated].sum()))  # fmt: skip
    terms = [t for c in columns for t in c.factor.terms]
    if why := _cannot(endpoint, columns):
        return [replace(own, term=t, note=f"{NOT_ESTIMABLE}: {why}") for t in terms]
    filled = _chains(columns, _outcome(endpoint), imputations, rng=rng)
    first = design_of(endpoint, [_completed(c, evaluated, filled=v[0]) for c, v in zip(columns, filled, strict=True)])
    if not first.usable:
        return [replace(own, term=t, note=f"{NOT_ESTIMABLE}: {first.why(j)}") for j, t in enumerate(terms)]
    X = np.concatenate([c.design(v) for c, v in zip(columns, filled, strict=True)], axis=2)
    return _records(own, first, X, imputed_in=f"values imputed in {count} patient{'s' if count > 1 else ''}")


def _codes(factor: FactorColumn) -> Floats:
    """Return the numbers, or the places in the factor's levels, of all patients."""
    if factor.kind == "number":
        return factor.columns[:, 0]
    return np.asarray(factor.columns @ np.arange(1.0, len(factor.levels)), dtype=np.float64)


def _cannot(endpoint: EndpointColumn, columns: Sequence[_Column]) -> str | None:
    """Return why nothing can be imputed, or None."""
    if endpoint.entry is not None:
        return "imputation does not support delayed entry"
    n = int(endpoint.known.sum())
    if n > MOST_PATIENTS:
        return f"imputation is limited to {MOST_PATIENTS} patients"
    for column in (c for c in columns if c.missing.any()):
        observed = column.codes[~column.missing]
        if len(observed) < FEWEST_KNOWN:
            return f"{column.factor.label} is observed in {len(observed)} of {n} patients, fewer than {FEWEST_KNOWN}"
        if np.ptp(observed) == 0:
            return f"{column.factor.label} has a single observed value"
    return None


def _outcome(endpoint: EndpointColumn) -> Floats:
    """Return what stands for the outcome among the predictors, shape (n, 1 or 2) (Stat Med 2009;28:1982-1998)."""
    event = endpoint.event[endpoint.known]
    if endpoint.time is None:
        return event[:, None]
    time = endpoint.time[endpoint.known]
    times, place = np.unique(time, return_inverse=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), times)
    hazard = np.cumsum(np.bincount(place, event) / at_risk)
    return np.column_stack([event, hazard[place]])


def _chains(columns: Sequence[_Column], outcome: Floats, imputations: int,
            *, rng: np.random.Generator) -> list[Floats]:  # fmt: skip
    """Return the completed values of each factor, shape (m, n)."""
    filled = [np.tile(c.codes, (imputations, 1)) for c in columns]
    for column, values in zip(columns, filled, strict=True):
        gaps = column.missing
        values[:, gaps] = rng.choice(column.codes[~gaps], (imputations, int(gaps.sum()))) if gaps.any() else 0.0
    turns = sorted((j for j, c in enumerate(columns) if c.missing.any()), key=lambda j: columns[j].missing.sum())
    fixed = np.tile(outcome, (imputations, 1, 1))
    for _ in range(CYCLES if len(turns) > 1 else 1):  # one incomplete factor: its draws do not depend on earlier ones
        for j in turns:
            others = [c.design(v) for i, (c, v) in enumerate(zip(columns, filled, strict=True)) if i != j]
            draw = _matched if columns[j].factor.kind == "number" else _levels
            filled[j][:, columns[j].missing] = draw(columns[j], _standardised(np.concatenate([*others, fixed], 2)), rng)
    return filled


def _standardised(X: Floats) -> Floats:
    """Return the predictors of each data set with mean 0 and variance 1, constant ones as 0, and an intercept last."""
    scale, size = X.std(axis=1, keepdims=True), np.abs(X).max(axis=1, keepdims=True)
    Z = (X - X.mean(axis=1, keepdims=True)) / np.where(scale > 1e-9 * size, scale, np.inf)
    return np.concatenate([Z, np.ones((*X.shape[:2], 1))], axis=2)


def _matched(column: _Column, Z: Floats, rng: np.random.Generator) -> Floats:
    """Draw numbers by predictive mean matching, shape (m, missing)."""
    gaps, y, k = column.missing, column.codes[~column.missing], Z.shape[2]
    prior = np.diag(np.append(np.full(k - 1, _RIDGE), 0.0))
    imputed_values = np.empty((len(Z), int(gaps.sum())))
    y_scaled = (y - y.mean()) / y.std()
    for row, z in enumerate(Z):
        x = z[~gaps]
        inverse = np.linalg.inv(x.T @ x + prior)
        best = inverse @ (x.T @ y_scaled)
        left = y_scaled - x @ best
        sigma = math.sqrt(float(left @ left) / rng.chisquare(max(len(y) - k, 1)))
        drawn = best + sigma * np.linalg.cholesky(inverse) @ rng.standard_normal(k)
        distance = np.abs((z[gaps] @ drawn)[:, None] - (x @ best)[None, :])
        distance += 1e-9 * rng.random(distance.shape)  # ties in any order
        donors = np.argpartition(distance, DONORS - 1, axis=1)[:, :DONORS]
        imputed_values[row] = y[donors[np.arange(len(donors)), rng.integers(0, DONORS, len(donors))]]
    return imputed_values


def _levels(column: _Column, Z: Floats, rng: np.random.Generator) -> Floats:
    """Draw places of levels, each level against those after it, shape (m, missing)."""
    gaps, codes = column.missing, column.codes
    present = np.unique(codes[~gaps])
    places = np.full((len(Z), int(gaps.sum())), present[-1])
    undecided = np.ones(places.shape, dtype=np.bool_)
    for level in present[:-1]:
        rows = ~gaps & (codes >= level)
        b = _coefficients(Z[:, rows], (codes[rows] == level).astype(np.float64), rng=rng)
        chance = expit(np.matmul(Z[:, gaps], b[:, :, None])[:, :, 0])
        taken = undecided & (rng.random(places.shape) < chance)
        places[taken] = level
        undecided &= ~taken
    return places


def _coefficients(Z: Floats, outcome: Floats, *, rng: np.random.Generator) -> Floats:
    """Draw Firth's logistic coefficients, shape (m, k); the prior is a pseudo-patient a predictor with outcome 1/2."""
    m, n, k = Z.shape
    X = np.concatenate([Z, np.tile(_PRIOR_AT * np.eye(k - 1, k), (m, 1, 1))], axis=1)
    weights = np.append(np.ones(n), np.full(k - 1, 4 * _RIDGE / _PRIOR_AT**2))
    y = np.append(outcome, np.full(k - 1, 0.5))
    fits = firth_batch.logistic(X, np.tile(y, (m, 1)), weights=np.tile(weights, (m, 1)), close=firth_batch.ROUGH)
    sizes, directions = np.linalg.eigh(np.nan_to_num(fits.information))
    steps = rng.standard_normal((m, k)) / np.sqrt(np.maximum(sizes, _RIDGE**2))
    return np.asarray(np.nan_to_num(fits.coef) + np.matmul(directions, steps[:, :, None])[:, :, 0], dtype=np.float64)


def _completed(column: _Column, evaluated: Bools, *, filled: Floats) -> FactorColumn:
    """Return the factor with one data set's values."""
    factor, codes = column.factor, _codes(column.factor).copy()
    codes[evaluated] = filled
    if factor.kind == "number":
        return replace(factor, values=pl.Series(factor.name, codes))
    words = [None if np.isnan(c) else factor.levels[int(c)] for c in codes]
    return replace(factor, values=pl.Series(factor.name, words, dtype=pl.String))


def _records(own: Estimate, first: DesignMatrix, X: Floats, *, imputed_in: str) -> list[Estimate]:
    """Fit every data set, X of shape (m, n, terms), and pool; reasons, separation and notes are of the first set."""
    m, n, _ = X.shape
    X = X[:, :, first.usable]
    scale, event = X.std(axis=(0, 1)), np.tile(first.event, (m, 1))
    Z = (X - X.mean(axis=(0, 1))) / scale
    if first.time is None:
        fit = partial(firth_batch.logistic, np.concatenate([Z, np.ones((m, n, 1))], axis=2), event)
        lost, complete_df = firth.separated(Z[0], first.event), n - len(scale) - 1
    else:
        fit = partial(firth_batch.cox, Z, np.tile(first.time, (m, 1)), event)
        lost, complete_df = firth.monotone(Z[0], first.event, time=first.time), first.events - len(scale)
    fits = fit()
    for _ in range(_TRIES):
        fits = fits if fits.converged.all() else fit(start=np.nan_to_num(fits.coef))
    why = None if fits.converged.all() else f"the fit did not converge in {(~fits.converged).sum()} of {m} data sets"
    records = []
    for j, term in enumerate(first.terms):
        if reason := first.reasons.get(j, why):
            records.append(replace(own, term=term, note=joined([f"{NOT_ESTIMABLE}: {reason}", *first.notes])))
            continue
        at = first.usable.index(j)
        variances = np.linalg.inv(fits.information)[:, at, at] / scale[at] ** 2
        pooled = pool(fits.coef[:, at] / scale[at], variances, own.confidence or 0.0, complete_df=max(complete_df, 1))
        value, lower, upper = (ratio(v) for v in (pooled.estimate, pooled.lower, pooled.upper))
        far, missing = None in (value, lower, upper), pooled.missing_information
        remarks = [f"{NOT_ESTIMABLE}: {_FAR}" if value is None else f"a limit is {_FAR}" if far else None, imputed_in,
                   None if missing is None else f"fraction of missing information {missing:.2f}",
                   infinite(first.kind) + _WALD if lost[at] else None, *first.notes]  # fmt: skip
        records.append(replace(own, term=term, estimate=value, lower=lower, upper=upper, p_value=finite(pooled.p_value),
                               note=joined(remarks)))  # fmt: skip
    return records


def _of_enough(model: Model, confidence: float, imputations: int, *, rng: np.random.Generator) -> list[Estimate]:
    """Return the pooled effects; Rubin's intervals are normal ones, so those of too few events are not estimable."""
    records = imputed(*model, confidence, imputations, rng)
    columns = sum(e.estimate is not None for e in records)

    def rarer(e: Estimate) -> int:
        events = e.events or 0
        return events if model[0].kind != "binary" else min(events, (e.n or 0) - events)

    return [withheld(e, events_for_normal(rarer(e), columns)) for e in records]


def _steps(inputs: Inputs) -> Iterator[Step]:
    for model in inputs.main:
        rng = inputs.random("imputation", *seed_words(model))
        work = partial(_of_enough, model, inputs.plan.confidence, inputs.plan.analyses.imputations, rng=rng)
        yield of_endpoint("imputation", model[0], work=work)


ANALYSIS = Analysis(
    "imputation",
    records="imputation",
    section="sure",
    steps=_steps,
    what="factors with missing values, beside complete cases",
    method="chained equations with the outcome (event and Nelson-Aalen), Rubin's rules, Barnard-Rubin degrees of "
    "freedom (Stat Med 2009;28:1982; Biometrika 1999;86:948)",
    lacking="no missing factor value in the models",
    switches=("imputations",),
)
