"""A cohort, checked: every problem of it, and whether it can be analysed."""

from __future__ import annotations

from dataclasses import dataclass

from reinfuse.cohort.cohort import examine
from reinfuse.cohort.raw_tables import CohortInput, read_raw
from reinfuse.exceptions import Problem
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
    accepted, problems = examine(read_raw(cohort), chosen.columns, used=chosen.used_columns,
                                  confirmed=chosen.confirmed)  # fmt: skip
    if accepted is not None:
        Study(accepted, chosen).prepare()
    return CohortCheck(accepted is not None, problems)
