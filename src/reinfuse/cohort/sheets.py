"""A workbook: which sheet is which table, and what its cells do not tell of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reinfuse.cohort import file_names
from reinfuse.cohort.file_names import SHEET
from reinfuse.cohort.listed import listed
from reinfuse.exceptions import Problem
from reinfuse.tabular.grid import Place
from reinfuse.tabular.workbook import Sheet

EXPLANATIONS = "explanations"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The sheets that are read, by table; or the one wide sheet, as ``sheet``."""

    tables: Mapping[str, Sheet]
    problems: tuple[Problem, ...]


def is_explanation(title: str) -> bool:
    """Tell whether a sheet is the template's own, which explains the others."""
    return title.strip().casefold() == EXPLANATIONS


def choose(sheets: Sequence[Sheet]) -> Chosen:
    """Give every filled sheet of a workbook its place."""
    filled = [s for s in sheets if s.filled and not is_explanation(s.title)]
    named = [(name, s) for s in filled if (name := file_names.table_named(s.title))]
    if not named:
        return _wide(filled)
    tables: dict[str, Sheet] = {}
    for name, sheet in named:
        tables.setdefault(name, sheet)
    twice = sorted({name for name, s in named if tables[name] is not s})
    problems = [Problem(table=n, rule="is there in two sheets", remedy="keep one of the two sheets") for n in twice]
    problems += [_stranger(s) for s in filled if not file_names.table_named(s.title)]
    return Chosen(tables, (*problems, *(p for name, s in tables.items() for p in unseen(name, s))))


def _wide(filled: Sequence[Sheet]) -> Chosen:
    """Take the one filled sheet that the spreadsheet program shows."""
    shown = [s for s in filled if not s.hidden] or filled
    if len(shown) == 1:
        others = (_unread(s) for s in filled if s is not shown[0])
        return Chosen({SHEET: shown[0]}, (*others, *unseen(SHEET, shown[0])))
    near = [f"is {s.title!r} the table {n}?" for s in filled if (n := file_names.near_table(s.title))]
    ways = "name them patients, infusions, ..., keep one wide sheet, or let `reinfuse map` propose what they are"
    remedy = "; ".join([*near, ways])
    rule = f"has {len(shown)} filled sheets, none named as a table of a cohort"
    return Chosen({}, (Problem(rule=rule, remedy=remedy),))


def _stranger(sheet: Sheet) -> Problem:
    near = file_names.near_table(sheet.title)
    if near is None:
        return _unread(sheet)
    rule = f"is read from a sheet {near}, and a sheet of nearly this name is not read"
    remedy = f"name it {near}, put its rows there, or take it out of the workbook"
    return Problem(table=near, value=sheet.title, rule=rule, remedy=remedy)


def _unread(sheet: Sheet) -> Problem:
    rule, remedy = "sheet not read: its name is not that of a table", "nothing, if it holds no table of the cohort"
    return Problem(table="workbook", value=sheet.title, rule=rule, remedy=remedy, severity="warning")


def unseen(name: str, sheet: Sheet) -> Iterator[Problem]:
    """Tell of formulas without a result, merged cells, and what is hidden."""
    remedy = "open the workbook in a spreadsheet program and save it, or write the value"
    unstored = "holds a formula without a stored result"
    each = (_at(sheet, name, place, value=None, rule=unstored, remedy=remedy) for place in sheet.unstored)
    yield from listed(each, len(sheet.unstored))
    rule = "is merged with the cells beside or below it, of which only this one holds the value"
    fill = "unmerge the {:,} cells and fill each of them"
    each = (_at(sheet, name, first, value=text, rule=rule, remedy=fill.format(_size(first, last)))
            for first, last, text in sheet.merged)  # fmt: skip
    yield from listed(each, len(sheet.merged))
    remedy = "take out what should not be analysed, or show it"
    if sheet.hidden:
        yield Problem(
            table=name, rule="is a hidden sheet, and is read as the others are", remedy=remedy, severity="warning"
        )
    rule = "the row is hidden in the workbook, and is read as the others are"
    each = (Problem(table=name, row=row or None, rule=rule, remedy=remedy, severity="warning")
            for row in sheet.hidden_rows)  # fmt: skip
    yield from listed(each, len(sheet.hidden_rows))
    for column in sheet.hidden_columns:
        rule = "the column is hidden in the workbook, and is read as the others are"
        yield Problem(table=name, column=sheet.grid.name(column), rule=rule, remedy=remedy, severity="warning")


def _at(sheet: Sheet, name: str, place: Place, *, value: str | None, rule: str, remedy: str) -> Problem:
    """Name a cell as the user sees it: row 1 is the one below the header, and the column by its header."""
    return Problem(
        table=name, row=place[0] or None, column=sheet.grid.name(place[1]), value=value, rule=rule, remedy=remedy
    )


def _size(first: Place, last: Place) -> int:
    return (last[0] - first[0] + 1) * (last[1] - first[1] + 1)
