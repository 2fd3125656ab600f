"""The empty cohort: CSV files and one workbook, made from the declaration that checks them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

from reinfuse.cohort.declarations import RESERVED
from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.schema import TABLES, WIDE, Column, TableSchema
from reinfuse.cohort.sheets import EXPLANATIONS
from reinfuse.output import Destination, at, refuse_results
from reinfuse.tabular import limits
from reinfuse.tabular.csv_files import rows_text
from reinfuse.tabular.limits import megabytes

WORKBOOK = "cohort.xlsx"
_LAST_ROW = 1000


_FREE = ", ".join(f"`{name}`" for name in ENDPOINTS if name not in RESERVED).replace(", `nrm`", " or `nrm`")
"""Names of built-in endpoints that a plan's own endpoint may bear."""
_READING = f"""## What is read

- A **folder** with one file a table: `patients.csv` or `patients.parquet`, and so on (any case); or a folder with one
  wide sheet, `sheet.csv`. `about.toml` beside them tells title, source and limits.
- A **workbook** (.xlsx, .xlsm) with one sheet a table, or with one filled sheet, which is then the wide sheet.
- A **wide sheet** alone: .csv, .tsv, .txt, .xlsx or .parquet.

Nothing is passed over in silence:

- *Refused*: a file or sheet of nearly a table's name (`therapy.csv`, `therapies.tsv`, `patients (1).csv`, a sheet
  `Toxicity`); one table twice (CSV and Parquet, a workbook with tables in the folder, a wide sheet beside tables); a
  column of nearly a declared name where the declared one is not there (`kinds`, `respons`), unless the plan names it;
  merged cells; a formula without a stored result; an error of the spreadsheet program in any language (`#REF!`,
  `#BLOCKED!`, `####`). `#N/A` is a missing value.
- *A warning*: other files and sheets that may hold data, which are not read; hidden rows, columns and sheets, which
  are; an error of the spreadsheet program in a column that is not used, which has no value then.
- *A note*: documents, pictures and programs in the folder.
- *Left alone*: `plan.toml`, `map.toml`, `corrections.csv`, `provenance.csv`, `reinfuse.manifest.json`, and files that
  the system or an open program keeps (`.DS_Store`, `~$...`).

Columns that are not listed below are kept under their own names and can be factors. No column of yours takes the place
of a derived one. A plan's own endpoint may be named {_FREE} only where the cohort does not hold the
endpoint of that name.

## How much is read

Regular files only: no pipes, devices or folders. At most:

| limit | of |
|---|---|
| {megabytes(limits.FILE_BYTES)} | a file; {limits.SETTINGS_BYTES:,} bytes for `about.toml` and the plan |
| {limits.ROWS:,} rows | a table |
| {limits.CELLS:,} cells | a table, rows times columns |
| {limits.CELL_CHARACTERS:,} characters | a cell; {limits.TEXT_CHARACTERS:,} for all cells of a table |
| {megabytes(limits.UNPACKED_BYTES)} | a workbook, unpacked |
| {limits.ELEMENTS:,} XML elements | a workbook; about four a cell |
| {limits.FILES:,} files | a folder |
"""


def columns_of(table: TableSchema) -> list[Column]:
    """Return the columns of a table's template: dates rather than days."""
    return [c for c in table.columns if c.kind != "day"]


def explanation(column: Column) -> str:
    """Say in words what a column may hold."""
    parts = [column.meaning]
    if column.choices:
        parts.append(f"one of {', '.join(column.choices)}" + (" or another text" if column.free else ""))
    if column.kind == "yes_no":
        parts.append("yes or no")
    if column.low is not None and column.high is not None:
        parts.append(f"from {column.low:g} to {column.high:g}{' ' + column.unit if column.unit else ''}")
    return "; ".join(parts)


def explanations(
    tables: tuple[TableSchema, ...] = (*TABLES.values(), WIDE),
) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield table, column, needed, meaning and example of every declared column."""
    for table in tables:
        for column in table.columns:
            timed = column.kind in ("date", "day") and table.timed == "must"
            needed = (
                "date or day" if timed else "column and cell" if column.filled else "column" if column.required else ""
            )
            yield table.name, column.name, needed, explanation(column), column.example


def markdown() -> str:
    """Return the documentation of every input table, as `docs/input.md` holds it."""
    lines = [
        "# Input tables",
        "",
        "Made by `reinfuse schema --markdown` from the declaration that checks the input.",
        "",
    ]
    lines += _READING.splitlines()
    for table in (*TABLES.values(), WIDE):
        needed = " (required)" if table.required else ""
        lines += [f"## {table.name}{needed}", "", f"{table.meaning[0].upper()}{table.meaning[1:]}.", ""]
        lines += ["| column | needed | meaning |", "|---|---|---|"]
        for _, column, must, meaning, _ in explanations((table,)):
            lines.append(f"| `{column}` | {must} | {meaning} |")
        lines.append("")
    return "\n".join(lines)


def write_template(place: Destination | Path) -> tuple[list[Path], list[Path]]:
    """Write an empty cohort into a folder: `<table>.csv` and a workbook with a sheet of explanations.

    Returns
    -------
    written, kept
        The files that were written; those that were there already and were left as they are (without `force`).

    Raises
    ------
    OutputRefused
        If the folder cannot be written, or holds results.
    """
    place = at(place, "template")
    refuse_results(place.path)
    files = {f"{table.name}.csv": _head(table) for table in TABLES.values()} | {WORKBOOK: _workbook()}
    present = set() if place.force else {name for name in files if os.path.lexists(place.path / name)}
    written = place.write_files({name: content for name, content in files.items() if name not in present})
    return written, [place.path / name for name in files if name in present]


def _head(table: TableSchema) -> bytes:
    return rows_text([[c.name for c in columns_of(table)]]).encode()


def _workbook() -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    book.remove(book.worksheets[0])
    needed = PatternFill("solid", fgColor="FFF3CD")
    for table in TABLES.values():
        sheet = book.create_sheet(table.name)
        for i, column in enumerate(columns_of(table), 1):
            cell = sheet.cell(1, i, column.name)
            cell.font = Font(bold=True)
            if column.required or (column.kind == "date" and table.timed == "must"):
                cell.fill = needed
            letter = get_column_letter(i)
            sheet.column_dimensions[letter].width = max(12, len(column.name) + 2)
            choices = ("yes", "no") if column.kind == "yes_no" else column.choices
            if choices and not column.free:
                rule = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=True)
                rule.add(f"{letter}2:{letter}{_LAST_ROW}")
                sheet.add_data_validation(rule)
        sheet.freeze_panes = "A2"
    sheet = book.create_sheet(EXPLANATIONS)
    sheet.append(["table", "column", "needed", "meaning", "example"])
    for row in explanations(tuple(TABLES.values())):
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDE", (14, 22, 16, 100, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
