"""What a plan's `[report]` names that these data lack: said, since a label that stands nowhere is perhaps misspelt."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.baseline import variables
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.plan.report_options import ReportOptions


def report_notes(options: ReportOptions, data: AnalysisSet) -> Iterator[str]:
    """Yield a sentence for each level that a plan labels and no analysed patient has."""
    levels = {v.name: {str(x) for x in v.values.drop_nulls()} for v in variables(data) if not v.is_number}
    levels |= {f.name: set(f.levels) for f in (*data.factors, *data.later) if f.kind != "number"}
    for name, labels in options.levels.items():
        absent = [level for level in labels if level not in levels.get(name, ())]
        if absent:
            known = ", ".join(sorted(levels.get(name, ()))) or "none"
            yield f"report.levels.{name}: no analysed patient has {', '.join(absent)}; levels in these data: {known}"
