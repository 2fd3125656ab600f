"""The cells of one sheet of a workbook, gathered row by row, as texts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any
from xml.etree.ElementTree import Element

from reinfuse.tabular import limits
from reinfuse.tabular.cell_parsing import as_text, clean, is_fault, is_missing
from reinfuse.tabular.grid import Meter, Place
from reinfuse.tabular.plain_rows import RawCell, unescaped
from reinfuse.tabular.workbook_marks import Marker

Span = tuple[Place, Place, str]
"""First cell, last cell and text of merged cells."""


class Values:
    """Turns the values that cells hold into texts."""

    def __init__(self, book: Any, shared: list[str], marker: Marker | None) -> None:
        self._book, self._shared, self._marker = book, shared, marker
        self._texts: dict[tuple[str, int, str], str] = {}

    def text(self, cell: RawCell) -> str:
        """Return a cell's text."""
        value = cell.value
        if cell.rich is not None:
            return unescaped(_rich_text(cell.rich))
        if not value:
            return ""
        if cell.kind == "s":
            return unescaped(self._shared[int(value)])
        if cell.kind in ("str", "inlineStr"):
            return unescaped(value)
        key = (cell.kind, cell.style, value)
        if key not in self._texts:
            self._texts[key] = self._convert(cell.kind, cell.style, value=value)
        return self._texts[key]

    def _convert(self, kind: str, style: int, *, value: str) -> str:
        """Return the text of a number, date, truth value or error; an error is one whatever its name."""
        from openpyxl.utils.datetime import from_ISO8601

        if kind == "n":
            return self._number(style, value)
        if kind == "b":
            return as_text(bool(int(value)))
        if kind == "d":
            return as_text(from_ISO8601(value))
        if kind == "e" and not is_fault(value) and not is_missing(value.casefold()):
            return "#UNKNOWN!"
        return value

    def _number(self, style: int, value: str) -> str:
        from openpyxl.utils.datetime import from_excel

        number: Any = float(value) if any(c in value for c in ".eE") else int(value)
        if style in self._book._date_formats:
            try:
                number = from_excel(number, self._book.epoch, timedelta=style in self._book._timedelta_formats)
            except (OverflowError, ValueError):  # no date that there is
                return "#VALUE!"
        return (self._marker.shown(style, number) if self._marker else "") or as_text(number)


def _rich_text(element: Element) -> str:
    from openpyxl.cell.text import Text

    return str(Text.from_tree(element).content)


class Cells:
    """Gathers one sheet."""

    def __init__(self, values: Values, marker: Marker | None) -> None:
        self._values, self._marker = values, marker
        self.rows: dict[int, dict[int, str]] = {}
        self.unstored: list[Place] = []
        self.merged: dict[Place, Span] = {}
        self.hidden_rows: list[int] = []
        self._hidden_columns = Counter[int]()
        self._meter = Meter()

    def row(self, number: int, hidden: bool, cells: Iterable[RawCell]) -> None:
        """Add a row: its number from 0, and its cells."""
        texts: dict[int, str] = {}
        marker, before = self._marker, self.rows.get(number, {})
        for cell in cells:
            column = cell.column
            if not (0 <= number < limits.ROWS and 0 <= column < limits.COLUMNS):
                raise ValueError("a cell outside the sheet")
            if cell.formula is not None and _lacks_result(cell):
                self.unstored.append((number, column))
                if marker:
                    marker.see_formula(cell.formula, (number, column))
            text = self._values.text(cell)
            if text and ((text.isascii() and not text.isspace()) or clean(text)):
                if column in texts or column in before:
                    raise ValueError("two cells in one place")
                texts[column] = marker.see(cell, (number, column), text=text) if marker else text
        self._meter.texts(texts.values())
        if texts:
            self.rows.setdefault(number, {}).update(texts)
            if hidden:
                self.hidden_rows.append(number)

    def column(self, element: Element) -> None:
        """Note the columns that an element hides."""
        if is_hidden(element):
            self._hidden_columns[int(element.get("min", "1")) - 1] += 1
            self._hidden_columns[int(element.get("max", "1"))] -= 1

    def merge(self, element: Element) -> None:
        """Note the ranges of an element that merges cells, where they hold a text."""
        from openpyxl.utils import range_boundaries

        for one in element:
            left, top, right, bottom = range_boundaries(one.get("ref"))
            first, last = (top - 1, left - 1), (bottom - 1, right - 1)
            text = self.rows.get(first[0], {}).get(first[1])
            if text and first != last:
                self.merged[first] = (first, last, text)

    def hidden_columns(self, columns: Iterable[int]) -> Iterator[int]:
        """Yield those of the columns that are hidden."""
        steps = sorted(self._hidden_columns)
        depth = list(accumulate(self._hidden_columns[step] for step in steps))
        return (j for j in columns if (at := bisect_right(steps, j)) and depth[at - 1] > 0)


def is_hidden(element: Element) -> bool:
    """Tell whether a row or column is hidden."""
    return element.get("hidden") in ("1", "true")


def _lacks_result(cell: RawCell) -> bool:
    """Tell whether a formula was never calculated; the result of some is an empty text."""
    return not cell.value and cell.rich is None and not (cell.value is not None and cell.kind == "str")


def raw_cells(row: Element, counted: int) -> tuple[int, list[RawCell]]:
    """Return number (from 0) and cells of a row's element; `counted`: that of the row before."""
    from openpyxl.utils.cell import coordinate_to_tuple

    first = next((one.get("r") for one in row), None)
    written = coordinate_to_tuple(first)[0] if first else counted + 1
    number, column = int(float(row.get("r", written))) - 1, -1
    cells = []
    for one in row:
        at = number
        if coordinate := one.get("r"):
            at, column = (place - 1 for place in coordinate_to_tuple(coordinate))
        else:
            column += 1
        if at != number:
            raise ValueError("a cell outside its row")
        cells.append(_raw(one, column))
    return number, cells


def _raw(element: Element, column: int) -> RawCell:
    value = formula = rich = None
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "v":
            value = child.text or ""
        elif name == "f":
            formula = child.text or ""
        elif name == "is":
            rich = child
    kind = element.get("t", "n")
    return RawCell(column, int(element.get("s", 0)), kind, value, formula, rich if kind == "inlineStr" else None)
