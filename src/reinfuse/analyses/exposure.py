"""Exposure to the CAR-T cells: peak, area and time of the peak after each infusion, overall and by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from reinfuse.analyses.base import NO_COUNTS, Analysis, Inputs, Step, without_curves
from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.strata import Stratum
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.exposure import MEASURES, summaries
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate, joined

Members = list[tuple[str | None, set[str] | None]]
"""Groups by which counts are compared, and the patients of each; of None: all."""


def levels_compared(data: AnalysisSet, plan: Plan) -> Members:
    """Return name and patients of each level of the factors by which counts are compared."""
    chosen = dict.fromkeys(f for m in plan.models for f in m.factors)
    groups: Members = []
    for factor in data.factors:
        if factor.kind != "number" and (factor.name in chosen or factor.name in plan.subgroups):
            pairs = list(zip(data.frame[ID].to_list(), factor.values.to_list(), strict=True))
            groups += [(Stratum(factor.name, level), {i for i, v in pairs if v == level}) for level in factor.levels]
    return groups


def _summaries(counts: CohortKinetics, members: Members) -> Iterator[Estimate]:
    for infusion in counts.exposures["infusion"].unique().sort().to_list():
        rows = counts.exposures.filter(pl.col("infusion") == infusion)
        for group, ids in members:
            here = rows if ids is None else rows.filter(pl.col(ID).is_in(list(ids)))
            for measure, (_, unit) in MEASURES.items():
                measured = here[measure].drop_nulls()
                if (measure == "fold" and infusion == 1) or not len(here):
                    continue
                own = Estimate("kinetics", measure, "median", group=group, infusion=infusion,
                               term=Stratum("infusion", str(infusion)),
                               unit=_unit(measure, unit, of_counts=counts.unit), n=len(measured),
                               method="median and quartiles",
                               note=None if len(measured) == len(here) else
                               f"missing in {len(here) - len(measured)} of {len(here)} infusions")  # fmt: skip
                if not len(measured):
                    yield replace(own, note=joined(["not estimable", own.note]))
                for statistic, value in summaries(measured) if len(measured) else ():
                    yield replace(own, statistic=statistic, estimate=value)


def _unit(measure: str, unit: str, *, of_counts: str) -> str:
    return unit or (f"{of_counts} x days" if measure.startswith("auc") else of_counts)


def _steps(inputs: Inputs) -> Iterator[Step]:
    counts = inputs.counts
    if counts is not None:
        members: Members = [(None, None), *levels_compared(inputs.data, inputs.plan)]
        yield without_curves("exposure", lambda: list(_summaries(counts, members)))


ANALYSIS = Analysis(
    "exposure",
    records="kinetics",
    section="kinetics",
    steps=_steps,
    what="peak, time to peak and AUC after each infusion, by group",
    method="medians and quartiles of single profiles (see below)",
    lacking=NO_COUNTS,
    switches=("kinetics",),
)
