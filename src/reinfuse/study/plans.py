"""The plan of a task: one that a caller has, its settings, those of a file, or the built-in one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.plan.plan_record import PlanHistory, history

PlanOrPath = Plan | Mapping[str, Any] | str | Path | None
"""A plan, its settings by name, its file (TOML), or None: that of the reference study."""


def plan_of(plan: PlanOrPath) -> Plan:
    """Return the plan that is meant.

    Raises
    ------
    PlanRefused
        If its file cannot be read, or it cannot be followed, with every problem.
    """
    if isinstance(plan, Plan):
        return plan
    if plan is None:
        return Plan.built_in()
    if isinstance(plan, Mapping):
        return Plan.of(plan)
    if isinstance(plan, str | Path):
        return Plan.load(plan)
    rule = f"is of type {type(plan).__name__}, no plan"
    remedy = "give a Plan, its settings by name, or the path of its file"
    raise PlanRefused([Problem(table="plan", rule=rule, remedy=remedy)])


def history_of(plan: PlanOrPath) -> PlanHistory | None:
    """Return when a plan's file was locked, and what was changed since; None of a plan without a record beside it.

    Raises
    ------
    PlanRefused
        If the record cannot be read, or was changed.
    """
    return history(Path(plan)) if isinstance(plan, str | Path) else None
