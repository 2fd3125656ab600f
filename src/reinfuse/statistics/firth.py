"""Firth's penalised likelihood for logistic and Cox models, and separation.

Firth D. Biometrika 1993;80:27-38; Heinze G, Schemper M. Stat Med 2002;21:2409-2419 (logistic) and Biometrics
2001;57:114-119 (Cox, Breslow ties). The p-value is that of the penalised likelihood ratio, the interval that of the
profile penalised likelihood: one method, so that they agree (`penalised`, `profile`). Columns are standardised for the
fit (of a Cox model over those at risk at an event), to which Jeffreys' prior is indifferent, and effects are given back
per unit of the column.

Separation (logistic): Konis K, DPhil thesis, Oxford 2007, linear program 4.23. Monotone likelihood (Cox): a direction b
exists in which every patient with an event has, at that time, the greatest x'b of those at risk; the linear program
has one variable m_j for each event time, m_j >= x'b of all who are at risk from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc, chdtri

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.statistics.distinct_rows import distinct_rows
from reinfuse.statistics.firth_profile import ModelData, PenalisedModel, profiled

Kind = Literal["logistic", "cox"]
METHODS = {kind: f"Firth {name}, penalised likelihood ratio, profile CI"
           for kind, name in (("logistic", "logistic"), ("cox", "Cox"))}  # fmt: skip
INFINITE = 10.0
"""Where no rule tells: an unpenalised effect of one standard deviation beyond this is called infinite."""
_MAX_ROWS_FOR_SEPARATION = 3000
_A_DIRECTION = 1e-6


@dataclass(frozen=True)
class FirthFit:
    """Effects on the log scale, one a column.

    Attributes
    ----------
    coef, lower, upper, p_value
        Shape (k,): log odds or log hazard ratio per unit, limits of its profile, p of its penalised likelihood ratio;
        NaN where the fit, the limit or the test did not converge.
    infinite
        Shape (k,): columns whose unpenalised estimate is infinite (separation, monotone likelihood).
    converged
        The fit converged.
    """

    coef: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    infinite: Bools
    converged: bool


def fit(kind: Kind, X: Floats, event: Floats, time: Floats | None = None, confidence: float = 0.95) -> FirthFit:
    """Fit a Firth model of one data set.

    Parameters
    ----------
    kind
        ``logistic`` or ``cox``.
    X
        Shape (n, k); finite, of full rank together with the intercept, no column constant.
    event
        Shape (n,): 1 or 0; of a logistic model the outcome.
    time
        Shape (n,): follow-up, of a Cox model.
    confidence
        Of the profile limits.

    Returns
    -------
    FirthFit
        Effects on the log scale.

    Raises
    ------
    ValueError
        If an array has another shape, holds NaN, or is not of the kind of model.

    Notes
    -----
    Heinze and Schemper, Stat Med 2002;21:2409-2419 (logistic), Biometrics 2001;57:114-119 (Cox, Breslow ties).

    Examples
    --------
    All three patients with the factor respond: without the penalty, the odds ratio would be infinite.

    >>> import numpy as np
    >>> from reinfuse.statistics import firth
    >>> factor = np.array([[0.0], [0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    >>> response = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    >>> fitted = firth.fit("logistic", factor, response)
    >>> [round(float(x), 2) for x in np.exp([fitted.coef[0], fitted.lower[0], fitted.upper[0]])]
    [16.33, 0.8, 2832.71]
    >>> round(float(fitted.p_value[0]), 3), bool(fitted.infinite[0])
    (0.072, True)

    A hazard ratio of times to an event:

    >>> time = np.array([30.0, 60.0, 90.0, 400.0, 200.0, 300.0, 500.0])
    >>> died = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    >>> fitted = firth.fit("cox", factor, died, time)
    >>> round(float(np.exp(fitted.coef[0])), 2), round(float(fitted.p_value[0]), 2)
    (0.29, 0.21)
    """
    _check(kind, X, event, time)
    X, event, time = ever_at_risk(X, event, time)
    model, scale = standardised(X, event, time)

    def infinite(_: Floats) -> Bools:
        return separated(X, event) if time is None else monotone(X, event, time=time)

    return of_profiles(model, scale, infinite=infinite, confidence=confidence)


def ever_at_risk(X: Floats, event: Floats, time: Floats | None) -> tuple[Floats, Floats, Floats | None]:
    """Return the patients of a model; whoever was censored before the first event of a Cox model is in no risk set."""
    if time is None or not event.any():
        return X, event, time
    at_risk = time >= time[event == 1].min()
    return X[at_risk], event[at_risk], time[at_risk]


def standardised(X: Floats, event: Floats, time: Floats | None) -> tuple[ModelData, Floats]:
    """Return a model of standardised columns, a logistic one with an intercept last, and the columns' scale."""
    scale = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / scale
    return ModelData(np.column_stack([Z, np.ones(len(Z))]) if time is None else Z, event, time), scale


def of_profiles(
    model: PenalisedModel, scale: Floats, *, infinite: Callable[[Floats], Bools], confidence: float
) -> FirthFit:
    """Return the effects of a standardised model on their own scale, each with its profile.

    Parameters
    ----------
    scale
        Standard deviations of the columns that are effects, shape (k,).
    infinite
        Tells which effects are infinite without the penalty, given the coefficients of all columns at the maximum.
    confidence
        Of the profile limits.
    """
    k = len(scale)
    profiles = profiled(model, float(chdtri(1, 1 - confidence)))
    if profiles is None:
        nothing = np.full(k, np.nan)
        return FirthFit(nothing, nothing, nothing, nothing, np.zeros(k, dtype=np.bool_), False)
    top, along = profiles
    limits = np.array([[a.lower, a.upper] for a in along]) / scale[:, None]
    p = chdtrc(1, np.maximum(0.0, [a.fall for a in along]))
    return FirthFit(top.coef[:k] / scale, limits[:, 0], limits[:, 1], p, infinite(top.coef), True)


def _check(kind: Kind, X: Floats, event: Floats, time: Floats | None) -> None:
    """Refuse what is no data of a model."""
    if kind not in METHODS:
        raise ValueError(f"kind is {kind!r}: use 'logistic' or 'cox'")
    if (kind == "cox") != (time is not None):
        raise ValueError("time belongs to a Cox model: give it there, and leave it out of a logistic model")
    if (
        np.ndim(X) != 2
        or np.shape(event) != np.shape(X)[:1]
        or (time is not None and np.shape(time) != np.shape(event))
    ):
        raise ValueError("X has shape (n, k), event and time have shape (n,)")
    if not all(np.isfinite(a).all() for a in (X, event, *(() if time is None else (time,)))):
        raise ValueError("X, event and time hold finite numbers: leave out rows with a missing value")


def separated(X: Floats, outcome: Floats) -> Bools:
    """Tell which columns have an infinite unpenalised logistic estimate.

    Parameters
    ----------
    X
        Shape (n, k), no column constant.
    outcome
        Shape (n,): 1 or 0.

    Returns
    -------
    Bools
        Shape (k,).

    Notes
    -----
    Konis K, DPhil thesis, Oxford 2007, linear program 4.23.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import firth
    >>> X = np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> firth.separated(X, np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0])).tolist()
    [True, False]
    """
    from scipy.optimize import linprog

    rows, _ = distinct_rows(np.column_stack([X, outcome]))
    if len(rows) > _MAX_ROWS_FOR_SEPARATION:
        return _one_sided(X, outcome)
    if len(np.unique(outcome)) < 2:
        return np.ones(X.shape[1], dtype=np.bool_)
    if X.shape[1] == 1:  # one side of a value has the outcome, the other has not
        without, having = X[outcome != 1, 0], X[outcome == 1, 0]
        return np.array([without.max() <= having.min() or having.max() <= without.min()])
    Z = np.column_stack([(rows[:, :-1] - X.mean(axis=0)) / X.std(axis=0), np.ones(len(rows))])
    signed = Z * (2 * rows[:, -1:] - 1)

    def along(gain: Floats) -> Floats:
        """Return the direction of the greatest gain among those in which no patient's likelihood falls."""
        solution = linprog(-gain, A_ub=-signed, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
        return np.asarray(solution.x, dtype=np.float64) if solution.status == 0 else np.zeros(len(gain))

    infinite = np.abs(along(signed.sum(axis=0))) > _A_DIRECTION
    if infinite.any():  # of several directions one need not move every column
        for j in np.flatnonzero(~infinite[:-1]):
            unit = np.eye(len(infinite))[j]
            infinite[j] = any(abs(along(sign * unit)[j]) > _A_DIRECTION for sign in (-1, 1))
    return np.asarray(infinite[:-1], dtype=np.bool_)


def _one_sided(X: Floats, event: Floats) -> Bools:
    """Large cohorts: a two-valued column with a value at which all, or none, have the event."""
    infinite = []
    for x in X.T:
        levels = np.unique(x)
        rates = [event[x == level].mean() for level in levels] if len(levels) == 2 else [0.5]
        infinite.append(any(rate in (0.0, 1.0) for rate in rates))
    return np.array(infinite, dtype=np.bool_)


def monotone(X: Floats, event: Floats, *, time: Floats) -> Bools:
    """Tell which columns have an infinite unpenalised Cox estimate.

    Parameters
    ----------
    X
        Shape (n, k), no column constant.
    event, time
        Shape (n,): 1 or 0, and follow-up.

    Returns
    -------
    Bools
        Shape (k,).

    Examples
    --------
    Nobody with the factor has an event:

    >>> import numpy as np
    >>> from reinfuse.statistics import firth
    >>> X = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> firth.monotone(X, np.array([1.0, 1.0, 0.0, 0.0]), time=np.array([1.0, 2.0, 3.0, 4.0])).tolist()
    [True]
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    n, k = X.shape
    if event.sum() == 0:
        return np.zeros(k, dtype=np.bool_)
    if n > _MAX_ROWS_FOR_SEPARATION:
        return np.array([len(np.unique(x[event == 1])) == 1 for x in X.T], dtype=np.bool_)
    if k == 1:
        return np.array([any(_always_at_the_end(sign * X[:, 0], event, time=time) for sign in (1, -1))])
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    times = np.unique(time[event == 1])
    block = np.searchsorted(times, time, side="right") - 1
    at_risk = np.flatnonzero(block >= 0)
    eye = np.eye(len(times))
    upper = [np.hstack([Z[at_risk], -eye[block[at_risk]]])]
    upper.append(np.hstack([np.zeros((len(times) - 1, k)), eye[1:] - eye[:-1]]))
    events = np.flatnonzero(event == 1)
    equal = np.hstack([Z[events], -eye[block[events]]])
    gain = (Z[events] - _means_at_risk(Z, time, events=events)).sum(axis=0)
    bounds = [(-1, 1)] * k + [(None, None)] * len(times)
    solution = linprog(np.concatenate([-gain, np.zeros(len(times))]), A_ub=csr_matrix(np.vstack(upper)),
                       b_ub=np.zeros(len(at_risk) + len(times) - 1), A_eq=csr_matrix(equal), b_eq=np.zeros(len(events)),
                       bounds=bounds, method="highs")  # fmt: skip
    if solution.status != 0 or -solution.fun < 1e-6:
        return np.zeros(k, dtype=np.bool_)
    direction: Floats = np.asarray(solution.x, dtype=np.float64)[:k]
    return np.abs(direction) > _A_DIRECTION


def _always_at_the_end(x: Floats, event: Floats, *, time: Floats) -> bool:
    """Tell whether each event is one of those at risk with the greatest value, and once of differing values."""
    order = np.argsort(-time, kind="stable")
    at_risk = np.searchsorted(-time[order], -time[event == 1], side="right") - 1
    greatest, least = (extreme.accumulate(x[order])[at_risk] for extreme in (np.maximum, np.minimum))
    return bool((x[event == 1] == greatest).all() and (least < greatest).any())


def _means_at_risk(Z: Floats, time: Floats, *, events: Integers) -> Floats:
    """Return the mean of the columns over those at risk at the time of each event."""
    order = np.argsort(-time, kind="stable")
    sums = np.cumsum(Z[order], axis=0)
    at_risk = np.searchsorted(-time[order], -time[events], side="right")
    means: Floats = sums[at_risk - 1] / at_risk[:, None]
    return means
