"""Which analyses of small numbers, robustness, later-known factors and protocols a plan asks for, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np

from reinfuse.analyses import (
    bootstrap_stability,
    competing_risks,
    landmark,
    leave_one_out,
    model_averaging,
    multiple_imputation,
    paired,
    permutation,
    power,
    proportional_hazards,
    sensitivity,
    simulated_inference,
    standardization,
)
from reinfuse.analyses.descriptive_steps import Made, Step, modelled, models, random, ticks
from reinfuse.cohort.analysis_set import Analysed
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.paired_outcomes import pairs
from reinfuse.cohort.post_baseline import factor_at, known_after, landmark_day, switch
from reinfuse.plan.analysis_plan import Landmark, Plan, TimeDependent
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate, joined

Model = tuple[EndpointColumn, list[FactorColumn], str]
MAIN = ("response", "pfs")
"""Endpoints of the main models where a plan has none."""


def steps(data: Analysed, cohort: Cohort, *, plan: Plan) -> Iterator[Step]:
    """Yield the steps, after the models themselves."""
    main = _main(data, plan)
    yield from _small_numbers(data, plan, main)
    yield from _robustness(data, plan, main)
    yield from _time(data, plan)
    yield from _protocols(data, cohort, plan=plan)
    if plan.analyses.power:
        yield from _power(plan, main, power.FEW_RATIOS)


def power_steps(data: Analysed, plan: Plan) -> Iterator[Step]:
    """Yield the power of the main models and of each factor alone for their endpoints, over many ratios."""
    main = _main(data, plan)
    ends = {end.name for end, _, _ in main}
    alone = [m for m in _univariable(data, plan) if m[0].name in ends and m not in main]
    yield from _power(plan, [*main, *alone], power.RATIOS)


def _power(plan: Plan, wanted: list[Model], ratios: Sequence[float]) -> Iterator[Step]:
    for m in wanted:
        draws, rng = plan.analyses.power, random(plan, "power", *_name(m))
        yield _step("power", m[0], partial(power.power, *m, draws, plan.confidence, rng, ratios))


def _step(what: str, end: EndpointColumn, work: Callable[[], list[Estimate]]) -> Step:
    return f"{what}, {end.label}", lambda _: (work(), {})


def _name(model: Model) -> list[str]:
    return [model[0].name, model[2], *(f.name for f in model[1])]


def _main(data: Analysed, plan: Plan) -> list[Model]:
    """Return the plan's multivariable models, or where it has none each factor alone, for the main endpoints."""
    known = [(end, factors, "multivariable") for end, factors in models(data, plan) if end.entry is None]
    if known or plan.models:
        return known
    ends = [e for e in modelled(data, plan) if e.entry is None]
    chosen = [e for e in ends if e.name in MAIN] or ends[:1]
    return [(end, [factor], "univariable") for end in chosen for factor in data.factors]


def _univariable(data: Analysed, plan: Plan) -> list[Model]:
    return [
        (end, [factor], "univariable") for end in modelled(data, plan) if end.entry is None for factor in data.factors
    ]


def _small_numbers(data: Analysed, plan: Plan, main: list[Model]) -> Iterator[Step]:
    asked = plan.analyses
    multivariable = [m for m in main if m[2] == "multivariable"]
    every = [*_univariable(data, plan), *multivariable]
    for m in {"none": [], "all": every, "multivariable": main}[asked.calibrated]:
        rng = random(plan, "calibrated", *_name(m))
        yield _step(
            "simulated intervals", m[0], partial(simulated_inference.calibrated, *m, plan.confidence, asked.draws, rng)
        )
    for m in every if asked.permutation else ():
        rng = random(plan, "permutation", *_name(m))
        yield _step("permutation", m[0], partial(permutation.permutations, *m, asked.draws, rng))
    for end in {end.name: end for end, _, _ in main}.values():
        if asked.averaging:
            yield _step("model averaging", end, partial(model_averaging.averaged, end, data.factors))
        if asked.bootstraps:
            rng = random(plan, "stability", end.name)
            yield _step(
                "stability", end, partial(bootstrap_stability.stability, end, data.factors, asked.bootstraps, rng=rng)
            )
    for end, factors, _ in multivariable if asked.bootstraps else ():
        rng = random(plan, "optimism", end.name)
        yield _step("optimism", end, partial(bootstrap_stability.optimism, end, factors, asked.bootstraps, rng=rng))


def _robustness(data: Analysed, plan: Plan, main: list[Model]) -> Iterator[Step]:
    asked, ids = plan.analyses, data.frame["patient_id"].to_list()
    for m in main if asked.influence else ():
        yield _step("influence", m[0], partial(leave_one_out.influence, *m, plan.confidence, ids))
    if asked.proportional_hazards:
        ends = {end.name for end, _, model in main if model == "multivariable"}
        alone = [m for m in _univariable(data, plan) if m[0].name in ends]
        for m in [m for m in [*alone, *main] if m[0].kind == "time"]:
            yield _step("proportional hazards", m[0], partial(proportional_hazards.proportional, *m, plan.confidence))
    if asked.sensitivity:
        yield "sensitivity", lambda made: (_sensitivity(made), {})
    for m in main if asked.imputations else ():
        rng = random(plan, "imputation", *_name(m))
        yield _step(
            "imputation", m[0], partial(multiple_imputation.imputed, *m, plan.confidence, asked.imputations, rng)
        )


