"""The cells of one sheet as texts: only rows and columns that hold something, each with its place."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.limits import CELL_CHARACTERS, CELLS, ROWS, TEXT_CHARACTERS, WIDEST

Place = tuple[int, int]
"""Row and column of a cell of a sheet, both counted from 0."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Texts of a sheet.

    Attributes
    ----------
    columns
        Place of each column in the sheet, counted from 0.
    header
        The names in the sheet's first row.
    rows
        Number of the data row (1: the one below the header) and its texts, in order.
    """

    columns: tuple[int, ...]
    header: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[str]]]

    @property
    def blank(self) -> int:
        """Number of empty rows between the others."""
        return (self.rows[-1][0] if self.rows else 0) - len(self.rows)

    def name(self, column: int) -> str:
        """Return the name of the column at a place of the sheet, or how the user finds it."""
        names = dict(zip(self.columns, self.header, strict=True))
        return names.get(column) or f"column {letters(column)}"


def letters(column: int) -> str:
    """Return the letters over a column of a sheet: 0 is A, 26 is AA."""
    text, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = string.ascii_uppercase[rest] + text
    return text


def sparse(rows: Mapping[int, Mapping[int, str]], meter: Meter) -> Grid:
    """Make a grid from row -> column -> text, both counted from 0, without empty texts.

    Parameters
    ----------
    rows
        Row -> column -> text.
    meter
        Counts the cells: rows times columns, both those that hold something.

    Raises
    ------
    Unreadable
        If it holds more cells than the limit.
    """
    columns = tuple(sorted({j for row in rows.values() for j in row}))
    meter.cells(len(rows) * len(columns))
    head = rows.get(0, {})
    body = [(i, [row.get(j, "") for j in columns]) for i, row in sorted(rows.items()) if i]
    return Grid(columns, tuple(head.get(j, "") for j in columns), body)


class Meter:
    """Counts the cells and the characters of a table while it is read; raises `Unreadable` beyond the limits."""

    def __init__(self) -> None:
        self._cells = self._characters = self._rows = 0

    def cells(self, count: int) -> None:
        """Count cells."""
        self._cells += count
        if self._cells > CELLS:
            raise Unreadable(f"holds more than {CELLS:,} cells, the limit", "remove what is not needed")

    def rows(self, count: int) -> None:
        """Count rows, the header being one."""
        self._rows += count
        if self._rows > ROWS:
            raise Unreadable(f"holds more than {ROWS:,} rows, the limit", "remove what is not needed")

    def columns(self, count: int) -> None:
        """Look at the number of columns."""
        if count > WIDEST:
            rule = f"holds more than {WIDEST:,} columns, the limit"
            raise Unreadable(rule, "remove what is not needed")

    def texts(self, texts: Collection[str]) -> None:
        """Count the texts of a row as cells, an empty row as one, and their characters."""
        self.rows(1)
        self.columns(len(texts))
        self.cells(max(1, len(texts)))
        self.characters(sum(map(len, texts)), max(map(len, texts), default=0))

    def characters(self, count: int, longest: int) -> None:
        """Count the characters of texts, the longest of which has `longest`."""
        self._characters += count
        if longest > CELL_CHARACTERS:
            rule = f"holds a cell of more than {CELL_CHARACTERS:,} characters, the limit"
            raise Unreadable(rule, "shorten it, or check for an unclosed quotation mark")
        if self._characters > TEXT_CHARACTERS:
            rule = f"holds more than {TEXT_CHARACTERS:,} characters, the limit"
            raise Unreadable(rule, "remove what is not needed")
