"""Proportional hazards tested by scaled Schoenfeld residuals of the Cox model, Breslow ties, without penalty.

Of each event k, with mean m_k and covariance V_k of the columns over its risk set, weighted by the hazards: residual
r_k = x_k - m_k. With g_k a function of time less its mean, the score of a change with time is U = sum g_k r_k; its
variance is sum g_k^2 V_k - (sum g_k V_k) (sum V_k)^-1 (sum g_k V_k) (Grambsch and Therneau, eq. 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from reinfuse.arrays import Bools, Floats
from reinfuse.statistics import nonparametric

_ROUNDS, _HALVINGS, _CLOSE, _FALL = 30, 20, 1e-9, 1e-12


def schoenfeld(X: Floats, time: Floats, event: Floats, *, transform: str) -> tuple[Floats, Floats] | None:
    """Test proportional hazards by scaled Schoenfeld residuals.

    Parameters
    ----------
    X
        Shape (n, k).
    time, event
        Shape (n,): follow-up, and 1 or 0.
    transform
        Of time: ``km``, ``rank``, ``log`` or ``identity``.

    Returns
    -------
    statistic, p_value
        Of each column and, last, of all, shape (k + 1,); None where the model cannot be fitted.

    Notes
    -----
    Grambsch and Therneau, Biometrika 1994;81:515-526.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.schoenfeld import schoenfeld
    >>> X = np.array([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0], [1.0], [0.0]])
    >>> time = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    >>> statistic, p = schoenfeld(X, time, np.ones(8), transform="km")
    >>> p.round(2).tolist()
    [0.34, 0.34]
    """
    order = np.argsort(time, kind="stable")
    events = _Events(X[order], time[order], event[order] > 0)
    try:
        with np.errstate(all="ignore"):
            return _tested(events, _transformed(events, transform))
    except np.linalg.LinAlgError:
        return None


@dataclass(frozen=True)
class _Events:
    """Patients in ascending order of time; `first` of an event is the first of its risk set."""

    X: Floats
    time: Floats
    event: Bools

    @property
    def first(self) -> NDArray[np.intp]:
        return np.searchsorted(self.time, self.time[self.event], side="left")

    def moments(self, b: Floats) -> tuple[float, Floats, Floats]:
        """Return the log partial likelihood, and of each event residual and covariance of its risk set."""
        eta, first = self.X @ b, self.first
        top = eta.max()
        hazards = np.exp(eta - top)
        weighted = self.X * hazards[:, None]
        squares = (self.X[:, :, None] * weighted[:, None, :]).reshape(len(eta), -1)
        rows = np.column_stack([hazards, weighted, squares])
        sums = np.cumsum(rows[::-1], axis=0)[::-1][first]
        k = len(b)
        mean, square = sums[:, 1 : k + 1] / sums[:, :1], (sums[:, k + 1 :] / sums[:, :1]).reshape(-1, k, k)
        value = float((eta[self.event] - top - np.log(sums[:, 0])).sum())
        return value, self.X[self.event] - mean, square - mean[:, :, None] * mean[:, None, :]


def _transformed(events: _Events, transform: str) -> Floats:
    """Return the function of time at each event; `km`: one less the curve just before it."""
    time = events.time[events.event]
    if transform == "identity":
        return time
    if transform == "log":
        return np.log(time)
    if transform == "rank":
        last = np.searchsorted(events.time, time, side="right")
        return (events.first + 1 + last) / 2
    at, survival = nonparametric.kaplan_meier(events.time, events.event.astype(np.float64))[:2]
    before = np.concatenate(([1.0], survival[:-1]))
    return np.asarray(1.0 - before[np.searchsorted(at, time)], dtype=np.float64)


def _fitted(events: _Events) -> Floats:
    """Return the coefficients of greatest partial likelihood, by Newton's steps."""
    b = np.zeros(events.X.shape[1])
    value, residuals, covariances = events.moments(b)
    for _ in range(_ROUNDS):
        step = np.linalg.solve(covariances.sum(axis=0), residuals.sum(axis=0))
        before = value
        for _ in range(_HALVINGS):
            value, residuals, covariances = events.moments(b + step)
            if value >= before - _FALL:
                break
            step /= 2
        b = b + step
        if abs(value - before) <= _CLOSE * (abs(value) + _CLOSE):
            break
    return b


def _tested(events: _Events, transformed: Floats) -> tuple[Floats, Floats]:
    _, residuals, covariances = events.moments(_fitted(events))
    g = transformed - transformed.mean()
    score = (g[:, None] * residuals).sum(axis=0)
    with_time = np.einsum("i,ikl->kl", g, covariances)
    variance = np.einsum("i,ikl->kl", g * g, covariances)
    variance -= with_time @ np.linalg.solve(covariances.sum(axis=0), with_time)
    statistic = np.append(score**2 / np.diag(variance), score @ np.linalg.solve(variance, score))
    return statistic, np.asarray(chdtrc(np.append(np.ones(len(score)), len(score)), statistic), dtype=np.float64)
