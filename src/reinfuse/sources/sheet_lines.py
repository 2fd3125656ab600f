"""The rows of a sheet or text file as a reader sees them: numbered from 1, merged cells filled, nothing left out."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from reinfuse.tabular.cell_parsing import clean, is_missing
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.grid import letters
from reinfuse.tabular.workbook import Sheet

UNCALCULATED = "#UNCALCULATED!"
"""Stands for a formula whose result was never stored: an error as those of a spreadsheet program."""
CellKind = Literal["", "missing", "number", "date", "text"]
_NUMBER = re.compile(r"[<>≤≥~≈]?\s*[-+−]?(?:\d[\d.,'’ ]*|[.,]\d+)(?:\s*[eE][-+]?\d+)?\s*%?")
_DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ].*)?|\d{1,2}[ .-]+[^\W\d_]{3,9}\.?[ ,-]+\d{2,4}"
    r"|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}|\d{4}-\d{2}"
)
_clean = lru_cache(maxsize=1 << 16)(clean)


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One row: its number in the sheet, and its cleaned texts, one a column of `Lines`."""

    number: int
    texts: Sequence[str]

    @property
    def filled(self) -> list[int]:
        """Positions of the cells that hold something."""
        return [j for j, text in enumerate(self.texts) if text]


@dataclass(frozen=True, slots=True)
class Label:
    """A text of a header row and the positions that it stands over, both included."""

    first: int
    last: int
    text: str

    @property
    def merged(self) -> bool:
        """Whether it stands over more than one column."""
        return self.last > self.first


@dataclass(frozen=True)
class Lines:
    """All filled rows of a sheet.

    Attributes
    ----------
    columns
        Place of each column in the sheet, counted from 0.
    rows
        In order, without blank rows.
    spans
        Row's number -> first and last position of the cells merged over several columns there.
    filled_down
        Ranges of merged cells (``A5:A7``) among them.
    """

    columns: tuple[int, ...]
    rows: Sequence[SheetLine] = field(repr=False)
    spans: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)
    filled_down: Sequence[tuple[int, str]] = ()

    @cached_property
    def positions(self) -> Mapping[int, int]:
        """Row's number -> position among `rows`."""
        return {line.number: i for i, line in enumerate(self.rows)}

    def line(self, number: int) -> SheetLine | None:
        """Return the row of that number; None where it is blank."""
        position = self.positions.get(number)
        return None if position is None else self.rows[position]

    def labels(self, line: SheetLine) -> Iterator[Label]:
        """Yield the texts of a row, each with the columns over which it stands."""
        last_of = dict(self.spans.get(line.number, ()))
        position = 0
        while position < len(line.texts):
            last = last_of.get(position, position)
            if line.texts[position]:
                yield Label(position, last, line.texts[position])
            position = last + 1

    def place(self, number: int, position: int) -> str:
        """Return a cell's place as a spreadsheet program shows it: ``C7``."""
        return f"{letters(self.columns[position])}{number}"


@lru_cache(maxsize=1 << 16)
def kind_of(text: str) -> CellKind:
    """Tell what a cleaned text looks like."""
    if not text:
        return ""
    if is_missing(text):
        return "missing"
    if _NUMBER.fullmatch(text):
        return "number"
    return "date" if _DATE.fullmatch(text) else "text"


@lru_cache(maxsize=1 << 16)
def shape_of(text: str) -> str:
    """Return a text with ``a`` for letters and ``9`` for digits: P017 and P3 are both ``a9``."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))


def from_rows(rows: Sequence[tuple[int, Sequence[str]]]) -> Lines:
    """Return the lines of a text file; columns that nothing stands in are left out at the end only."""
    cleaned = [(number, [_clean(text) for text in texts]) for number, texts in rows]
    width = max((j + 1 for _, texts in cleaned for j, text in enumerate(texts) if text), default=0)
    lines = [SheetLine(number, (*texts[:width], *[""] * (width - len(texts))))
             for number, texts in cleaned if any(texts)]  # fmt: skip
    return Lines(tuple(range(width)), lines)


def from_sheet(sheet: Sheet) -> Lines:
    """Return the lines of a workbook's sheet; all cells of a merged range hold its text.

    Raises
    ------
    Unreadable
        If merged ranges lie over each other.
    """
    grid = sheet.grid
    numbered = [(1, grid.header)] if any(grid.header) else []
    texts = {number: [_clean(t) for t in row] for number, row in (*numbered, *((i + 1, row) for i, row in grid.rows))}
    for row, column in sheet.unstored:
        if column in grid.columns:
            texts.setdefault(row + 1, [""] * len(grid.columns))[bisect_left(grid.columns, column)] = UNCALCULATED
    spans, filled_down = _fill_merged(sheet, texts)
    lines = [SheetLine(number, row) for number, row in sorted(texts.items()) if any(row)]
    return Lines(grid.columns, lines, spans, filled_down)


def _fill_merged(
    sheet: Sheet, texts: dict[int, list[str]]
) -> tuple[dict[int, list[tuple[int, int]]], list[tuple[int, str]]]:
    """Write the text of each merged range into all its cells; return the spans by row, and the ranges."""
    columns, numbers = sheet.grid.columns, sorted(texts)
    spans: dict[int, list[tuple[int, int]]] = {}
    ranges: list[tuple[int, str]] = []
    left = len(columns) * len(numbers)
    for (top, first), (bottom, last), text in sheet.merged:
        j, k = bisect_left(columns, first), bisect_right(columns, last)
        inside = numbers[bisect_left(numbers, top + 1) : bisect_right(numbers, bottom + 1)]
        left -= (k - j) * len(inside)
        if left < 0:
            raise Unreadable("has merged cells that lie over each other", "unmerge the cells and save it again")
        for number in inside:
            texts[number][j:k] = [clean(text)] * (k - j)
            if k - j > 1:
                spans.setdefault(number, []).append((j, k - 1))
        ranges.append((top + 1, f"{letters(first)}{top + 1}:{letters(last)}{bottom + 1}"))
    return spans, ranges
