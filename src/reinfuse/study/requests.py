"""What is asked of findings, by names: checked, and computed from the patients where the findings do not hold it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from reinfuse.cohort.cohort_summary import DescribedEndpoint
from reinfuse.cohort.declarations import BUILT_IN_FACTORS
from reinfuse.cohort.raw_tables import DERIVED
from reinfuse.cohort.strata import factor_of
from reinfuse.exceptions import PlanRefused, Problem, RequestRefused, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.findings import Findings
from reinfuse.study.study import Study

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


def grouped_by(findings: Findings, by: str, *, analysis: str, what: str) -> tuple[Findings, str]:
    """Return findings that hold an analysis by the levels of a factor or a baseline column, and the factor's name.

    Parameters
    ----------
    analysis
        Its name; it is run where the findings do not hold its groups, on the same patients and by the same plan.

    Raises
    ------
    RequestRefused
        If patients cannot be divided so: not known at baseline, an identifier, a number, or not there.
    """
    if not isinstance(by, str):
        raise refused(what, "by", by, rule="is no name", remedy='name a factor or a column, such as "diagnosis"')
    _refuse_number(findings, by, what=what)
    factors = {f.name for f in findings.described.factors}
    populations = {factor_of(p) for p in findings.described.populations}
    if by in (populations if analysis == "baseline" else factors):
        return findings, by
    if findings.cohort is None:
        rule = f"the findings were read back and hold no patients, so that nothing can be estimated by {by!r}"
        remedy = f"analyse the cohort again; {among(populations if analysis == 'baseline' else factors, name=by)}"
        raise refused(what, "by", by, rule=rule, remedy=remedy)
    try:
        plan, name = _with_group(findings.plan, by, known=by in factors)
        more = Study(findings.cohort, plan).only(analysis)
    except PlanRefused as wrong:
        raise RequestRefused(_in_words(wrong, findings, by, what=what)) from None
    _refuse_number(more, name, what=what)
    return replace(more, provenance=findings.provenance), name


def _refuse_number(findings: Findings, by: str, *, what: str) -> None:
    if any(f.name == by and f.kind == "number" for f in findings.described.factors):
        raise refused(what, "by", by, rule=f"{by!r} is a number, and has no groups", remedy=_CUT.format(name=by))


def _with_group(plan: Plan, by: str, *, known: bool) -> tuple[Plan, str]:
    """Return the plan with one more subgroup, and as a factor where it is none yet, and its name; no model is added."""
    if known:
        return plan.replace(subgroups=(by,)), by
    name = re.sub(r"\W", "_", f"{'' if by[:1].isalpha() else 'x'}{by}", flags=re.ASCII)
    own = {"name": by} if by in BUILT_IN_FACTORS else {"name": name, "column": by, "label": by}
    return plan.replace(factors=(*plan.factors, own), subgroups=(own["name"],)), own["name"]


def _in_words(wrong: PlanRefused, findings: Findings, by: str, *, what: str) -> list[Problem]:
    """Return why patients cannot be divided by a column; where there is none of this name, with those there are."""
    columns = [] if findings.data is None else [c for c in findings.data.frame.columns if DERIVED not in c]
    names = [*(f.name for f in findings.described.factors if f.kind != "number"), *columns]
    rules = {p.rule: p.remedy for p in wrong.problems if p.severity == "error"}
    if by not in names and by not in BUILT_IN_FACTORS:
        rules = {f"{by!r} is no factor and no column of these patients": among(_suggested(findings), name=by)}
    other = f"take a factor known at the index infusion: {', '.join(_suggested(findings))}"
    rules = {rule: other if remedy == "correct the plan" else remedy for rule, remedy in rules.items()}
    return [Problem(table=what, column="by", value=by, rule=rule, remedy=remedy) for rule, remedy in rules.items()]


def _suggested(findings: Findings) -> list[str]:
    """Return factors and columns by which patients can be divided, most likely first."""
    names = [f.name for f in findings.described.factors if f.kind != "number"]
    baseline = [e.term for e in findings.estimates if e.analysis == "baseline" and e.level is not None and e.term]
    return list(dict.fromkeys([*names, *(b for b in baseline if findings.data and b in findings.data.frame.columns)]))
