"""The within-patient comparison in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_TEXT = (
    "Patients received this infusion because the previous one failed or did not last, so outcomes differ for that "
    "reason alone (regression to the mean). Only patients who survived to this infusion are compared (guarantee time)."
)


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield (
        f"Both infusions were compared within patients by the exact McNemar test {cite('mcnemar')} and the growth "
        f"modulation index {cite('gmi')}."
    )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield from tables.paired()


SHOWN = Shown(
    _methods,
    references=cited("mcnemar", "gmi"),
    strobe=(Strobe("17", "paired"),),
    tables=_tables,
    text=lambda _: (_TEXT,),
    tables_named=("paired_response", "paired_gmi"),
)