def _sensitivity(made: list[Estimate]) -> list[Estimate]:
    effects = [e for e in made if e.analysis == "association"]
    multivariable = [e for e in effects if e.model == "multivariable"]
    alone = sorted((e for e in effects if e.model == "univariable"), key=lambda e: str(e.endpoint))
    found = sensitivity.e_values(multivariable or alone)
    for _, group in groupby(alone, key=lambda e: e.endpoint):
        found += sensitivity.false_discovery(list(group))
    return found


def _time(data: Analysed, plan: Plan) -> Iterator[Step]:
    for end in data.endpoints if plan.analyses.competing else ():
        if end.competing is not None:
            yield _step("competing events", end, partial(_competing, data, end, confidence=plan.confidence))
    for mark in plan.landmarks:
        name = f"landmark, {mark.factor} at day {landmark_day(mark, data, rules=plan.rules):g}"
        yield name, lambda _, mark=mark: _landmark(data, plan, mark)  # type: ignore[misc]
    for one in plan.time_dependent:
        name = f"time-dependent factor, {one.factor} and {one.endpoint}"
        yield name, lambda _, one=one: (_time_dependent(data, plan, one), {})  # type: ignore[misc]


def _competing(data: Analysed, end: EndpointColumn, *, confidence: float) -> list[Estimate]:
    made = [competing_risks.gray(end, f) for f in data.factors if f.kind != "number"]
    for factor in data.factors:
        made += competing_risks.fine_gray(end, [factor], "univariable", confidence=confidence)
    return made


def _adjusted_for(data: Analysed, names: tuple[str, ...]) -> list[FactorColumn]:
    return [f for f in (data.factor(n) for n in names) if f is not None]


def _landmark(data: Analysed, plan: Plan, mark: Landmark) -> Made:
    made: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}
    day = landmark_day(mark, data, rules=plan.rules)
    known = {f.name for f in (*data.factors, *data.later)}
    factor, why = factor_at(mark.factor, day, data)
    after, of = known_after(mark.factor, day, data) if mark.factor == "response" else (0, 0)
    adjust = [f for f, _ in (factor_at(n, day, data) for n in mark.adjust if n in known) if f is not None]
    late = f"{after} of {of} responders first responded after the landmark" if after else None
    for name in mark.endpoints:
        end = data.endpoint(name)
        if end is None or end.kind != "time":
            continue
        if factor is None:
            made.append(Estimate("landmark", name, "hazard_ratio", term=mark.factor, at=day, method="landmark",
                                 n=0, events=0, note=f"not estimable: {why}"))  # fmt: skip
            continue
        time = np.asarray(end.time)[end.known]
        marks = ticks(float(time.max() - day)) if len(time) and time.max() > day else [0.0]
        records, drawn = landmark.landmark(end, factor, adjust, day=day, confidence=plan.confidence, ticks=marks)
        made += [replace(e, note=joined([e.note, late])) if e.term == factor.name else e for e in records]
        curves |= {(name, f"landmark={day:g}", group): curve for group, curve in drawn.items()}
    return made, curves


def _time_dependent(data: Analysed, plan: Plan, one: TimeDependent) -> list[Estimate]:
    end = data.endpoint(one.endpoint)
    found, _ = switch(one.factor, data)
    if end is None or end.kind != "time" or found is None:
        return []
    return landmark.time_dependent(end, found, _adjusted_for(data, one.adjust), confidence=plan.confidence)


def _protocols(data: Analysed, cohort: Cohort, *, plan: Plan) -> Iterator[Step]:
    asked, wanted = plan.analyses, plan.standardise
    exposures = [f for f in _adjusted_for(data, wanted.exposures) if f.kind == "binary"]
    confounders = _adjusted_for(data, wanted.confounders)
    for name in wanted.endpoints if asked.standardise and asked.bootstraps and exposures else ():
        end = data.endpoint(name)
        if end is not None and end.entry is None and end.competing is None:
            day, rng = wanted.day if end.kind == "time" else None, random(plan, "standardised", end.name)
            yield _step(
                "protocols",
                end,
                partial(
                    standardization.standardised,
                    end,
                    exposures,
                    confounders,
                    day=day,
                    fewest=wanted.fewest,
                    draws=asked.bootstraps,
                    confidence=plan.confidence,
                    rng=rng,
                ),
            )
    if asked.paired and plan.index_infusion > 1:
        yield "within patients", lambda _: (_paired(cohort, plan), {})


def _paired(cohort: Cohort, plan: Plan) -> list[Estimate]:
    both = pairs(cohort, plan.index_infusion, rules=plan.rules)
    return [] if both is None else paired.paired(both, plan.confidence, index=plan.index_infusion)
