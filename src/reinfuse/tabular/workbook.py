"""Workbooks: the cells of each sheet as texts, and what a reader of the sheet sees but its cells do not tell."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any
from xml.etree import ElementTree

from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.grid import Grid, Meter, Place, sparse
from reinfuse.tabular.plain_rows import NotPlain, read_rows, read_texts, split_rows
from reinfuse.tabular.workbook_cells import Cells, Span, Values, is_hidden, raw_cells
from reinfuse.tabular.workbook_marks import NO_MARKS, Marker, Marks, Styles, comments_of
from reinfuse.tabular.workbook_measure import Elements, measure

__all__ = ["Elements", "Sheet", "read_sheets"]
_SHARED = ("xl/sharedStrings.xml", "xl/SharedStrings.xml")


@dataclass(frozen=True, slots=True)
class Listed:
    """A sheet as the workbook lists it: title, part of the archive, and whether it is hidden."""

    title: str
    part: str
    hidden: bool


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
    merged: tuple[Span, ...] = ()
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    marks: Marks = NO_MARKS

    @property
    def filled(self) -> bool:
        """Whether a cell holds anything."""
        return bool(self.grid.columns or self.unstored)


def read_sheets(
    data: bytes, elements: Elements | None = None, *, marks: bool = False, most: int | None = None
) -> list[Sheet]:
    """Return the sheets of a workbook, empty ones too.

    Parameters
    ----------
    data
        The file.
    elements
        Counts the XML elements of several workbooks together.
    marks
        Look for marks too, and take numbers as their format shows them: ``85%``, ``0012``, ``2019-03``.
    most
        Rows of a sheet that are enough, where they are written plainly; None: all.

    Raises
    ------
    Unreadable
        If the bytes cannot be read as a workbook, or hold more than the limits.
    """
    elements = elements or Elements()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            measure(archive, elements)
        return list(_sheets(data, elements, marks, most))
    except Unreadable:
        raise
    except Exception:  # a damaged file makes the parsers of archive, XML and dates raise anything
        rule, remedy = "is not a workbook that can be read", "save it again as .xlsx, without a password"
        raise Unreadable(rule, remedy) from None


def _sheets(data: bytes, elements: Elements, marks: bool, most: int | None) -> Iterator[Sheet]:
    grids = Meter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and validations that are not needed here
        book = _open(data)
        styles = Styles(book.formats) if marks else None
        for sheet in book.sheets:
            yield _sheet(book, sheet, styles=styles, elements=elements, most=most).sheet(grids)


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook whose cells are still to be read: openpyxl's own, which holds the formats, texts and sheets."""

    formats: Any
    texts: list[str]
    sheets: tuple[Listed, ...]

    @property
    def archive(self) -> zipfile.ZipFile:
        archive: zipfile.ZipFile = self.formats._archive
        return archive


def _open(data: bytes) -> _Book:
    """Read all of a workbook but its cells; openpyxl would go through these once for each sheet without a size."""
    from openpyxl.reader.excel import ExcelReader, apply_stylesheet

    reader = ExcelReader(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    reader.read_manifest()
    part = next((name for name in _SHARED if name in reader.valid_files), None)
    texts = read_texts(reader.archive.read(part)) if part else None
    if texts is None:
        reader.read_strings()
        texts = reader.shared_strings
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    listed = [(sheet, rel) for sheet, rel in reader.parser.find_sheets() if rel.target in reader.valid_files]
    if len(listed) < _declared(reader.wb):
        raise ValueError("a sheet is missing")
    sheets = (Listed(s.name, rel.target, s.state != "visible") for s, rel in listed if "chartsheet" not in rel.Type)
    return _Book(reader.wb, texts, tuple(sheets))


def _declared(book: Any) -> int:
    """Return how many sheets the workbook says it has."""
    parts = [name for name in book._archive.namelist() if name.casefold().endswith("/workbook.xml")]
    roots = [ElementTree.fromstring(book._archive.read(name)) for name in parts]
    return max((sum(1 for e in root.iter() if e.tag.endswith("}sheet")) for root in roots), default=0)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A sheet's cells, and what else it says of itself."""

    listed: Listed
    cells: Cells
    marks: Marks

    def sheet(self, grids: Meter) -> Sheet:
        cells = self.cells
        grid = sparse(cells.rows, grids)
        return Sheet(self.listed.title, grid, tuple(cells.unstored), tuple(cells.merged.values()), self.listed.hidden,
                     tuple(cells.hidden_rows), tuple(cells.hidden_columns(grid.columns)), self.marks)  # fmt: skip


def _sheet(book: _Book, sheet: Listed, *, styles: Styles | None, elements: Elements, most: int | None) -> _Gathered:
    """Read a sheet in one pass: as it stands where its rows are written plainly, else element by element."""
    part = split_rows(book.archive, sheet.part)
    marker = Marker(styles) if styles else None
    cells = Cells(Values(book.formats, book.texts, marker), marker)
    try:
        if part is None:
            raise NotPlain
        for number, hidden, raw in islice(read_rows(part.rows), most):
            cells.row(number, hidden, raw)
        _by_element(cells, io.BytesIO(part.rest))
    except NotPlain:
        if part is not None:
            elements.count_all(book.archive, sheet.part)
        marker = Marker(styles) if styles else None
        cells = Cells(Values(book.formats, book.texts, marker), marker)
        with book.archive.open(sheet.part) as stream:
            _by_element(cells, stream)
    marks = marker.marks(comments_of(book.archive, sheet.part)) if marker else NO_MARKS
    return _Gathered(sheet, cells, marks)


def _by_element(cells: Cells, stream: IO[bytes]) -> None:
    """Take a sheet's rows, columns and merged cells from its XML elements."""
    from openpyxl.worksheet import _reader as reader
    from openpyxl.xml.functions import iterparse

    number = -1
    take = {reader.COL_TAG: cells.column, reader.MERGE_TAG: cells.merge}
    for _, element in iterparse(stream):
        if element.tag == reader.ROW_TAG:
            number, raw = raw_cells(element, number + 1)
            cells.row(number, is_hidden(element), raw)
            element.clear()
        elif element.tag in take:
            take[element.tag](element)
            element.clear()
