"""What weights do: balance of the confounders before and after, effective sample size, range, and positivity.

Each protocol is compared with all patients, whom weighting is to make it like. A patient whose protocol was improbable
has a large weight, and where a protocol was improbable for some patients nobody like them may have received it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.results.estimate import Estimate
from reinfuse.statistics import doubly_robust

METHOD = "inverse-probability weights"
EFFECTIVE, SMALLEST, LARGEST, LOWEST = (
    "effective_sample_size",
    "smallest_weight",
    "largest_weight",
    "lowest_probability",
)
BEFORE, AFTER = "smd_before", "smd_after"
IMPROBABLE = 0.05
"""Probability of a protocol below which positivity is said to be doubtful."""


def balance(first: Estimate, terms: Mapping[str, Floats], event: Floats, *,
            groups: Mapping[str, tuple[Bools, Floats]], fewest: int) -> Iterator[Estimate]:  # fmt: skip
    """Yield what the weights of each protocol are and do, of protocols that enough patients had.

    Parameters
    ----------
    first
        Endpoint and day of the records.
    terms
        Name of each column of the confounders -> its values, shape (n,).
    event
        Shape (n,).
    groups
        Protocol -> who had it, and each patient's probability of it.
    """
    for group, (had, probability) in groups.items():
        if had.sum() < fewest:
            continue
        own = replace(first, group=group, n=int(had.sum()), events=int(event[had].sum()), unit=None, method=METHOD,
                      confidence=None)  # fmt: skip
        weights = np.where(had, 1 / np.maximum(probability, 1e-12), 0.0)
        few = int((probability < IMPROBABLE).sum())
        note = f"positivity doubtful: {few} of {len(had)} patients had a probability below {100 * IMPROBABLE:g}%"
        yield replace(own, statistic=EFFECTIVE, estimate=doubly_robust.effective_size(weights[had]), unit="patients")
        yield replace(own, statistic=SMALLEST, estimate=float(weights[had].min()))
        yield replace(own, statistic=LARGEST, estimate=float(weights[had].max()))
        yield replace(own, statistic=LOWEST, estimate=float(probability.min()), unit="fraction",
                      note=note if few else None)  # fmt: skip
        for term, x in terms.items():
            for statistic, w in ((BEFORE, had.astype(np.float64)), (AFTER, weights)):
                yield replace(own, statistic=statistic, term=term, estimate=doubly_robust.standardized_bias(x, w))
