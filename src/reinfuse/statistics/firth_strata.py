"""Firth models whose baseline is each stratum's own: a Cox model with risk sets within strata, a logistic model with an
intercept for each stratum.

Effects compare patients of one stratum only. Likelihoods, penalty and profiles as in `firth`; the intercepts of the
logistic model are in its information, so that the penalty keeps them finite (Heinze and Schemper, Stat Med
2002;21:2409-2419).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.statistics import firth_risk_sets
from reinfuse.statistics.firth import INFINITE, FirthFit, of_profiles
from reinfuse.statistics.firth_profile import ModelData


def cox(X: Floats, time: Floats, event: Floats, *, strata: Integers, confidence: float) -> FirthFit:
    """Fit a Cox model stratified by `strata`, shape (n,); the other arguments as in `firth.fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import firth_strata
    >>> X, time, event = np.array([[1.0], [0.0], [1.0], [0.0]]), np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4)
    >>> fitted = firth_strata.cox(X, time, event, strata=np.array([0, 0, 1, 1]), confidence=0.95)
    >>> round(float(np.exp(fitted.coef[0])), 2)
    5.0
    """
    died = event == 1
    sets, count = np.unique(np.column_stack([strata[died], time[died]]), axis=0, return_counts=True)
    weight = ((strata[None] == sets[:, :1]) & (time[None] >= sets[:, 1:])).astype(np.float64)
    return firth_risk_sets.fit(X, event, count=count.astype(np.float64), weight=weight, confidence=confidence)


@dataclass(frozen=True)
class _WithIntercepts(ModelData):
    """A logistic model, of whose columns the last ones are strata."""

    factors: int = 0

    @property
    def effects(self) -> int:
        """Coefficients that are effects of a factor."""
        return self.factors

    @property
    def alone(self) -> bool:
        """Whether a profile follows the summit alone: yes, as there are many columns."""
        return True


def logistic(X: Floats, event: Floats, *, strata: Integers, confidence: float) -> FirthFit:
    """Fit a logistic model with an intercept for each of `strata`; arguments as in `cox`."""
    scale, k = X.std(axis=0), X.shape[1]
    dummies = (strata[:, None] == np.unique(strata)[1:]).astype(np.float64)
    spread = dummies.std(axis=0)
    columns = np.column_stack(
        [(X - X.mean(axis=0)) / scale, (dummies - dummies.mean(axis=0)) / spread, np.ones(len(X))]
    )
    model = _WithIntercepts(columns, event, None, k)

    def infinite(b: Floats) -> Bools:
        return np.asarray(np.abs(model.unpenalised(b, None)[:k]) > INFINITE)

    return of_profiles(model, scale, infinite=infinite, confidence=confidence)
