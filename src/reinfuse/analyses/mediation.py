"""How much of a factor's association with response goes through a mediator: natural direct and indirect effects.

Mediator: linear model on factor and confounders, normal residuals. Response: Firth logistic model (intercept corrected
so that predictions average to the observed share) on factor, mediator and confounders, no interaction. With Y(x, m) the
expected response and M(x) the mediator under factor x, averaged over the patients (Pearl 2001; VanderWeele, Explanation
in Causal Inference, 2015, chapter 2):

    total    = E Y(1, M(1)) - E Y(0, M(0))
    direct   = E Y(1, M(0)) - E Y(0, M(0))
    indirect = E Y(1, M(1)) - E Y(1, M(0)).

The mediator is integrated out (`logistic_normal`). Limits are percentiles of patients drawn anew. What must
hold for these to be effects is `ASSUMPTIONS`; it cannot be checked in the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.bootstrap_stability import resampled
from reinfuse.analyses.exposure_predictors import lacking, predictors
from reinfuse.analyses.standardization import flic
from reinfuse.arrays import Floats
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics import batch_algebra, firth_batch
from reinfuse.statistics.distinct_rows import distinct_rows, sums_by_kind
from reinfuse.statistics.logistic_normal import expected_share

METHOD = "g-computation of natural effects (linear and Firth logistic model), bootstrap percentiles"
ASSUMPTIONS = (
    "no unmeasured confounding of factor and response",
    "no unmeasured confounding of factor and exposure",
    "no unmeasured confounding of exposure and response, and no such confounder affected by the factor",
    "exposure precedes response; both cover the same weeks, so response may affect the counts",
    "both models are correctly specified: linear in log exposure, no exposure-factor interaction",
)
FEWEST = 10
"""Patients, and at least `FEWEST_EVENTS` with and without response, and with and without the factor."""
FEWEST_EVENTS = 3
LEAST_SHARE = 0.9
STATISTICS = ("total_effect", "direct_effect", "indirect_effect")


def mediation(endpoint: str, term: str, y: Floats, *, x: Floats, m: Floats, confounders: Floats, confidence: float,
              draws: int, random: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Split a factor's association with a binary outcome.

    Parameters
    ----------
    y, x
        Outcome and factor, 1 or 0; NaN = missing.
    m
        Mediator, such as the log of an exposure; NaN = missing.
    confounders
        Shape (patients, q); may have no column.
    draws
        Bootstrap samples.

    Returns
    -------
    list of Estimate
        Total, direct and indirect risk difference, `analysis` ``mediation``; n complete patients, events responses.
    """
    complete = ~np.isnan(np.column_stack([y, x, m, confounders])).any(axis=1)
    y, x, m, C = y[complete], x[complete], m[complete], confounders[complete]
    every = [Estimate("mediation", endpoint, s, term=term, unit="fraction", confidence=confidence, method=METHOD,
                      n=len(y), events=int(y.sum())) for s in STATISTICS]  # fmt: skip
    why = _impossible(y, x, m=m)
    if why is not None:
        return [replace(e, note=f"{NOT_ESTIMABLE}: {why}") for e in every]
    if C.shape[1]:
        C = C[:, C.std(axis=0) > 0]
        C = (C - C.mean(axis=0)) / C.std(axis=0)
    weights = np.vstack([np.ones(len(y)), resampled(len(y), draws, rng=random)])
    values = _effects(y, x, m, C=C, weights=weights)
    lost = int((~complete).sum())
    left_out = f"{lost} patients left out, a value missing" if lost else None
    return [_record(e, values[:, i], left_out) for i, e in enumerate(every)]


def _impossible(y: Floats, x: Floats, *, m: Floats) -> str | None:
    if len(y) < FEWEST:
        return f"{len(y)} patients, fewer than {FEWEST}"
    for name, value in (("the outcome", y), ("the factor", x)):
        if min(value.sum(), len(value) - value.sum()) < FEWEST_EVENTS:
            return f"fewer than {FEWEST_EVENTS} patients with or without {name}"
    return "the exposure does not vary" if m.std() == 0 else None


