"""Workbooks: the cells of each sheet as texts, and what a reader of the sheet sees but its cells do not tell."""

from __future__ import annotations

import io
import warnings
import zipfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from reinfuse.tabular import limits
from reinfuse.tabular.cell_parsing import as_text, clean, is_fault, is_missing
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.grid import Grid, Meter, Place, sparse
from reinfuse.tabular.workbook_marks import NO_MARKS, Marker, Marks, Styles, comments_of

_CHUNK = 1 << 16
_DESCRIPTIONS = frozenset({"styleSheet", "workbook", "Types", "Relationships", "Properties"})
"""Roots of the parts that hold no cells, and that openpyxl keeps as objects."""
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook.

    Attributes
    ----------
    unstored
        Cells with a formula whose result was never stored.
    merged
        Ranges of merged cells, of which the first cell alone holds the value: first cell, last cell, text.
    hidden, hidden_rows, hidden_columns
        What the spreadsheet program does not show, though it is filled.
    marks
        What else a reader of the sheet sees; empty unless it was asked for.
    """

    title: str
    grid: Grid
    unstored: tuple[Place, ...] = ()
    merged: tuple[tuple[Place, Place, str], ...] = ()
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    marks: Marks = NO_MARKS

    @property
    def filled(self) -> bool:
        """Whether a cell holds anything."""
        return bool(self.grid.columns or self.unstored)


def read_sheets(data: bytes, elements: Elements | None = None, *, marks: bool = False) -> list[Sheet]:
    """Return the sheets of a workbook, empty ones too.

    Parameters
    ----------
    data
        The file.
    elements
        Counts the XML elements of several workbooks together.
    marks
        Look for marks too, and take numbers as their format shows them: ``85%``, ``0012``, ``2019-03``.

    Raises
    ------
    Unreadable
        If the bytes cannot be read as a workbook, or hold more than the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _measure(archive, elements or Elements())
        return list(_sheets(data, marks=marks))
    except Unreadable:
        raise
    except Exception:  # a damaged file makes the parsers of archive, XML and dates raise anything
        rule, remedy = "is not a workbook that can be read", "save it again as .xlsx, without a password"
        raise Unreadable(rule, remedy) from None


def _measure(archive: zipfile.ZipFile, elements: Elements) -> None:
    """Go once through the archive, which may hold far more than its bytes say, before anything is kept of it."""
    parts = archive.infolist()
    remedy = "delete formats in empty rows and columns, or save each sheet as CSV"
    if len(parts) > limits.PARTS or sum(p.file_size for p in parts) > limits.UNPACKED_BYTES:
        most = f"{limits.megabytes(limits.UNPACKED_BYTES)} in {limits.PARTS:,} parts"
        raise Unreadable(f"unpacks to more than {most}, the limit", remedy)
    if any(p.compress_type not in _PLAIN for p in parts):
        raise Unreadable("is not packed as a workbook is", "save it again as .xlsx")
    for part in parts:
        elements.count(archive, part)


