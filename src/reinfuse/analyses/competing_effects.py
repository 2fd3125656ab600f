"""Cause-specific hazards of competing events beside their subdistribution hazards, both with Firth's penalty.

The cause-specific hazard is the rate of the event in patients who had neither; the competing event censors. The
subdistribution hazard is tied to the cumulative incidence. A factor may act on one and not on the other, so that both
are shown for each of the competing events (Latouche et al., J Clin Epidemiol 2013;66:648-653). Factors are those of the
plan's models of the endpoint of which the event is a part, each alone and together; without such a model each factor
alone. An effect with fewer than five events for each parameter is not estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from reinfuse.analyses.association import associations, infinite, ratio
from reinfuse.analyses.base import Analysis, Inputs, Model, Step, of_endpoint
from reinfuse.analyses.competing_risks import MOST_PATIENTS
from reinfuse.analyses.design_matrix import design_of
from reinfuse.analyses.small_groups import events_for_normal
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth, firth_fine_gray

RECORDS = "competing_effects"
CAUSE_SPECIFIC, SUBDISTRIBUTION = "cause_specific_hazard_ratio", "subdistribution_hazard_ratio"
WHOLE = "pfs"
"""The endpoint whose models name the factors: relapse and non-relapse mortality are its parts."""


def cause_specific(end: EndpointColumn, factors: Sequence[FactorColumn], model: str,
                   *, confidence: float) -> list[Estimate]:  # fmt: skip
    """Return hazard ratios of one event, the competing one censored; one a term."""
    records = associations(_followed(end), factors, model, confidence=confidence)
    return [replace(e, analysis=RECORDS, statistic=CAUSE_SPECIFIC) for e in records]


def subdistribution(end: EndpointColumn, factors: Sequence[FactorColumn], model: str,
                    *, confidence: float) -> list[Estimate]:  # fmt: skip
    """Return subdistribution hazard ratios of one event; one a term."""
    design = design_of(_followed(end), factors, subdistribution=True)
    own = Estimate(RECORDS, end.name, SUBDISTRIBUTION, model=model, confidence=confidence, unit="ratio",
                   method=firth_fine_gray.METHOD, n=design.n, events=design.events)  # fmt: skip
    usable = design.usable
    too_many = f"over {MOST_PATIENTS} patients: not run" if design.n > MOST_PATIENTS else None
    fit = None
    if usable and not too_many:
        fit = firth_fine_gray.fit(design.X[:, usable], np.asarray(design.time), design.event,
                                  competing=np.asarray(end.competing)[design.rows], confidence=confidence)  # fmt: skip
    records = []
    for j, term in enumerate(design.terms):
        if fit is None or j not in usable or not fit.converged:
            why = too_many or design.why(j) or "the fit did not converge"
            records.append(replace(own, term=term, note=joined([f"{NOT_ESTIMABLE}: {why}", *design.notes])))
            continue
        i = usable.index(j)
        value, lower, upper = (ratio(float(v[i])) for v in (fit.coef, fit.lower, fit.upper))
        limit = "a limit is not estimable" if lower is None or upper is None else None
        remarks = [infinite("cox") if fit.infinite[i] else None, limit, *design.notes]
        records.append(replace(own, term=term, estimate=value, lower=lower, upper=upper,
                               p_value=finite(float(fit.p_value[i])), note=joined(remarks)))  # fmt: skip
    return records


def _followed(end: EndpointColumn) -> EndpointColumn:
    """Return an endpoint of which whoever lacks the competing event's is not evaluated."""
    return replace(end, event=np.where(np.isnan(np.asarray(end.competing)), np.nan, end.event))


def effects(end: EndpointColumn, factors: Sequence[FactorColumn], model: str, *, confidence: float) -> list[Estimate]:
    """Return both ratios of each term of a model; none where the events are too few for its parameters."""
    events = int(end.event[design_of(end, factors).rows].sum())
    why = events_for_normal(events, sum(len(f.terms) for f in factors))
    if why is None:
        return [e for kind in (cause_specific, subdistribution)
                for e in kind(end, factors, model, confidence=confidence)]  # fmt: skip
    note = f"{NOT_ESTIMABLE}: {why.partition(':')[0]}"
    design = design_of(end, factors)
    own = Estimate(RECORDS, end.name, CAUSE_SPECIFIC, model=model, confidence=confidence, unit="ratio", note=note,
                   n=design.n, events=design.events)  # fmt: skip
    methods = {CAUSE_SPECIFIC: firth.METHODS["cox"], SUBDISTRIBUTION: firth_fine_gray.METHOD}
    return [replace(own, statistic=s, term=t, method=m) for s, m in methods.items() for t in design.terms]


def _models(inputs: Inputs, end: EndpointColumn) -> list[Model]:
    """Return each factor of the plan's models of the whole endpoint alone, and these models."""
    several = [factors for whole, factors, _ in inputs.multivariable if whole.name in (WHOLE, end.name)]
    named = {f.name: f for whole, factors, _ in inputs.main if whole.name in (WHOLE, end.name) for f in factors}
    alone = list(named.values()) or list(inputs.data.factors)
    return [*((end, [f], "univariable") for f in alone), *((end, factors, "multivariable") for factors in several)]


def _of(inputs: Inputs, end: EndpointColumn) -> list[Estimate]:
    return [e for _, factors, model in _models(inputs, end)
            for e in effects(end, factors, model, confidence=inputs.plan.confidence)]  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.data.endpoints:
        if end.competing is not None and end.entry is None and inputs.data.factors:
            yield of_endpoint("cause-specific and subdistribution hazards", end, work=partial(_of, inputs, end))


ANALYSIS = Analysis(
    "cause-specific and subdistribution hazards",
    records=RECORDS,
    section="survival",
    steps=_steps,
    what="cause-specific beside subdistribution hazard ratios of competing events, alone and in the plan's models",
    method=(
        "Firth Cox (Biometrics 2001;57:114) with the competing event censored; Fine and Gray's weighted partial "
        "likelihood (J Am Stat Assoc 1999;94:496) with the same penalty; p from the penalised likelihood ratio, "
        "interval from its profile; fewer than 5 events a parameter: not estimable"
    ),
    lacking="no competing event with a factor, without delayed entry",
    switches=("competing",),
)
