"""Persistence in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any((e.analysis, e.endpoint, e.statistic) == ("kinetics", "persistence", "median") for e in findings.estimates):
        yield (
            "Persistence ends with the first of two consecutive counts below the limit of quantification, an "
            f"interval-censored time {cite('turnbull')}. Cumulative incidence of loss was estimated with death and the "
            f"next infusion as competing events {cite('hudgens')}, with bootstrap percentile intervals."
        )


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("kinetics_persistence", "Persistence", tables=(tables.persistence(),))


SHOWN = Shown(_methods, references=cited("turnbull", "hudgens"), parts=_parts, tables_named=("persistence",))
