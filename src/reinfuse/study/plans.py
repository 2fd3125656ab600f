"""The plan of a task: one that a caller has, that of a file, or the built-in one."""

from __future__ import annotations

from pathlib import Path

from reinfuse.plan.analysis_plan import Plan

PlanOrPath = Plan | str | Path | None
"""A plan, its file (TOML), or None: that of the reference study."""


def plan_of(plan: PlanOrPath) -> Plan:
    """Return the plan that is meant.

    Raises
    ------
    PlanRefused
        If its file cannot be read, with every problem.
    """
    if isinstance(plan, Plan):
        return plan
    return Plan.load(plan) if plan else Plan.built_in()
