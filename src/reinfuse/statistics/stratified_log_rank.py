"""The log-rank test in strata, such as centres: sums that add up over strata.

In a stratum, at each time of an event, d events among n at risk, of whom n_g are of group g: expected d n_g / n, and
the covariance d (n - d) / (n - 1) (n_g / n) (1[g = h] - n_h / n) (Mantel, Cancer Chemother Rep 1966;50:163-170).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc

from reinfuse.arrays import Floats, Integers

METHOD = "log-rank, stratified by centre"
_SINGULAR = 1e-9


@dataclass(frozen=True)
class LogRankSums:
    """Observed and expected events of each group, shape (groups,), and their covariance, shape (groups, groups)."""

    observed: Floats
    expected: Floats
    covariance: Floats

    @property
    def record(self) -> dict[str, Any]:
        """The sums as lists."""
        return {name: getattr(self, name).tolist() for name in ("observed", "expected", "covariance")}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> LogRankSums:
        """Return the sums that stand as lists under the names of the attributes."""
        return cls(*(np.array(record[name], dtype=np.float64) for name in ("observed", "expected", "covariance")))


def log_rank_sums(time: Floats, event: Floats, group: Integers, *, groups: int) -> LogRankSums:
    """Return the sums of one stratum.

    Parameters
    ----------
    time, event
        Shape (n,): follow-up, and 1 or 0.
    group
        Shape (n,): 0 to groups - 1.
    groups
        How many groups there are in all strata.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.stratified_log_rank import log_rank_sums
    >>> sums = log_rank_sums(np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([0, 1]), groups=2)
    >>> sums.observed.tolist(), sums.expected.tolist(), sums.covariance.tolist()
    ([1.0, 0.0], [0.5, 0.5], [[0.25, -0.25], [-0.25, 0.25]])
    """
    member = (group[:, None] == np.arange(groups)).astype(np.float64)
    observed = event @ member
    times, deaths = np.unique(time[event == 1], return_counts=True)
    order = np.argsort(-time, kind="stable")
    before = np.concatenate([np.zeros((1, groups)), np.cumsum(member[order], axis=0)])
    at_risk = before[np.searchsorted(-time[order], -times, side="right")]
    n = at_risk.sum(axis=1)
    share = at_risk / n[:, None]
    expected = deaths @ share
    weights = deaths * (n - deaths) / np.maximum(n - 1, 1)  # of one patient at risk: 0
    covariance = np.diag(weights @ share) - (share * weights[:, None]).T @ share
    return LogRankSums(observed, expected, covariance)


def stratified_log_rank(strata: Sequence[LogRankSums]) -> tuple[float, int] | None:
    """Return the p-value and the degrees of freedom; None where no event compares the groups.

    Parameters
    ----------
    strata
        The sums of each.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.stratified_log_rank import log_rank_sums, stratified_log_rank
    >>> one = log_rank_sums(np.arange(1.0, 7.0), np.ones(6), np.array([0, 0, 0, 1, 1, 1]), groups=2)
    >>> p, df = stratified_log_rank([one])
    >>> round(p, 3), df
    (0.025, 1)
    """
    difference = np.sum([s.observed - s.expected for s in strata], axis=0)
    covariance = np.sum([s.covariance for s in strata], axis=0)
    compared = np.diag(covariance) > _SINGULAR
    difference, covariance = difference[compared], covariance[np.ix_(compared, compared)]
    if len(difference) < 2:
        return None
    rank = int(np.linalg.matrix_rank(covariance, tol=_SINGULAR, hermitian=True))
    statistic = float(difference @ np.linalg.pinv(covariance, rcond=_SINGULAR, hermitian=True) @ difference)
    return float(chdtrc(rank, statistic)), rank
