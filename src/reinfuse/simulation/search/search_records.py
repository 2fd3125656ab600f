"""Records of a protocol search: near-optimal region, finalists, value of information."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.simulation.population.random_effects import CONFIDENCE, METHOD, SHARE, Bounds, Moments
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.search.near_optimal import Candidate, Region
from reinfuse.simulation.search.value_of_information import Information, InformationValue
from reinfuse.simulation.trial.records import ANALYSIS, SAME

GIVEN = "given the second infusion"
"""Rates in the patients who are given it."""


def range_records(region: Region, best: str) -> Iterator[Estimate]:
    """Yield the size of the near-optimal region and the range of each variable."""
    inside, designed = region.share
    method = ("share of the evaluated protocols of a space-filling design that are admissible and not distinguishable "
              "from the best")  # fmt: skip
    yield Estimate(ANALYSIS, region.question.objective, "region_share", group=best, estimate=inside / max(designed, 1),
                   n=designed, events=inside, method=method)  # fmt: skip
    method = "best protocol; range of the evaluated protocols that are not distinguishable from it"
    at = region.points[region.best]
    sides = region.question.at_limits(at)
    outside = region.question.beyond(at)
    warned = f"extrapolated: {'; '.join(outside)}" if outside else None
    for k, one in enumerate(region.question.coordinates):
        low, high = region.ranges[one.name]
        yield Estimate(ANALYSIS, region.question.objective, "region_range", group=best, term=one.name,
                       estimate=float(at[k]), lower=low, upper=high, unit=one.unit, n=int(region.inside.sum()),
                       method=method, note="; ".join(filter(None, (
                           f"the best lies at the {sides[one.name]} limit of the search" if one.name in sides else None,
                           warned))) or None)  # fmt: skip


def candidate_records(question: Question, one: Candidate, name: str, *, best: str) -> Iterator[Estimate]:
    """Yield objective, toxicity and difference from the best of a finalist."""
    yield record(question.objective, "proportion", name, pooled=one.value)
    yield record("crs_grade_3", "proportion", name, pooled=one.toxicity)
    yield Estimate(ANALYSIS, "crs_grade_3", "probability_below", group=name, model=SAME, at=question.max_crs_rate,
                   estimate=finite(one.bound_probability), n=one.toxicity.n,
                   method="share of the ensemble's populations",
                   note=None if finite(one.bound_probability) is not None else NOT_ESTIMABLE)  # fmt: skip
    yield Estimate(ANALYSIS, "given", "proportion", group=name, model=SAME, estimate=one.given, n=one.value.n,
                   events=round(one.given * one.value.n), method="share of the same patients")  # fmt: skip
    yield record("toxicities", "mean", name, pooled=one.burden, bounds=None)
    if name != best:
        statistic = "net_difference" if question.toxicity_weight else "risk_difference"
        yield record(question.objective, statistic, name, pooled=one.difference, bounds=one.bounds, term=best)
        chance = finite(one.difference.above(one.bounds))
        yield Estimate(ANALYSIS, question.objective, "probability_greater", group=name, model=SAME, term=best,
                       estimate=chance, n=one.difference.n, method=METHOD,
                       note=None if chance is not None else NOT_ESTIMABLE)  # fmt: skip


def frontier_records(region: Region) -> Iterator[Estimate]:
    """Yield objective and toxicities of the protocols on the frontier, and the weights for which each is the best."""
    method = "admissible evaluated protocols that no other is better than in both"
    weighed = "weights of a toxicity, in units of the objective, between which it is the best"
    for k, weights in region.frontier.items():
        one = region.protocols[k]
        name, endpoint = region.question.arm(one.point).name, region.question.objective
        yield Estimate(ANALYSIS, endpoint, "frontier_objective", group=name, model=SAME, estimate=one.value.mean,
                       n=one.value.n, method=method)  # fmt: skip
        yield Estimate(ANALYSIS, "toxicities", "frontier_toxicities", group=name, model=SAME, estimate=one.burden.mean,
                       n=one.burden.n, method=method)  # fmt: skip
        if weights is not None:
            yield Estimate(ANALYSIS, endpoint, "frontier_weight", group=name, model=SAME, lower=weights[0],
                           upper=finite(weights[1]), method=weighed,
                           note=None if finite(weights[1]) is not None else "no upper limit")  # fmt: skip


def record(
    endpoint: str,
    statistic: str,
    name: str,
    *,
    pooled: Moments,
    bounds: Bounds | None = SHARE,
    term: str | None = None,
    model: str = SAME,
) -> Estimate:
    """Return the record of a mean over patients and populations."""
    value, (low, high) = finite(pooled.mean), pooled.limits(bounds) or (None, None)
    return Estimate(ANALYSIS, endpoint, statistic, group=name, model=model, term=term, estimate=value, lower=low,
                    upper=high, confidence=None if low is None else CONFIDENCE, method=METHOD, n=pooled.n,
                    note=NOT_ESTIMABLE if value is None else None)  # fmt: skip


def information_records(gains: Information, objective: str) -> Iterator[Estimate]:
    """Yield the value of perfect information, and of each parameter and measurement."""
    method = "expected gain in the objective, if known before the choice between the finalists"
    yield Estimate(ANALYSIS, objective, "value_of_perfect_information", estimate=gains.perfect, n=gains.n,
                   method=f"{method}; noise-corrected by moments")  # fmt: skip
    kinds: Sequence[tuple[str, Sequence[InformationValue]]] = (
        ("unknown", gains.unknowns),
        ("measurement", gains.measurements),
    )
    for kind, values in kinds:
        for one in values:
            yield Estimate(ANALYSIS, objective, "value_of_information", model=kind, term=one.name, estimate=one.value,
                           p_value=one.p, n=gains.n, method=f"{method}; regression (Strong 2014), p by permutation",
                           note=None if one.significant else "not above the permutation threshold")  # fmt: skip
            yield Estimate(ANALYSIS, objective, "variance_explained", model=kind, term=one.name, estimate=one.narrows,
                           p_value=one.narrows_p, n=gains.n, method="share of the variance between populations of the "
                           "finalists' differences; regression, p by permutation")  # fmt: skip
