"""What would this cohort be expected to show under each combination of protocols? Hypothesis-generating.

g-computation (Robins, Math Model 1986;7:1393-1512; Snowden, Rose and Mortimer, Am J Epidemiol 2011;173:731-738): the
outcome is modelled on exposures and confounders, every patient is given one combination of exposures, and the
predictions are averaged. Binary: Firth logistic, the intercept corrected so that predictions average to what was
observed (Puhr et al., Stat Med 2017;36:2302-2317). Time to event: Firth Cox, Breslow's baseline. Inverse-probability
weighting: patients who had the combination, each weighted by one over its probability given the confounders (a chain of
Firth logistic models, one exposure after the other), Hajek mean or Kaplan-Meier. Augmented weighting: both together
(`statistics.doubly_robust`), of times by pseudo-values. Intervals: percentiles of the bootstrap, models fitted anew. A
combination that fewer than a set number of patients had is not estimated. `protocol_balance` shows the weights.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.bootstrap_stability import MOST_PATIENTS, resampled
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.protocol_balance import balance
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Combination, Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics import doubly_robust, firth_batch

G_COMPUTATION = "g-computation, Firth, bootstrap percentile CI"
WEIGHTING = "inverse-probability weighting, bootstrap percentile CI"
DOUBLY_ROBUST = "augmented inverse-probability weighting, bootstrap percentile CI"
_LEAST_SHARE = 0.5
"""Share of bootstrap samples that must give an answer."""
_ROUNDS = 50
_SAME = 1e-9


@dataclass(frozen=True)
class _Data:
    """Exposures E, confounders L and outcome of the complete cases; pairs of exposures that may act together."""

    design: DesignMatrix
    E: Floats = field(repr=False)
    L: Floats = field(repr=False)
    day: float | None
    pairs: tuple[tuple[int, int], ...] = ()

    def columns(self, exposures: Floats) -> Floats:
        """Return the columns of the outcome model with these exposures."""
        products = [exposures[:, i] * exposures[:, j] for i, j in self.pairs]
        return np.column_stack([exposures, *products, self.L])

    def under(self, levels: Sequence[float]) -> Floats:
        """Return the columns of the outcome model with every patient under one combination."""
        return self.columns(np.broadcast_to(np.asarray(levels), self.E.shape))

    def had(self, levels: Sequence[float]) -> Bools:
        """Return who had a combination."""
        return np.asarray((np.asarray(levels) == self.E).all(axis=1))


def standardised(endpoint: EndpointColumn, exposures: Sequence[FactorColumn], confounders: Sequence[FactorColumn],
                 *, day: float | None, fewest: int, draws: int, confidence: float, rng: np.random.Generator,
                 interactions: Sequence[tuple[str, str]] = ()) -> list[Estimate]:  # fmt: skip
    """Return the expected outcome under each combination of yes/no exposures by each method, and the weights.

    Parameters
    ----------
    day
        Of a time to event: the day at which the probability of no event is given.
    fewest
        Patients that must have had a combination.
    interactions
        Pairs of exposures whose product is in the outcome model.
    """
    design = design_of(endpoint, [*exposures, *confounders])
    first = Estimate("standardised", endpoint.name, "proportion" if day is None else "rate_at", at=day, unit="fraction",
                     confidence=confidence, n=design.n, events=design.events, method=G_COMPUTATION)  # fmt: skip
    k = len(exposures)
    unusable = [f"{design.terms[j]}: {design.reasons[j]}" for j in range(k) if j in design.reasons]
    why = design.impossible or (unusable[0] if unusable else None)
    if why is None and design.n > MOST_PATIENTS:
        why = f"over {MOST_PATIENTS} patients: not run"
    if why is None and day is not None and day > float(np.asarray(design.time).max()):
        why = f"beyond the last follow-up, day {np.asarray(design.time).max():g}"
    if why is not None:
        return [replace(first, note=f"{NOT_ESTIMABLE}: {why}")]
    L = design.X[:, [j for j in design.usable if j >= k]]
    places = {f.name: i for i, f in enumerate(exposures)}
    pairs = tuple((places[a], places[b]) for a, b in interactions if {a, b} <= places.keys())
    data = _Data(design, design.X[:, :k], (L - L.mean(axis=0)) / L.std(axis=0), day, pairs)
    weights = np.vstack([np.ones((1, design.n)), resampled(design.n, draws, rng=rng)])
    combinations = list(itertools.product((0.0, 1.0), repeat=k))
    predictions, good = _predictions(data, weights, combinations=combinations)
    probabilities, estimable = _probabilities(data, weights, combinations=combinations)
    by_method = {
        G_COMPUTATION: _averaged(predictions, weights, good=good),
        WEIGHTING: _weighted(data, weights, probabilities, combinations=combinations, good=estimable),
        DOUBLY_ROBUST: _augmented(data, weights, predictions, probabilities=probabilities, combinations=combinations,
                                  good=good & estimable),
    }  # fmt: skip
    names = [
        Combination(Stratum(f.name, "yes" if v else "no") for f, v in zip(exposures, c, strict=True))
        for c in combinations
    ]
    records = [
        _record(
            replace(first, method=method, group=name),
            values[:, i],
            data.had(levels),
            data=data,
            fewest=fewest,
            confidence=confidence,
            alike=method != G_COMPUTATION and _is_certain(float(by_method[WEIGHTING][0, i])),
        )
        for method, values in by_method.items()
        for i, (levels, name) in enumerate(zip(combinations, names, strict=True))
    ]
    groups: dict[str, tuple[Bools, Floats]] = {
        name: (data.had(levels), probabilities[i][0])
              for i, (levels, name) in enumerate(zip(combinations, names, strict=True))}  # fmt: skip
    confounding = [j for j in design.usable if j >= k]
    if not confounding or not estimable[0]:
        return records
    terms = {design.terms[j]: design.X[:, j] for j in confounding}
    return [*records, *balance(first, terms, design.event, groups=groups, fewest=fewest)]


def _is_certain(share: float) -> bool:
    """Tell whether all who had a combination have one outcome: no resampling says how uncertain that is."""
    return share < _SAME or share > 1 - _SAME


def _record(first: Estimate, values: Floats, had: Bools, *, data: _Data, fewest: int, confidence: float,
            alike: bool) -> Estimate:  # fmt: skip
    n, events = int(had.sum()), int(data.design.event[had].sum())
    first = replace(first, n=n, events=events)
    if n < fewest:
        return replace(
            first, note=f"{NOT_ESTIMABLE}: positivity violated, fewer than {fewest} patients received this protocol"
        )
    drawn = values[1:][np.isfinite(values[1:])]
    lost = data.design.left_out
    left_out = f"{lost} patient{'s' if lost > 1 else ''} excluded, factor missing" if lost else None
    if not np.isfinite(values[0]):
        return replace(first, note=f"{NOT_ESTIMABLE}: the model did not converge")
    if len(drawn) < _LEAST_SHARE * (len(values) - 1):
        return replace(first, estimate=float(values[0]), note=joined([f"interval {NOT_ESTIMABLE}", left_out]))
    if alike:
        why = f"interval {NOT_ESTIMABLE}: all who received this protocol have one outcome"
        return replace(first, estimate=float(values[0]), note=joined([why, left_out]))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    if high - low < _SAME:
        why = f"interval {NOT_ESTIMABLE}: the same in every bootstrap sample"
        return replace(first, estimate=float(values[0]), note=joined([why, left_out]))
    samples = f"{len(drawn)} of {len(values) - 1} bootstrap samples" if len(drawn) < len(values) - 1 else None
    return replace(
        first, estimate=float(values[0]), lower=float(low), upper=float(high), note=joined([samples, left_out])
    )


def _predictions(
    data: _Data, weights: Floats, *, combinations: Sequence[Sequence[float]]
) -> tuple[list[Floats], Bools]:
    """Return each patient's prediction under each combination, shape (rows of weights, n), and which fits hold."""
    d = data.design
    X, event = data.columns(data.E), np.tile(d.event, (len(weights), 1))
    if d.time is None:
        fits = firth_batch.logistic(np.column_stack([X, np.ones(d.n)]), event, weights=weights)
        intercept = flic(fits.coef[:, :-1] @ X.T, event, weights=weights)
        under = [1 / (1 + np.exp(-np.clip(intercept[:, None] + fits.coef[:, :-1] @ data.under(c).T, -700, 700)))
                 for c in combinations]  # fmt: skip
    else:
        fits = firth_batch.cox(X, np.tile(d.time, (len(weights), 1)), event, weights=weights)
        hazard = _cumulative_hazard(fits.coef @ X.T, d, weights, day=float(data.day or 0))
        under = [
            np.exp(-hazard[:, None] * np.exp(np.clip(fits.coef @ data.under(c).T, -700, 50))) for c in combinations
        ]
    return under, fits.converged


