"""Effects without one centre, in a study of many: from the sums at the maximum of all, no exchange more.

With l, U, I, T and Q of the other centres at a point, these are at a point d away

    U(d) = U - I d - T dd / 2 - Q ddd / 6,   I(d) = I + T d + Q dd / 2,   T(d) = T + Q d,

so that Firth's penalised likelihood has its maximum near by without anybody being asked again. What is left out is of
the fifth order in d, and one centre of many moves the maximum little: coefficients are right to 1e-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.statistics.likelihood_sums import LikelihoodSums, full
from reinfuse.statistics.pooled_firth import PooledFit

MOST_SEARCHED = 20
"""Without each of so many centres a maximum is searched by exchanges of its own."""
_STEPS, _SETTLED, _FARTHEST = 20, 1e-12, 0.5


@dataclass(frozen=True)
class _Expansion:
    """The sums of all centres but one about a point, whole arrays."""

    score: Floats
    information: Floats
    third: Floats
    fourth: Floats

    def step(self, d: Floats) -> Floats:
        """Return Newton's step at a distance: U*_r = U_r + tr(A T_r) / 2, curvature as in `summed_likelihood`."""
        bent = self.fourth @ d
        third, information = self.third + bent, self.information + self.third @ d + bent @ d / 2
        score = self.score - (self.information + self.third @ d / 2 + bent @ d / 6) @ d
        variance = np.linalg.inv(information)
        turned = np.einsum("ab,bcr->acr", variance, third)
        penalty = np.einsum("ab,abrs->rs", variance, self.fourth) - np.einsum("acs,car->rs", turned, turned)
        score = score + np.einsum("ab,abr->r", variance, third) / 2
        return np.asarray(np.linalg.solve(information - penalty / 2, score), dtype=np.float64)


def fit_without(sums: Sequence[LikelihoodSums], at: Floats, whole: PooledFit) -> list[PooledFit | None]:
    """Return the fits without each centre.

    Parameters
    ----------
    sums
        Of each centre at one point, in the columns that have an estimate.
    at
        That point, near the maximum of all, shape (columns,).
    whole
        The fit of all centres.

    Returns
    -------
    list of PooledFit or None
        Coefficients alone; None where the maximum is not near.
    """
    k = len(at)
    every = [full(np.concatenate([s.cumulants[d - 1] for s in sums]), k, d) for d in (1, 2, 3, 4)]
    totals = [of_degree.sum(axis=0) for of_degree in every]
    fits: list[PooledFit | None] = []
    for own in zip(*every, strict=True):
        rest = _Expansion(*(total - part for total, part in zip(totals, own, strict=True)))
        away = _maximum(rest, k)
        if away is None:
            fits.append(None)
            continue
        coef = whole.fit.coef.copy()
        coef[[j for j in whole.columns if j < len(coef)]] = (at + away)[: sum(j < len(coef) for j in whole.columns)]
        none = np.full(len(coef), np.nan)
        fits.append(replace(whole, fit=replace(whole.fit, coef=coef, lower=none, upper=none, p_value=none)))
    return fits


def _maximum(rest: _Expansion, k: int) -> Floats | None:
    """Return how far away the maximum is; None where steps do not end near."""
    d = np.zeros(k)
    size = np.sqrt(np.maximum(np.diag(rest.information), 0.0))
    try:
        for _ in range(_STEPS):
            step = rest.step(d)
            d = d + step
            if not np.isfinite(d).all():
                return None
            if np.abs(step * size).max() < _SETTLED * max(1.0, float(size.max())):
                return d if np.abs(d).max() < _FARTHEST else None
    except np.linalg.LinAlgError:
        return None
    return None
