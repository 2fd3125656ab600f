"""A Cox model with a normal random effect of each cluster on the log hazard (shared frailty).

For a variance v the effects b and the clusters' w are where the partial likelihood less sum w^2 / (2 v) is greatest;
v solves v G = sum w^2 + tr(H^-1 of the w), H the information plus 1 / v on the diagonal of the w: the restricted
likelihood of Ripatti and Palmgren (Biometrics 2000;56:1016-1022), as R's ``coxph`` with ``frailty`` has it. Where no v
above 0 solves it, the clusters do not differ more than patients of one do, and the model is without them. Breslow ties.
Standard errors are of H^-1, for a known v: with few clusters they are somewhat too small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats, Integers

_ROUNDS = 60
_CLOSE = 1e-9
_FARTHEST = 15.0
_LEAST, _MOST = 1e-4, 25.0


@dataclass(frozen=True)
class FrailtyFit:
    """Effects on the log hazard, beside the clusters' own.

    Attributes
    ----------
    coef, error
        Shape (k,).
    variance
        Of the clusters' effects; 0 where they do not differ.
    converged
        The estimate is finite.
    """

    coef: Floats
    error: Floats
    variance: float
    converged: bool


@dataclass(frozen=True)
class _Membership:
    count: Floats
    member: Floats


def fit(X: Floats, time: Floats, event: Floats, cluster: Integers, *, variance: float | None = None) -> FrailtyFit:
    """Fit the model; shapes as in `firth.fit`, `cluster` (n,).

    Parameters
    ----------
    variance
        Of the clusters' effects; None: estimated.
    """
    scale, k = X.std(axis=0), X.shape[1]
    names = np.unique(cluster)
    columns = np.column_stack([(X - X.mean(axis=0)) / scale, cluster[:, None] == names]).astype(np.float64)
    at, count = np.unique(time[event == 1], return_counts=True)
    sets = _Membership(count.astype(np.float64), (time[None] >= at[:, None]).astype(np.float64))
    last: list[Floats] = [np.zeros(columns.shape[1])]

    def at_variance(v: float) -> tuple[Floats, Floats] | None:
        penalty = np.concatenate([np.zeros(k), np.full(len(names), 1 / v)])
        solution = _maximum(columns, event, sets, penalty, start=last[0])
        if solution is not None:
            last[0] = solution[0]
        return solution

    def excess(log_v: float) -> float:
        v = float(np.exp(log_v))
        solution = at_variance(v)
        if solution is None:
            return np.nan
        b, inverse = solution
        return float(v * len(names) - (b[k:] ** 2).sum() - np.trace(inverse[k:, k:]))

    if variance is None:
        variance = _root(excess)
    if variance is not None and variance > 0:
        solution = at_variance(variance)
        shown = None if solution is None else (solution[0][:k], solution[1][:k, :k])
    else:
        shown = _maximum(columns[:, :k], event, sets, np.zeros(k), start=np.zeros(k)) if variance is not None else None
    if shown is None or variance is None or np.abs(shown[0]).max() > _FARTHEST:
        nothing = np.full(k, np.nan)
        return FrailtyFit(nothing, nothing, float("nan"), False)
    return FrailtyFit(shown[0] / scale, np.sqrt(np.diag(shown[1])) / scale, float(variance), True)


def _root(excess: Callable[[float], float]) -> float | None:
    """Return the greatest variance at which the equation holds; 0 where it holds for none, None where nothing fits."""
    from scipy.optimize import brentq  # here: slow to import, and few plans ask for it

    grid = np.linspace(np.log(_MOST), np.log(_LEAST), 14)
    above, before = float("nan"), float("nan")
    for log_v in grid:
        value = excess(float(log_v))
        if before > 0 > value:
            return float(np.exp(brentq(excess, log_v, above, xtol=1e-8)))
        above, before = float(log_v), value
    return None if np.isnan(before) else 0.0


def _maximum(
    X: Floats, event: Floats, sets: _Membership, penalty: Floats, *, start: Floats
) -> tuple[Floats, Floats] | None:
    """Return where the penalised partial likelihood is greatest, and the inverse of H there; None where nowhere."""
    b = start.copy()
    value, score, H = _state(X, b, event, sets, penalty)
    for _ in range(_ROUNDS):
        try:
            step = np.linalg.solve(H, score)
        except np.linalg.LinAlgError:
            return None
        tried = _state(X, b + step, event, sets, penalty)
        while not tried[0] >= value - 1e-10 and np.abs(step).max() > _CLOSE:
            step = step / 2
            tried = _state(X, b + step, event, sets, penalty)
        b, (value, score, H) = b + step, tried
        if np.abs(step).max() < _CLOSE:
            return b, np.asarray(np.linalg.inv(H), dtype=np.float64)
        if np.abs(b).max() > 2 * _FARTHEST:
            return None
    return None


def _state(X: Floats, b: Floats, event: Floats, sets: _Membership, penalty: Floats) -> tuple[float, Floats, Floats]:
    """Return the penalised partial log-likelihood, its score and minus its second derivatives."""
    eta = X @ b
    shift = eta.max()
    r = sets.member * np.exp(eta - shift)
    s0 = r.sum(axis=1)
    mean = r @ X / s0[:, None]
    H = (X.T * ((sets.count / s0) @ r)) @ X - (mean.T * sets.count) @ mean + np.diag(penalty)
    value = float(event @ eta - sets.count @ (np.log(s0) + shift) - (penalty * b**2).sum() / 2)
    return value, event @ X - sets.count @ mean - penalty * b, H
