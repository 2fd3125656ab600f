"""A cohort analysed, for whoever goes on with the findings in Python."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from reinfuse.cohort.cohort import Cohort
from reinfuse.runtime.second_process import second_process
from reinfuse.study.plans import PlanOrPath, history_of, plan_of
from reinfuse.study.study import Study

if TYPE_CHECKING:
    from reinfuse.cohort.raw_tables import CohortInput
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.plan.plan_record import PlanHistory
    from reinfuse.results.findings import Findings
    from reinfuse.runtime.progress import Progress
    from reinfuse.tabular.frames import AnyFrame

_NEEDS = ("reinfuse.study.study",)
"""Imported by the second process while this one reads."""


def analyze(
    cohort: Cohort | CohortInput | AnyFrame, plan: PlanOrPath = None, *, progress: Progress | None = None
) -> Findings:
    """Estimate what a plan asks for.

    Parameters
    ----------
    cohort
        From `read_cohort` or `Cohort.from_frames`; or what `read_cohort` takes: a folder, a file, a data frame with one
        row a patient.
    plan
        A `Plan`, or the path of its file; default: the design of the reference study. Columns that were named when the
        cohort was read are read so here too, unless the plan names others.
    progress
        Called with what is done, how many steps are done, and how many there are.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem: table, row, column and what would mend it.

    See Also
    --------
    Report : shows the findings.
    """
    chosen, history = plan_of(plan), history_of(plan)
    with second_process(_NEEDS) if _takes_long(chosen) else nullcontext() as second:
        return _study(cohort, chosen, history).run(progress, second)


def _study(cohort: Cohort | CohortInput | AnyFrame, plan: Plan, history: PlanHistory | None) -> Study:
    if not isinstance(cohort, Cohort):
        return Study.read(cohort, plan, history=history)
    named, _ = cohort.read_with
    if named.items() - plan.columns.items():
        plan = plan.replace(columns={**named, **plan.columns})
    return Study(cohort, plan, history=history)


def _takes_long(plan: Plan) -> bool:
    """Tell whether a plan asks for what is simulated, drawn anew or permuted: a second process then saves time."""
    own = plan.analyses
    return own.calibrated != "none" or own.permutation or own.bootstraps > 0 or own.power > 0
