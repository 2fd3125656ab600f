"""What a person corrected in the data, or left as it is with a reason: a ledger beside a source that never changes.

One line a cell, in the order in which it was decided: `table,row,column,old,new,reason,time`. Row and column are those
under which a problem is told: of a sheet, as the spreadsheet program numbers it; of a cohort's table, from 1.
Where `old` is `new`, the text was looked at and left. Without a row, `old` is the warning that was looked at. A line
whose reason is `taken back` undoes the one before it about the same cell.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import polars as pl

from reinfuse.cohort.raw_tables import ROW, RawCohort, RawTable, Reading
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.sources.imported import Imported, ImportedCell, ImportedTable
from reinfuse.sources.source_table import Source, SourceRow, SourceTable
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.csv_files import original, rows_text
from reinfuse.tabular.files import Unreadable, read_bytes
from reinfuse.tabular.limits import MAP_BYTES

CORRECTIONS_FILE = "corrections.csv"
TAKEN_BACK = "taken back"
"""Reason of a line that undoes the one before it about its cell."""
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Correction:
    """One line of the ledger.

    Attributes
    ----------
    table, row, column
        Where: as a problem tells it; `row` is a number, the place of a row that has none, or empty.
    old, new
        The text before and after.
    reason
        Why, in the person's words.
    time
        When, in UTC: ISO 8601.
    """

    table: str
    row: str
    column: str
    old: str
    new: str
    reason: str
    time: str

    @property
    def changes(self) -> bool:
        """Whether a text was changed, and not left as it is."""
        return self.old != self.new

    @property
    def subject(self) -> tuple[str, ...]:
        """What was decided about: a cell, or a warning about a whole column or table."""
        return (*self.place, *(() if self.row else (self.old,)))

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it is."""
        return self.table, self.row, self.column


_HEAD = tuple(f.name for f in fields(Correction))


def read_ledger(path: Path) -> tuple[Correction, ...]:
    """Read the ledger of corrections; one that is not there is empty.

    Raises
    ------
    SourceRefused
        If the file is no ledger, with the lines that are wrong.
    """
    if not path.exists():
        return ()
    try:
        text = read_bytes(path, MAP_BYTES).decode("utf-8-sig")
    except Unreadable as wrong:
        raise SourceRefused([Problem(table=path.name, rule=wrong.rule, remedy=wrong.remedy)]) from None
    except UnicodeDecodeError:
        raise SourceRefused([Problem(table=path.name, rule="is no text in UTF-8", remedy="save it so")]) from None
    rows = list(csv.reader(io.StringIO(text)))
    remedy = f"its columns are {', '.join(_HEAD)}"
    if not rows or tuple(rows[0]) != _HEAD:
        raise SourceRefused([Problem(table=path.name, rule="is no list of corrections", remedy=remedy)])
    wrong_rows = [Problem(table=path.name, row=i, rule=f"has {len(r)} cells", remedy=remedy)
                  for i, r in enumerate(rows[1:], 1) if len(r) != len(_HEAD)]  # fmt: skip
    if wrong_rows:
        raise SourceRefused(wrong_rows)
    return tuple(Correction(*(original(cell) for cell in row)) for row in rows[1:])


def ledger_text(corrections: Iterable[Correction]) -> str:
    """Return the ledger as CSV."""
    return rows_text([_HEAD, *(astuple(c) for c in corrections)])


def faults_of(correction: Correction) -> str | None:
    """Return why a correction cannot be noted; None if it can."""
    if not correction.reason.strip() and not correction.changes:
        return "give the reason why it is left as it is"
    if len(correction.reason) > _LONGEST_REASON:
        return f"shorten the reason to {_LONGEST_REASON} characters"
    return None


def last_decisions(corrections: Sequence[Correction]) -> set[int]:
    """Return the numbers of the lines that stand: the last one about each cell, or warning, that is not undone."""
    last: dict[tuple[str, ...], int] = {}
    for number, one in enumerate(corrections):
        last[one.subject] = number
    return {number for number in last.values() if corrections[number].reason != TAKEN_BACK}


def corrected_source(source: Source, corrections: Sequence[Correction]) -> Source:
    """Return a source with the corrections of a ledger; what does not fit it is among its problems."""
    if not corrections:
        return source
    ledger = _Ledger(corrections)
    tables = tuple(_corrected_table(t, ledger) for t in source.tables)
    problems = (*source.problems, *ledger.problems({t.name for t in source.tables}))
    remarks = (*source.remarks, *ledger.remark())
    return replace(source, tables=tables, problems=problems, remarks=remarks,
                   files={**source.files, CORRECTIONS_FILE: ledger.digest})  # fmt: skip


def corrected_raw(raw: RawCohort, corrections: Sequence[Correction]) -> RawCohort:
    """Return a cohort that is not yet interpreted with the corrections of a ledger."""
    if not corrections:
        return raw
    ledger = _Ledger(corrections)
    tables = {name: _corrected_frame(t, ledger) for name, t in raw.tables.items()}
    readings = tuple(Reading(table, column, "corrected by hand (corrections.csv)", count)
                     for (table, column), count in ledger.counts().items())  # fmt: skip
    return replace(raw, tables=tables, problems=(*raw.problems, *ledger.problems(set(tables))),
                   readings=(*raw.readings, *readings), sources={**raw.sources, CORRECTIONS_FILE: ledger.digest},
                   about=replace(raw.about, limits=(*raw.about.limits, *ledger.remark())))  # fmt: skip


