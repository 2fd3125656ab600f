"""Standardised mean differences of two groups, absolute: how far apart they are at baseline, whatever their size.

Numbers: Austin, Stat Med 2009;28:3083-3107, the difference of means over the root of the mean of both variances.
Categories: Yang and Dalton, SAS Global Forum 2012, paper 335: the Mahalanobis distance of the proportions of all levels
but one, over the mean of both covariances; of two levels it is Austin's for a binary variable.
"""

from __future__ import annotations

import math

import numpy as np

from reinfuse.arrays import Floats

_SINGULAR = 1e-10


def of_numbers(first: Floats, second: Floats) -> float | None:
    """Return the difference of two groups' means in standard deviations.

    Parameters
    ----------
    first, second
        Values without missing ones.

    Returns
    -------
    float or None
        None where a group has fewer than two values, or nothing varies and the means differ.
    """
    if min(len(first), len(second)) < 2:
        return None
    difference = abs(float(first.mean() - second.mean()))
    spread = math.sqrt((float(first.var(ddof=1)) + float(second.var(ddof=1))) / 2)
    if spread > 0:
        return difference / spread
    return 0.0 if difference == 0 else None


def of_categories(first: Floats, second: Floats) -> float | None:
    """Return the distance of two groups' proportions.

    Parameters
    ----------
    first, second
        Patients at each level, shape (levels,).

    Returns
    -------
    float or None
        None where a group is empty, or no level varies in a direction in which the groups differ.
    """
    if min(first.sum(), second.sum()) == 0:
        return None
    present = (first + second) > 0
    p, q = first[present] / first.sum(), second[present] / second.sum()
    difference = (p - q)[1:]
    covariance = (_covariance(p) + _covariance(q)) / 2
    if not difference.any():
        return 0.0
    values, vectors = np.linalg.eigh(covariance)
    along = vectors.T @ difference
    fixed = values < _SINGULAR
    if np.any(np.abs(along[fixed]) > _SINGULAR):
        return None
    return float(np.sqrt(np.sum(along[~fixed] ** 2 / values[~fixed])))


def _covariance(p: Floats) -> Floats:
    """Return the covariance of one observation's levels but the first."""
    covariance: Floats = np.diag(p[1:]) - np.outer(p[1:], p[1:])
    return covariance
