"""E-values and adjusted p-values in the report; the p-values stand in the tables of associations."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield (
        f"E-values quantify the unmeasured confounding that could explain an association {cite('e_value')}. "
        f"Univariable p-values of each endpoint were adjusted by the Benjamini-Hochberg method {cite('bh')}; no other "
        "p-value was adjusted for multiple testing."
    )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.sensitivity()


SHOWN = Shown(
    _methods,
    references=cited("e_value", "bh"),
    strobe=(Strobe("12e", "sensitivity e_value", "E-values"),),
    tables=_tables,
    quoted=True,
    tables_named=("e_values",),
)
