"""Tests by permutation within strata, such as centres: the groups are exchanged among the patients of each stratum.

With scores a of the patients, the statistic is the quadratic form of each group's sum of scores, less its expectation,
in its covariance under permutation (Strasser and Weber, Math Methods Stat 1999;8:220-250). The scores of a binary
outcome are the outcome (the statistic is that of Cochran, Mantel and Haenszel), those of a time the event less the
cumulative hazard, of which the sums are observed less expected events of the log-rank test.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reinfuse.arrays import Floats, Integers

PERMUTATIONS = 9999
_SAME = 1e-9
_NUMBERS_AT_ONCE = 4_000_000


def log_rank_scores(time: Floats, event: Floats) -> Floats:
    """Return for each patient of a stratum the event less the Nelson-Aalen cumulative hazard; they sum to 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.permutation_within_strata import log_rank_scores
    >>> log_rank_scores(np.array([1.0, 2.0]), np.array([1.0, 0.0])).tolist()
    [0.5, -0.5]
    """
    days = np.unique(time[event == 1])
    died = ((time == days[:, None]) & (event == 1)).sum(axis=1)
    at_risk = (time >= days[:, None]).sum(axis=1)
    return np.asarray(event - (days[:, None] <= time).T.astype(np.float64) @ (died / at_risk), dtype=np.float64)


def permutation_test(
    scores: Sequence[Floats], groups: Sequence[Integers], *, levels: int, seed: int, draws: int = PERMUTATIONS
) -> float | None:
    """Return the p-value, the arrangement as it is counted too; None where no stratum compares the groups.

    Parameters
    ----------
    scores, groups
        Of the patients of each stratum, shape (n_s,); groups are 0 to levels - 1.

    Examples
    --------
    One of the 20 ways to choose 3 of 6 is as extreme on each side:

    >>> import numpy as np
    >>> from reinfuse.statistics.permutation_within_strata import permutation_test
    >>> scores, groups = np.arange(6.0), np.array([0, 0, 0, 1, 1, 1])
    >>> round(permutation_test([scores], [groups], levels=2, seed=1), 2)
    0.1
    """
    rng = np.random.default_rng(seed)
    sums, drawn = np.zeros(levels), np.zeros((draws, levels))
    covariance = np.zeros((levels, levels))
    for a, group in zip(scores, groups, strict=True):
        centred = a - a.mean()
        member = (group[:, None] == np.arange(levels)).astype(np.float64)
        sums += centred @ member
        if len(a) > 1:
            size = member.sum(axis=0)
            covariance += centred @ centred / (len(a) - 1) * (np.diag(size) - np.outer(size, size) / len(a))
        step = max(1, _NUMBERS_AT_ONCE // len(a))
        for start in range(0, draws, step):
            order = rng.permuted(np.broadcast_to(centred, (min(step, draws - start), len(a))), axis=1)
            drawn[start : start + step] += order @ member
    if np.trace(covariance) <= _SAME:
        return None
    inverse = np.linalg.pinv(covariance, rcond=_SAME, hermitian=True)
    statistic = float(sums @ inverse @ sums)
    extreme = np.einsum("di,ij,dj->d", drawn, inverse, drawn) >= statistic * (1 - _SAME) - _SAME
    return float((1 + extreme.sum()) / (1 + draws))