def _averaged(predictions: Sequence[Floats], weights: Floats, *, good: Bools) -> Floats:
    """Return the average prediction under each combination, shape (rows of weights, combinations); NaN = no fit."""
    share = weights / weights.sum(axis=1, keepdims=True)
    averages = np.column_stack([(share * p).sum(axis=1) for p in predictions])
    return np.where(good[:, None], averages, np.nan)


def _augmented(data: _Data, weights: Floats, predictions: Sequence[Floats], *, probabilities: Sequence[Floats],
               combinations: Sequence[Sequence[float]], good: Bools) -> Floats:  # fmt: skip
    """Return the doubly robust average under each combination, within 0 and 1; NaN = no fit."""
    d = data.design
    outcome = d.event
    if data.day is not None:
        outcome = doubly_robust.pseudo_survival(np.asarray(d.time), d.event, weights=weights, day=data.day)
    averages = [doubly_robust.augmented(p, outcome, had=data.had(c), probability=q, weights=weights)
                for p, q, c in zip(predictions, probabilities, combinations, strict=True)]  # fmt: skip
    return np.where(good[:, None], np.clip(np.column_stack(averages), 0.0, 1.0), np.nan)


def flic(predictor: Floats, event: Floats, *, weights: Floats) -> Floats:
    """Return the intercepts at which the weighted predictions average to the observed share, by Newton's steps."""
    b = np.zeros(len(predictor))
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(predictor + b[:, None], -700, 700)))
        slope = (weights * p * (1 - p)).sum(axis=1)
        step = (weights * (event - p)).sum(axis=1) / np.maximum(slope, 1e-12)
        b += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return b


