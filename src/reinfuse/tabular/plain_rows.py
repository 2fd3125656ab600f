"""The rows of a workbook's sheet in the plain form that spreadsheet programs write, read without an XML parser.

An XML parser makes objects of each cell and takes ten times as long. Only the plain form is understood here, and every
character must belong to it; a sheet that is written otherwise is left to the parser.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from xml.etree.ElementTree import Element

from reinfuse.tabular import limits

_FOLDER = "xl/worksheets/"
_SPREADSHEET = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_BEGIN, _END = b"<sheetData>", b"</sheetData>"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_LONGEST = 40_000
"""Characters of a text: more than a cell holds, and few enough that the parser's limit of a text is not reached."""
_ROW = re.compile(r'<row r="(\d{1,7})"([^<>]*?)(/?)>')
_CELL = re.compile(
    r'(<c r="([A-Z]{1,3})(\d{1,7})"(?: s="(\d+)")?(?: t="([A-Za-z]+)")?(?: [cv]m="\d+")*(?:/>|>'
    rf"(?:<f[^<>]*/>|<f[^<>]*>([^<]{{0,{_LONGEST}}})</f>)?(?:<v>([^<]{{0,{_LONGEST}}})</v>|<v/>)?"
    rf'(?:<is><t(?: xml:space="preserve")?>([^<]{{0,{_LONGEST}}})</t></is>)?</c>))'
)
_TEXT = re.compile(rf'(<si><t(?: xml:space="preserve")?>([^<]{{0,{_LONGEST}}})</t></si>)')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ODD_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")


class NotPlain(Exception):
    """The rows are not written in the plain form."""


class RawCell(NamedTuple):
    """A cell as it is written.

    Attributes
    ----------
    column
        Counted from 0.
    style
        Number of its format.
    kind
        ``n`` number, ``s`` shared text, ``str``, ``inlineStr``, ``b``, ``d``, ``e``.
    value
        Text of its value; None where there is none.
    formula
        Text of its formula; None where there is none.
    rich
        Element of a text in several fonts, which stands in the cell itself.
    """

    column: int
    style: int
    kind: str
    value: str | None
    formula: str | None = None
    rich: Element | None = None


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet's part of a workbook: its rows, and the part without them."""

    rows: bytes
    rest: bytes


def split_rows(archive: zipfile.ZipFile, name: str) -> SheetPart | None:
    """Take the rows out of a sheet's part; None where it is no sheet, is too large or is written in another way."""
    if not name.startswith(_FOLDER) or archive.getinfo(name).file_size > limits.PLAIN_BYTES:
        return None
    data = archive.read(name)
    begin, end = data.find(_BEGIN) + len(_BEGIN), data.rfind(_END)
    head = data[: max(begin, 0)]
    if begin < len(_BEGIN) or end < begin or b"<!" in head or _SPREADSHEET not in head or data[:2] in _WIDE:
        return None
    return SheetPart(data[begin:end], head + data[end:])


def read_rows(rows: bytes) -> Iterator[tuple[int, bool, list[RawCell]]]:
    """Yield number (from 0), whether it is hidden, and cells of each row that has any.

    Raises
    ------
    NotPlain
        If a row is written in another way; rows before it may have been yielded.
    """
    try:
        text = rows.decode("utf-8")
    except UnicodeDecodeError:
        raise NotPlain from None
    if _NO_XML.search(text) or _ODD_ENTITY.search(text):
        raise NotPlain
    *chunks, last = text.split("</row>")
    for chunk in chunks:
        at = _after_empty_rows(chunk)
        head = _ROW.match(chunk, at)
        if head is None:
            raise NotPlain
        number = head[1]
        yield int(number) - 1, _is_hidden(head[2]), _cells(chunk[head.end() :], number)
    if _after_empty_rows(last) != len(last):
        raise NotPlain


def _after_empty_rows(chunk: str) -> int:
    at = 0
    while (head := _ROW.match(chunk, at)) and head[3]:
        at = head.end()
    return at


def _is_hidden(attributes: str) -> bool:
    return 'hidden="1"' in attributes or 'hidden="true"' in attributes


def _cells(body: str, number: str) -> list[RawCell]:
    tags = _CELL.findall(body)
    if sum(len(one[0]) for one in tags) != len(body):
        raise NotPlain
    cells = []
    for whole, letters, row, style, kind, formula, value, inline in tags:
        if row != number:
            raise NotPlain
        text: str | None = inline if kind == "inlineStr" else value
        if not text and "<v>" not in whole and "<v/>" not in whole:
            text = None
        elif text and ("&" in text or "\r" in text):
            text = _plain_text(text)
        calculated = formula if "<f" in whole else None
        cells.append(RawCell(column_of(letters), int(style or 0), kind or "n", text, calculated))
    return cells


def _plain_text(text: str) -> str:
    return html.unescape(text.replace("\r\n", "\n").replace("\r", "\n"))


def read_texts(part: bytes) -> list[str] | None:
    """Return the shared texts of a workbook; None where they are written in another way."""
    begin, end = part.find(b"<si>"), part.rfind(b"</sst>")
    if begin < 0 or end < begin or b"<!" in part[:begin] or _SPREADSHEET not in part[:begin]:
        return None
    try:
        text = part[begin:end].decode("utf-8")
    except UnicodeDecodeError:
        return None
    texts = _TEXT.findall(text)
    if sum(len(whole) for whole, _ in texts) != len(text) or _NO_XML.search(text) or _ODD_ENTITY.search(text):
        return None
    return [_plain_text(one) if "&" in one or "\r" in one else one for _, one in texts]


def unescaped(text: str) -> str:
    """Return a text with the marks that a workbook spells out, such as _x000D_ for a line end.

    They are written in capitals: ``dose_x10e6_kg`` is a name as it stands.
    """
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return chr(code) if code < ord(" ") or escape[1] == escape[1].upper() else escape[0]


@lru_cache(maxsize=1 << 15)
def column_of(letters: str) -> int:
    """Return the number, from 0, of the column under these letters."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1
