"""Deaths that a column of the source tells and no line of a map reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reinfuse.exceptions import Problem
from reinfuse.sources.imported import ImportedTable
from reinfuse.sources.source_map import WIDE_SHEET, SourceMap
from reinfuse.sources.source_table import Source, SourceTable
from reinfuse.sources.values.vital_status import ALIVE, DEAD, read_vital_status
from reinfuse.tabular.cell_parsing import clean, is_missing

_SHOWN = 5


def untold_deaths(
    source: Source, source_map: SourceMap, tables: Mapping[str, ImportedTable], read: Collection[tuple[str, str]]
) -> Iterator[Problem]:
    """Yield a problem for each column of vital status that says dead, where no patient of the cohort died.

    Parameters
    ----------
    read
        Name of the source's table and header of what some line of the map reads.
    """
    patients = tables.get("patients")
    if patients is None or "death" not in patients.columns or any(b.table == WIDE_SHEET for b in source_map.blocks):
        return
    place = patients.columns.index("death")
    if any(row[place].text for row in patients.rows):
        return
    mapped = {b.sheet for b in source_map.blocks}
    for table in source.tables:
        for column in table.columns:
            if (table.name in mapped or "" in mapped) and (table.name, column.header) not in read:
                dead = _rows_of_the_dead(table, column.header)
                if dead:
                    shown = f"{', '.join(dead[:_SHOWN])}{', ...' if len(dead) > _SHOWN else ''}"
                    rule = f"says dead in {len(dead)} rows ({shown}), and the map reads the death of nobody"
                    remedy = 'add death = "header of the date of death" to [patients] in the map, or enter the dates'
                    yield Problem(table=table.name, column=column.header, rule=rule, remedy=remedy)


def _rows_of_the_dead(table: SourceTable, header: str) -> list[str]:
    """Return the places of rows that say dead, in a column that says alive or dead and no more."""
    dead = []
    for text, row in zip(map(clean, table.texts(header)), table.rows, strict=True):
        if not text or is_missing(text):
            continue
        status = read_vital_status(text, order="dmy")
        if status is None or status.parts.get("status") not in (ALIVE, DEAD):
            return []
        if status.parts["status"] == DEAD:
            dead.append(row.place)
    return dead
