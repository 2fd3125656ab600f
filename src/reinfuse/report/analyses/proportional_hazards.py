"""Tests of proportional hazards in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    compared = any(e.analysis == "proportional" and e.statistic == "restricted_mean" for e in findings.estimates)
    means = ", and restricted mean survival times were compared" if compared else ""
    yield (
        f"Proportional hazards were tested by scaled Schoenfeld residuals {cite('schoenfeld')}; where p was below "
        f"0.05, an interaction with log time was fitted{means}."
    )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.proportional()


SHOWN = Shown(
    _methods,
    references=cited("schoenfeld"),
    strobe=(Strobe("12e", "proportional", "proportional hazards"),),
    tables=_tables,
    tables_named=("proportional",),
)