def _cumulative_hazard(predictor: Floats, d: DesignMatrix, weights: Floats, *, day: float) -> Floats:
    """Return Breslow's cumulative baseline hazard on a day, shape (rows,)."""
    time = np.asarray(d.time)
    at = np.unique(time[(d.event == 1) & (time <= day)])
    risk = (time[:, None] >= at[None, :]).astype(np.float64)
    died = ((time[:, None] == at[None, :]) & (d.event == 1)[:, None]).astype(np.float64)
    at_risk = (weights * np.exp(np.clip(predictor, -700, 50))) @ risk
    return np.asarray(((weights @ died) / np.where(at_risk > 0, at_risk, 1.0)).sum(axis=1), dtype=np.float64)


def _weighted(data: _Data, weights: Floats, probabilities: Sequence[Floats], *,
              combinations: Sequence[Sequence[float]], good: Bools) -> Floats:  # fmt: skip
    """Return the weighted outcome of those who had each combination; NaN where there is none."""
    outcomes = np.full((len(weights), len(combinations)), np.nan)
    for i, levels in enumerate(combinations):
        had = data.had(levels)
        if had.any():
            outcomes[:, i] = _outcome(data, had, weights[:, had] / np.maximum(probabilities[i][:, had], 1e-12))
    return np.where(good[:, None], outcomes, np.nan)


