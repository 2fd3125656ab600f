"""Baseline characteristics in the report: a table."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.group_comparison import FISHER
from reinfuse.report.analyses.base import Cite, Shown, main_items
from reinfuse.report.document.model import Table
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    methods = {e.statistic: set[str]() for e in findings.estimates if e.analysis == "baseline"}
    for e in findings.estimates:
        if e.analysis == "baseline" and e.method:
            methods[e.statistic].add(e.method)
    if methods.get("smd"):
        yield (
            "Groups were compared at baseline by absolute standardised mean differences "
            f"{cite('standardised_difference', 'multinomial_difference')}."
        )
    tests = methods.get("p_value", set())
    if tests:
        exact = f" {cite('freeman_halton')}" if any(t.startswith(FISHER) for t in tests) else ""
        yield f"Their characteristics were tested by: {'; '.join(sorted(tests))}{exact}."


def _tables(tables: StudyTables) -> Iterator[Table | None]:
    yield tables.baseline()


SHOWN = Shown(
    _methods,
    references=cited("standardised_difference", "multinomial_difference", "freeman_halton"),
    tables=_tables,
    main=main_items("baseline"),
    tables_named=("baseline",),
)
