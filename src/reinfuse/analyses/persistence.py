"""Persistence of the CAR-T cells after each infusion, overall and by group; its loss, other events competing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from reinfuse.analyses.base import NO_COUNTS, Analysis, Inputs, Step, random, without_curves
from reinfuse.analyses.exposure import levels_compared
from reinfuse.cohort.analysis_set import ID
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.raw_tables import TIME
from reinfuse.kinetics import loss_incidence, persistence
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate


def _persistence(counts: CohortKinetics, group: str | None, ids: set[str] | None, *, plan: Plan,
                 infusion: int) -> list[Estimate]:  # fmt: skip
    own = [p for p in counts.profiles if p.infusion == infusion and (ids is None or p.patient_id in ids)]
    if not own:
        return []
    rng, (deaths, alive) = random(plan, "persistence", infusion, group), _ends(counts.cohort, infusion)
    return [
        *persistence.estimates(own, infusion, group, confidence=plan.confidence, random=rng),
        *loss_incidence.estimates(
            own, infusion, group, deaths=deaths, alive=alive, confidence=plan.confidence, random=rng
        ),
    ]


def _ends(cohort: Cohort, infusion: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return patient -> day of death, and -> last day known alive, since an infusion."""
    patients, infusions = cohort.tables["patients"], cohort.tables["infusions"]
    began = dict(infusions.filter(pl.col("infusion") == infusion).select(ID, TIME).iter_rows())
    ends: list[dict[str, float]] = []
    for column in ("death", "last_contact"):
        pairs = patients.select(ID, column).drop_nulls().iter_rows() if column in patients.columns else ()
        ends.append({i: float(day - began[i]) for i, day in pairs if i in began})
    return ends[0], ends[1]


def _steps(inputs: Inputs) -> Iterator[Step]:
    counts = inputs.counts
    if counts is None:
        return
    for infusion in sorted({p.infusion for p in counts.profiles}):
        for group, ids in [(None, None), *levels_compared(inputs.data, inputs.plan)]:
            name = f"persistence, CART{infusion}" + (f", {group}" if group else "")
            work = partial(_persistence, counts, group, ids, plan=inputs.plan, infusion=infusion)
            yield without_curves(name, work)


ANALYSIS = Analysis(
    "persistence",
    records="kinetics",
    section="kinetics",
    steps=_steps,
    what=("persistence of the cells after each infusion, by group; its loss with death and next infusion competing"),
    method=(
        "ends with the first of two consecutive counts below the limit, interval-censored between two visits:"
        " Turnbull's estimate, bootstrap percentile intervals, censored at death and next infusion (J R Stat "
        "Soc B 1976;38:290). Cumulative incidence of loss: nonparametric maximum likelihood for interval-"
        "censored competing events; patients who died, or had the next infusion, without a count on that day "
        "count as persisting, and the note gives the incidence had all of them lost persistence (Biometrics "
        "2001;57:74)"
    ),
    lacking=NO_COUNTS,
    switches=("kinetics",),
)
