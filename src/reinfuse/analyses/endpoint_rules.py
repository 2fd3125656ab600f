"""Response, progression-free and event-free survival and duration of response by several rules, side by side.

Of each rule: patients, events, median or proportion, how many patients' outcome differs from that by the plan's rules,
and the effect of the primary factor in the plan's model of the endpoint, or where there is none of the factor alone. An
effect is estimated for the endpoints that the study has, so that no hypothesis is new. Where a transplant competes, the
median is the time at which the cumulative incidence reaches one half, and the effect a subdistribution hazard ratio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from reinfuse.analyses.association import associations
from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.competing_risks import CUMULATIVE, curve, fine_gray
from reinfuse.analyses.proportion import proportion
from reinfuse.analyses.small_groups import events_for_normal, median_of_enough, withheld
from reinfuse.analyses.survival import METHOD, kaplan_meier, median
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.rule_variants import (
    FIRST,
    TIMES,
    VariantOutcomes,
    outcomes,
    rule_variants,
    same_rules,
    transplanted,
)
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined

ANALYSED = "endpoint_rules"
OF_PLAN = "rules of the plan"
"""In the note of the rule that is the plan's own; also the name of a rule that is none of the others."""
NOT_COMPARED = "not_compared"
RATIOS = ("odds_ratio", "hazard_ratio", "subdistribution_hazard_ratio")


def primary_factor(inputs: Inputs) -> FactorColumn | None:
    """Return the first factor with levels of the plan's models; None where there is none."""
    named = inputs.columns(f for model in inputs.plan.models for f in model.factors)
    return next((f for f in named if f.kind != "number"), None)


def side_by_side(inputs: Inputs) -> list[Estimate]:
    """Return the endpoints by each rule; nothing of a wide sheet, on whose times no rule runs."""
    rules, options = inputs.plan.rules, inputs.plan.estimands
    index = inputs.plan.index_infusion
    grafts = transplanted(inputs.cohort, index, rules=rules)
    left_out = dict(_left_out(inputs, grafts))
    days = rules.max_gap_days or options.missed_visits_days
    variants = [v for v in rule_variants(rules, days)
                if not v.compares or (v.compares in options.compare and v.compares not in left_out)]  # fmt: skip
    by_rule = list(outcomes(inputs.cohort, inputs.data, variants, index=index, rules=rules, grafts=grafts))
    records = [record for name in (*FIRST, *TIMES) for record in _of_endpoint(name, by_rule, inputs)]
    records += [Estimate(ANALYSED, None, NOT_COMPARED, group=what, note=why) for what, why in left_out.items()]
    return records if len(records) > len(left_out) else []


