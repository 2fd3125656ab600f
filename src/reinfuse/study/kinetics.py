"""The CAR-T counts of a cohort, analysed and written."""

from __future__ import annotations

from dataclasses import dataclass

from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.output import Destination
from reinfuse.plan.analysis_plan import Plan
from reinfuse.report.export.kinetics_folder import write_kinetics
from reinfuse.results.findings import Findings
from reinfuse.runtime.progress import Progress
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study


@dataclass(frozen=True)
class KineticsResults:
    """The counts' results, as written.

    Attributes
    ----------
    profiles
        Number of infusions with counts.
    notes
        How the counts were read, each in a sentence without its full stop.
    population_model
        What was sampled, and how well, in a sentence; None without sampling.
    """

    findings: Findings
    profiles: int
    notes: tuple[str, ...]
    population_model: str | None


def analyze_counts(cohort: CohortInput, plan: PlanOrPath = None, *, place: Destination, above: float | None = None,
                   sampling: bool = True, draws: int | None = None,
                   progress: Progress | None = None) -> KineticsResults:  # fmt: skip
    """Analyse the CAR-T counts and write their results.

    Parameters
    ----------
    place
        The folder to write; refused before anything is computed.
    above
        Report days above this count too.
    sampling
        Population model and joint models too; minutes.
    draws
        Draws of each of their chains.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem; a cohort without counts too.
    ExtraMissing
        If the libraries that sample are not installed.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    study = Study.read(cohort, _with_days_above(plan_of(plan), above))
    findings, sampled = study.kinetics(sampling, draws, progress)
    assert study.counts is not None
    write_kinetics(findings, study.counts, sampled, place=place)
    counted = study.counts.all_profiles
    return KineticsResults(findings, len(counted.profiles), tuple(counted.notes), sampled.summary if sampled else None)


def _with_days_above(plan: Plan, count: float | None) -> Plan:
    if count is None:
        return plan
    settings = {**plan.kinetics.model_dump(mode="json"), "above": count}
    return Plan.of({**plan.model_dump(mode="json"), "kinetics": settings})
