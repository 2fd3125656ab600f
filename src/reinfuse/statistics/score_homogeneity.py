"""Do centres have the same coefficients? Rao's score test of homogeneity, from each centre's score and information.

At common coefficients, sum_s U_s' I_s^- U_s - U' I^- U with U = sum U_s and I = sum I_s has about a chi-square
distribution with sum_s rank(I_s) - rank(I) degrees of freedom (Rao, Proc Camb Philos Soc 1948;44:50-57). Of a logistic
model with an intercept alone, at the maximum, it is Pearson's test of equal proportions. With few patients a centre it
is rough.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from reinfuse.arrays import Floats

_NONE = 1e-8


def score_homogeneity(scores: Floats, information: Floats) -> tuple[float, int] | None:
    """Return the p-value and the degrees of freedom; None where the centres cannot be compared.

    Parameters
    ----------
    scores
        Of each centre, shape (centres, k).
    information
        Of each centre, shape (centres, k, k).

    Examples
    --------
    8 of 10 and 2 of 10 respond, an intercept alone: Pearson's test of the fourfold table.

    >>> import numpy as np
    >>> from reinfuse.statistics.score_homogeneity import score_homogeneity
    >>> p, df = score_homogeneity(np.array([[3.0], [-3.0]]), np.array([[[2.5]], [[2.5]]]))
    >>> round(p, 4), df
    (0.0073, 1)
    """
    parts = [_quadratic(u, i) for u, i in zip(scores, information, strict=True)]
    common, rank = _quadratic(scores.sum(axis=0), information.sum(axis=0))
    df = sum(r for _, r in parts) - rank
    if df < 1:
        return None
    statistic = sum(value for value, _ in parts) - common
    return float(chdtrc(df, max(0.0, statistic))), df


def _quadratic(score: Floats, information: Floats) -> tuple[float, int]:
    """Return U' I^- U and the rank of I, columns without information aside."""
    size = np.sqrt(np.diag(information))
    used = size > _NONE * max(float(size.max(initial=0.0)), 1e-300)
    if not used.any():
        return 0.0, 0
    scaled = information[np.ix_(used, used)] / np.outer(size[used], size[used])
    values, directions = np.linalg.eigh(scaled)
    identified = values > _NONE
    along = directions[:, identified].T @ (score[used] / size[used])
    return float((along**2 / values[identified]).sum()), int(identified.sum())
