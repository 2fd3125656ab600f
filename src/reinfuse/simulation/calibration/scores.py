"""How well an ensemble predicts published results: predictive ranges and proper scores, beside no model at all.

What is predicted of a target is the result that a study of its size would have published: members of the ensemble
alike, each with the discrepancy and the study's sampling error around it (binomial, or normal on the logarithm).
Without a model the published results of other studies of the same outcome are pooled (beta-binomial, Jeffreys).
Scores: log predictive density (greater is better) and interval score of the 95 % range (Gneiting & Raftery, J Am Stat
Assoc 2007;102:359-378; less is better): of a proportion as it is, of a positive number on its logarithm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, expit, logsumexp, ndtr
from scipy.stats import betabinom

from reinfuse.arrays import Floats
from reinfuse.simulation.calibration.targets import Target, log_binomial
from reinfuse.simulation.population.ensemble import DISCREPANCY

MISSED = 0.05
"""Probability outside of a predictive range."""
_ENDS = (MISSED / 2, 1 - MISSED / 2)
_INSIDE = 1.96
_NODES, _MASSES = np.polynomial.hermite_e.hermegauss(9)
_MASSES = _MASSES / _MASSES.sum()


@dataclass(frozen=True)
class Prediction:
    """What is predicted of a published result: 95 % range, whether the result lies in it, and the scores."""

    low: float
    high: float
    inside: bool
    log_score: float
    interval_score: float


@dataclass(frozen=True)
class TargetScore:
    """An ensemble beside a published result.

    Attributes
    ----------
    predicted, reference
        By the ensemble; by the pooled results of other studies of the same outcome (None where there is none). Both
        None for an association, whose size was not published.
    within_error
        Whether the ensemble's median lies within 1.96 of the target's errors (sampling and discrepancy); of an
        association: whether at least 95 % of the ensemble lie on the published side.
    within_sampling_error
        Whether it lies within 1.96 of the study's sampling errors alone; None for an association.
    """

    predicted: Prediction | None
    reference: Prediction | None
    within_error: bool
    within_sampling_error: bool | None

    @property
    def met(self) -> bool:
        """Whether a target is met: its value in the predictive range, and the median within its error."""
        return self.within_error and (self.predicted is None or self.predicted.inside)


def score(target: Target, simulated: Floats, *, discrepancy: float | Floats = DISCREPANCY,
          others: Iterable[Target] = ()) -> TargetScore:  # fmt: skip
    """Return the score of an ensemble.

    Parameters
    ----------
    simulated
        The result in each member.
    discrepancy
        Its standard deviation on the target's scale, of each member or of all.
    others
        Targets among which the same outcome is looked for.
    """
    scaled = target.on_scale(simulated[np.isfinite(simulated)])
    if target.kind == "association":
        return TargetScore(None, None, bool(np.mean(scaled > 0) >= 1 - MISSED), None)
    spread = np.broadcast_to(np.asarray(discrepancy), np.shape(simulated))[np.isfinite(simulated)]
    away = abs(float(np.median(scaled)) - target.scaled)
    within, by_sampling = (bool(away <= _INSIDE * np.hypot(target.spread, d)) for d in (np.mean(spread), 0.0))
    predicted = _of_share(target, scaled, spread) if target.kind == "proportion" else _of_log(target, scaled, spread)
    return TargetScore(predicted, without_model(target, others), within, by_sampling)


def without_model(target: Target, others: Iterable[Target]) -> Prediction | None:
    """Return what the pooled results of other studies predict; None where there is none of the same outcome."""
    same = [t for t in others if t.name != target.name and t.kind == target.kind == "proportion"
            and (t.quantity, _infusion(t)) == (target.quantity, _infusion(target))]  # fmt: skip
    if not same:
        return None
    events, n = sum(t.events for t in same), sum(t.n for t in same)
    a, b = events + 0.5, n - events + 0.5
    mass = betabinom.pmf(np.arange(target.n + 1), target.n, a, b)
    ways = log_binomial(target.events, target.n, np.array(0.5)) - target.n * np.log(0.5)
    return _of_counts(target, mass, log_score=float(ways + betaln(target.events + a, target.n - target.events + b)
                                                    - betaln(a, b)))  # fmt: skip


def _infusion(target: Target) -> str:
    return target.infusions[: len("CART1")]


def _of_share(target: Target, scaled: Floats, spread: Floats) -> Prediction:
    share = expit(scaled[:, None] + spread[:, None] * _NODES)
    counts = np.arange(target.n + 1, dtype=np.float64)[:, None, None]
    mass = (np.exp(log_binomial(counts, target.n, share)) @ _MASSES).mean(axis=1)
    log_score = logsumexp(log_binomial(target.events, target.n, share) + np.log(_MASSES)) - np.log(len(scaled))
    return _of_counts(target, mass, log_score=float(log_score))


def _of_counts(target: Target, mass: Floats, *, log_score: float) -> Prediction:
    below = np.cumsum(mass) / mass.sum()
    low, high = (int(np.searchsorted(below, p)) / target.n for p in _ENDS)
    return _prediction(low, high, target.value, log_score=log_score)


def _of_log(target: Target, scaled: Floats, spread: Floats) -> Prediction:
    total, value = np.hypot(target.error, spread), float(target.on_scale(target.value))
    density = -0.5 * ((scaled - value) / total) ** 2 - np.log(total * np.sqrt(2 * np.pi))
    least, most = float((scaled - 9 * total).min()), float((scaled + 9 * total).max())
    low, high = (brentq(lambda x, p=p: float(np.mean(ndtr((x - scaled) / total))) - p, least, most) for p in _ENDS)
    one = _prediction(low, high, value, log_score=float(logsumexp(density) - np.log(len(scaled))))
    return Prediction(float(np.exp(low)), float(np.exp(high)), one.inside, one.log_score, one.interval_score)


def _prediction(low: float, high: float, value: float, *, log_score: float) -> Prediction:
    near = 1e-9
    outside = max(low - value, 0.0) + max(value - high, 0.0)
    return Prediction(low, high, outside <= near, log_score, high - low + 2 / MISSED * outside)
