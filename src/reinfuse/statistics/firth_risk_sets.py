"""Firth's penalised partial likelihood over risk sets that are written out: weighted ones, or those of strata.

Each event time has a risk set with a weight for every patient. Penalty, likelihood ratio and profile limits are those
of the Firth Cox model (Heinze and Schemper, Biometrics 2001;57:114-119), the steps those of `firth_batch`.
Breslow ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.statistics import firth_batch
from reinfuse.statistics.batch_algebra import crossed, quadratic, restricted, row_sums
from reinfuse.statistics.firth import INFINITE, FirthFit, of_profiles

_SMALLEST = 1e-300


@dataclass(frozen=True)
class RiskSetModel:
    """Patients in risk sets that are written out, as a model to be profiled.

    Attributes
    ----------
    X
        Standardised columns, shape (n, k).
    event
        Shape (n,).
    count
        Events at each event time, shape (times,).
    weight
        Of each patient in each risk set, shape (times, n).
    """

    X: Floats = field(repr=False)
    event: Floats = field(repr=False)
    count: Floats = field(repr=False)
    weight: Floats = field(repr=False)

    @property
    def effects(self) -> int:
        """Coefficients that are effects of a column: all."""
        return int(self.X.shape[1])

    @property
    def alone(self) -> bool:
        """Whether a profile follows the summit alone: yes, as each step costs a sum over all risk sets."""
        return True

    def fit(
        self, start: Floats, held: tuple[int, Floats] | None = None, close: float | None = None
    ) -> firth_batch.Fits:
        """Fit from each start, shape (m, k), with a coefficient held at each of m values or none."""
        return self._fit(start, held, close=close or firth_batch.EXACT, penalised=True)

    def unpenalised(self, start: Floats, held: int | None) -> Floats:
        """Return where steps without the penalty end, shape (k,)."""
        at = None if held is None else (held, start[[held]])
        fits = self._fit(start[None], at, close=firth_batch.EXACT, penalised=False)
        return np.asarray(fits.coef[0], dtype=np.float64)

    def _fit(self, start: Floats, held: tuple[int, Floats] | None, *, close: float,
             penalised: bool) -> firth_batch.Fits:  # fmt: skip
        def likelihood(_: Integers) -> Callable[[Floats], firth_batch.State]:
            return lambda b: self._state(b, penalised)

        m, k = start.shape
        size = self.X.shape[0] * k + len(self.count) * k
        return firth_batch.in_parts(likelihood, m, k, size=size, held=held, used=None, start=start, close=close)

    def _state(self, b: Floats, penalised: bool) -> firth_batch.State:
        """Return the penalised log-likelihood and its score: steps (1) of `firth_batch`, means over weighted sets."""
        X, W, count = self.X, self.weight, self.count
        eta = b @ X.T
        shift = eta.max(axis=1, keepdims=True)
        e = np.exp(eta - shift)
        s0 = np.maximum(e @ W.T, _SMALLEST)
        mean = (W @ (e[:, :, None] * X)) / s0[:, :, None]
        later = e * ((count / s0) @ W)
        counts = np.broadcast_to(count, s0.shape)
        information, inverse, half_log_det = restricted(crossed(X, later) - crossed(mean, counts), None)
        score = self.event @ X - (counts[:, :, None] * mean).sum(axis=1)
        value = eta @ self.event - (np.log(s0) + shift) @ count
        regular = np.isfinite(half_log_det)
        if not penalised:
            return firth_batch.State(value, score, information, inverse, regular)
        am = mean @ inverse
        q = quadratic(X, inverse)
        gathered = e[:, :, None] * (W.T @ ((count / s0)[:, :, None] * am))
        third = (later * q) @ X - 2 * row_sums(gathered * X) @ X
        third += ((counts * (2 * row_sums(am * mean) - (e * q) @ W.T / s0))[:, :, None] * mean).sum(axis=1)
        return firth_batch.State(value + half_log_det, score + third / 2, information, inverse, regular)


def fit(X: Floats, event: Floats, *, count: Floats, weight: Floats, confidence: float) -> FirthFit:
    """Fit the model.

    Parameters
    ----------
    X
        Shape (n, k), no column constant or a combination of others.
    event
        Shape (n,): 1 or 0.
    count, weight
        Events at each event time, shape (times,), and each patient's weight in its risk set, shape (times, n).
    confidence
        Of the profile limits.

    Returns
    -------
    FirthFit
        Effects on the log scale.
    """
    scale = X.std(axis=0)
    model = RiskSetModel((X - X.mean(axis=0)) / scale, event, count, weight)

    def infinite(b: Floats) -> Bools:
        return np.asarray(np.abs(model.unpenalised(b, None)) > INFINITE)

    return of_profiles(model, scale, infinite=infinite, confidence=confidence)
