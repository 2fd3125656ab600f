"""Proportions with exact intervals.

Clopper CJ, Pearson ES. Biometrika 1934;26:404-413: the limits are quantiles of beta distributions,
lower = B(a/2; x, n-x+1), upper = B(1-a/2; x+1, n-x), with 0 and 1 at the ends.
"""

from __future__ import annotations

from scipy.special import betaincinv

from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

METHOD = "proportion, Clopper-Pearson CI"


def clopper_pearson(x: int, n: int, *, confidence: float) -> tuple[float, float]:
    """Return the exact interval of a proportion x of n, n >= 1."""
    alpha = 1 - confidence
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, alpha / 2))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - alpha / 2))
    return lower, upper


def proportion(x: int, n: int, confidence: float, *, analysis: str, endpoint: str | None, population: str = "all",
               group: str | None = None, term: str | None = None) -> list[Estimate]:  # fmt: skip
    """Return the count and the proportion x of n as two records."""
    count = Estimate(analysis, endpoint, "count", population, group, None, term, estimate=float(x), unit="patients",
                     method="count", n=n, events=x)  # fmt: skip
    if n == 0:
        note = f"{NOT_ESTIMABLE}: no patient evaluated"
        return [count, Estimate(analysis, endpoint, "proportion", population, group, None, term, unit="fraction",
                                method=METHOD, confidence=confidence, n=0, events=0, note=note)]  # fmt: skip
    lower, upper = clopper_pearson(x, n, confidence=confidence)
    return [count, Estimate(analysis, endpoint, "proportion", population, group, None, term, None, x / n, lower, upper,
                            confidence, None, "fraction", METHOD, n, x)]  # fmt: skip
