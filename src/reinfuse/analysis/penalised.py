"""Penalised log-likelihoods and their profile limits by bracketing, slow and sure.

Used where the library's Newton steps for a profile limit run away, as they do with a handful of patients and
separated factors. The log-likelihood is l(b) + log det I(b) / 2 (Firth, Biometrika 1993;80:27-38), I the
Fisher information of all columns; a limit solves 2 (l_max - l_profile(b_j)) = chi-square quantile on 1 df.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LogLikelihood = Callable[[Floats], float]
_FARTHEST = 200.0


def logistic(Z: Floats, event: Floats) -> LogLikelihood:
    """Return the penalised log-likelihood of a logistic model of `Z` (an intercept among its columns)."""

    def value(b: Floats) -> float:
        eta = Z @ b
        p = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        return float(event @ eta - np.logaddexp(0, eta).sum()) + _half_log_det((Z.T * (p * (1 - p))) @ Z)

    return value


def cox(Z: Floats, event: Floats, time: Floats) -> LogLikelihood:
    """Return the penalised log partial likelihood of a Cox model, Breslow ties."""
    order = np.argsort(-time, kind="stable")
    Z, event, time = Z[order], event[order], time[order]
    last = np.searchsorted(-time, -time, side="right") - 1
    died = np.flatnonzero(event == 1)
    outer = Z[:, :, None] * Z[:, None, :]

    def value(b: Floats) -> float:
        eta = Z @ b
        shift = eta.max()
        w = np.exp(eta - shift)
        s0 = np.cumsum(w)[last][died]
        s1 = np.cumsum(w[:, None] * Z, axis=0)[last][died] / s0[:, None]
        s2 = np.cumsum(w[:, None, None] * outer, axis=0)[last][died] / s0[:, None, None]
        information = (s2 - s1[:, :, None] * s1[:, None, :]).sum(axis=0)
        return float((eta[died] - np.log(s0) - shift).sum()) + _half_log_det(information)

    return value


def _half_log_det(information: Floats) -> float:
    sign, log_det = np.linalg.slogdet(information)
    return 0.5 * float(log_det) if sign > 0 and np.isfinite(log_det) else -1e10


def profile(value: LogLikelihood, start: Floats, j: int, b: float) -> tuple[float, Floats]:
    """Return the greatest log-likelihood with coefficient j held at b, and where it is."""
    from scipy.optimize import minimize

    free = [i for i in range(len(start)) if i != j]

    def at(rest: Floats) -> Floats:
        full = start.copy()
        full[j], full[free] = b, rest
        return full

    if not free:
        return value(at(np.empty(0))), at(np.empty(0))
    found = minimize(lambda rest: -value(at(rest)), start[free], method="Nelder-Mead" if len(free) == 1 else "BFGS",
                     options={"xatol": 1e-9, "fatol": 1e-11} if len(free) == 1 else {"gtol": 1e-7})  # fmt: skip
    return -float(found.fun), at(np.asarray(found.x))


def limit(value: LogLikelihood, best: Floats, j: int, side: int, quantile: float) -> float:
    """Return one profile limit of coefficient j, NaN if there is none within reach.

    Parameters
    ----------
    best
        Where the log-likelihood is greatest; columns are standardised.
    side
        -1 the lower limit, 1 the upper.
    quantile
        Of chi-square on 1 df.
    """
    from scipy.optimize import brentq

    top = value(best)
    near, step, start = float(best[j]), 0.5, best

    def short_of(b: float) -> float:
        return 2 * (top - profile(value, start, j, b)[0]) - quantile

    far = near + side * step
    while abs(far - best[j]) < _FARTHEST:
        reached, where = profile(value, start, j, far)
        if 2 * (top - reached) > quantile:
            low, high = sorted((near, far))
            return float(brentq(short_of, low, high, xtol=1e-8))
        near, start, step = far, where, step * 1.6
        far = near + side * step
    return float("nan")
