"""Score statistics of many data sets at once: what a column would add to a model that does not hold it.

Efficient scores, without penalty: the score of the column less what the other columns of the model explain of it,
with its variance, at the other columns' estimates. Conventions as in `many`.
"""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.statistics import batch_algebra, firth_batch


def factor_scores(X: Floats, event: Floats, time: Floats | None, *, weights: Floats, coef: Floats,
                  used: Bools) -> tuple[Floats, Floats]:  # fmt: skip
    """Return what each unused column would add to the models of the used ones, without penalty.

    Parameters
    ----------
    X
        Shape (n, k).
    event, time
        Shape (n,).
    weights, coef, used
        Shapes (batch, n), (batch, k), (batch, k).

    Returns
    -------
    score, variance
        Efficient scores, shape (batch, k), and their variance, shape (batch, k, k).
    """
    if time is None:
        p = 1 / (1 + np.exp(-np.clip(coef @ X.T, -700, 700)))
        score, information = (weights * (event - p)) @ X, batch_algebra.crossed(X, weights * p * (1 - p))
    else:
        order = np.argsort(-time, kind="stable")
        w, died = weights[:, order], weights[:, order] * event[order]
        count = firth_batch.at_the_last_of_ties(np.tile(time[order], (len(w), 1)), died)
        state = firth_batch.partial_likelihood(
            np.tile(X[order], (len(w), 1, 1)), w, died, count=count, b=coef, used=None, penalised=False
        )
        score, information = state.score, state.information
    inverse = batch_algebra.inverted(information, used)[0]
    projected = information @ inverse
    return score - np.einsum("bkl,bl->bk", projected, score), information - projected @ information


def score_statistics(X: Floats, event: Floats, time: Floats | None, *, coef: Floats, tested: int) -> Floats:
    """Return the efficient score statistic of the first `tested` columns, without penalty, shape (batch,).

    Parameters
    ----------
    X
        Shape (batch, n, k): the tested columns first, then the others (of a logistic model an intercept among them).
    event, time
        Shape (n,), the same for all; without `time` a logistic model.
    coef
        Coefficients of the other columns, shape (k - tested,).
    """
    b = np.tile(np.append(np.zeros(tested), coef), (len(X), 1))
    if time is None:
        p = 1 / (1 + np.exp(-np.clip(X @ b[0], -700, 700)))
        score, information = batch_algebra.summed(event - p, X), batch_algebra.crossed(X, p * (1 - p))
    else:
        order = np.argsort(-time, kind="stable")
        ones, died = np.ones((1, len(event))), event[order][None]
        count = firth_batch.at_the_last_of_ties(time[order][None], died)
        state = firth_batch.partial_likelihood(X[:, order], ones, died, count=count, b=b, used=None, penalised=False)
        score, information = state.score, state.information
    k = X.shape[-1]
    all_of_it = batch_algebra.quadratic(score[:, None, :], batch_algebra.inverted(information, None)[0])[:, 0]
    if tested == k:
        return all_of_it
    others = batch_algebra.inverted(information[:, tested:, tested:], None)[0]
    return np.maximum(all_of_it - batch_algebra.quadratic(score[:, None, tested:], others)[:, 0], 0.0)
