"""What a plan's `[report]` names that these data lack: refused where a table needs it, else said."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.baseline import lacking, variables
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.baseline_variables import is_baseline_variable
from reinfuse.cohort.declarations import BUILT_IN_FACTORS
from reinfuse.cohort.raw_tables import DERIVED
from reinfuse.exceptions import Problem, nearest
from reinfuse.plan.report_options import ReportOptions, Table1


def lacking_in_data(options: ReportOptions, data: AnalysisSet) -> Iterator[Problem]:
    """Yield what is wrong with a table of patients by a factor without groups in these data, or of lacking columns."""
    yield from _columns(options.table1, data)
    yield from _groups(options.table1, data)


def _columns(table1: Table1, data: AnalysisSet) -> Iterator[Problem]:
    for name in lacking(data, table1):
        if name in BUILT_IN_FACTORS or is_baseline_variable(name):
            continue  # said in a note: a plan may be of several centres
        near = nearest(name, [c for c in data.frame.columns if DERIVED not in c])
        is_column = name in data.frame.columns
        rule = (
            "has values that no table of patients can describe"
            if is_column
            else "is no factor and no column of these data"
        )
        remedy = f"did you mean {near!r}?" if near and not is_column else "take it out of the variables"
        yield Problem(table="plan", column="report.table1.variables", value=name, rule=rule, remedy=remedy)


def _groups(table1: Table1, data: AnalysisSet) -> Iterator[Problem]:
    if table1.by is None:
        return
    factor = data.factor(table1.by)
    why = None
    if factor is None:
        why = "these data lack it"
    elif factor.kind == "number":
        why = "is a number and makes no groups"
    elif len(set(factor.values.drop_nulls())) < 2:
        why = "has one level only in the analysed patients"
    if why:
        remedy = "cut it with above, or name another factor"
        yield Problem(table="plan", column="report.table1.by", value=table1.by, rule=why, remedy=remedy)


def report_notes(options: ReportOptions, data: AnalysisSet) -> Iterator[str]:
    """Yield a sentence for each level that a plan labels and no analysed patient has, and variables that are absent."""
    levels: dict[str, set[str]] = {}
    if options.levels:
        levels = {v.name: {str(x) for x in v.values.drop_nulls()} for v in variables(data) if not v.is_number}
        levels |= {f.name: set(f.levels) for f in (*data.factors, *data.later) if f.kind != "number"}
    for name, labels in options.levels.items():
        absent = [level for level in labels if level not in levels.get(name, ())]
        if absent:
            present = ", ".join(sorted(levels.get(name, ()))) or "none"
            yield f"report.levels.{name}: no analysed patient has {', '.join(absent)}; levels in these data: {present}"
    if absent := lacking(data, options.table1):
        yield f"report.table1.variables: these data lack {', '.join(absent)}"
