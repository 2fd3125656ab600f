"""How much a workbook holds, found out before anything is kept: an archive may hold far more than its bytes say."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from reinfuse.tabular import limits
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.plain_rows import split_rows

_CHUNK = 1 << 16
_DESCRIPTIONS = frozenset({"styleSheet", "workbook", "Types", "Relationships", "Properties"})
"""Roots of the parts that hold no cells, and that openpyxl keeps as objects."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def measure(archive: zipfile.ZipFile, elements: Elements) -> None:
    """Go once through an archive.

    Raises
    ------
    Unreadable
        If it holds more than the limits.
    """
    parts = archive.infolist()
    remedy = "delete formats in empty rows and columns, or save each sheet as CSV"
    if len(parts) > limits.PARTS or sum(p.file_size for p in parts) > limits.UNPACKED_BYTES:
        most = f"{limits.megabytes(limits.UNPACKED_BYTES)} in {limits.PARTS:,} parts"
        raise Unreadable(f"unpacks to more than {most}, the limit", remedy)
    if any(p.compress_type not in _PACKED for p in parts):
        raise Unreadable("is not packed as a workbook is", "save it again as .xlsx")
    for part in parts:
        elements.count(archive, part)


class Elements:
    """Counts the XML elements of all parts together, and those of parts that openpyxl makes objects of."""

    def __init__(self) -> None:
        self._count = self._depth = self._begun = self._last = 0
        self._parser = expat.ParserCreate()
        self._quick: dict[str, int] = {}

    def count(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        """Count those of one part; the rows of a sheet by their tags alone, since who reads them looks at each."""
        sheet = split_rows(archive, part.filename)
        if sheet is None:
            self.count_all(archive, part.filename)
            return
        before = self._count
        self._add(sheet.rows.count(b"<") - sheet.rows.count(b"</"))
        self._begin()
        self._feed(sheet.rest)
        self._quick[part.filename] = self._count - before

    def count_all(self, archive: zipfile.ZipFile, name: str) -> None:
        """Count those of one part with its rows, one by one, up to where it is no XML any more."""
        self._count -= self._quick.pop(name, 0)
        self._begin()
        fed = 0
        with archive.open(name) as stream:
            while (chunk := stream.read(_CHUNK)) and self._feed(chunk):
                fed += len(chunk)
                if fed - self._last > limits.TAG_BYTES + _CHUNK:
                    most = limits.megabytes(limits.TAG_BYTES)
                    rule = f"holds an XML tag, or a text between two, of more than {most}"
                    raise Unreadable(rule, "shorten the longest texts, or save each sheet as CSV")

    def _begin(self) -> None:
        parser = self._parser = expat.ParserCreate()
        self._depth = self._last = 0
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartDoctypeDeclHandler = self._doctype

    def _feed(self, chunk: bytes) -> bool:
        try:
            self._parser.Parse(chunk, False)
        except (expat.ExpatError, ValueError, LookupError):  # a picture, a damaged part, an odd encoding
            return False
        return True

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > limits.ELEMENTS:
            raise Unreadable(*_too_much(f"more than {limits.ELEMENTS:,} XML elements"))

    def _start(self, name: str, _: object) -> None:
        if not self._depth:
            self._described, self._begun = name.rpartition(":")[2] in _DESCRIPTIONS, self._count
        self._depth += 1
        self._last = self._parser.CurrentByteIndex
        if self._described and self._count - self._begun >= limits.FORMATS:
            raise Unreadable(*_too_much(f"more than {limits.FORMATS:,} XML elements beside its cells"))
        self._add(1)
        if self._depth > limits.DEPTH:
            raise Unreadable(*_too_much(f"more than {limits.DEPTH} XML elements within each other"))

    def _end(self, _: str) -> None:
        self._depth -= 1
        self._last = self._parser.CurrentByteIndex

    def _doctype(self, *_: object) -> None:
        raise Unreadable(*_too_much("an XML document type, which no spreadsheet program writes"))


def _too_much(what: str) -> tuple[str, str]:
    return f"holds {what}", "delete the empty rows and columns that hold formats only, or save each sheet as CSV"
