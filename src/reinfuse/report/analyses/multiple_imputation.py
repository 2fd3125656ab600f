"""Multiple imputation in the report: beside complete cases."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    yield (
        f"Missing factor values were multiply imputed ({findings.plan.analyses.imputations} imputations) by chained "
        f"equations that include the outcome {cite('mice', 'mi_survival')}; results were pooled by Rubin's rules with "
        f"small-sample degrees of freedom {cite('barnard')}."
    )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.imputation()


SHOWN = Shown(
    _methods,
    references=cited("mice", "mi_survival", "barnard"),
    strobe=(Strobe("12e", "imputation", "imputation"),),
    tables=_tables,
    tables_named=("imputation",),
)