def with_originals(imported: Imported, source: Source, corrections: Sequence[Correction]) -> Imported:
    """Return what was imported of a corrected source with the source's own texts beside the corrected ones, and why.

    Parameters
    ----------
    source
        As it was read, without any correction.
    """
    last = {one.place: one for one in corrections if one.row}
    tables_read = {t.name: t for t in source.tables}

    def noted(cell: ImportedCell) -> ImportedCell:
        table, header = tables_read.get(cell.origin.table.name), cell.origin.header
        if table is None or header not in table.positions:
            return cell
        row = table.rows[cell.row]
        one, own = last.get((table.name, _number(row), header)), row.texts[table.positions[header]]
        if one is None or clean(own) == clean(one.new):
            return cell
        why = f": {one.reason}" if one.reason else ""
        rule = "; ".join(t for t in (f"corrected to {one.new!r}{why}", cell.rule) if t)
        return cell._replace(raw=own, rule=rule)

    tables = {name: ImportedTable(name, t.columns, tuple(tuple(map(noted, row)) for row in t.rows))
              for name, t in imported.tables.items()}  # fmt: skip
    return replace(imported, tables=tables)


def _after(lines: Sequence[Correction], text: str) -> str | None:
    """Return what the lines about one cell make of its text; None where they do not fit it.

    Lines before one that begins with the text are history: the source was changed, and somebody decided anew. A source
    that was corrected as the ledger says stays as it is.
    """
    for first in range(len(lines)):
        here = text
        for one in lines[first:]:
            if clean(here) != clean(one.old):
                break
            here = one.new
        else:
            return here
    return text if clean(text) == clean(lines[-1].new) else None


class _Ledger:
    """The corrections of one ledger, in order, and those of which the place was met."""

    def __init__(self, corrections: Sequence[Correction]) -> None:
        self.corrections = corrections
        self.digest = hashlib.sha256(ledger_text(corrections).encode()).hexdigest()
        self.of_table: dict[str, list[Correction]] = {}
        for one in corrections:
            if one.row:
                self.of_table.setdefault(one.table, []).append(one)
        self._wrong: list[Problem] = []
        self._changed: list[tuple[str, str]] = []

    def texts(self, table: str, rows: Mapping[str, int], columns: Mapping[str, int],
              cells: list[list[str]]) -> list[list[str]]:  # fmt: skip
        """Return the cells of a table with its corrections.

        Parameters
        ----------
        rows, columns
            Number or place of a row, and header, -> position.
        """
        places: dict[tuple[str, str], list[Correction]] = {}
        for one in self.of_table.get(table, ()):
            places.setdefault((one.row, one.column), []).append(one)
        for (number, column), lines in places.items():
            if number not in rows or column not in columns:
                self._note(lines[-1], "the ledger of corrections names a cell that is not there")
                continue
            row, position = cells[rows[number]], columns[column]
            text = _after(lines, row[position])
            if text is None:
                self._note(
                    lines[-1], "the ledger of corrections holds another text than the cell, which was changed since"
                )
                continue
            if clean(text) != clean(row[position]):
                self._changed.append((table, column))
            row[position] = text
        return cells

    def _note(self, one: Correction, rule: str) -> None:
        remedy = "decide anew what stands there, or begin corrections.csv anew"
        row = int(one.row) if one.row.isdecimal() else None
        self._wrong.append(Problem(table=one.table, row=row, column=one.column, value=one.old, rule=rule,
                                   remedy=remedy))  # fmt: skip

    def problems(self, tables: set[str]) -> tuple[Problem, ...]:
        """Return what does not fit."""
        for table, ones in self.of_table.items():
            for one in ones if table not in tables else ():
                self._note(one, "the ledger of corrections names a table that is not there")
        return tuple(self._wrong)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many cells of each table's column were changed."""
        return dict(sorted(Counter(self._changed).items()))

    def remark(self) -> tuple[str, ...]:
        """Say how many cells were changed."""
        count = sum(self.counts().values())
        cells = "1 cell" if count == 1 else f"{count} cells"
        return (f"{cells} corrected by hand, with the reason of each in {CORRECTIONS_FILE}",) if count else ()


def _corrected_table(table: SourceTable, ledger: _Ledger) -> SourceTable:
    if table.name not in ledger.of_table:
        return table
    rows = {_number(row): i for i, row in enumerate(table.rows)}
    cells = ledger.texts(table.name, rows, table.positions, [list(row.texts) for row in table.rows])
    whole = tuple(SourceRow(row.place, tuple(texts)) for row, texts in zip(table.rows, cells, strict=True))
    return replace(table, rows=whole)


def _corrected_frame(table: RawTable, ledger: _Ledger) -> RawTable:
    if table.name not in ledger.of_table:
        return table
    names = [c for c in table.frame.columns if c != ROW]
    rows = {str(number): i for i, number in enumerate(table.frame[ROW])}
    cells = [[text or "" for text in row] for row in table.frame.select(names).iter_rows()]
    cells = ledger.texts(table.name, rows, {n: j for j, n in enumerate(names)}, cells)
    columns = {n: pl.Series(n, [row[j] for row in cells], dtype=pl.String) for j, n in enumerate(names)}
    return replace(table, frame=table.frame.with_columns(**columns))


def _number(row: SourceRow) -> str:
    """Return what a problem calls a row: its number, or its place where it has none."""
    return row.place.removeprefix("row ")
