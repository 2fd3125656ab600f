"""From the cells of a map's lines to the rows of a cohort's tables: which are written, merged and numbered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem
from reinfuse.sources.filling import MAIN
from reinfuse.sources.imported import ImportedCell, ImportedTable, Origin
from reinfuse.sources.infusion_days import UNPLACED, in_time
from reinfuse.sources.progressions import with_recorded_days
from reinfuse.sources.source_map import WIDE_SHEET, Block

_KEYS: Mapping[str, tuple[str, ...]] = {"patients": ("patient_id",), "infusions": ("patient_id", "infusion")}
"""What the rows of one patient or infusion share."""
_NO_EVIDENCE = ("patient_id", "infusion")
_SHOWN = 5
Row = dict[str, ImportedCell]


@dataclass
class Assembly:
    """Rows of a cohort's tables, and what making them brought up."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    order: dict[str, int] = field(default_factory=dict)
    """Patient -> place in the order of the source."""
    sheets: int = 0
    """Blocks that fill a wide sheet together: a patient's rows of several of them are one."""
    unplaced: dict[tuple[str, str, str, str], list[ImportedCell]] = field(default_factory=dict)
    """Line of the map, source's header, what it counts from, and rule -> cells without a day."""

    def add(self, block: Block, cells: Mapping[str, Sequence[ImportedCell]], shared: frozenset[str]) -> None:
        """Add the rows of a block that hold something.

        Parameters
        ----------
        cells
            Column -> cells, one a row.
        shared
            Columns that other blocks of the table read from the same column of the source: they are no sign that a
            row of this block is there.
        """
        rows = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
        self.sheets += block.table == WIDE_SHEET
        main = [c for c in MAIN.get(block.table, ()) if c in block.fields and block.fields[c].const is None]
        signs = _signs(block, cells, shared=shared)
        anonymous, idle, undated = [], 0, 0
        for row in rows:
            filled = _is_filled(row, signs)
            whole = block.table in ("patients", WIDE_SHEET) and row["patient_id"].text
            if not filled and not whole:
                undated += block.table == "toxicities" and not main and bool(row["patient_id"].text)
                continue
            if main and not any(row[c].text for c in main if c in row):
                idle += 1
            elif not row["patient_id"].text:
                anonymous.append(row["patient_id"])
            else:
                self._write(block, row)
        if idle:
            self.remarks.append(f"{block.sheet or block.table}: {rows_in_words(idle)} without {' or '.join(main)}, "
                                f"no row of {block.table} written")  # fmt: skip
        if undated:
            lacking = " or ".join(" and ".join(group) for group in signs)
            self.remarks.append(f"{block.sheet or block.table}: {rows_in_words(undated)} without {lacking}, "
                                f"no row of {block.table} written")  # fmt: skip
        self._without_id(anonymous)

    def _write(self, block: Block, row: Row) -> None:
        for column, cell in row.items():
            if cell.rule in UNPLACED:
                after = block.fields[column].after
                key = (f"{block.table}.{column}", cell.origin.header, after, cell.rule)
                self.unplaced.setdefault(key, []).append(cell)
        self.order.setdefault(row["patient_id"].text, len(self.order))
        self.rows.setdefault(block.table, []).append(row)

    def _not_placed(self) -> Iterator[Problem]:
        """Tell, once for each line of the map, which rows are written and have no day."""
        for (line, _, after, rule), cells in self.unplaced.items():
            yield Problem(table=cells[0].origin.table.name, column=cells[0].origin.header or None,
                          rule=f"{rows_in_words(len(cells))}: {rule.format(after=after)}: {_places(cells)}",
                          remedy=UNPLACED[rule].format(line=line))  # fmt: skip

    def _without_id(self, cells: Sequence[ImportedCell]) -> None:
        if not cells:
            return
        first = cells[0]
        rule = f"{rows_in_words(len(cells))} with data and without a patient identifier: {_places(cells)}"
        remedy = "enter the identifier in every row, or name rows that are no patients in drop_rows in the map"
        self.problems.append(
            Problem(table=first.origin.table.name, column=first.origin.header, rule=rule, remedy=remedy)
        )

    def tables(self) -> dict[str, ImportedTable]:
        """Return the tables, merged and in order; contradictions are problems."""
        self.problems += self._not_placed()
        self._date_progressions()
        tables = {}
        for name in (*TABLES, WIDE_SHEET):
            rows = self.rows.get(name)
            if rows:
                columns = _columns(name, rows)
                whole = [_in_order(row, columns) for row in rows]
                if name in _KEYS or (name == WIDE_SHEET and self.sheets > 1):
                    whole = self._merged(name, columns, rows=whole)
                elif name != WIDE_SHEET:
                    whole = self._distinct(name, whole)
                tables[name] = ImportedTable(name, columns, tuple(self._sorted(columns, whole)))
        return tables

    def _date_progressions(self) -> None:
        """Give progressions that the map placed their recorded days, and say how many."""
        rows = self.rows.get("responses", [])
        dated = list(with_recorded_days(rows, self.rows.get("infusions", [])))
        if count := sum(new is not old and new != old for new, old in zip(dated, rows, strict=True)):
            self.remarks.append(f"responses: {rows_in_words(count)} of a progression whose day a column holds have it, "
                                "and not the day of the assessment that the map placed")  # fmt: skip
        if rows:
            self.rows["responses"] = dated

    def _merged(
        self, name: str, columns: tuple[str, ...], *, rows: Sequence[tuple[ImportedCell, ...]]
    ) -> list[tuple[ImportedCell, ...]]:
        """Make one row of those with the same key; where they differ, it is a problem."""
        keys = [columns.index(k) for k in _KEYS.get(name, ("patient_id",)) if k in columns]
        groups: dict[tuple[str, ...], list[tuple[ImportedCell, ...]]] = {}
        for row in rows:
            groups.setdefault(tuple(row[k].text for k in keys), []).append(row)
        if len(groups) < len(rows):
            self.remarks.append(f"{name}: {len(groups)} described by {len(rows)} rows, merged where they agree")
        merged = []
        for group in groups.values():
            if len(group) == 1:
                merged.append(group[0])
                continue
            cells = []
            for j, column in enumerate(columns):
                filled = {row[j].text: row[j] for row in reversed(group) if row[j].text}
                if len(filled) > 1 and column == "last_contact":
                    latest = max(filled, key=in_time)
                    filled = {latest: filled[latest]._replace(rule="latest of several")}
                    self._note(f"{name}: of several last contacts of a patient, the latest is taken")
                elif len(filled) > 1:
                    self._contradiction(name, column, cells=list(filled.values()))
                cells.append(next(iter(filled.values())) if filled else group[0][j])
            merged.append(tuple(cells))
        return merged

    def _contradiction(self, name: str, column: str, *, cells: Sequence[ImportedCell]) -> None:
        cells = sorted(cells, key=lambda c: c.row)
        shown = "; ".join(f"{c.text} ({c.origin.place(c.row)})" for c in cells[:_SHOWN])
        what = "a patient" if name != "infusions" else "an infusion"
        rule = f"{what} has several values of {column}: {shown}"
        remedy = f"correct the source, or let the map read {name} from those rows alone that decide: where = {{ ... }}"
        self.problems.append(problem_at(cells[0], rule, remedy=remedy))

    def _distinct(self, name: str, rows: Iterable[tuple[ImportedCell, ...]]) -> list[tuple[ImportedCell, ...]]:
        """Leave out rows that say the same: an outcome of a patient that stands beside each of his infusions."""
        first: dict[tuple[str, ...], tuple[ImportedCell, ...]] = {}
        count = 0
        for row in rows:
            count += 1
            first.setdefault(tuple(c.text for c in row), row)
        for key in [k for k in first if name == "responses" and "" in k]:
            if any(other != key and _is_within(key, other) for other in first):
                del first[key]
        if count > len(first):
            self.remarks.append(f"{name}: left out what repeats an earlier row: {rows_in_words(count - len(first))}")
        return list(first.values())

    def _sorted(self, columns: tuple[str, ...], rows: list[tuple[ImportedCell, ...]]) -> list[tuple[ImportedCell, ...]]:
        patient = columns.index("patient_id")
        inner = [columns.index(c) for c in ("infusion", "date", "day") if c in columns]
        last = len(self.order)
        return sorted(rows, key=lambda r: (self.order.get(r[patient].text, last), *(in_time(r[j].text) for j in inner)))

    def _note(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)


