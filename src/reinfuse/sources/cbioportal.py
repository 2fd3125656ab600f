"""Clinical and timeline files of cBioPortal: tab-separated, four rows of description above the header.

Source: cBioPortal, File Formats, "Clinical data" and "Timeline data" (docs/File-Formats.md of the repository
cBioPortal/cbioportal).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reinfuse.exceptions import Problem
from reinfuse.sources.source_table import NO_CHOICES, SheetLayout, Source, SourceColumn, SourceRow, SourceTable
from reinfuse.tabular import files
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.delimited import read_lines
from reinfuse.tabular.files import Unreadable, read_bytes

_NAMES = ("data_clinical_patient*.txt", "data_clinical_sample*.txt", "data_timeline*.txt")
_STATUS = re.compile(r"([01]):.*")
"""The figure before the colon decides: 1 is an event."""
_ID = "PATIENT_ID"
_CLOCK = re.compile(r"\w+_MONTHS")


@dataclass(frozen=True, slots=True)
class _Described:
    """The rows above a header: names shown, descriptions and types of the columns, each one a column."""

    shown: Sequence[str] = ()
    descriptions: Sequence[str] = ()
    types: Sequence[str] = ()

    def label(self, j: int) -> str:
        texts = [rows[j] for rows in (self.shown, self.descriptions) if j < len(rows) and rows[j]]
        return ": ".join(dict.fromkeys(texts))


def read_cbioportal(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    """Read a clinical file of cBioPortal, or those of a study's folder with its timelines.

    Returns
    -------
    Source
        Its `problems` say what could not be read.
    """
    del layouts  # the format says where the header stands
    tables: list[SourceTable] = []
    problems: list[Problem] = []
    hashes: dict[str, str] = {}
    for file in _files(path):
        try:
            data = read_bytes(file)
            hashes[file.name] = hashlib.sha256(data).hexdigest()
            tables.append(_table(file, data))
        except Unreadable as refused:
            problems.append(Problem(table=file.name, rule=refused.rule, remedy=refused.remedy))
    if not tables and not problems:
        rule, remedy = "holds no clinical file of cBioPortal", "name a folder with data_clinical_patient.txt"
        problems.append(Problem(table=path.name, rule=rule, remedy=remedy))
    return Source("cbioportal", path.name, tuple(tables), tuple(problems), hashes)


def _files(path: Path) -> list[Path]:
    if files.kind(path) != "folder":
        return [path]
    return sorted(file for pattern in _NAMES for file in path.glob(pattern))


def _table(path: Path, data: bytes) -> SourceTable:
    """Read one file.

    Raises
    ------
    Unreadable
        If it cannot be read, or has no column `PATIENT_ID`.
    """
    rows, notes = read_lines(data)
    above = [[clean(t).lstrip("#") for t in texts] for _, texts in rows if texts[0].lstrip().startswith("#")]
    body = [(n, [clean(t) for t in texts]) for n, texts in rows if not texts[0].lstrip().startswith("#")]
    number, header = body[0] if body else (1, [])
    if _ID not in header:
        raise Unreadable(f"has no column {_ID}", "give the file as cBioPortal has it, with its header")
    described = _Described(*above[:3])
    width = len(header)
    texts = [(n, (*cells[:width], *[""] * (width - len(cells)))) for n, cells in body[1:]]
    columns = tuple(_column(j, header[j], described, [cells[j] for _, cells in texts]) for j in range(width))
    layout = SheetLayout(path.stem, (number,), number + 1)
    remarks = [*(note for note in notes if "'\\t'" not in note), *_clocks(columns), *_surplus(body[1:], width)]
    return SourceTable(path.stem, path.name, columns, tuple(SourceRow(f"row {n}", cells) for n, cells in texts),
                       layout, tuple(remarks))  # fmt: skip


def _column(j: int, header: str, described: _Described, texts: Sequence[str]) -> SourceColumn:
    """Describe a column; a status such as ``1:DECEASED`` is the figure before the colon."""
    words = {text: match[1] for text in texts if (match := _STATUS.fullmatch(text))}
    choices = words if header.endswith("_STATUS") and words else NO_CHOICES
    declared = described.types[j] if j < len(described.types) else ""
    return SourceColumn(header=header, place=header, label=described.label(j), declared=declared, choices=choices)


def _clocks(columns: Sequence[SourceColumn]) -> Iterator[str]:
    """Tell from when times count: cBioPortal means the first diagnosis unless a description says otherwise."""
    for column in columns:
        if _CLOCK.fullmatch(column.header):
            note = (
                f"by its description: {column.label}" if column.label else "cBioPortal counts from the first diagnosis"
            )
            yield f"{column.header} may not count from an infusion ({note})"


def _surplus(rows: Sequence[tuple[int, Sequence[str]]], width: int) -> Iterator[str]:
    """Tell of rows with more cells than the header."""
    longer = [str(n) for n, cells in rows if any(cells[width:])]
    if longer:
        more = f" and {len(longer) - 5} more" if len(longer) > 5 else ""
        yield f"cells beyond the header are not read: row {', '.join(longer[:5])}{more}"
