"""The groups of a baseline table beside each other: standardised differences, and tests where a plan asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from reinfuse.analyses.small_groups import FEWEST_PATIENTS, fewer, withheld
from reinfuse.arrays import Floats, Integers
from reinfuse.cohort.strata import Combination, Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics import standardized_difference
from reinfuse.statistics.contingency import TooManyTables, fisher_exact

SMD_NUMBERS = "absolute standardised mean difference (Austin 2009)"
SMD_CATEGORIES = "absolute standardised difference of proportions (Yang and Dalton 2012)"
FISHER = "Fisher's exact test"
SIMULATED_FISHER = "Fisher's exact test, 9,999 simulated tables"
WILCOXON = "Wilcoxon rank-sum test, exact"
WILCOXON_TIES = "Wilcoxon rank-sum test, normal approximation with continuity correction"
KRUSKAL = "Kruskal-Wallis test"
_EXACT_BELOW = 50
"""Patients of each group below which the rank-sum test of values without ties is exact, as in R."""
_SIMULATED = 9_999
NO_VARIANCE = f"{NOT_ESTIMABLE}: no variance in the groups"


@dataclass(frozen=True)
class Groups:
    """The levels of a factor, and for each patient which one is hers; null where that is missing."""

    factor: str
    levels: tuple[str, ...]
    of: pl.Series

    def values(self, series: pl.Series) -> list[pl.Series]:
        """Return the observed values of each group."""
        return [series.filter((self.of == level).fill_null(False)).drop_nulls() for level in self.levels]


def differences(name: str, values: pl.Series, *, groups: Groups) -> Iterator[Estimate]:
    """Yield the standardised difference of a variable between every two groups."""
    observed = groups.values(values)
    numeric = values.dtype.is_numeric()
    counted = None if numeric else _counts(values, observed)
    for i, j in combinations(range(len(groups.levels)), 2):
        if counted is None:
            smd = standardized_difference.of_numbers(_floats(observed[i]), _floats(observed[j]))
        else:
            smd = standardized_difference.of_categories(counted[i].astype(np.float64), counted[j].astype(np.float64))
        pair = Combination((Stratum(groups.factor, groups.levels[k]) for k in (i, j)), " vs ")
        few = min(len(observed[i]), len(observed[j])) < 2
        note = None if smd is not None else f"{NOT_ESTIMABLE}: fewer than 2 patients" if few else NO_VARIANCE
        yield Estimate("baseline", None, "smd", group=pair, term=name, estimate=smd, unit="SD", note=note,
                       method=SMD_NUMBERS if numeric else SMD_CATEGORIES,
                       n=len(observed[i]) + len(observed[j]))  # fmt: skip


def test(name: str, values: pl.Series, *, groups: Groups, random: np.random.Generator) -> Estimate:
    """Return the test of no difference between the groups; not estimable where a group has too few patients."""
    observed = groups.values(values)
    sizes = zip(groups.levels, map(len, observed), strict=True)
    few = [f"group {level}: {why}" for level, n in sizes if (why := fewer(n, FEWEST_PATIENTS, noun="patient"))]
    p, method, note = None, "", None
    if not few and values.drop_nulls().n_unique() < 2:
        note = f"{NOT_ESTIMABLE}: one value only"
    elif not few:
        p, method = (
            _of_numbers(observed) if values.dtype.is_numeric() else _of_categories(values, observed, random=random)
        )
    record = Estimate("baseline", None, "p_value", group=groups.factor, term=name, estimate=p, p_value=p, note=note,
                      method=method, n=sum(map(len, observed)))  # fmt: skip
    return withheld(record, joined(few))


def _of_numbers(observed: Sequence[pl.Series]) -> tuple[float, str]:
    from scipy import stats  # here: it takes a third of a second, and few plans ask for tests

    samples = [_floats(own) for own in observed]
    if len(samples) > 2:
        return float(stats.kruskal(*samples).pvalue), KRUSKAL
    every = np.concatenate(samples)
    exact = len(np.unique(every)) == len(every) and max(map(len, samples)) < _EXACT_BELOW
    p = stats.mannwhitneyu(*samples, alternative="two-sided", method="exact" if exact else "asymptotic").pvalue
    return float(p), WILCOXON if exact else WILCOXON_TIES


def _of_categories(
    values: pl.Series, observed: Sequence[pl.Series], *, random: np.random.Generator
) -> tuple[float, str]:
    table = _counts(values, observed)
    table = table[:, table.sum(axis=0) > 0]
    try:
        return fisher_exact(table), FISHER
    except TooManyTables:
        from scipy import stats

        method = stats.MonteCarloMethod(n_resamples=_SIMULATED, rng=random)
        return float(stats.fisher_exact(table, method=method).pvalue), SIMULATED_FISHER


def _counts(values: pl.Series, observed: Sequence[pl.Series]) -> Integers:
    """Return patients at each level, shape (groups, levels)."""
    levels = sorted({str(v) for v in values.drop_nulls()})
    return np.array([[int((own.cast(pl.String) == level).sum()) for level in levels] for own in observed], np.int64)


def _floats(series: pl.Series) -> Floats:
    return series.cast(pl.Float64).to_numpy()
