"""Many Firth fits at once: the same model of many simulated, resampled or shortened data sets, as arrays.

`firth` fits one model, with the library; here a whole batch of small ones takes the same Newton steps together, which
is what simulation, resampling, leaving out patients and imputation need. Conventions as in `firth`: log-likelihood plus
log det I(b) / 2 (Firth, Biometrika 1993;80:27-38), Breslow ties, a coefficient that is held keeps its column in I.

Steps. (1) score U_r + tr(I^-1 dI/db_r) / 2; for the logistic model that is x_r' (y - p + h (1/2 - p)), h the diagonal
of the hat matrix (Heinze and Schemper, Stat Med 2002;21:2409, eq. 3); for the Cox model, with A = I^-1 and means over
the risk set of each event, sum over events of E[q x_r] - E[q] E[x_r], q = (x - E x)' A (x - E x) (Heinze and Schemper,
Biometrics 2001;57:114, eq. 4). (2) b <- b + I^-1 score over the coefficients that are not held, no step longer than 5.
(3) Where the penalised likelihood falls, half the step; a step back is shortened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.runtime.parallel import in_threads
from reinfuse.statistics.batch_algebra import crossed, inverted, products, quadratic, restricted, row_sums, summed
from reinfuse.statistics.distinct_rows import distinct_rows, sums_by_kind
from reinfuse.statistics.risk_sets import RiskSets

_LONGEST_STEP = 5.0
_FALL = 1e-9
_ROUNDS = 100
_NUMBERS_AT_ONCE = 50_000
"""Doubles in the greatest array: batches are cut so that it stays in the processor's cache."""
_WORTH_GROUPING = 2_000
"""Outcomes from which it takes less time to bring patients alike together first."""
_FEWEST_AT_ONCE = 100
"""Fits that are worth a thread."""
_PARTS = 4
"""Parts of a batch, however many cores there are: products of matrices of other sizes differ in the last digits."""
EXACT = 1e-7
ROUGH = 1e-4
"""Last step at which a fit counts as converged; the error of twice the log-likelihood is of the order of its square."""


@dataclass(frozen=True)
class Fits:
    """The fits of a batch.

    Attributes
    ----------
    coef
        Shape (batch, k).
    value
        Penalised log-likelihood, shape (batch,).
    information
        Shape (batch, k, k).
    converged
        Shape (batch,); the rest of such a row is where the steps ended.
    """

    coef: Floats
    value: Floats
    information: Floats
    converged: Bools


@dataclass(frozen=True)
class State:
    """Penalised log-likelihood, its score, the information, its inverse and whether it has one, of each row."""

    value: Floats
    score: Floats
    information: Floats
    inverse: Floats
    regular: Bools


Held = tuple[int | tuple[int, ...], Floats]
"""A coefficient that is not estimated and its value in each row, shape (batch,); or several, shape (batch, several)."""
Likelihood = Callable[[Integers], Callable[[Floats], State]]
"""Given rows of the batch, what gives their state at coefficients: it is asked many times for the same rows."""


def logistic(X: Floats, outcome: Floats, *, weights: Floats | None = None, held: Held | None = None,
             used: Bools | None = None, start: Floats | None = None, close: float = EXACT,
             penalised: bool = True) -> Fits:  # fmt: skip
    """Fit Firth logistic models.

    Parameters
    ----------
    X
        Shape (n, k), or (batch, n, k) where each has its own; the intercept is one of the columns.
    outcome
        1 or 0, shape (batch, n).
    weights
        How often each patient counts, shape (batch, n).
    held
        A coefficient that is not estimated, and its value in each row, shape (batch,); or several of them, as `Held`.
    used
        Columns that are in the model of each row, shape (batch, k); others have coefficient 0 and no penalty.
    start
        Where the steps begin, shape (batch, k).
    close
        Last step at which a fit counts as converged.
    penalised
        False: plain maximum likelihood, which separated data do not have.

    Returns
    -------
    Fits
        One row a data set.

    Notes
    -----
    Heinze and Schemper, Stat Med 2002;21:2409-2419.

    Examples
    --------
    Two outcomes of the same five patients:

    >>> import numpy as np
    >>> from reinfuse.statistics import firth_batch
    >>> X = np.column_stack([[0.0, 0.0, 1.0, 1.0, 1.0], np.ones(5)])
    >>> outcomes = np.array([[0.0, 1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0, 1.0]])
    >>> fits = firth_batch.logistic(X, outcomes)
    >>> fits.coef[:, 0].round(2).tolist(), fits.converged.tolist()
    ([0.51, 3.56], [True, True])
    """
    outcome = np.atleast_2d(outcome)
    w = np.ones_like(outcome) if weights is None else weights
    X, outcome, w = of_kinds(X, outcome, w)
    batch, n = outcome.shape

    def likelihood(rows: Integers) -> Callable[[Floats], State]:
        x = X if X.ndim == 2 else X[rows]
        y, u, own = outcome[rows], w[rows], None if used is None else used[rows]

        def state(b: Floats) -> State:
            eta = b @ x.T if x.ndim == 2 else products(x, b)
            p = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
            v = u * p * (1 - p)
            information, inverse, half_log_det = restricted(crossed(x, v), own)
            residual = u * (y - p)
            if penalised:
                residual += v * quadratic(x, inverse) * (0.5 - p)
            score = residual @ x if x.ndim == 2 else summed(residual, x)
            value = (u * (y * eta - np.logaddexp(0, eta))).sum(axis=1)
            if penalised:
                value += half_log_det
            return State(value, score, information, inverse, np.isfinite(half_log_det))

        return state

    k = X.shape[-1]
    return in_parts(
        likelihood, batch, k, size=n + k * k if X.ndim == 2 else n * k, held=held, used=used, start=start, close=close
    )


