"""Fourfold tables of several strata, such as centres: one odds ratio and its tests.

Each table is (a, b, c, d): with the factor, with and without the event; without the factor, with and without it. A
stratum in which a margin is 0 says nothing of the odds ratio, and changes none of the numbers here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, gammaln, ndtri

from reinfuse.arrays import Floats

MANTEL_HAENSZEL = "Mantel-Haenszel, Robins-Breslow-Greenland CI; Cochran-Mantel-Haenszel test without correction"
EXACT = "exact conditional, stratified"
_SAME = 1e-7
_WIDEST = 700.0


@dataclass(frozen=True)
class CommonOddsRatio:
    """An odds ratio common to all strata; NaN where it is not estimable, infinity where it has no bound.

    Attributes
    ----------
    estimate, lower, upper
        The ratio and its interval.
    p_value
        Two-sided.
    """

    estimate: float
    lower: float
    upper: float
    p_value: float


def mantel_haenszel(tables: Floats, confidence: float = 0.95) -> CommonOddsRatio:
    """Return the Mantel-Haenszel odds ratio with the test of Cochran, Mantel and Haenszel.

    Parameters
    ----------
    tables
        Counts, shape (strata, 4).
    confidence
        Of the interval.

    Notes
    -----
    Mantel and Haenszel, J Natl Cancer Inst 1959;22:719-748; variance of its logarithm by Robins, Breslow and
    Greenland, Biometrics 1986;42:311-323. The test has no continuity correction.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.stratified_tables import mantel_haenszel
    >>> common = mantel_haenszel(np.array([[8.0, 2.0, 4.0, 6.0], [6.0, 3.0, 3.0, 6.0]]))
    >>> round(common.estimate, 2), round(common.p_value, 3)
    (4.89, 0.025)
    """
    a, b, c, d = np.asarray(tables, dtype=np.float64).reshape(-1, 4).T
    n = a + b + c + d
    informative = n > 1
    a, b, c, d, n = (v[informative] for v in (a, b, c, d, n))
    expected = (a + b) * (a + c) / n
    variance = float(((a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))).sum())
    if variance == 0:
        return CommonOddsRatio(*[float("nan")] * 4)
    p_value = float(chdtrc(1, float((a - expected).sum()) ** 2 / variance))
    agree, differ = a * d / n, b * c / n
    R, S = float(agree.sum()), float(differ.sum())
    if R == 0 or S == 0:
        return CommonOddsRatio(0.0 if R == 0 else float("inf"), float("nan"), float("nan"), p_value)
    P, Q = (a + d) / n, (b + c) / n
    spread = np.sqrt((P * agree).sum() / (2 * R**2) + (P * differ + Q * agree).sum() / (2 * R * S)
                     + (Q * differ).sum() / (2 * S**2))  # fmt: skip
    width = float(-ndtri((1 - confidence) / 2) * spread)
    ratio = R / S
    return CommonOddsRatio(ratio, float(ratio * np.exp(-width)), float(ratio * np.exp(width)), p_value)


def exact_conditional(tables: Floats, confidence: float = 0.95) -> CommonOddsRatio:
    """Return the conditional maximum likelihood odds ratio, given all margins, with exact interval and test.

    Parameters
    ----------
    tables
        Counts, shape (strata, 4).
    confidence
        Of the interval: each tail has half of the rest.

    Returns
    -------
    CommonOddsRatio
        p: of the tables with this sum that are at most as probable, as R's ``mantelhaen.test(exact = TRUE)``.

    Notes
    -----
    The sum of the a has the distribution of a product of the strata's noncentral hypergeometric polynomials (Mehta,
    Patel and Gray, J Am Stat Assoc 1985;80:969-973).

    Examples
    --------
    One table is Fisher's exact test; that of the lady who tastes tea:

    >>> import numpy as np
    >>> from reinfuse.statistics.stratified_tables import exact_conditional
    >>> tea = exact_conditional(np.array([[3.0, 1.0, 1.0, 3.0]]))
    >>> round(tea.estimate, 3), round(tea.lower, 4), round(tea.upper, 2), round(tea.p_value, 4)
    (6.408, 0.2117, 626.24, 0.4857)
    """
    counts = np.asarray(tables, dtype=np.float64).reshape(-1, 4)
    logs, lowest = np.zeros(1), 0
    for a, b, c, d in counts:
        first, second, events = a + b, c + d, a + c
        least, most = int(max(0, events - second)), int(min(first, events))
        x = np.arange(least, most + 1)
        ways = (gammaln(first + 1) - gammaln(x + 1) - gammaln(first - x + 1)
                + gammaln(second + 1) - gammaln(events - x + 1) - gammaln(second - events + x + 1))  # fmt: skip
        logs, lowest = _convolved(logs, ways), lowest + least
    total = int(counts[:, 0].sum())
    values = np.arange(lowest, lowest + len(logs), dtype=np.float64)
    if len(values) == 1:
        return CommonOddsRatio(float("nan"), float("nan"), float("nan"), 1.0)
    given = _probabilities(logs, values, 0.0)
    at = total - lowest
    p_value = min(1.0, float(given[given <= given[at] * (1 + _SAME)].sum()))
    tail = (1 - confidence) / 2
    lower = 0.0 if at == 0 else _solved(lambda t: float(_probabilities(logs, values, t)[at:].sum()) - tail)
    upper = (
        float("inf")
        if at == len(values) - 1
        else _solved(lambda t: tail - float(_probabilities(logs, values, t)[: at + 1].sum()))
    )
    estimate = 0.0 if at == 0 else float("inf") if at == len(values) - 1 else _solved(
        lambda t: float(_probabilities(logs, values, t) @ values) - total)  # fmt: skip
    return CommonOddsRatio(estimate, lower, upper, p_value)


def _convolved(one: Floats, other: Floats) -> Floats:
    """Return the logarithms of the coefficients of a product of polynomials."""
    highest = one.max() + other.max()
    with np.errstate(divide="ignore"):
        product = np.convolve(np.exp(one - one.max()), np.exp(other - other.max()))
        return np.asarray(np.log(product) + highest, dtype=np.float64)


def _probabilities(logs: Floats, values: Floats, log_ratio: float) -> Floats:
    weights = logs + log_ratio * values
    weights = np.exp(weights - weights.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _solved(excess: Callable[[float], float]) -> float:
    """Return the odds ratio at which an increasing function of its logarithm is 0."""
    end = 1.0
    while excess(end) < 0 or excess(-end) > 0:
        end *= 2
        if end > _WIDEST:
            return float("nan")
    return float(np.exp(brentq(excess, -end, end, xtol=1e-13, rtol=1e-14)))
