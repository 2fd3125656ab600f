"""CSV and its relatives: from bytes to the cells of a sheet."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from reinfuse.tabular.cell_parsing import Dialect, clean
from reinfuse.tabular.csv_files import original
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.grid import Grid, Meter
from reinfuse.tabular.limits import CELL_CHARACTERS

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_NAMED_SEPARATOR = re.compile(r"\s*sep=([,;\t|])\r?\n")
_LOOKED_AT = 100_000
"""Characters from which the separator of columns is told."""
_MIXED = re.compile(rb"[\xc3-\xc5][\x80-\xbf]|\xe2\x80[\x90-\xbf]")
"""An accented letter, a dash or a quotation mark in UTF-8; in Windows-1252 what stands side by side in no word (Ã©)."""
_NOT_WESTERN = re.compile(r"[^\W\d_][³¹¿¼¾][^\W\d_]|(?<!\w)³[^\W\d_]{2}")
"""What Polish, Czech or Hungarian words in Windows-1250 look like in Windows-1252: ``P³eæ``."""
_FIRST_LINE = re.compile(r"\S[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text file with one line a row.

    Attributes
    ----------
    dialect
        Which decimal marks its numbers may have.
    notes
        What was understood although it was not written plainly.
    uneven
        Data rows that have another number of cells than the header, and that number.
    """

    grid: Grid
    dialect: Dialect
    notes: tuple[str, ...] = ()
    uneven: tuple[tuple[int, int], ...] = field(default=())


def read_delimited(data: bytes) -> Delimited:
    """Read a file of rows separated by commas, semicolons, tabs or bars.

    Raises
    ------
    Unreadable
        If it is no text, no such table, or beyond the limits.
    """
    text, separator, notes = _separated(data, _separator_of_the_header)
    protected: list[str] = []
    rows = _unprotected(_rows(text, separator), protected)
    header = next(rows, (0, []))[1]
    body, uneven, width = [], [], len(header)
    for i, row in rows:
        if not any(clean(c) for c in row):
            continue
        if len(row) < width or any(clean(c) for c in row[width:]):
            uneven.append((i, len(row)))
        if len(row) != width:
            row = [*row[:width], *[""] * (width - len(row))]
        body.append((i, row))
    if protected:
        notes = (*notes, "apostrophe before a text that looks like a formula, removed")
    grid = Grid(tuple(range(width)), tuple(header), body)
    return Delimited(grid, "point" if separator == "," else "either", notes, tuple(uneven))


def read_lines(data: bytes) -> tuple[Sequence[tuple[int, Sequence[str]]], tuple[str, ...]]:
    """Return all rows of such a file as they stand, the first one being 1, and notes: no row is taken for a header.

    A first line ``sep=;`` names the separator; else it is the one that stands steadily in the first rows.

    Raises
    ------
    Unreadable
        If it is no text, no such table, or beyond the limits.
    """
    text, separator, notes = _separated(data, _usual_separator)
    rows = _unprotected(_rows(text, separator), [])
    return [(i + 1, row) for i, row in rows if any(clean(c) for c in row)], notes


def _separated(data: bytes, separator_of: Callable[[str], str]) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, its separator and notes.

    A first line that names the separator is for spreadsheet programs, which do not show it, and none of the table.
    """
    text, notes = decode(data)
    named = _NAMED_SEPARATOR.match(text)
    text = text[named.end() :] if named else text
    separator = named[1] if named else separator_of(text)
    if separator != ",":
        notes = (*notes, f"columns separated by {separator!r} instead of a comma")
    return text, separator, notes


def _separator_of_the_header(text: str) -> str:
    first = _FIRST_LINE.search(text)
    head = re.sub(r'"[^"]*"', "", first[0] if first else "")
    return max(",;\t|", key=head.count)


def _usual_separator(text: str) -> str:
    """Return the mark that separates columns: the one of which most of the first lines hold equally many."""
    lines = _FIRST_LINE.findall(re.sub(r'"[^"]*"', "", text[:_LOOKED_AT]))

    def steady(mark: str) -> tuple[float, int]:
        (count, often), *_ = Counter(line.count(mark) for line in lines).most_common(1) or [(0, 0)]
        return (often / len(lines), count) if count else (0.0, sum(line.count(mark) for line in lines))

    return max(",;\t|", key=steady)


def _unprotected(
    rows: Iterator[tuple[int, Sequence[str]]], protected: list[str]
) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield rows as they were before `csv_files` protected texts from being run as formulas; note the cells."""
    for i, row in rows:
        changed = [cell for cell in row if cell[:1] == "'" and original(cell) != cell]
        protected += changed
        yield i, [original(cell) for cell in row] if changed else row


def _decoded(data: bytes, encoding: str) -> str:
    """Return the text in an encoding; empty where it is not in it."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and a note where it is not in UTF-8.

    Raises
    ------
    Unreadable
        If it is no text.
    """
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            break
        if encoding == "cp1252" and (mixed := _MIXED.search(data)):
            line = data.count(b"\n", 0, mixed.start()) + 1
            rule = f"is neither UTF-8 nor Windows-1252 throughout: line {line:,} holds a letter in UTF-8"
            raise Unreadable(rule, "save it as CSV (UTF-8), and check the letters with accents")
        if encoding == "cp1252" and _NOT_WESTERN.search(text) and (central := _decoded(data, "cp1250")):
            return central, ("file in Windows-1250 (Central Europe) instead of UTF-8: check the letters with accents",)
        return text, ("file in Windows-1252 instead of UTF-8",) if encoding == "cp1252" else ()
    raise Unreadable("is not a text file", "save it as CSV (UTF-8)")


def _rows(text: str, separator: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the number and the cells of each row, the header being 0."""
    meter = Meter()
    try:
        for i, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)):
            meter.texts(row)
            yield i, row
    except csv.Error as error:
        if "field limit" in str(error):
            meter.characters(0, CELL_CHARACTERS + 1)
        raise Unreadable("is not valid CSV", "check for an unclosed quotation mark and save it as CSV again") from None
