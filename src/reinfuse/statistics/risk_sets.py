"""Means over the risk sets of Cox models, and sums over the risk sets of a patient, for many models at once.

In descending order of time the i-th risk set is the first i patients, so that its sums are running sums. Those keep all
digits while the hazards are less than `_WIDEST` apart on the log scale; beyond, a risk set in which nobody has a great
hazard would underflow, and its mean is taken from the one before: mean_i = (1 - own_i) mean_(i-1) + own_i x_i, own_i
the share that the patient who comes into it has of its hazard.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Bools, Floats

_WIDEST = 300.0
_SMALLEST = 1e-300


@dataclass(frozen=True)
class RiskSets:
    """The risk sets of a batch of models.

    Attributes
    ----------
    log_sums
        Logarithm of the sum of the hazards in each risk set, shape (batch, n).
    """

    log_sums: Floats = field(repr=False)
    _hazards: Floats = field(repr=False)
    _sums: Floats = field(repr=False)
    _wide: Bools | None = field(repr=False)
    _own: Floats = field(repr=False)
    _others: Floats = field(repr=False)

    @classmethod
    def of(cls, eta: Floats, weights: Floats) -> RiskSets:
        """Return the risk sets of log hazards in descending order of time, shape (batch, n); weights too, or (1, n)."""
        if weights.shape != eta.shape:
            weights = np.broadcast_to(weights, eta.shape)
        shift = eta.max(axis=1, keepdims=True)
        hazards = weights * np.exp(eta - shift)
        sums = np.maximum(np.cumsum(hazards, axis=1), _SMALLEST)
        log_sums = np.log(sums) + shift
        wide = shift[:, 0] - eta.min(axis=1) > _WIDEST
        if not wide.any():
            return cls(log_sums, hazards, sums, None, eta[:0], eta[:0])
        with np.errstate(all="ignore"):  # nobody yet of a weight above 0
            log_hazards = eta[wide] + np.log(weights[wide])
            log_sums[wide] = np.logaddexp.accumulate(log_hazards, axis=1)
            own = np.exp(log_hazards - log_sums[wide])
            others = np.exp(log_sums[wide][:, :-1] - log_sums[wide][:, 1:])
        others = np.hstack([np.zeros((len(own), 1)), others])
        return cls(log_sums, hazards, sums, wide, *(np.nan_to_num(v, nan=0.0) for v in (own, others)))

    def means(self, v: Floats) -> Floats:
        """Return the mean over each risk set of numbers of the patients, shape (batch, n) or (batch, n, k)."""
        mean = _times(self._hazards, v)
        np.cumsum(mean, axis=1, out=mean)
        mean /= _like(self._sums, v)
        if self._wide is not None:
            mean[self._wide] = _accumulated(_times(self._own, v[self._wide]), self._others)
        return np.asarray(mean, dtype=np.float64)

    def gathered(self, count: Floats, v: Floats | None = None) -> Floats:
        """Return for each patient the sum, over the risk sets that hold it, of its share times count times v, or 1."""
        of_sets = count / self._sums if v is None else _times(count / self._sums, v)
        total = _times(self._hazards, np.cumsum(of_sets[:, ::-1], axis=1)[:, ::-1])
        if self._wide is not None:
            others = np.roll(self._others[:, ::-1], 1, axis=1)
            counted = np.broadcast_to(count if v is None else _times(count, v), total.shape)
            onward = _accumulated(counted[self._wide][:, ::-1], others)[:, ::-1]
            total[self._wide] = _times(self._own, onward)
        return total


def _like(a: Floats, v: Floats) -> Floats:
    return a if v.ndim == a.ndim else a[:, :, None]


def _times(a: Floats, v: Floats) -> Floats:
    return _like(a, v) * v


def _accumulated(v: Floats, factors: Floats) -> Floats:
    """Return y with y_i = kept_i y_(i-1) + v_i along the second axis; kept_0 is 0."""
    y, factors, step = v.copy(), factors.copy(), 1
    while step < y.shape[1]:
        y[:, step:] += _times(factors[:, step:], y[:, :-step])
        factors[:, step:] *= factors[:, :-step]
        step *= 2
    return y
