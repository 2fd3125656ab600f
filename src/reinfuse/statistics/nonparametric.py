"""Curves and tests of times to events that assume no distribution: each function takes and gives arrays.

Times in days; a patient is at risk at t if the time is >= t and, where patients come late, the entry < t. Limits of a
curve C on the log-log scale: C to the power exp(z s) and exp(-z s), s the standard error of log(-log C); none where C
is 0. Numbers are those of R's survival and cmprsk (tests/golden).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from reinfuse.arrays import Floats
from reinfuse.statistics.gray_score import gray_score

_ROUNDING = 1e-12
"""An incidence so near to 1 is 1: its sum has lost its last digits, and an interval there would be of no width."""


def kaplan_meier(
    time: Floats, event: Floats, confidence: float = 0.95, *, entry: Floats | None = None
) -> tuple[Floats, ...]:
    """Estimate a survival curve (Kaplan-Meier).

    Parameters
    ----------
    time, event
        Shape (n,): follow-up, and 1 or 0.
    confidence
        Of the pointwise limits, log-log with Greenwood's variance.
    entry
        Shape (n,): time from which each patient was under observation.

    Returns
    -------
    time, survival, lower, upper, at_risk, events, censored
        One value a distinct time; limits are NaN where they are not defined.

    Notes
    -----
    Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2002, section 1.4.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> curve = nonparametric.kaplan_meier(np.array([2.0, 3.0, 3.0, 5.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    >>> curve[0].tolist(), curve[1].tolist(), curve[4].tolist()
    ([2.0, 3.0, 5.0], [0.75, 0.5, 0.0], [4.0, 3.0, 1.0])
    """
    at, dead = np.unique(time), event > 0
    died, censored = (np.bincount(np.searchsorted(at, time[some]), minlength=len(at)) * 1.0 for some in (dead, ~dead))
    risk = _at_risk(time, at, entry)
    with np.errstate(all="ignore"):
        survival = np.asarray(np.cumprod(np.where(risk > 0, 1.0 - died / risk, 1.0)), dtype=np.float64)
        left = risk * (risk - died)
        deviation = np.sqrt(np.cumsum(np.where(left > 0, died / left, np.inf)))  # of log S, Greenwood's
        lower, upper = log_log_limits(survival, deviation / np.abs(np.log(survival)), confidence)
    lower, upper = (np.where(survival >= 1.0, 1.0, limit) for limit in (lower, upper))
    return at, survival, *(np.where(survival > 0.0, limit, np.nan) for limit in (lower, upper)), risk, died, censored


def _at_risk(time: Floats, at: Floats, entry: Floats | None = None) -> Floats:
    """Return how many are under observation at each of these days."""
    entered = len(time) if entry is None else np.searchsorted(np.sort(entry), at, side="left")
    return np.asarray(entered - np.searchsorted(np.sort(time), at, side="left"), dtype=np.float64)


def log_log_limits(curve: Floats, error: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return limits of a curve from the standard error of log(-log(curve))."""
    log, z = np.log(-np.log(curve)), ndtri(1.0 - (1.0 - confidence) / 2.0)
    lower, upper = (np.clip(np.exp(-np.exp(log + step)), 0.0, 1.0) for step in (z * error, -z * error))
    return lower, upper


def log_rank(time: Floats, event: Floats, groups: NDArray[np.str_]) -> float | None:
    """Return the p-value of the log-rank test; None where no event compares the groups.

    Parameters
    ----------
    time, event
        Shape (n,): follow-up, and 1 or 0.
    groups
        Shape (n,): the name of each patient's group.

    Notes
    -----
    Mantel N, Cancer Chemother Rep 1966;50:163-170.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> time, event = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.ones(6)
    >>> round(nonparametric.log_rank(time, event, np.array(["a", "a", "a", "b", "b", "b"])), 3)
    0.025
    """
    at, names = np.unique(time[event > 0]), np.unique(groups)
    risk = np.array([_at_risk(time[groups == name], at) for name in names])
    died = np.array([np.bincount(np.searchsorted(at, time[(groups == name) & (event > 0)]), minlength=len(at))
                     for name in names])  # fmt: skip
    n, deaths = risk.sum(axis=0), died.sum(axis=0)
    with np.errstate(all="ignore"):
        excess = died.sum(axis=1) - (risk * (deaths / n)).sum(axis=1)
        common = np.where(n > 1, deaths * (n - deaths) / (n**2 * (n - 1.0)), 0.0)
    others = np.where(np.eye(len(names), dtype=bool)[:, :, None], n - risk[None], -risk[None])
    variance = (common * risk[:, None] * others).sum(axis=2)
    return _chi_square(excess[:-1], variance[:-1, :-1])[1]


def _chi_square(score: Floats, variance: Floats) -> tuple[float, float | None]:
    """Return the quadratic form of a score, and its p-value; None where its variance has no inverse."""
    try:
        statistic = float(score @ np.linalg.solve(variance, score))
    except np.linalg.LinAlgError:
        return float("nan"), None
    return statistic, float(chdtrc(len(score), statistic))


def aalen_johansen(time: Floats, event: Floats, competing: Floats, *, confidence: float) -> tuple[Floats, ...]:
    """Estimate a cumulative incidence where another event competes (Aalen-Johansen).

    Parameters
    ----------
    time, event, competing
        Shape (n,): follow-up; 1 where the event, or the competing event, came; neither: censored.
    confidence
        Of the pointwise limits, log-log.

    Returns
    -------
    time, incidence, lower, upper
        One value a distinct time.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> time = np.array([1.0, 2.0, 3.0, 4.0])
    >>> relapse, death = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])
    >>> nonparametric.aalen_johansen(time, relapse, death, confidence=0.95)[1].tolist()
    [0.25, 0.25, 0.5, 0.5]
    """
    at = np.unique(time)
    risk = _at_risk(time, at)
    of_event, of_either = (np.bincount(np.searchsorted(at, time[some]), minlength=len(at)) * 1.0
                           for some in (event == 1, (event == 1) | (competing == 1)))  # fmt: skip
    free = np.concatenate(([1.0], np.cumprod(1.0 - of_either / risk)[:-1]))
    incidence = np.cumsum(free * of_event / risk)
    with np.errstate(all="ignore"):
        hazard = np.where(risk > of_either, of_either / (risk * (risk - of_either)), 0.0)
        own = free**2 * (risk - of_event) / risk * of_event / risk**2
        both = free * of_event / risk**2
        variance = (incidence**2 * np.cumsum(hazard) - 2 * incidence * np.cumsum(hazard * incidence)
                    + np.cumsum(hazard * incidence**2) + np.cumsum(own) - 2 * incidence * np.cumsum(both)
                    + 2 * np.cumsum(both * incidence))  # fmt: skip
        error = np.sqrt(np.maximum(variance, 0.0)) / (incidence * np.abs(np.log(incidence)))
        lower, upper = log_log_limits(incidence, error, confidence)
    return at, incidence, *(np.where(incidence < 1.0 - _ROUNDING, limit, np.nan) for limit in (lower, upper))


def gray(time: Floats, event: Floats, competing: Floats, *, groups: Sequence[str]) -> tuple[float, float]:
    """Return statistic and p-value of Gray's test of equal cumulative incidence; NaN where it has none.

    Parameters
    ----------
    time, event, competing
        Shape (n,), as in `aalen_johansen`.
    groups
        The name of each patient's group.

    Notes
    -----
    Gray RJ, Ann Stat 1988;16:1141-1154.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> time = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> relapse, death = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    >>> statistic, p = nonparametric.gray(time, relapse, death, groups=["a", "a", "a", "b", "b", "b"])
    >>> round(statistic, 2), round(p, 2)
    (2.44, 0.12)
    """
    names = np.unique(groups)
    if len(names) < 2 or not (event == 1).any():
        return float("nan"), float("nan")
    member = np.array([np.asarray(groups) == name for name in names])
    with np.errstate(all="ignore"):
        statistic, p = _chi_square(*gray_score(time, event == 1, (event != 1) & (competing == 1), member=member))
    return statistic, float("nan") if p is None else p
