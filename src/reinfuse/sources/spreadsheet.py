"""Workbooks and text files as centres keep them: titles, grouped headers, totals and legends told from the data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reinfuse.exceptions import Problem
from reinfuse.sources import remarks
from reinfuse.sources.codebook import codebook_of, remark, with_codebook
from reinfuse.sources.glimpse import PARQUET
from reinfuse.sources.headers import compose
from reinfuse.sources.layout import propose_layout
from reinfuse.sources.left_out import sort_rows
from reinfuse.sources.sheet_lines import Lines, SheetLine, from_rows, from_sheet
from reinfuse.sources.source_table import SheetLayout, Source, SourceColumn, SourceRow, SourceTable
from reinfuse.tabular.delimited import read_lines
from reinfuse.tabular.files import Unreadable, read_bytes
from reinfuse.tabular.grid import letters
from reinfuse.tabular.parquet import read_parquet
from reinfuse.tabular.workbook import Sheet, read_sheets

TABLE = "sheet"
"""Name of the table of a text file, whatever the file is called: the next export has another name."""
_LEGEND = re.compile(
    r"legends?|legende|legenda|keys?|cod(?:e|es|ebook|ierung)|abbrev.*|abk(?:ü|ue)rzungen|read ?me|notes?|notizen"
    r"|listes?|listas?|elench[io]|sigl[ae]s?|abr[eé]viations?|abreviaturas?|glossaire|glosario|leggenda|lisez.?moi|l[eé]eme"
    r"|l[aä]s ?mig|info.*|hinweise|explanations?|erkl(?:ä|ae)rung.*|instructions?|anleitung|change ?log|lists?|"
    r"listen?|drop ?downs?"
    r"|lookups?|dictionary|glossary|l[eé]gendes?|leyendas?|legendy?|说明|說明|凡例|図例|图例",
    re.IGNORECASE,
)
_MOST_OF_A_LEGEND = 4
"""Columns of a sheet that may be a legend, by its name."""
_NO_LAYOUTS: Mapping[str, SheetLayout] = {}
_HEADER_ALONE = "has a header and no row of data below it"
_EMPTY = "give a sheet with a header and at least one row of data"


def read_workbook(path: Path, layouts: Mapping[str, SheetLayout] = _NO_LAYOUTS) -> Source:
    """Read the tables of a workbook; `layouts` (by sheet) replace what would be proposed for these sheets.

    Returns
    -------
    Source
        Its `problems` say what could not be read.
    """
    return _read(path, "excel", lambda data: _sheets(path, data, layouts))


def read_text(path: Path, layouts: Mapping[str, SheetLayout] = _NO_LAYOUTS) -> Source:
    """Read a file of rows separated by commas, semicolons, tabs or bars, or a Parquet file, as if it were a sheet."""
    return _read(path, "csv", lambda data: _text(path, data, layouts))


_Tables = tuple[Sequence[SourceTable], Sequence[Problem], Sequence[str], Sequence[str]]
"""Tables, problems, remarks, and codes of missing data."""


def _read(path: Path, kind: str, tables_of: Callable[[bytes], _Tables]) -> Source:
    files: dict[str, str] = {}
    try:
        data = read_bytes(path)
        files[path.name] = hashlib.sha256(data).hexdigest()
        tables, problems, remarks_read, missing = tables_of(data)
    except Unreadable as refused:
        tables, remarks_read, missing = (), (), ()
        problems = [Problem(table=path.name, rule=refused.rule, remedy=refused.remedy)]
    if not tables and not problems:
        problems = [Problem(table=path.name, rule="holds no table", remedy=_EMPTY)]
    return Source(
        "csv" if kind == "csv" else "excel",
        path.name,
        tuple(tables),
        tuple(problems),
        files,
        tuple(remarks_read),
        tuple(missing),
    )


def _text(path: Path, data: bytes, layouts: Mapping[str, SheetLayout]) -> _Tables:
    rows, notes = _parquet(data) if path.suffix.casefold() == PARQUET else read_lines(data)
    lines = from_rows(rows)
    table, problems = _table(TABLE, path, lines, layouts.get(TABLE) or layouts.get(""), None)
    return [table] if table else [], problems, [*notes], ()


def _parquet(data: bytes) -> tuple[Sequence[tuple[int, Sequence[str]]], tuple[str, ...]]:
    grid = read_parquet(data)
    return [(1, grid.header), *((number + 1, row) for number, row in grid.rows)], ()


def _sheets(path: Path, data: bytes, layouts: Mapping[str, SheetLayout]) -> _Tables:
    tables: list[SourceTable] = []
    problems: list[Problem] = []
    sheet_remarks: list[str] = []
    books: dict[str, list[list[str]]] = {}
    sheets = [s for s in read_sheets(data, marks=True) if s.filled]
    for sheet in sheets:
        lines = from_sheet(sheet)
        layout = layouts.get(sheet.title) or (layouts.get("") if len(sheets) == 1 else None)
        if layout is None and (why := _no_table(sheet, lines)):
            sheet_remarks.append(f"sheet {sheet.title!r} is not read: {why}")
            books[sheet.title] = [list(line.texts) for line in lines.rows]
            continue
        table, wrong = _table(sheet.title, path, lines, layout, sheet)
        if (table is None or not table.rows) and [p.rule for p in wrong] == [_HEADER_ALONE] and len(sheets) > 1:
            sheet_remarks.append(f"sheet {sheet.title!r} is not read: it {_HEADER_ALONE}")
            continue
        problems += wrong
        if table:
            tables.append(table)
        elif not wrong:
            sheet_remarks.append(f"sheet {sheet.title!r} is not read: no header with rows below it was recognised")
    return _explained(tables, books, sheet_remarks, problems=problems)


def _explained(tables: Sequence[SourceTable], books: Mapping[str, list[list[str]]], sheet_remarks: list[str], *,
               problems: Sequence[Problem]) -> _Tables:  # fmt: skip
    """Give columns the labels and codes that a sheet of explanations holds."""
    missing: list[str] = []
    for name, rows in books.items():
        if book := codebook_of(rows, tables):
            tables = [with_codebook(t, book) for t in tables]
            missing += book.missing
            sheet_remarks = [r for r in sheet_remarks if not r.startswith(f"sheet {name!r} is not read")]
            sheet_remarks += remark(name, tables)
    return tables, problems, sheet_remarks, missing


def _no_table(sheet: Sheet, lines: Lines) -> str:
    """Tell why a sheet holds no data, or nothing."""
    if len(lines.columns) == 1:
        return "it has one column"
    if _LEGEND.fullmatch(sheet.title.strip()) and len(lines.columns) <= _MOST_OF_A_LEGEND:
        return "it is a legend by its name"
    explained = sum(sum("=" in text for text in line.texts) > 0 for line in lines.rows)
    if len(lines.columns) <= _MOST_OF_A_LEGEND and explained > 0.5 * len(lines.rows):
        return "it explains abbreviations"
    return ""


def _table(
    name: str, path: Path, lines: Lines, layout: SheetLayout | None, sheet: Sheet | None
) -> tuple[SourceTable | None, Sequence[Problem]]:
    """Make a table of the lines of a sheet."""
    fixed = layout is not None
    layout = layout or propose_layout(name, lines)
    if layout is None:
        return None, ()
    if not any(lines.line(number) for number in layout.header_rows):
        rule = f"has nothing in row {', '.join(map(str, layout.header_rows))}, where the map looks for its header"
        return None, [Problem(table=name, rule=rule, remedy="correct header_rows in the map, or make the map again")]
    header = compose(lines, layout.header_rows)
    summaries = sheet.marks.summaries if sheet else frozenset()
    sorted_rows = sort_rows(lines, layout, header.names, summaries=summaries, fixed=fixed)
    names = _names(lines, header.names, rows=sorted_rows.rows)
    positions = [j for j, title in enumerate(names) if title]
    columns = tuple(SourceColumn(header=names[j], place=letters(lines.columns[j])) for j in positions)
    rows = tuple(SourceRow(f"row {line.number}", tuple(line.texts[j] for j in positions)) for line in sorted_rows.rows)
    table_remarks = [
        *_above(lines, layout),
        *header.remarks,
        *_unnamed(lines, header.names, names=names),
        *sorted_rows.remarks,
    ]
    table_remarks += remarks.faults(lines, sorted_rows.rows)
    if sheet:
        table_remarks += remarks.of_sheet(sheet, lines, rows=sorted_rows.rows, header=names)
    layout = SheetLayout(layout.sheet, layout.header_rows, layout.data_from, sorted_rows.drop_rows, layout.keep_rows)
    problems = list(sorted_rows.problems)
    if fixed:
        problems += _between(lines, layout)
    if not rows:
        problems.append(Problem(table=name, rule=_HEADER_ALONE, remedy=_EMPTY))
    hidden = sheet is not None and sheet.hidden
    return SourceTable(name, path.name, columns, rows, layout, tuple(table_remarks), hidden), problems


def _between(lines: Lines, layout: SheetLayout) -> list[Problem]:
    """Ask what filled rows between header and data are: where the sheet was changed, they may be patients."""
    last = layout.header_rows[-1]
    rows = [line for line in lines.rows if last < line.number < layout.data_from]
    rule = "stands between header and data, and the map does not say what it is"
    return [
        Problem(table=layout.sheet or None, row=line.number, value=next(t for t in line.texts if t), rule=rule,
                remedy=f"write data_from = {line.number} for this sheet in the map if it is data, or delete the row")
        for line in rows if next(t for t in line.texts if t) not in layout.drop_rows
    ]  # fmt: skip


def _names(lines: Lines, header: Sequence[str], *, rows: Sequence[SheetLine]) -> list[str]:
    """Name filled columns without a header by their letters; leave out those that are empty too."""
    filled = {j for line in rows for j in line.filled}
    return [title or (f"column {letters(lines.columns[j])}" if j in filled else "") for j, title in enumerate(header)]


def _unnamed(lines: Lines, header: Sequence[str], *, names: Sequence[str]) -> list[str]:
    bare = [letters(lines.columns[j]) for j, name in enumerate(names) if name and not header[j]]
    return [f"columns without a header are named by their letters: {remarks.places(bare)}"] if bare else []


def _above(lines: Lines, layout: SheetLayout) -> list[str]:
    """Tell what stands above the header, and between header and data."""
    above = [line for line in lines.rows if line.number < layout.data_from and line.number not in layout.header_rows]
    texts = [f"row {line.number} ({' '.join(dict.fromkeys(t for t in line.texts if t))[:60]!r})" for line in above]
    blank = (lines.rows[-1].number if lines.rows else 0) - layout.data_from + 1
    blank -= sum(line.number >= layout.data_from for line in lines.rows)
    outside = [f"not part of header or data: {remarks.places(texts)}"] if texts else []
    return [*outside, *([f"blank rows left out: {blank:,}"] if blank > 0 else [])]
