"""Firth's Cox model in the counting-process form: factors that change with time, and delayed entry.

One row is a stretch of one patient's time: at risk after `start` up to and with `stop`, the factors as they were then
(Andersen and Gill, Ann Stat 1982;10:1100-1120). Breslow ties; penalty, likelihood ratio and profile limits as in
`firth`; the steps as in `many`, the risk sets written out as a sparse matrix: a row that
is cut at the event times is in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.statistics import batch_algebra, firth_batch
from reinfuse.statistics.firth import INFINITE, FirthFit, of_profiles

METHOD = "Firth Cox in counting-process form, penalised likelihood ratio, profile CI"
MOST_PATIENTS = 2000
_ROUNDS = 200
_CLOSE = 1e-8
_LONGEST_STEP = 5.0
_AWAY = 50.0
"""Beyond it the unpenalised steps need not go on."""


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
    _risk: Any = field(init=False, repr=False)
    _count: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        times, count = np.unique(self.stop[self.event == 1], return_counts=True)
        first, behind = np.searchsorted(times, self.start, "right"), np.searchsorted(times, self.stop, "right")
        length = behind - first  # the event times at which a row is at risk follow one another
        row = np.repeat(np.arange(len(length)), length)
        time = np.repeat(behind - np.cumsum(length), length) + np.arange(length.sum())
        risk = sparse.csr_array((np.ones(len(row)), (time, row)), shape=(len(times), len(length)))
        object.__setattr__(self, "_risk", risk)
        object.__setattr__(self, "_count", count.astype(np.float64))

    @property
    def effects(self) -> int:
        """Coefficients that are effects of a column: all."""
        return int(self.X.shape[1])

    @property
    def alone(self) -> bool:
        """Whether a profile follows the summit alone: yes, as fits of rows are taken one by one."""
        return True

    def fit(
        self, start: Floats, held: tuple[int, Floats] | None = None, close: float | None = None
    ) -> firth_batch.Fits:
        """Fit from each start, shape (m, k), with a coefficient held at each of m values or none."""
        maxima = []
        with np.errstate(all="ignore"):  # steps that run away are told by `converged`
            for i, b in enumerate(start.copy()):
                if held is not None:
                    b[held[0]] = held[1][i]
                maxima.append(greatest(self, None if held is None else held[0], b=b, close=close or _CLOSE))
            b, value, converged = (np.array([f[i] for f in maxima]) for i in range(3))
            return firth_batch.Fits(b, value, np.array([self.state(x)[2] for x in b]), converged)

    def unpenalised(self, start: Floats, held: int | None) -> Floats:
        """Return where steps without the penalty end, shape (k,)."""
        with np.errstate(all="ignore"):
            return greatest(self, held, b=start, penalised=False)[0]

    def _shares(self, eta: Floats) -> tuple[Any, Floats]:
        """Return each row's share of each risk set, shape (times, rows), and the logarithm of the risk sets' sums.

        Each sum is taken relative to its own greatest term, so that none loses its digits.
        """
        risk, begin = self._risk, self._risk.indptr[:-1]
        if not len(begin):
            return risk, np.empty(0)
        at_risk = eta[risk.indices]
        shifts, size = np.maximum.reduceat(at_risk, begin), np.diff(risk.indptr)
        r = np.exp(at_risk - np.repeat(shifts, size))
        s0 = np.add.reduceat(r, begin)
        share = sparse.csr_array((r / np.repeat(s0, size), risk.indices, risk.indptr), shape=risk.shape)
        return share, np.log(s0) + shifts

    def state(self, b: Floats, penalised: bool = True) -> tuple[float, Floats, Floats]:
        """Return the penalised partial log-likelihood, its score and the information."""
        eta = self.X @ b
        share, log_sum = self._shares(eta)
        mean = share @ self.X
        later = share.T @ self._count
        information = (self.X.T * later) @ self.X - (mean.T * self._count) @ mean
        score = self.event @ self.X - self._count @ mean
        value = float(self.event @ eta - self._count @ log_sum)
        if not penalised:
            return value, score, information
        inverse, half_log_det = batch_algebra.inverted(information[None], None)
        A = inverse[0]
        q = ((self.X @ A) * self.X).sum(axis=1)
        am = mean @ A
        third = (later * q) @ self.X
        third -= 2 * ((share.T @ (self._count[:, None] * am)) * self.X).sum(axis=1) @ self.X
        third += (self._count * (2 * (am * mean).sum(axis=1) - share @ q)) @ mean
        return value + float(half_log_det[0]), score + third / 2, information


def greatest(rows: Rows, held: int | None = None, *, b: Floats | None = None,
             penalised: bool = True, close: float = _CLOSE) -> tuple[Floats, float, bool]:  # fmt: skip
    """Return where the likelihood is greatest, one coefficient held or none; its value; whether the steps ended."""
    b = np.zeros(rows.X.shape[1]) if b is None else b.copy()
    free = np.array([j for j in range(len(b)) if j != held], dtype=np.int64)
    value, score, information = rows.state(b, penalised)
    step = _step(score, information, free=free)
    for _ in range(_ROUNDS):
        tried = rows.state(b + step, penalised)
        if not tried[0] >= value - 1e-10:
            step = step / 2
            continue
        b, (value, score, information) = b + step, tried
        if np.abs(step).max(initial=0) < close:
            return b, value, bool(np.isfinite(value))
        if not penalised and np.abs(b).max() > _AWAY:
            break
        fresh = _step(score, information, free=free)
        back = max(0.0, -float(fresh @ step) / max(float(step @ step), 1e-300))
        step = fresh / (1 + back)
    return b, value, False


def _step(score: Floats, information: Floats, *, free: Integers) -> Floats:
    step = np.zeros_like(score)
    inner = information[np.ix_(free, free)]
    if free.size and np.isfinite(inner).all() and np.isfinite(score).all():
        step[free] = np.linalg.lstsq(inner, score[free], rcond=1e-12)[0]
    longest = np.abs(step).max(initial=0)
    return np.asarray(step * min(1.0, _LONGEST_STEP / max(longest, 1e-300)), dtype=np.float64)


def fit(X: Floats, start: Floats, stop: Floats, event: Floats, confidence: float) -> FirthFit:
    """Fit the model.

    Parameters
    ----------
    X
        Shape (rows, k), no column constant or a combination of others.
    start, stop, event
        Shape (rows,); every stretch has a length above 0.
    confidence
        Of the profile limits.

    Returns
    -------
    FirthFit
        Effects on the log scale.

    Examples
    --------
    The second patient comes under observation on day 10; the last one's factor turns 1 on day 20.

    >>> import numpy as np
    >>> from reinfuse.statistics import firth_left_truncated
    >>> X = np.array([[0.0], [1.0], [1.0], [0.0], [0.0], [1.0]])
    >>> start = np.array([0.0, 10.0, 0.0, 0.0, 0.0, 20.0])
    >>> stop = np.array([15.0, 25.0, 40.0, 30.0, 20.0, 50.0])
    >>> event = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    >>> fitted = firth_left_truncated.fit(X, start, stop, event, 0.95)
    >>> round(float(fitted.coef[0]), 2), fitted.converged
    (-1.06, True)
    """
    scale = X.std(axis=0)
    rows = Rows((X - X.mean(axis=0)) / scale, start, stop, event)

    def infinite(_: Floats) -> Bools:
        return np.asarray(np.abs(greatest(rows, penalised=False)[0]) > INFINITE)

    return of_profiles(rows, scale, infinite=infinite, confidence=confidence)
