"""The power of a plan's models, and of each factor alone, in a cohort of this size."""

from __future__ import annotations

from dataclasses import dataclass

from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.output import Destination
from reinfuse.report.document.model import Table
from reinfuse.report.export import power_folder
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.results.findings import Findings
from reinfuse.runtime.progress import Progress
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study


@dataclass(frozen=True)
class PowerResults:
    """Simulated power.

    Attributes
    ----------
    table
        What a reader is shown; None: there is no factor for which power can be simulated.
    """

    findings: Findings
    table: Table | None


def estimate_power(
    cohort: CohortInput, plan: PlanOrPath = None, *, draws: int = 2000, progress: Progress | None = None
) -> PowerResults:
    """Simulate power.

    Parameters
    ----------
    draws
        Simulated outcomes for each size of each effect.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    """
    findings = Study.read(cohort, plan_of(plan)).power(draws, progress)
    return PowerResults(findings, ProtocolTables(findings).power())


def write_power(results: PowerResults, place: Destination) -> None:
    """Write the records as power.csv and the curves as figures.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    power_folder.write_power(results.findings, place)
