"""Factors of persistence after the index infusion: time ratios by an interval-censored Weibull model."""

from __future__ import annotations

from dataclasses import replace

from reinfuse.analyses import weibull_aft
from reinfuse.analyses.base import NO_COUNTS, Analysis, ratios_of_counts
from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.nca import persistence as interval
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate


def _times(counts: CohortKinetics, data: AnalysisSet, plan: Plan) -> list[Estimate]:
    """Return the time ratios of persistence after the index infusion."""
    of = {p.patient_id: p for p in counts.profiles if p.infusion == plan.index_infusion}
    rows = [i for i, patient in enumerate(data.frame[ID].to_list()) if patient in of]
    if not rows:
        return []
    between = [interval(of[data.frame[ID][i]]) for i in rows]
    left, right = [a for a, _ in between], [b for _, b in between]
    chosen = {f.name: replace(f, values=f.values[rows]) for f in data.factors}
    records = []
    for factor in chosen.values():
        records += weibull_aft.effects(left, right, [factor], model="univariable", confidence=plan.confidence)
    named = dict.fromkeys(f for m in plan.models for f in m.factors if f in chosen)
    if len(named) > 1:
        records += weibull_aft.effects(
            left, right, [chosen[f] for f in named], model="multivariable", confidence=plan.confidence
        )
    return records


ANALYSIS = Analysis(
    "factors of persistence",
    records="kinetics",
    section="kinetics",
    steps=lambda inputs: ratios_of_counts("factors of persistence", inputs, work=_times),
    what="time ratios of persistence",
    method=(
        "Weibull, interval-censored, profile likelihood; optimistic below about 20 patients (coverage of 95 %"
        " limits 90 % at 12)"
    ),
    lacking=NO_COUNTS,
    switches=("kinetics",),
)
