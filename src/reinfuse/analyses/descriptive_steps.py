"""Which descriptive analyses and models a plan asks for, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from reinfuse.analyses import association, baseline, competing_risks, proportion, survival, toxicity
from reinfuse.arrays import Bools
from reinfuse.cohort.analysis_set import Analysed
from reinfuse.cohort.declarations import TIME_ENDPOINTS
from reinfuse.cohort.endpoints import DAYS_A_MONTH, EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.schema import RESPONSES
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate

RATE_MONTHS = (6, 12, 24)
TICK_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
MOST_TICKS = 7
Made = tuple[list[Estimate], dict[CurveKey, Curve]]
Step = tuple[str, Callable[[list[Estimate]], Made]]
"""What is being done, and the doing of it, given the estimates made so far."""


def modelled(data: Analysed, plan: Plan) -> list[EndpointColumn]:
    """Return the endpoints whose associations with factors are estimated."""
    own = {e.name for e in plan.endpoints}
    return [e for e in data.endpoints if e.kind == "binary" or e.name in TIME_ENDPOINTS or e.name in own]


def models(data: Analysed, plan: Plan) -> list[tuple[EndpointColumn, list[FactorColumn]]]:
    """Return the plan's multivariable models, as far as the data hold their endpoints and factors."""
    found = []
    for model in plan.models:
        known, factors = data.endpoint(model.endpoint), [data.factor(f) for f in model.factors]
        there = [f for f in factors if f is not None]
        if known is not None and len(there) == len(factors):
            found.append((known, there))
    return found


def steps(data: Analysed, plan: Plan) -> Iterator[Step]:
    """Yield the steps from the patients' flow to the multivariable models."""
    confidence = plan.confidence
    yield "flow", lambda _: (baseline.flow(data), {})
    yield "baseline", lambda _: (baseline.baseline(data), {})
    for end in data.endpoints:
        if end.kind == "binary":
            yield f"response, {end.label}", lambda _, end=end: (_proportions(data, end, confidence=confidence), {})  # type: ignore[misc]
        elif end.competing is not None:
            yield f"cumulative incidence, {end.label}", lambda _, end=end: _incidence(data, end, confidence=confidence)  # type: ignore[misc]
        else:
            yield f"survival, {end.label}", lambda _, end=end: _survival(data, end, confidence=confidence)  # type: ignore[misc]
    yield "best responses", lambda _: (_best_responses(data), {})
    yield "toxicity", lambda _: (toxicity.toxicity(data, confidence), {})

    def fitted(end: EndpointColumn, factors: list[FactorColumn], model: str) -> Step:
        return f"associations, {end.label}", lambda _: (
            association.associations(end, factors, model, confidence=confidence),
            {},
        )

    for end in modelled(data, plan):
        yield from (fitted(end, [factor], "univariable") for factor in data.factors)
    yield from (fitted(end, factors, "multivariable") for end, factors in models(data, plan))


def _groups(data: Analysed) -> Iterator[tuple[str, Bools]]:
    """Yield the name and mask of each level of each factor that has levels."""
    for factor in data.factors:
        if factor.kind != "number":
            for level in sorted(factor.levels):
                yield f"{factor.name}={level}", (factor.values == level).fill_null(False).to_numpy()


def _proportions(data: Analysed, end: EndpointColumn, *, confidence: float) -> list[Estimate]:
    made: list[Estimate] = []

    def add(mask: Bools, population: str, group: str | None) -> None:
        values = end.event[mask & end.known]
        made.extend(
            proportion.proportion(
                int(values.sum()),
                len(values),
                confidence,
                analysis="response",
                endpoint=end.name,
                population=population,
                group=group,
            )
        )

    for population, mask in data.populations.items():
        add(mask, population, None)
    for group, mask in _groups(data):
        add(mask, "all", group)
    return made


