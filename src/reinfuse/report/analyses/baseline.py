"""Baseline characteristics in the report: a table."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Shown, main_items
from reinfuse.report.document.model import Table
from reinfuse.report.tables.study_tables import StudyTables


def _tables(tables: StudyTables) -> Iterator[Table | None]:
    yield tables.baseline()


SHOWN = Shown(tables=_tables, main=main_items("baseline"))
