"""Proportions of binary endpoints in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe, main_items
from reinfuse.report.document.model import Table
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def proportions(findings: Findings, cite: Cite) -> Iterator[str]:
    """Yield the sentence on exact intervals."""
    level = number_format.confidence_level(findings.plan.confidence)
    yield f"Proportions have exact (Clopper-Pearson) {level} confidence intervals {cite('clopper')}."


def _tables(tables: StudyTables) -> Iterator[Table | None]:
    yield tables.response()


SHOWN = Shown(
    proportions,
    references=cited("clopper"),
    strobe=(Strobe("15", "response"), Strobe("16c", "response proportion", "proportions")),
    tables=_tables,
    main=main_items("response"),
    tables_named=("response",),
)
