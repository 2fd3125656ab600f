"""The hazard ratio of two reconstructed arms: Firth's Cox model of every pair of tables.

With one binary factor the penalised log-likelihood is sum d1 b - d log(Y0 + Y1 e^b) + log(I) / 2, I = sum d p (1 - p),
p = Y1 e^b / (Y0 + Y1 e^b), over the times of events (Breslow ties). The limits are those of the mixture of the pairs'
confidence distributions, each by the signed root of its penalised likelihood ratio.

Heinze G, Schemper M, Biometrics 2001;57:114-119; Xie M, Singh K, Int Stat Rev 2013;81:3-39.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from reinfuse.arrays import Floats

Arm = tuple[Floats, Floats]
_ROUNDS = 60
_FARTHEST = 15.0


@dataclass(frozen=True)
class HazardRatioRange:
    """The log hazard ratio of the second arm to the first, from all pairs of tables.

    Attributes
    ----------
    value
        Weighted mean over the pairs.
    least, greatest
        Of any pair.
    lower, upper
        Limits.
    p_least, p_greatest
        p-values (penalised likelihood ratio) of any pair.
    """

    value: float
    least: float
    greatest: float
    lower: float
    upper: float
    p_least: float
    p_greatest: float


@dataclass(frozen=True)
class _Likelihood:
    """Events of both arms and of the second, and patients at risk, at each time of each pair; shape (pairs, times)."""

    events: Floats
    of_second: Floats
    first: Floats
    second: Floats

    def value(self, b: Floats) -> Floats:
        """Return the penalised log-likelihood at a coefficient a pair, shape (pairs,)."""
        grown = self.second * np.exp(b)[:, None]
        total = np.where(self.events > 0, self.first + grown, 1.0)
        share = grown / total
        information = np.sum(self.events * share * (1 - share), axis=1)
        with np.errstate(divide="ignore"):
            penalty = 0.5 * np.log(information)
        likelihood: Floats = b * self.of_second.sum(axis=1) - np.sum(self.events * np.log(total), axis=1) + penalty
        return likelihood


def hazard_ratio(first: Sequence[Arm], second: Sequence[Arm], *, confidence: float) -> HazardRatioRange:
    """Return the log hazard ratio from pairs of reconstructed arms.

    Parameters
    ----------
    first, second
        Follow-up and event of the patients of each table; as many of both.
    confidence
        Level.

    Examples
    --------
    Two and two patients, exchanged arms: the log hazard ratio changes its sign.

    >>> import numpy as np
    >>> from reinfuse.statistics import reconstructed_contrast
    >>> a = (np.array([1.0, 4.0]), np.ones(2))
    >>> b = (np.array([2.0, 3.0]), np.ones(2))
    >>> one = reconstructed_contrast.hazard_ratio([a], [b], confidence=0.95).value
    >>> other = reconstructed_contrast.hazard_ratio([b], [a], confidence=0.95).value
    >>> bool(abs(one + other) < 1e-6)
    True
    """
    model = _likelihood(first, second)
    if not np.all(np.sum((model.first > 0) & (model.second > 0) & (model.events > 0), axis=1)):
        return HazardRatioRange(*[float("nan")] * 7)
    best = _maximum(model)
    top, zero = model.value(best), model.value(np.zeros_like(best))
    p = 2 * ndtr(-np.sqrt(np.maximum(2 * (top - zero), 0)))
    tail = (1 - confidence) / 2
    lower, upper = (_quantile(model, best, top, wanted=w) for w in (tail, 1 - tail))
    return HazardRatioRange(float(best.mean()), float(best.min()), float(best.max()), lower, upper, float(p.min()),
                            float(p.max()))  # fmt: skip


def _likelihood(first: Sequence[Arm], second: Sequence[Arm]) -> _Likelihood:
    rows = [_counted(a, b) for a, b in zip(first, second, strict=True)]
    longest = max(row.shape[1] for row in rows)
    padded = np.stack([np.pad(row, ((0, 0), (0, longest - row.shape[1]))) for row in rows], axis=1)
    return _Likelihood(*padded)


def _counted(first: Arm, second: Arm) -> Floats:
    """Return events, events of the second arm, and patients at risk in both, at each time of an event."""
    times = np.unique(np.concatenate([first[0][first[1] == 1], second[0][second[1] == 1]]))
    died = [np.sum((t[:, None] == times) & (e == 1)[:, None], axis=0) for t, e in (first, second)]
    at_risk = [np.sum(t[:, None] >= times, axis=0) for t, _ in (first, second)]
    return np.array([died[0] + died[1], died[1], at_risk[0], at_risk[1]], float)


def _maximum(model: _Likelihood) -> Floats:
    """Return the coefficient of greatest penalised likelihood of each pair, by golden sections."""
    pairs, ratio = len(model.events), (5**0.5 - 1) / 2
    low, high = np.full(pairs, -_FARTHEST), np.full(pairs, _FARTHEST)
    for _ in range(_ROUNDS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        rises = model.value(left) < model.value(right)
        low, high = np.where(rises, left, low), np.where(rises, high, right)
    maximum: Floats = (low + high) / 2
    return maximum


def _quantile(model: _Likelihood, best: Floats, top: Floats, *, wanted: float) -> float:
    """Return where the mean over pairs of the confidence distributions has a value."""
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        far = np.sqrt(np.maximum(2 * (top - model.value(np.full_like(best, middle))), 0))
        below = float(ndtr(np.where(middle < best, -far, far)).mean()) < wanted
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2
