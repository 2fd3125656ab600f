"""Firth's Cox model in the counting-process form: factors that change with time, and delayed entry.

One row is a stretch of one patient's time: at risk after `start` up to and with `stop`, the factors as they were then
(Andersen and Gill, Ann Stat 1982;10:1100-1120). Breslow ties; penalty, likelihood ratio and profile limits as in
`firth`; the steps as in `many`, the risk sets written out as a matrix, so meant for up to some thousand rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri

from reinfuse.analysis.firth import Fit

Floats = NDArray[np.float64]
METHOD = "Firth Cox in counting-process form, penalised likelihood ratio, profile CI"
MOST_PATIENTS = 2000
_ROUNDS = 200
_CLOSE = 1e-8
_LONGEST_STEP = 5.0
_FARTHEST = 200.0
_INFINITE = 10.0
"""An unpenalised effect of one standard deviation beyond this is called infinite."""


@dataclass(frozen=True)
class Rows:
    """Stretches of time.

    Attributes
    ----------
    X
        Shape (rows, k), standardised.
    start, stop
        Days; at risk after start, up to and with stop.
    event
        1 where the stretch ends with the event.
    """

    X: Floats
    start: Floats
    stop: Floats
    event: Floats
    _risk: Floats = field(init=False, repr=False)
    _count: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        times, count = np.unique(self.stop[self.event == 1], return_counts=True)
        risk = (self.start[None, :] < times[:, None]) & (self.stop[None, :] >= times[:, None])
        object.__setattr__(self, "_risk", risk.astype(np.float64))
        object.__setattr__(self, "_count", count.astype(np.float64))

    def state(self, b: Floats, penalised: bool = True) -> tuple[float, Floats, Floats]:
        """Return the penalised partial log-likelihood, its score and the information."""
        eta = self.X @ b
        shift = float(eta.max())
        r = np.exp(eta - shift)
        s0 = self._risk @ r
        mean = (self._risk * r) @ self.X / s0[:, None]
        share = self._count / s0
        later = r * (share @ self._risk)
        information = (self.X.T * later) @ self.X - (mean.T * self._count) @ mean
        score = self.event @ self.X - self._count @ mean
        value = float(self.event @ eta - self._count @ (np.log(s0) + shift))
        if not penalised:
            return value, score, information
        sign, log_det = np.linalg.slogdet(information)
        if sign <= 0 or not np.isfinite(log_det):
            return -np.inf, score, information
        A = np.linalg.inv(information)
        q = ((self.X @ A) * self.X).sum(axis=1)
        am = mean @ A
        eq = self._risk @ (r * q) / s0
        third = (later * q) @ self.X
        third -= 2 * (r * ((share[:, None] * am).T @ self._risk * self.X.T).sum(axis=0)) @ self.X
        third += (self._count * (2 * (am * mean).sum(axis=1) - eq)) @ mean
        return value + log_det / 2, score + third / 2, information


def greatest(rows: Rows, held: int | None = None, b: Floats | None = None,
             penalised: bool = True) -> tuple[Floats, float, bool]:  # fmt: skip
    """Return where the likelihood is greatest, one coefficient held or none; its value; whether the steps ended."""
    b = np.zeros(rows.X.shape[1]) if b is None else b.copy()
    free = np.array([j for j in range(len(b)) if j != held], dtype=np.int64)
    value, score, information = rows.state(b, penalised)
    step = _step(score, information, free)
    for _ in range(_ROUNDS):
        tried = rows.state(b + step, penalised)
        if not tried[0] >= value - 1e-10:
            step = step / 2
            continue
        b, (value, score, information) = b + step, tried
        if np.abs(step).max(initial=0) < _CLOSE:
            return b, value, np.isfinite(value)
        fresh = _step(score, information, free)
        back = max(0.0, -float(fresh @ step) / max(float(step @ step), 1e-300))
        step = fresh / (1 + back)
    return b, value, False


def _step(score: Floats, information: Floats, free: NDArray[np.int64]) -> Floats:
    step = np.zeros_like(score)
    if free.size:
        inner = information[np.ix_(free, free)]
        step[free] = np.linalg.lstsq(inner, score[free], rcond=1e-12)[0]
    longest = np.abs(step).max(initial=0)
    return np.asarray(step * min(1.0, _LONGEST_STEP / max(longest, 1e-300)), dtype=np.float64)


def fit(X: Floats, start: Floats, stop: Floats, event: Floats, confidence: float) -> Fit:
    """Fit the model.

    Parameters
    ----------
    X
        Shape (rows, k), no column constant or a combination of others.
    start, stop, event
        Shape (rows,); every stretch has a length above 0.
    confidence
        Of the profile limits.
    """
    scale = X.std(axis=0)
    rows = Rows((X - X.mean(axis=0)) / scale, start, stop, event)
    k = X.shape[1]
    b, value, converged = greatest(rows)
    if not converged:
        nothing = np.full(k, np.nan)
        return Fit(nothing, nothing, nothing, nothing, np.zeros(k, dtype=np.bool_), False)
    quantile = float(chdtri(1, 1 - confidence))
    p, limits = np.full(k, np.nan), np.full((k, 2), np.nan)
    for j in range(k):
        p[j] = chdtrc(1, max(0.0, _fall(rows, b, value, j, 0.0)))
        limits[j] = [_limit(rows, b, value, j, side, quantile) for side in (-1, 1)]
    infinite = np.abs(greatest(rows, penalised=False)[0]) > _INFINITE
    return Fit(b / scale, limits[:, 0] / scale, limits[:, 1] / scale, p, infinite, True)


def _fall(rows: Rows, b: Floats, value: float, j: int, at: float) -> float:
    """Return twice the fall of the profile likelihood where coefficient j is held; infinite if it has none."""
    start = b.copy()
    start[j] = at
    _, held, converged = greatest(rows, j, start)
    return 2 * (value - held) if converged else float("inf")


def _limit(rows: Rows, b: Floats, value: float, j: int, side: int, quantile: float) -> float:
    near, width = 0.0, 0.5
    while width < _FARTHEST:
        if _fall(rows, b, value, j, b[j] + side * width) > quantile:
            found = brentq(lambda d: min(_fall(rows, b, value, j, b[j] + side * d), 1e6) - quantile, near, width,
                           xtol=1e-9)  # fmt: skip
            return float(b[j] + side * found)
        near, width = width, width * 1.6
    return float("nan")
