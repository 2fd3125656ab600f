"""Optimism in the report: a table of c-index and calibration slope; bootstrap selection says how."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Shown
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.prediction()


SHOWN = Shown(tables=_tables, tables_named=("prediction",))
