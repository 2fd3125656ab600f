"""A cohort, checked: every problem of it, and whether it can be analysed."""

from __future__ import annotations

from dataclasses import dataclass

from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.exceptions import Problem
from reinfuse.study.cohort_reading import examine
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study

__all__ = ["CohortCheck", "CohortInput", "check"]


@dataclass(frozen=True)
class CohortCheck:
    """What a check of a cohort brought up.

    Attributes
    ----------
    accepted
        Whether the cohort can be analysed: then each problem is a warning.
    problems
        Errors first.
    """

    accepted: bool
    problems: tuple[Problem, ...]


def check(cohort: CohortInput, plan: PlanOrPath = None) -> CohortCheck:
    """Read and check a cohort, and prepare the plan's analyses of it.

    Raises
    ------
    CohortRefused
        If nothing is there that can be read as a cohort.
    PlanRefused
        If the plan does not fit the cohort.
    """
    chosen = plan_of(plan)
    accepted, problems = examine(cohort, chosen)
    if accepted is not None:
        Study(accepted, chosen).prepare()
    return CohortCheck(accepted is not None, problems)