def _effects(y: Floats, x: Floats, m: Floats, *, C: Floats, weights: Floats) -> Floats:
    """Return total, direct and indirect effect of each row of weights; NaN where a model has no fit."""
    one = np.ones(len(y))
    D = np.column_stack([one, x, C])
    centred = (m - m.mean()) / m.std()
    crossed = batch_algebra.crossed(D, weights)
    usable = np.linalg.cond(crossed) < 1e10
    crossed[~usable] = np.eye(D.shape[1])
    line = np.linalg.solve(crossed, ((weights * centred) @ D)[:, :, None])[:, :, 0]
    left = centred - line @ D.T
    spread = np.sqrt((weights * left**2).sum(axis=1) / weights.sum(axis=1))
    fits = firth_batch.logistic(np.column_stack([x, centred, C, one]), np.tile(y, (len(weights), 1)), weights=weights)
    slopes = fits.coef[:, :-1]
    intercept = flic(slopes @ np.column_stack([x, centred, C]).T, np.tile(y, (len(weights), 1)), weights=weights)
    alike, pattern = distinct_rows(C)  # patients whose expected response is the same
    shares = sums_by_kind(weights, pattern) / weights.sum(axis=1, keepdims=True)
    ones = np.ones(len(alike))

    def expected(at: float, mediator_of: float) -> Floats:
        mean = line @ np.column_stack([ones, np.full(len(alike), mediator_of), alike]).T
        base = intercept[:, None] + slopes[:, :1] * at + slopes[:, 2:] @ alike.T
        p = expected_share(base + slopes[:, 1:2] * mean, np.abs(slopes[:, 1]) * spread)
        return np.asarray((shares * p).sum(axis=1))

    both, crosswise, neither = expected(1, 1), expected(1, 0), expected(0, 0)
    differences = np.column_stack([both - neither, crosswise - neither, both - crosswise])
    return np.where((fits.converged & usable)[:, None], differences, np.nan)


def _record(first: Estimate, values: Floats, left_out: str | None) -> Estimate:
    if not np.isfinite(values[0]):
        return replace(first, note=f"{NOT_ESTIMABLE}: a model did not converge")
    drawn = values[1:][np.isfinite(values[1:])]
    samples = f"{len(drawn)} of {len(values) - 1} bootstrap samples" if len(drawn) < len(values) - 1 else None
    if len(drawn) < LEAST_SHARE * (len(values) - 1):
        return replace(first, estimate=float(values[0]), note=joined([f"interval {NOT_ESTIMABLE}", left_out]))
    tail = (1 - (first.confidence or 0.95)) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return replace(
        first, estimate=float(values[0]), lower=float(low), upper=float(high), note=joined([samples, left_out])
    )


def _of(inputs: Inputs, counts: CohortKinetics) -> list[Estimate]:
    """Return the effects of each binary factor of the plan's models through the area under the counts."""
    data, plan = inputs.data, inputs.plan
    end = data.endpoint("response")
    named = dict.fromkeys(f for m in plan.models for f in m.factors)
    wanted = [f for f in data.factors if f.name in named and f.kind == "binary"]
    if end is None or not wanted:
        return []
    mediator = predictors(counts, data, plan=plan)[0].values.fill_null(float("nan")).to_numpy()
    others = [f.columns for f in data.factors if f.name in plan.standardise.confounders]
    confounders = np.column_stack(others) if others else np.empty((data.frame.height, 0))
    records = []
    for factor in wanted:
        records += mediation(end.name, factor.name, end.event, x=factor.columns[:, 0], m=mediator,
                             confounders=confounders, confidence=plan.confidence, draws=plan.analyses.bootstraps,
                             random=inputs.random("mediation", factor.name))  # fmt: skip
    without = lacking(counts, data, plan, measure="auc_0_28", eligible=end.known)
    return [replace(e, note=joined([e.note, without])) for e in records]


def _steps(inputs: Inputs) -> Iterator[Step]:
    counts = inputs.counts
    if counts is not None:
        yield without_curves("direct and indirect effects", partial(_of, inputs, counts))


ANALYSIS = Analysis(
    "direct and indirect effects",
    records="mediation",
    section="kinetics",
    steps=_steps,
    what="mediation: direct and indirect effects through exposure",
    method=(
        "linear and Firth logistic model, natural effects, mediator integrated numerically (error below "
        "1e-7), bootstrap percentiles; the report lists the assumptions (Annu Rev Public Health 2016;37:17)"
    ),
    lacking="no CAR-T counts with response and a binary factor in a multivariable model",
    switches=("kinetics", "bootstraps"),
)