def _probabilities(
    data: _Data, weights: Floats, *, combinations: Sequence[Sequence[float]]
) -> tuple[list[Floats], Bools]:
    """Return each patient's probability of each combination, given the confounders, and which fits hold."""
    k, chances, converged = data.E.shape[1], {}, np.ones(len(weights), dtype=np.bool_)
    ones = np.ones((len(data.E), 1))
    for j in range(k):
        X = np.column_stack([data.L, data.E[:, :j], ones])
        fits = firth_batch.logistic(X, np.tile(data.E[:, j], (len(weights), 1)), weights=weights)
        converged &= fits.converged
        for earlier in itertools.product((0.0, 1.0), repeat=j):
            under = np.column_stack([data.L, np.broadcast_to(np.asarray(earlier), (len(data.E), j)), ones])
            chances[earlier] = 1 / (1 + np.exp(-np.clip(fits.coef @ under.T, -700, 700)))
    probabilities = []
    for levels in combinations:
        probability = np.ones((len(weights), len(data.E)))
        for j, level in enumerate(levels):
            chance = chances[tuple(levels[:j])]
            probability = probability * (chance if level else 1 - chance)
        probabilities.append(probability)
    return probabilities, converged


def _outcome(data: _Data, had: Bools, w: Floats) -> Floats:
    """Return the weighted share with the event, or the weighted Kaplan-Meier estimate on the day."""
    total, event = w.sum(axis=1), data.design.event[had]
    if data.day is None:
        return np.where(total > 0, (w @ event) / np.where(total > 0, total, 1.0), np.nan)
    time = np.asarray(data.design.time)[had]
    if time.max() < data.day and event[time == time.max()].min() == 0:
        return np.full(len(w), np.nan)
    at = np.unique(time[(event == 1) & (time <= data.day)])
    at_risk = w @ (time[:, None] >= at[None, :]).astype(np.float64)
    died = w @ ((time[:, None] == at[None, :]) & (event == 1)[:, None]).astype(np.float64)
    steps = 1 - died / np.where(at_risk > 0, at_risk, 1.0)
    return np.where(total > 0, np.maximum(steps, 0).prod(axis=1), np.nan)


def _steps(inputs: Inputs) -> Iterator[Step]:
    wanted, plan = inputs.plan.standardise, inputs.plan
    exposures = [f for f in inputs.columns(wanted.exposures) if f.kind == "binary"]
    confounders = inputs.columns(wanted.confounders)
    for end in (inputs.data.endpoint(name) for name in wanted.endpoints if exposures):
        if end is not None and end.entry is None and end.competing is None:
            day, rng = wanted.day if end.kind == "time" else None, inputs.random("standardised", end.name)
            work = partial(standardised, end, exposures, confounders, day=day, fewest=wanted.fewest,
                           draws=plan.analyses.bootstraps, confidence=plan.confidence, rng=rng,
                           interactions=wanted.interactions)  # fmt: skip
            yield of_endpoint("protocols", end, work=work)


ANALYSIS = Analysis(
    "protocols",
    records="standardised",
    section="protocols",
    steps=_steps,
    what=(
        "standardised response and 12-month PFS by protocol (regimen before CART1, regimen before CART2, dose change)"
    ),
    method=(
        "g-computation (Am J Epidemiol 2011;173:731; intercept corrected, Stat Med 2017;36:2302) and inverse-"
        "probability weighting, and both together (AIPW, J Am Stat Assoc 1994;89:846; of times by pseudo-values, Stat "
        "Med 2017;36:2669); balance, weights, effective sample size; bootstrap percentiles; protocols of fewer "
        "than 4 patients are not estimated"
    ),
    lacking="no binary treatment factor with an endpoint without delayed entry",
    switches=("standardise", "bootstraps"),
)