def _best_responses(data: Analysed) -> list[Estimate]:
    """Count each best response in each population and group; a patient without an assessment is `not assessed`."""
    end = data.endpoint("response")
    if end is None:
        return []
    best = data.frame["response"].cast(pl.String).fill_null("not assessed")
    there = [c for c in (*RESPONSES, "not assessed") if (best == c).any()]
    made = []
    every = [*((p, None, m) for p, m in data.populations.items()), *(("all", g, m) for g, m in _groups(data))]
    for population, group, mask in every:
        here = best.filter(pl.Series(mask))
        made += [Estimate("response", "response", "count", population, group, term=f"best={c}",
                          estimate=float((here == c).sum()), unit="patients", method="count", n=len(here),
                          events=int((here == c).sum())) for c in there]  # fmt: skip
    return made


def _survival(data: Analysed, end: EndpointColumn, *, confidence: float) -> Made:
    time, event, known = np.asarray(end.time), end.event, end.known
    days = [m * DAYS_A_MONTH for m in RATE_MONTHS]
    marks = ticks(float(time[known].max()) if known.any() else 0.0)
    made: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}

    def add(mask: Bools, population: str, group: str | None) -> None:
        here = mask & known
        entry = None if end.entry is None else end.entry[here]
        records, curve = survival.survival(
            time[here],
            event[here],
            confidence,
            endpoint=end.name,
            population=population,
            group=group,
            days=days,
            ticks=marks,
            entry=entry,
        )
        made.extend(records)
        if curve is not None:
            curves[end.name, population, group] = curve

    for population, mask in data.populations.items():
        add(mask, population, None)
        here = mask & known
        if end.entry is None and (end.name in ("os", "pfs") or end.name not in TIME_ENDPOINTS):
            made += survival.follow_up(time[here], event[here], confidence, endpoint=end.name, population=population)
    for group, mask in _groups(data):
        add(mask, "all", group)
    made += [] if end.entry is not None else _log_ranks(data, end)
    return made, curves


def _log_ranks(data: Analysed, end: EndpointColumn) -> list[Estimate]:
    made = []
    for factor in data.factors:
        if factor.kind != "number":
            here = end.known & factor.values.is_not_null().to_numpy()
            groups = factor.values.filter(pl.Series(here)).to_numpy().astype(str)
            made.append(
                survival.log_rank(
                    np.asarray(end.time)[here], end.event[here], groups, endpoint=end.name, term=factor.name
                )
            )
    return made


def _incidence(data: Analysed, end: EndpointColumn, *, confidence: float) -> Made:
    made: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}
    days = [m * DAYS_A_MONTH for m in RATE_MONTHS]
    time, other = np.asarray(end.time), np.asarray(end.competing)
    known = end.known & ~np.isnan(other)
    marks = ticks(float(time[known].max()) if known.any() else 0.0)
    for population, mask in data.populations.items():
        here = mask & known
        one = (time[here], end.event[here], other[here])
        made += competing_risks.cumulative_incidence(*one, confidence, end.name, population, days)
        made += competing_risks.numbers_at_risk(one[0], int(one[1].sum()), end.name, population=population, ticks=marks)
        curve = competing_risks.curve(*one, confidence)
        if curve is not None:
            curves[end.name, population, None] = curve
    return made, curves


def ticks(last: float) -> list[float]:
    """Return the days of the time axis: 0 and equal steps of whole months, few enough to stand apart."""
    fits = [m for m in TICK_MONTHS if last / (m * DAYS_A_MONTH) < MOST_TICKS]
    step = (fits[0] if fits else TICK_MONTHS[-1]) * DAYS_A_MONTH
    return [i * step for i in range(int(last // step) + 1)]


def random(plan: Plan, *names: Any) -> np.random.Generator:
    """Return the random numbers of one step: they depend on the plan's seed and the step's name, not on its place."""
    words = "/".join(str(n) for n in names).encode()
    return np.random.default_rng([plan.seed, *words])
