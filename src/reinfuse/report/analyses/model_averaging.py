"""Model averaging in the report: a table an endpoint, with the bootstrap's selection beside it."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield (
        "Bayesian model averaging over all subsets of the factors used the Bayesian information criterion and equal "
        f"prior probabilities {cite('averaging')}."
    )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    """Inclusion by model averaging and by bootstrap selection; either may have been left out."""
    yield from (tables.averaging(end.name) for end in tables.findings.described.endpoints)


SHOWN = Shown(
    _methods,
    references=cited("averaging"),
    strobe=(Strobe("17", "averaging", "model averaging"),),
    tables=_tables,
    tables_named=("averaging_{endpoint}",),
)
