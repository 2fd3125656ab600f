"""Sources from literal text, as a reader would return them."""

from __future__ import annotations

from helpers import cells
from reinfuse.sources.follow import follow
from reinfuse.sources.map_file import read_map
from reinfuse.sources.source_table import Source, SourceColumn, SourceRow, SourceTable
from reinfuse.tabular.grid import letters
from reinfuse.tabular.toml import parse_toml


def sheet(text, name="CART", first_row=2):
    """Return a sheet of literal rows, the header first; its data begin in a row of the spreadsheet program."""
    head, *body = cells(text)
    columns = tuple(SourceColumn(header=h, place=letters(i)) for i, h in enumerate(head))
    rows = tuple(SourceRow(f"row {first_row + i}", tuple(texts)) for i, texts in enumerate(body))
    return SourceTable(name, "book.xlsx", columns, rows)


def book(*sheets, kind="excel", remarks=()):
    """Return a source of sheets."""
    return Source(kind, "book.xlsx", sheets, files={"book.xlsx": "0" * 64}, remarks=remarks)


def map_of(text, kind="excel"):
    """Return the map of a literal TOML text without its head."""
    head, _, rest = text.partition("---") if "---" in text else ("", "", text)
    return read_map(parse_toml(f'[source]\nkind = "{kind}"\n{head}\n{rest}'.encode()))


def followed(map_text, *sheets, kind="excel"):
    """Return what a map makes of sheets."""
    return follow(book(*sheets, kind=kind), map_of(map_text, kind))


def rows(imported, name):
    """Return the texts of a table of what was imported, the columns first."""
    table = imported.tables[name]
    return [list(table.columns), *([c.text for c in row] for row in table.rows)]


def problems(imported):
    """Return table, row, column and rule of each problem."""
    return [(p.table, p.row, p.column, p.rule) for p in imported.problems]