def _left_out(inputs: Inputs, grafts: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield the rules that these data do not let compare, each with its reason."""
    therapies = inputs.cohort.tables.get("therapies")
    if "transplant" in inputs.plan.estimands.compare:
        if therapies is None or "kind" not in therapies.columns:
            yield "transplant", "the data do not say which therapy was a transplant"
        elif grafts.is_empty() or not inputs.data.frame["patient_id"].is_in(grafts["patient_id"].implode()).any():
            yield "transplant", "no patient had one after the index infusion"
    if therapies is None and "new therapy" in inputs.plan.estimands.compare:
        yield "new therapy", "there is no table of therapies; the next CAR-T infusion alone is one"


def _of_endpoint(name: str, by_rule: Sequence[VariantOutcomes], inputs: Inputs) -> Iterator[Estimate]:
    """Yield the records of one endpoint: of the plan's own rules first where they are none of the others."""
    own, rules = inputs.data.endpoint(name), inputs.plan.rules
    rows = [(one.variant.name, one.endpoints[name], own is not None and same_rules(name, one.variant, plan=rules))
            for one in by_rule if name in one.endpoints]  # fmt: skip
    if not rows:
        return
    if own is not None and not any(planned for *_, planned in rows):
        rows.insert(0, (OF_PLAN, own, True))
    reference = own or rows[0][1]
    fitted: list[tuple[EndpointColumn, list[Estimate]]] = []
    for rule, end, planned in rows:
        note = OF_PLAN if planned else None
        described = _described(end, confidence=inputs.plan.confidence)
        yield replace(described, group=rule, note=joined([note, described.note]))
        yield Estimate(ANALYSED, name, "changed", group=rule, estimate=float(changed(end, reference)), unit="patients",
                       method="count", n=len(end.event), note=note)  # fmt: skip
        if own is not None:
            again = next((effects for other, effects in fitted if not changed(end, other)), None)
            fitted.append((end, _effects(end, inputs) if again is None else again))
            yield from (replace(e, analysis=ANALYSED, group=rule) for e in fitted[-1][1])


def changed(one: EndpointColumn, other: EndpointColumn) -> int:
    """Count the patients whose time, event or competing event is not the same by two rules, or not evaluated by one."""
    columns = [(one.event, other.event)]
    if one.time is not None and other.time is not None:
        none = np.zeros(len(one.event))
        columns += [(one.time, other.time)]
        columns += [(none if one.competing is None else one.competing,
                     none if other.competing is None else other.competing)]  # fmt: skip
    same = [(a == b) | (np.isnan(a) & np.isnan(b)) for a, b in columns]
    return int((~np.logical_and.reduce(same)).sum())


def _described(end: EndpointColumn, *, confidence: float) -> Estimate:
    """Return the proportion or the median."""
    here = end.known
    if end.kind == "binary" or end.time is None:
        values = end.event[here]
        return proportion(int(values.sum()), len(values), confidence, analysis=ANALYSED, endpoint=end.name)[1]
    time, event = end.time[here], end.event[here]
    fitted: Curve | None = None
    if len(time):
        other = end.competing
        fitted = (kaplan_meier(time, event, confidence) if other is None
                  else curve(time, event, other[here], confidence))  # fmt: skip
    if fitted is None:
        why = "no event" if len(time) else "no patient with a known time"
        return Estimate(ANALYSED, end.name, "median", unit="days", method=METHOD, n=len(time), events=0,
                        confidence=confidence, note=f"{NOT_ESTIMABLE}: {why}")  # fmt: skip
    method = METHOD if end.competing is None else CUMULATIVE
    record = median(fitted, confidence, end.name, population="all", group=None, method=method)
    return replace(median_of_enough(record), analysis=ANALYSED)


def _effects(end: EndpointColumn, inputs: Inputs) -> list[Estimate]:
    """Return the effects of the primary factor on an endpoint, one a level, in the model that the plan has of it."""
    factor = primary_factor(inputs)
    if factor is None or not end.known.any() or not declaration(end.name).modelled:
        return []
    planned = [m.factors for m in inputs.plan.models if m.endpoint == end.name and factor.name in m.factors]
    columns = inputs.columns(planned[-1]) if planned else []
    complete = bool(planned) and len(columns) == len(planned[-1])
    factors = columns if complete else [factor]
    model = "multivariable" if len({f.name for f in factors}) > 1 else "univariable"
    if end.competing is None:
        effects = associations(end, factors, model, confidence=inputs.plan.confidence)
    else:
        effects = fine_gray(end, factors, model, confidence=inputs.plan.confidence)
        fitted = sum(e.estimate is not None for e in effects)
        effects = [withheld(e, events_for_normal(e.events or 0, fitted)) for e in effects]
    return [e for e in effects if e.term == factor.name]


def _steps(inputs: Inputs) -> Iterator[Step]:
    if not inputs.cohort.wide and "responses" in inputs.cohort.tables:
        yield without_curves("endpoint rules", lambda: side_by_side(inputs))


ANALYSIS = Analysis(
    "endpoint rules",
    records=ANALYSED,
    section="sure",
    steps=_steps,
    what="response, PFS, DOR and EFS by several rules side by side, with the effect of the primary factor by each",
    method=(
        "the rules of FDA 2018 and one change at a time: new therapy followed through (EMA), missed visits, transplant "
        "ignored or competing, date of a failure, patients without an assessment left out (ICH E9(R1), 2019)"
    ),
    lacking="no dated tables of responses (a wide sheet's times are derived already, so that no rule runs on them)",
    switches=("endpoint_rules",),
)