def of_kinds(X: Floats, outcome: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
    """Return distinct rows of X, the share of each with the outcome and its weight: the likelihood is the same.

    What is small, or has a row a patient after all, is returned as it is.
    """
    if X.ndim != 2 or outcome.size <= _WORTH_GROUPING or any(2 * len(np.unique(column)) > len(X) for column in X.T):
        return X, outcome, w
    distinct, group = distinct_rows(X)
    if 2 * len(distinct) > len(X):
        return X, outcome, w
    weight, events = (sums_by_kind(v, group) for v in (w, w * outcome))
    return distinct, events / np.maximum(weight, 1e-300), weight


def cox(X: Floats, time: Floats, event: Floats, *, weights: Floats | None = None, held: Held | None = None,
        used: Bools | None = None, start: Floats | None = None, close: float = EXACT,
        penalised: bool = True) -> Fits:  # fmt: skip
    """Fit Firth Cox models, Breslow ties.

    Parameters
    ----------
    X
        Shape (n, k), or (batch, n, k) where each has its own; no intercept.
    time, event
        Follow-up, and 1 or 0, shape (batch, n).
    weights, held, used, start, close, penalised
        As in `logistic`.

    Returns
    -------
    Fits
        One row a data set.

    Notes
    -----
    Heinze and Schemper, Biometrics 2001;57:114-119.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import firth_batch
    >>> X = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> times = np.array([[1.0, 2.0, 3.0, 4.0], [4.0, 1.0, 3.0, 2.0]])
    >>> firth_batch.cox(X, times, np.ones((2, 4))).coef[:, 0].round(2).tolist()
    [-2.02, 0.3]
    """
    time, event = np.atleast_2d(time), np.atleast_2d(event)
    batch, n = time.shape
    order = np.argsort(-time, axis=1, kind="stable")
    t = np.take_along_axis(time, order, axis=1)
    w = np.ones_like(t) if weights is None else np.take_along_axis(weights, order, axis=1)
    died = np.take_along_axis(event, order, axis=1) * w
    count = at_the_last_of_ties(t, died)

    def likelihood(rows: Integers) -> Callable[[Floats], State]:
        at = order[rows]
        x = X[at] if X.ndim == 2 else np.take_along_axis(X[rows], at[:, :, None], axis=1)
        own = None if used is None else used[rows]
        u, events, counts = w[rows], died[rows], count[rows]
        return lambda b: partial_likelihood(x, u, events, count=counts, b=b, used=own, penalised=penalised)

    return in_parts(
        likelihood, batch, X.shape[-1], size=n * X.shape[-1], held=held, used=used, start=start, close=close
    )


def at_the_last_of_ties(t: Floats, died: Floats) -> Floats:
    """Return how many events share a time, at the last place of that time in descending order."""
    last = np.ones(t.shape, dtype=np.bool_)
    last[:, :-1] = t[:, :-1] != t[:, 1:]
    total = np.cumsum(died, axis=1)
    before = np.where(last, total, 0.0)
    before = np.concatenate([np.zeros((len(t), 1)), np.maximum.accumulate(before, axis=1)[:, :-1]], axis=1)
    return np.where(last, total - before, 0.0)


def partial_likelihood(x: Floats, w: Floats, died: Floats, *, count: Floats, b: Floats, used: Bools | None,
             penalised: bool) -> State:  # fmt: skip
    """Return the penalised partial likelihood; everything in descending order of time."""
    eta = products(x, b)
    sets = RiskSets.of(eta, w)
    mean = sets.means(x)
    later = sets.gathered(count)  # each patient's weight is what it has in all risk sets that hold it
    information, inverse, half_log_det = restricted(crossed(x, later) - crossed(mean, count), used)
    score = summed(died, x) - summed(count, mean)
    value = (died * eta).sum(axis=1) - np.where(count > 0, count * sets.log_sums, 0.0).sum(axis=1)
    regular = np.isfinite(half_log_det)
    if not penalised:
        return State(value, score, information, inverse, regular)
    ax, am = x @ inverse, mean @ inverse
    q = row_sums(ax * x)  # x' A x
    mq = row_sums(am * mean)  # m' A m
    # sum_j E[q x] = sum_i x_i (q_i later_i), the risk sets gathered patient by patient
    third = summed(later * q, x)
    third -= 2 * summed(row_sums(sets.gathered(count, am) * x), x)
    third += summed(count * (2 * mq - sets.means(q)), mean)
    return State(value + half_log_det, score + third / 2, information, inverse, regular)


def in_parts(likelihood: Likelihood, batch: int, k: int, *, size: int, held: Held | None,
              used: Bools | None, start: Floats | None, close: float) -> Fits:  # fmt: skip
    """Fit a batch of one likelihood, `size` numbers a fit, cut into parts."""
    step = max(1, min(_NUMBERS_AT_ONCE // max(size, 1), max(-(-batch // _PARTS), _FEWEST_AT_ONCE)))

    def part(first: int) -> Fits:
        with np.errstate(all="ignore"):  # a row that runs away is told by `converged`
            rows = np.arange(first, min(first + step, batch))
            return _newton(likelihood, rows, k, held=held, used=used, start=start, close=close)

    parts = in_threads(part, range(0, batch, step))
    return Fits(*(np.concatenate([getattr(p, f) for p in parts]) for f in Fits.__dataclass_fields__))


def _newton(likelihood: Likelihood, rows: Integers, k: int, *, held: Held | None,
            used: Bools | None, start: Floats | None, close: float) -> Fits:  # fmt: skip
    b = np.zeros((len(rows), k)) if start is None else start[rows].copy()
    free = np.arange(k)
    if held is not None:
        b[:, held[0]] = held[1][rows]
        free = np.delete(free, held[0])
    state = likelihood(rows)
    best = state(b)
    value, information, regular = best.value.copy(), best.information.copy(), best.regular.copy()
    if not free.size:
        return Fits(b, value, information, np.isfinite(value) & regular)
    step = _step(best, free, used, rows=rows)
    converged = np.zeros(len(rows), dtype=np.bool_)
    live = np.arange(len(rows))
    for _ in range(_ROUNDS):
        tried = state(b[live] + step)
        fell = ~(tried.value >= value[live] - _FALL)
        up = ~fell
        rose = live[up]
        b[rose] += step[up]
        value[rose], information[rose], regular[rose] = tried.value[up], tried.information[up], tried.regular[up]
        small = np.abs(step).max(axis=1) < close
        if small.all():
            converged[live] = True
            break
        fresh = _damped(_step(tried, free, used, rows=rows[live]), step)
        step = np.where(fell[:, None], step / 2, fresh)
        if small.any():
            converged[live[small]] = True
            live, step = live[~small], step[~small]
            state = likelihood(rows[live])
    else:
        converged[live] |= np.abs(step).max(axis=1, initial=0) < ROUGH  # near enough, though it creeps
    return Fits(b, value, information, converged & np.isfinite(value) & regular)


def _damped(fresh: Floats, last: Floats) -> Floats:
    """Shorten a step that goes back against the last one, as a secant would: else the two could alternate for ever."""
    back = -(fresh * last).sum(axis=1) / np.maximum((last * last).sum(axis=1), 1e-300)
    return np.asarray(fresh / (1 + np.maximum(back, 0))[:, None], dtype=np.float64)


def _step(state: State, free: Integers, used: Bools | None, *, rows: Integers) -> Floats:
    if len(free) == state.score.shape[1]:
        step = np.matmul(state.inverse, state.score[:, :, None])[:, :, 0]
    else:
        inverse, _ = inverted(state.information[:, free][:, :, free], None if used is None else used[rows][:, free])
        step = np.zeros_like(state.score)
        step[:, free] = np.matmul(inverse, state.score[:, free][:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, initial=0)
    return np.asarray(step * np.minimum(1, _LONGEST_STEP / np.maximum(longest, 1e-300))[:, None], dtype=np.float64)


def plain_value(fits: Fits, used: Bools | None = None) -> Floats:
    """Return the log-likelihood without the penalty, shape (batch,)."""
    return fits.value - inverted(fits.information, used)[1]
