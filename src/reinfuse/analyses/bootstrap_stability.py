"""Would the same factors be found in other patients like these? Bootstrap of selection and of prediction.

Patients are drawn with replacement. Selection: forward, the factor with the least p-value of the efficient score test
enters while that is below 0.157, the threshold of Akaike's criterion for one coefficient (Heinze, Wallisch and Dunkler,
Biom J 2018;60:431-449). Signs: of the Firth model of all factors. Optimism of the c-index and of the calibration slope
of a model: Harrell, Lee and Mark, Stat Med 1996;15:361-387; its coefficients from the drawn patients are tried on all
patients, and the slope is that of all patients' outcomes on the predictor so made. Intervals of corrected numbers are
those of the apparent ones, shifted by the optimism (Noma et al., Stat Med 2021;40:5691-5701).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import chdtrc

from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth_batch, score_tests
from reinfuse.statistics.concordance import METHOD as JACKKNIFE
from reinfuse.statistics.concordance import concordance as jackknifed
from reinfuse.statistics.firth_joint import effect

SELECTION = "bootstrap, forward selection by the score test at 0.157"
SIGNS = "bootstrap, Firth"
OPTIMISM = "bootstrap, Firth, optimism-corrected"
SHIFTED = f"{OPTIMISM}, interval shifted by the optimism"
ENTERS = 0.157
MOST_PATIENTS = 1000


def resampled(n: int, draws: int, *, rng: np.random.Generator) -> Floats:
    """Return how often each patient is drawn, shape (draws, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def stability(endpoint: EndpointColumn, factors: Sequence[FactorColumn], draws: int,
              *, rng: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Return how often each factor is selected, and how often each effect keeps its sign."""
    design = design_of(endpoint, factors)
    usable = [f for f in factors if design.columns_of(f)]
    if not usable or design.n > MOST_PATIENTS:
        why = design.impossible or (
            "no factor can be used" if not usable else f"over {MOST_PATIENTS} patients: not run"
        )
        return [
            _record(design, "inclusion_frequency", None, value=None, method=SELECTION, note=f"{NOT_ESTIMABLE}: {why}")
        ]
    X, blocks = _columns(design, usable)
    weights = resampled(design.n, draws, rng=rng)
    chosen = selected(X, design, weights, blocks=blocks)
    note = joined([f"{draws} bootstrap samples", *design.notes])
    records = [
        _record(design, "inclusion_frequency", f.name, value=float(chosen[:, i].mean()), method=SELECTION, note=note)
        for i, f in enumerate(usable)
    ]
    first = _fit(X, design, np.ones((1, design.n)))
    fits = _fit(X, design, weights)
    good = fits.converged
    for f, block in zip(usable, blocks, strict=True):
        for j, column in zip(block, design.columns_of(f), strict=True):
            same = np.sign(fits.coef[good, j]) == np.sign(first.coef[0, j])
            share = float(same.mean()) if good.any() and first.converged[0] else None
            records.append(_record(design, "sign_stability", design.terms[column], value=share, method=SIGNS,
                                   note=f"{int(good.sum())} bootstrap samples"))  # fmt: skip
    return records


def _columns(design: DesignMatrix, usable: Sequence[FactorColumn]) -> tuple[Floats, list[list[int]]]:
    """Return standardised columns (an intercept last, of a logistic model) and those of each factor."""
    order = [j for f in usable for j in design.columns_of(f)]
    X = design.X[:, order]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    blocks = [[order.index(j) for j in design.columns_of(f)] for f in usable]
    return (np.column_stack([X, np.ones(len(X))]) if design.time is None else X), blocks


def _fit(
    X: Floats, design: DesignMatrix, weights: Floats, *, used: Bools | None = None, close: float = firth_batch.EXACT
) -> firth_batch.Fits:
    rows = len(weights)
    event = np.tile(design.event, (rows, 1))
    if design.time is None:
        return firth_batch.logistic(X, event, weights=weights, used=used, close=close)
    return firth_batch.cox(X, np.tile(design.time, (rows, 1)), event, weights=weights, used=used, close=close)


def selected(X: Floats, design: DesignMatrix, weights: Floats, *, blocks: Sequence[Sequence[int]]) -> Bools:
    """Select forward in each bootstrap sample; shape (draws, factors)."""
    rows, k = len(weights), X.shape[1]
    chosen = np.zeros((rows, len(blocks)), dtype=np.bool_)
    live = np.arange(rows)
    intercept = [k - 1] if design.time is None else []
    for _ in blocks:
        used = np.zeros((len(live), k), dtype=np.bool_)
        used[:, intercept] = True
        for i, block in enumerate(blocks):
            used[np.ix_(chosen[live, i], block)] = True
        fits = _fit(X, design, weights[live], used=used, close=firth_batch.ROUGH)
        coef = np.where(fits.converged[:, None], fits.coef, 0.0)
        p = _entry_p(X, design, weights[live], coef=coef, used=used, blocks=blocks)
        p[chosen[live] | ~fits.converged[:, None]] = 1.0
        best, go = p.argmin(axis=1), p.min(axis=1) < ENTERS
        live, best = live[go], best[go]
        chosen[live, best] = True
        if not live.size:
            break
    return chosen


def _entry_p(X: Floats, design: DesignMatrix, weights: Floats, *, coef: Floats, used: Bools,
             blocks: Sequence[Sequence[int]]) -> Floats:  # fmt: skip
    """Return the p-value with which each factor would enter, 1 where the drawn patients do not differ in it."""
    score, variance = score_tests.factor_scores(X, design.event, design.time, weights=weights, coef=coef, used=used)
    p = np.ones((len(weights), len(blocks)))
    for i, block in enumerate(blocks):
        u, v = score[:, block], variance[:, block][:, :, block]
        values, vectors = np.linalg.eigh((v + v.transpose(0, 2, 1)) / 2)
        good = values > 1e-8
        along = np.where(good, np.einsum("bkl,bk->bl", vectors, u), 0.0)
        statistic = np.where(good, along**2 / np.where(good, values, 1.0), 0.0).sum(axis=1)
        df = good.sum(axis=1)
        p[:, i] = np.where(df > 0, chdtrc(np.maximum(df, 1), statistic), 1.0)
    return p


def optimism(endpoint: EndpointColumn, factors: Sequence[FactorColumn], draws: int,
             *, rng: np.random.Generator, confidence: float = 0.95) -> list[Estimate]:  # fmt: skip
    """Return the c-index of a model as it looks, and c-index and calibration slope corrected for optimism."""
    design = design_of(endpoint, factors)
    if not design.usable or design.n > MOST_PATIENTS:
        why = design.impossible or "no factor can be used" if not design.usable else f"over {MOST_PATIENTS} patients"
        return [_record(design, "c_index", None, value=None, method=OPTIMISM, note=f"{NOT_ESTIMABLE}: {why}")]
    X, _ = _columns(design, [f for f in factors if design.columns_of(f)])
    weights = resampled(design.n, draws, rng=rng)
    plain = np.ones((1, design.n))
    first, fits = _fit(X, design, plain), _fit(X, design, weights, close=firth_batch.ROUGH)
    k = X.shape[1] - (design.time is None)
    score = fits.coef[:, :k] @ X[:, :k].T
    predictor = X[:, :k] @ first.coef[0, :k]
    c = jackknifed(predictor, design.event, design.time, confidence=confidence)
    apparent = c.c
    inside, outside = (
        concordance(design, score, weights=weights),
        concordance(design, score, weights=np.broadcast_to(plain, score.shape)),
    )
    slopes = _slopes(design, score)
    good = fits.converged & np.isfinite(inside) & np.isfinite(slopes)
    note = joined([f"{int(good.sum())} of {draws} bootstrap samples", *design.notes])
    if not good.any() or not first.converged[0]:
        note = f"{NOT_ESTIMABLE}: no bootstrap sample could be used"
        return [_record(design, "c_index", None, value=None, method=OPTIMISM, note=note)]
    corrected = apparent - float((inside - outside)[good].mean())
    slope = float(slopes[good].mean())
    shown = _record(design, "c_index", None, value=finite(apparent), method=f"Firth, apparent; {JACKKNIFE}", note=None)
    shifted = _record(design, "c_index_corrected", None, value=finite(corrected), method=SHIFTED, note=note)
    calibration = _record(design, "calibration_slope_corrected", None, value=finite(slope), method=SHIFTED, note=note)
    return [
        _limited(shown, (c.lower, c.upper), confidence=confidence),
        _limited(shifted, (c.lower, c.upper), confidence=confidence, shift=corrected - apparent, most=1.0),
        _sloped(calibration, design, predictor, confidence=confidence),
    ]


def _limited(record: Estimate, limits: tuple[float, float], *, confidence: float, shift: float = 0.0,
             most: float = math.inf) -> Estimate:  # fmt: skip
    """Return a record with its interval; without one where a limit is lacking."""
    if record.estimate is None or not np.isfinite(limits).all():
        return replace(record, note=joined([f"interval {NOT_ESTIMABLE}", record.note]))
    lower, upper = (min(v + shift, most) for v in limits)
    return replace(record, lower=lower, upper=upper, confidence=confidence)


def _sloped(record: Estimate, design: DesignMatrix, predictor: Floats, *, confidence: float) -> Estimate:
    """Return a corrected calibration slope with the profile interval of the apparent one, shifted."""
    if record.estimate is None or np.ptp(predictor) < 1e-9:
        return replace(record, note=joined([f"interval {NOT_ESTIMABLE}", record.note]))
    one = effect(design.kind, predictor[:, None], design.event, design.time, column=0, confidence=confidence)
    return _limited(record, (one.lower, one.upper), confidence=confidence, shift=record.estimate - one.coef)


def concordance(design: DesignMatrix, score: Floats, *, weights: Floats) -> Floats:
    """Return Harrell's c (of a binary outcome the area under the ROC curve), shape (batch,); NaN without pairs."""
    event = design.event == 1
    if design.time is None:
        pairs = event[:, None] & ~event[None, :]
    else:
        t = design.time
        pairs = event[:, None] & ((t[:, None] < t[None, :]) | ((t[:, None] == t[None, :]) & ~event[None, :]))
    i, j = np.nonzero(pairs)
    indices = np.full(len(score), np.nan)
    for row, (s, w) in enumerate(zip(score, weights, strict=True)):
        both = w[i] * w[j]
        total = both.sum()
        if total > 0:
            d = s[i] - s[j]
            indices[row] = both @ ((d > 1e-12) + 0.5 * (np.abs(d) <= 1e-12)) / total
    return indices


def _slopes(design: DesignMatrix, score: Floats) -> Floats:
    """Return the coefficient of each score as the only column of a model of all patients; NaN where there is none."""
    spread = score.std(axis=1)
    safe = np.where(spread > 1e-9, spread, 1.0)
    X = (score / safe[:, None])[:, :, None]
    event = np.tile(design.event, (len(score), 1))
    if design.time is None:
        X = np.concatenate([X, np.ones_like(X)], axis=2)
        fits = firth_batch.logistic(X, event, close=firth_batch.ROUGH)
    else:
        fits = firth_batch.cox(X, np.tile(design.time, (len(score), 1)), event, close=firth_batch.ROUGH)
    return np.where(fits.converged & (spread > 1e-9), fits.coef[:, 0] / safe, np.nan)


def _record(design: DesignMatrix, statistic: str, term: str | None, *, value: float | None, method: str,
            note: str | None) -> Estimate:  # fmt: skip
    return Estimate("stability", design.endpoint.name, statistic, model="all factors" if term else "multivariable",
                    term=term, estimate=value, unit="fraction", method=method, n=design.n, events=design.events,
                    note=note)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.main_endpoints:
        rng = inputs.random("stability", end.name)
        work = partial(stability, end, inputs.data.factors, inputs.plan.analyses.bootstraps, rng=rng)
        yield of_endpoint("stability", end, work=work)


ANALYSIS = Analysis(
    "stability",
    records="stability",
    section="sure",
    steps=_steps,
    what="bootstrap inclusion frequency and sign agreement",
    method="forward selection in each bootstrap sample, score test, p < 0.157 (Biom J 2018;60:431)",
    lacking=NO_MODEL,
    switches=("bootstraps",),
)
