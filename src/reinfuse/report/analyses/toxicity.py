"""Toxicity in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe, main_items
from reinfuse.report.analyses.response import proportions
from reinfuse.report.document.model import Table
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if not any(e.analysis == "response" for e in findings.estimates):
        yield from proportions(findings, cite)
    yield (
        f"Toxicity grades are as recorded; CRS and ICANS by ASTCT consensus grading {cite('astct')} unless the centre "
        "used another scale. Scales are not pooled."
    )


def _tables(tables: StudyTables) -> Iterator[Table | None]:
    yield tables.toxicity()


SHOWN = Shown(
    _methods,
    references=cited("clopper", "astct"),
    strobe=(Strobe("15", "toxicity"),),
    tables=_tables,
    main=main_items("toxicity"),
    tables_named=("toxicity",),
)