def _is_within(texts: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether a row says nothing that another does not say."""
    return all(own in ("", other) for own, other in zip(texts, others, strict=True))


def problem_at(cell: ImportedCell, rule: str, *, remedy: str) -> Problem:
    """Return a problem of one cell of the source, under the user's header and row number."""
    place = cell.origin.table.rows[cell.row].place
    number = place.removeprefix("row ")
    where = "" if number.isdigit() else f" ({place})"
    return Problem(table=cell.origin.table.name, row=int(number) if number.isdigit() else None,
                   column=cell.origin.header or None, value=cell.raw or None, rule=f"{rule}{where}",
                   remedy=remedy)  # fmt: skip


def _is_read(block: Block, column: str) -> bool:
    """Tell whether a column is filled from the source's cells, and not by a rule of the map."""
    filled = block.fields[column]
    return bool(filled.column or filled.ticked) and not (filled.after and filled.day is not None)


def _signs(block: Block, columns: Iterable[str], *, shared: frozenset[str]) -> list[tuple[str, ...]]:
    """Return the columns that say that a row of a block is there: those of any one group, all of it filled.

    Where a constant says what happened, and no column of the block besides, it is so in every row with an infusion.
    """
    read = [c for c in columns if _is_read(block, c)]
    signs: list[tuple[str, ...]] = [(c,) for c in read if c not in _NO_EVIDENCE and c not in shared]
    constant = [c for c in MAIN.get(block.table, ()) if c in block.fields and block.fields[c].const]
    if signs or not constant:
        return signs
    dated: list[tuple[str, ...]] = [(c,) for c in read if c not in _NO_EVIDENCE]
    return dated or [(c, *(k for k in _NO_EVIDENCE if k in read)) for c in constant]


def _is_filled(row: Row, signs: Iterable[tuple[str, ...]]) -> bool:
    return any(all(row[c].text or row[c].rule in UNPLACED for c in group) for group in signs)


def _columns(name: str, rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the columns of a table: declared ones first, in their order."""
    present = dict.fromkeys(c for row in rows for c in row)
    declared = TABLES[name].names if name in TABLES else ("patient_id",)
    return (*(c for c in declared if c in present), *(c for c in present if c not in declared))


def _in_order(row: Row, columns: tuple[str, ...]) -> tuple[ImportedCell, ...]:
    """Return the cells of a row, an empty one where its block has no line for a column."""
    if len(row) == len(columns):
        return tuple(row[c] for c in columns)
    patient = row["patient_id"]
    empty = ImportedCell("", "", "", Origin(patient.origin.table), patient.row)
    return tuple(row.get(c, empty) for c in columns)


def rows_in_words(count: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if count == 1 else f"{count} rows"


def _places(cells: Sequence[ImportedCell]) -> str:
    places = ", ".join(c.origin.table.rows[c.row].place for c in cells[:_SHOWN])
    return places + (f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else "")
