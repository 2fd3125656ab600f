"""Findings that hold what a table of patients shows: as they are, or with records that are estimated for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reinfuse.cohort.strata import factor_of
from reinfuse.exceptions import PlanRefused, RequestRefused
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.findings import Findings
from reinfuse.study.requests import estimated, in_words_of_request, with_group

_WHAT = "table1"


def for_table_of_patients(findings: Findings, by: str | None, **settings: Any) -> Findings:
    """Return findings whose plan asks for a table of patients, and that hold its records.

    Parameters
    ----------
    by
        A factor, or another column known at baseline, whose levels are columns; None: as the plan says.
    **settings
        Those of the plan's `[report.table1]`; None: as the plan says.

    Raises
    ------
    RequestRefused
        If patients cannot be divided so, a setting cannot be followed, or findings that were read back lack a record.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    own = findings.plan.report.table1
    if findings.cohort is None and by is not None and not given:
        populations = tuple(p for p in findings.described.populations if p == "all" or factor_of(p) == by)
        if len(populations) > 1:
            return replace(findings, described=replace(findings.described, populations=populations))
    plan, name = (findings.plan, own.by) if by is None else with_group(findings, by, what=_WHAT)
    plan = _with_table1(plan, given | {"by": name})
    if plan.report.table1 == own:
        return findings
    if not plan.report.table1.adds_records:
        return replace(findings, plan=plan)
    return estimated(findings, plan, "baseline", what=_WHAT, by=by)


def _with_table1(plan: Plan, settings: dict[str, Any]) -> Plan:
    report = plan.report
    try:
        return plan.replace(report={**dict(report), "table1": {**dict(report.table1), **settings}})
    except PlanRefused as wrong:
        raise RequestRefused([in_words_of_request(p, what=_WHAT) for p in wrong.problems]) from None