class Elements:
    """Counts the XML elements of all parts together, and those of parts that openpyxl makes objects of."""

    def __init__(self) -> None:
        self._count = self._depth = self._begun = self._last = 0
        self._parser = expat.ParserCreate()

    def count(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        """Count those of one part, up to where it is no XML any more."""
        parser = self._parser = expat.ParserCreate()
        fed = self._depth = self._last = 0
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartDoctypeDeclHandler = self._doctype
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                try:
                    parser.Parse(chunk, False)
                except (expat.ExpatError, ValueError, LookupError):  # a picture, a damaged part, an odd encoding
                    return
                fed += len(chunk)
                if fed - self._last > limits.TAG_BYTES + _CHUNK:
                    most = limits.megabytes(limits.TAG_BYTES)
                    rule = f"holds an XML tag, or a text between two, of more than {most}"
                    raise Unreadable(rule, "shorten the longest texts, or save each sheet as CSV")

    def _start(self, name: str, _: object) -> None:
        if not self._depth:
            self._described, self._begun = name.rpartition(":")[2] in _DESCRIPTIONS, self._count
        self._count += 1
        self._depth += 1
        self._last = self._parser.CurrentByteIndex
        if self._described and self._count - self._begun > limits.FORMATS:
            raise Unreadable(*_too_much(f"more than {limits.FORMATS:,} XML elements beside its cells"))
        if self._count > limits.ELEMENTS:
            raise Unreadable(*_too_much(f"more than {limits.ELEMENTS:,} XML elements"))
        if self._depth > limits.DEPTH:
            raise Unreadable(*_too_much(f"more than {limits.DEPTH} XML elements within each other"))

    def _end(self, _: str) -> None:
        self._depth -= 1
        self._last = self._parser.CurrentByteIndex

    def _doctype(self, *_: object) -> None:
        raise Unreadable(*_too_much("an XML document type, which no spreadsheet program writes"))


def _too_much(what: str) -> tuple[str, str]:
    return f"holds {what}", "delete the empty rows and columns that hold formats only, or save each sheet as CSV"


def _sheets(data: bytes, *, marks: bool) -> Iterator[Sheet]:
    import openpyxl

    grids = Meter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and validations that are not needed here
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        if len(book._sheets) < _declared(book):  # openpyxl leaves out a sheet whose part is missing
            raise ValueError("a sheet is missing")
        styles = Styles(book) if marks else None
        for sheet in book.worksheets:
            yield _sheet(book, sheet, grids, styles)


def _declared(book: Any) -> int:
    """Return how many sheets the workbook says it has."""
    parts = [name for name in book._archive.namelist() if name.casefold().endswith("/workbook.xml")]
    roots = [ElementTree.fromstring(book._archive.read(name)) for name in parts]
    return max((sum(1 for e in root.iter() if e.tag.endswith("}sheet")) for root in roots), default=0)


class _Cells:
    """Gathers one sheet, element by element."""

    def __init__(self, marker: Marker | None) -> None:
        self.marker = marker
        self.rows: dict[int, dict[int, str]] = {}
        self.unstored: list[Place] = []
        self.merged: dict[Place, tuple[Place, Place, str]] = {}
        self.hidden_rows: list[int] = []
        self._hidden_columns = Counter[int]()
        self._meter = Meter()

    def row(self, element: Element, cells: list[dict[str, Any]]) -> None:
        texts: dict[int, str] = {}
        number = 0
        for one, cell in zip(element, cells, strict=True):
            number, column = cell["row"] - 1, cell["column"] - 1
            if not (0 <= number < limits.ROWS and 0 <= column < limits.COLUMNS):
                raise ValueError("a cell outside the sheet")
            if cell["value"] is None and _lacks_result(one):
                self.unstored.append((number, column))
                if self.marker:
                    self.marker.see_formula(one, (number, column))
            if clean(text := _text(cell)):
                if column in texts or column in self.rows.get(number, ()):
                    raise ValueError("two cells in one place")
                texts[column] = self.marker.see(one, cell, text) if self.marker else text
        self._meter.texts(texts.values())
        if texts:
            self.rows.setdefault(number, {}).update(texts)
            if _hidden(element):
                self.hidden_rows.append(number)

    def column(self, element: Element) -> None:
        if _hidden(element):
            self._hidden_columns[int(element.get("min", "1")) - 1] += 1
            self._hidden_columns[int(element.get("max", "1"))] -= 1

    def merge(self, element: Element) -> None:
        from openpyxl.utils import range_boundaries

        for one in element:
            left, top, right, bottom = range_boundaries(one.get("ref"))
            first, last = (top - 1, left - 1), (bottom - 1, right - 1)
            text = self.rows.get(first[0], {}).get(first[1])
            if text and first != last:
                self.merged[first] = (first, last, text)

    def sheet(self, title: str, hidden: bool, grids: Meter, comments: tuple[Place, ...]) -> Sheet:
        grid = sparse(self.rows, grids)
        steps = sorted(self._hidden_columns)
        depth = list(accumulate(self._hidden_columns[step] for step in steps))
        columns = (j for j in grid.columns if (at := bisect_right(steps, j)) and depth[at - 1] > 0)
        marks = self.marker.marks(comments) if self.marker else NO_MARKS
        return Sheet(title, grid, tuple(self.unstored), tuple(self.merged.values()), hidden, tuple(self.hidden_rows),
                     tuple(columns), marks)  # fmt: skip


def _lacks_result(cell: Element) -> bool:
    """Tell whether a cell has a formula that was never calculated; the result of some is an empty text."""
    names = {child.tag.rpartition("}")[2] for child in cell}
    return "f" in names and not ("v" in names and cell.get("t") == "str")


def _hidden(element: Element) -> bool:
    return element.get("hidden") in ("1", "true")


def _sheet(book: Any, sheet: Any, grids: Meter, styles: Styles | None) -> Sheet:
    """Read a sheet in one pass: openpyxl gives the values, not what is merged, hidden or was never calculated."""
    from openpyxl.worksheet import _reader as reader
    from openpyxl.xml.functions import iterparse

    cells = _Cells(Marker(styles) if styles else None)
    take = {reader.COL_TAG: cells.column, reader.MERGE_TAG: cells.merge}
    with sheet._get_source() as source:
        parser = reader.WorkSheetParser(source, sheet._shared_strings, True, book.epoch, book._date_formats,
                                        book._timedelta_formats)  # fmt: skip
        for _, element in iterparse(source):
            if element.tag == reader.ROW_TAG:
                cells.row(element, parser.parse_row(element)[1])
                element.clear()
            elif element.tag in take:
                take[element.tag](element)
                element.clear()
    comments = comments_of(book, sheet) if styles else ()
    return cells.sheet(sheet.title, sheet.sheet_state != "visible", grids, comments)


def _text(cell: dict[str, Any]) -> str:
    """Return a cell's text; an error of the spreadsheet program is one whatever its name."""
    text = as_text(cell["value"])
    if cell["data_type"] == "e" and text and not is_fault(text) and not is_missing(text.casefold()):
        return "#UNKNOWN!"
    return text
