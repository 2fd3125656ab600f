"""What is asked of findings, by names: checked, and computed from the patients where the findings do not hold it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reinfuse.cohort.cohort_summary import DescribedEndpoint
from reinfuse.cohort.declarations import BUILT_IN_FACTORS
from reinfuse.cohort.raw_tables import DERIVED
from reinfuse.exceptions import PlanRefused, Problem, RequestRefused, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.findings import Findings
from reinfuse.study.study import Study

_SETTING, _PLAN = "report.table1.", "correct the plan"
"""How a plan calls the arguments of table 1, and a remedy that is none for a request."""
_SHOWN = 12
"""Names that a remedy lists."""
_CUT = 'cut it in the plan, such as factors=[{{"name": "{name}_high", "column": "{name}", "above": 60}}]'


def refused(what: str, argument: str | None, value: object, *, rule: str, remedy: str) -> RequestRefused:
    """Return the error for an argument that cannot be followed.

    Parameters
    ----------
    what
        The method, as the user called it.
    """
    return RequestRefused([Problem(table=what, column=argument, value=str(value), rule=rule, remedy=remedy)])


def among(names: Iterable[str], *, name: str) -> str:
    """Return as a remedy the name that is nearest, or those that there are."""
    every = list(names)
    near = nearest(name, every, short=3)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    listed = f"there are: {', '.join(every[:_SHOWN])}{more}" if every else "none is there"
    return f"did you mean {near!r}? {listed}" if near else listed


def endpoint_of(findings: Findings, name: str, *, what: str, timed: bool = False) -> DescribedEndpoint:
    """Return an endpoint of findings.

    Parameters
    ----------
    timed
        It must be a time to event.

    Raises
    ------
    RequestRefused
        If there is no such endpoint, with those that there are.
    """
    if not isinstance(name, str):
        raise refused(what, "endpoint", name, rule="is no name", remedy='name an endpoint, such as "pfs"')
    ends = {e.name: e for e in findings.described.endpoints if not timed or (e.kind == "time" and not e.competing)}
    if name in ends:
        return ends[name]
    kinds = [e for e in findings.described.endpoints if e.name == name]
    rule = f"{name!r} is no endpoint of these findings"
    if kinds:
        rule = f"{name!r} competes with another event" if kinds[0].competing else f"{name!r} is no time to event"
    raise refused(what, "endpoint", name, rule=rule, remedy=among(ends, name=name))


def with_group(findings: Findings, by: str, *, what: str) -> tuple[Plan, str]:
    """Return the plan of findings with a factor whose levels divide patients, and the factor's name; no model is added.

    Raises
    ------
    RequestRefused
        If patients cannot be divided so: not known at baseline, an identifier, a number, or not there.
    """
    if not isinstance(by, str):
        raise refused(what, "by", by, rule="is no name", remedy='name a factor or a column, such as "diagnosis"')
    _refuse_number(findings, by, what=what)
    if any(f.name == by for f in findings.described.factors):
        return findings.plan, by
    if findings.cohort is None:
        rule = f"the findings were read back and hold no patients, so that nothing can be estimated by {by!r}"
        remedy = f"analyse the cohort again; {among(_suggested(findings), name=by)}"
        raise refused(what, "by", by, rule=rule, remedy=remedy)
    name = re.sub(r"\W", "_", f"{'' if by[:1].isalpha() else 'x'}{by}", flags=re.ASCII)
    own = {"name": by} if by in BUILT_IN_FACTORS else {"name": name, "column": by, "label": by}
    try:
        return findings.plan.replace(factors=(*findings.plan.factors, own)), own["name"]
    except PlanRefused as wrong:
        raise RequestRefused(_in_words(wrong, findings, by=by, what=what)) from None


def estimated(findings: Findings, plan: Plan, analysis: str, *, what: str, by: str | None = None) -> Findings:
    """Return what one analysis gives of the patients behind findings, under a plan.

    Parameters
    ----------
    by
        The column that the plan was given as a factor, for the words of a refusal.

    Raises
    ------
    RequestRefused
        If findings that were read back hold no patients, or the plan cannot be followed.
    """
    if findings.cohort is None:
        rule = "the findings were read back and hold no patients, so that nothing more can be estimated"
        raise refused(what, None, "", rule=rule, remedy="analyse the cohort again")
    try:
        more = Study(findings.cohort, plan).only(analysis)
    except PlanRefused as wrong:
        raise RequestRefused(_in_words(wrong, findings, by=by, what=what)) from None
    if by is not None:
        _refuse_number(more, by, what=what)
    return replace(more, provenance=findings.provenance)


def _refuse_number(findings: Findings, by: str, *, what: str) -> None:
    if any(f.name == by and f.kind == "number" for f in findings.described.factors):
        raise refused(what, "by", by, rule=f"{by!r} is a number, and has no groups", remedy=_CUT.format(name=by))


def _in_words(wrong: PlanRefused, findings: Findings, *, by: str | None, what: str) -> list[Problem]:
    """Return why a plan that a request made cannot be followed, in the words of the request."""
    columns = [] if findings.data is None else [c for c in findings.data.frame.columns if DERIVED not in c]
    if by is not None and by not in (*_suggested(findings), *columns, *BUILT_IN_FACTORS):
        rule = f"{by!r} is no factor and no column of these patients"
        return [Problem(table=what, column="by", value=by, rule=rule, remedy=among(_suggested(findings), name=by))]
    problems = {p.rule: p for p in wrong.problems if p.severity == "error"}
    return [in_words_of_request(p, what=what, by=by, suggested=_suggested(findings)) for p in problems.values()]


def in_words_of_request(
    problem: Problem, *, what: str, by: str | None = None, suggested: Sequence[str] = ()
) -> Problem:
    """Return a problem of the plan that a request made, with the argument that it is about.

    Parameters
    ----------
    by
        The column by which patients are divided, where the problem can be of that.
    suggested
        Columns by which they can be.
    """
    column = problem.column or ""
    argument = column.removeprefix(_SETTING) if column.startswith(_SETTING) else None if by is None else "by"
    remedy = problem.remedy
    if remedy == _PLAN:
        remedy = f"take a factor known at the index infusion: {', '.join(suggested)}" if by else "correct the argument"
    return replace(problem, table=what, column=argument, rule=problem.rule.replace(_SETTING, ""), remedy=remedy)


def _suggested(findings: Findings) -> list[str]:
    """Return factors and columns by which patients can be divided, most likely first."""
    names = [f.name for f in findings.described.factors if f.kind != "number"]
    baseline = [e.term for e in findings.estimates if e.analysis == "baseline" and e.level is not None and e.term]
    return list(dict.fromkeys([*names, *(b for b in baseline if findings.data and b in findings.data.frame.columns)]))
