"""Weighted and doubly robust averages: inverse-probability weights, augmented weighting, pseudo-values of survival.

Augmented inverse-probability weighting (Robins, Rotnitzky and Zhao, J Am Stat Assoc 1994;89:846-866; Glynn and Quinn,
Polit Anal 2010;18:36-56): the average of the predicted outcome under a treatment, plus the weighted residual of those
who had it. It is consistent where the outcome model or the model of treatment is right. Of a time to event the outcome
is the pseudo-value of the probability of no event (Andersen, Syriopoulou and Parner, Stat Med 2017;36:2669-2681):
n S(t) - (n - 1) S(t) without the patient; censoring must not depend on treatment or outcome.
"""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Bools, Floats


def augmented(prediction: Floats, outcome: Floats, *, had: Bools, probability: Floats, weights: Floats) -> Floats:
    """Return the doubly robust average outcome under one treatment, shape (rows,).

    Parameters
    ----------
    prediction
        Of each patient's outcome under the treatment, shape (rows, n).
    outcome
        Shape (rows, n) or (n,).
    had
        Who had the treatment, shape (n,).
    probability
        Of the treatment, shape (rows, n).
    weights
        How often each patient counts, shape (rows, n).

    Examples
    --------
    Without a model of the outcome it is weighting: 0.5 is the share of the first two in the second half.

    >>> import numpy as np
    >>> from reinfuse.statistics.doubly_robust import augmented
    >>> had, ones = np.array([True, True, False, False]), np.ones((1, 4))
    >>> augmented(0.0 * ones, np.array([1.0, 0, 1, 1]), had=had, probability=0.5 * ones, weights=ones).tolist()
    [0.5]
    """
    residual = np.where(had, (outcome - prediction) / np.maximum(probability, 1e-12), 0.0)
    return np.asarray((weights * (prediction + residual)).sum(axis=1) / weights.sum(axis=1), dtype=np.float64)


def effective_size(weights: Floats) -> float:
    """Return how many patients of one weight are worth as much as these: (sum w)^2 / sum w^2 (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def standardized_bias(x: Floats, weights: Floats) -> float:
    """Return how far the weighted mean is from that of all patients, in their standard deviations.

    The population standardised bias of McCaffrey et al., Stat Med 2013;32:3388-3414, with its sign.
    """
    return float((weights @ x / weights.sum() - x.mean()) / x.std(ddof=1))


def pseudo_survival(time: Floats, event: Floats, *, weights: Floats, day: float) -> Floats:
    """Return each patient's pseudo-value of the probability of no event by a day, shape (rows, n).

    Parameters
    ----------
    time, event
        Shape (n,).
    weights
        How often each patient counts, whole numbers, shape (rows, n); of one who does not the value says nothing.
    """
    at = np.unique(time[(event == 1) & (time <= day)])
    risk = (time[:, None] >= at[None, :]).astype(np.float64)
    died = ((time[:, None] == at[None, :]) & (event == 1)[:, None]).astype(np.float64)
    r, d = weights @ risk, weights @ died
    all_of_them = 1 - d / np.where(r > 0, r, 1.0)
    less = np.where(r > 1, r - 1, 1.0)
    without = np.where(r > 1, 1 - d / less, 1.0)  # left out while at risk, before the own event
    at_own = np.where(r > 1, 1 - (d - 1) / less, 1.0)
    ones = np.ones((len(weights), 1))
    before = np.hstack([ones, np.cumprod(without, axis=1)])
    after = np.hstack([np.cumprod(all_of_them[:, ::-1], axis=1)[:, ::-1], ones])
    passed = np.searchsorted(at, time, side="right")
    own = (event == 1) & (time <= day)
    left_out = before[:, passed] * after[:, passed]
    place = np.maximum(passed - 1, 0)
    if len(at):
        left_out = np.where(own, before[:, place] * at_own[:, place] * after[:, passed], left_out)
    n = weights.sum(axis=1, keepdims=True)
    return np.asarray(n * after[:, :1] - (n - 1) * left_out, dtype=np.float64)
