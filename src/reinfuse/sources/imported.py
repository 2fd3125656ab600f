"""What follows from a source and its map: tables of texts, each cell with its place in the source and the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reinfuse.exceptions import Problem
from reinfuse.sources.source_map import SourceMap
from reinfuse.sources.source_table import Source, SourceTable


class Origin(NamedTuple):
    """A column of a source from which cells are filled; without a header: filled by a rule of the map alone."""

    table: SourceTable
    header: str = ""

    def place(self, row: int) -> str:
        """Return where a cell stands, as its user finds it: ``book.xlsx, CART, E7``; row counts from 0."""
        here = self.table.rows[row].place
        name = self.table.name if self.table.name != self.table.file else ""
        letters = self.table.columns[self.table.positions[self.header]].place if self.header else ""
        number = here.removeprefix("row ")
        where = f"{letters}{number}" if letters.isalpha() and letters.isupper() and number.isdigit() else here
        last = self.header if self.header and where == here else ""
        return ", ".join(part for part in (self.table.file, name, where, last) if part)


class ImportedCell(NamedTuple):
    """One cell of a cohort's table.

    Attributes
    ----------
    text
        In the contract's spelling; empty: missing.
    raw
        As it stands in the source.
    rule
        How the text follows from it, in words; empty: as it stands.
    row
        The source's row, counted from 0.
    """

    text: str
    raw: str
    rule: str
    origin: Origin
    row: int


@dataclass(frozen=True)
class ImportedTable:
    """One table of a cohort, not yet checked: a cell a column in every row."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[ImportedCell, ...], ...] = field(repr=False)


@dataclass(frozen=True)
class Imported:
    """What became of a source.

    Attributes
    ----------
    tables
        By name; one, ``sheet``, of a wide sheet with derived times.
    remarks
        What was done or left out, in sentences without their full stop.
    problems
        What keeps it from being a cohort; then the tables are not whole.
    """

    source: Source
    map: SourceMap
    tables: Mapping[str, ImportedTable]
    remarks: tuple[str, ...]
    problems: tuple[Problem, ...]
