"""The first rows of a file, enough to tell what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reinfuse.cohort.file_names import WORKBOOKS
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.delimited import decode
from reinfuse.tabular.files import read_bytes, read_start
from reinfuse.tabular.parquet import read_names
from reinfuse.tabular.workbook import read_sheets

TEXTS = (".csv", ".tsv", ".txt")
PARQUET = ".parquet"
START = 1 << 16
"""Bytes of a text file that are looked at."""
ROWS = 25
_MARK = re.compile(r"[,;\t|]")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The first rows of a table: its name (sheet, or file without its ending), and cells."""

    name: str
    rows: Sequence[Sequence[str]]

    @property
    def names(self) -> list[frozenset[str]]:
        """Cells of each row as lower-case names, of which one may be the header."""
        return [frozenset(cell.casefold() for cell in row if cell) for row in self.rows]


def tables(path: Path) -> list[Glimpse]:
    """Return the first rows of each table in a workbook, text or Parquet file.

    Raises
    ------
    Unreadable
        If it cannot be read.
    """
    ending = path.suffix.casefold()
    if ending in WORKBOOKS:
        sheets = [s for s in read_sheets(read_bytes(path), most=ROWS) if s.filled]
        return [Glimpse(s.title, [[clean(c) for c in row] for row in (s.grid.header, *(r for _, r in s.grid.rows))])
                for s in sheets]  # fmt: skip
    if ending == PARQUET:
        return [Glimpse(path.stem, [read_names(read_bytes(path))])]
    lines = start_of(path).splitlines()[:ROWS]
    return [Glimpse(path.stem, [[clean(cell).strip('"') for cell in _MARK.split(line)] for line in lines])]


def start_of(path: Path) -> str:
    """Return the beginning of a text file, whole lines only where it is long.

    Raises
    ------
    Unreadable
        If it cannot be read, or is no text.
    """
    data = read_start(path, START)
    if len(data) == START:
        data = data[: data.rfind(b"\n") + 1] or data
        data = data[: len(data) - len(data) % 2] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data
    return decode(data)[0]
