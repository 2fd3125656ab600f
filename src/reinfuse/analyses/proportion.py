"""Proportions with exact intervals."""

from __future__ import annotations

from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.statistics.clopper_pearson import clopper_pearson

METHOD = "proportion, Clopper-Pearson CI"


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
