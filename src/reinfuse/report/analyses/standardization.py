"""Standardised outcomes in the report: a table an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses import standardization
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_TEXT = (
    "Hypothesis-generating: expected outcomes had all patients received the protocol, assuming no unmeasured "
    "confounding, which cannot be verified. Protocols that too few patients received are not estimated. This is not a "
    "comparison of treatments and not advice."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any(e.method == standardization.G_COMPUTATION for e in findings.estimates):
        yield (
            f"Outcomes were standardised by protocol with g-computation {cite('g_computation', 'flic')} and "
            f"inverse-probability weighting {cite('weighting')}; percentile intervals are from "
            f"{findings.plan.analyses.bootstraps} bootstrap samples."
        )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield from (tables.protocols(end.name) for end in tables.findings.described.endpoints)


SHOWN = Shown(
    _methods,
    references=cited("g_computation", "flic", "weighting"),
    strobe=(Strobe("16c", "standardised"), Strobe("17", "standardised")),
    tables=_tables,
    text=lambda _: (_TEXT,),
    tables_named=("protocols_{endpoint}",),
)
