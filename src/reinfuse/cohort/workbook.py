"""Workbooks: the rows of each sheet as texts, and the formulas whose result was never stored."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

from reinfuse.cohort.values import as_text

Rows = list[list[str]]
Unstored = tuple[str, int, int]
"""Sheet, row and column of a cell, both counted from 0."""


class Unreadable(Exception):
    """The bytes are no workbook, or a damaged or encrypted one."""


def read_sheets(data: bytes) -> tuple[dict[str, Rows], list[Unstored]]:
    """Return the rows of each sheet as texts, all of one length, and the cells whose formula has no stored result.

    Raises
    ------
    Unreadable
        If the bytes cannot be read as a workbook.
    """
    try:
        stored, written = (dict(_sheets(data, results)) for results in (True, False))
    except Exception:  # a damaged file makes the parsers of archive, XML and dates raise anything
        raise Unreadable from None
    unstored = [
        (title, i, j)
        for title, rows in stored.items()
        for i, (row, formulas) in enumerate(zip(rows, written[title], strict=True))
        for j, (value, formula) in enumerate(zip(row, formulas, strict=True))
        if value is None and formula is not None
    ]
    return {title: _texts(rows) for title, rows in stored.items()}, unstored


def _sheets(data: bytes, results: bool) -> Iterator[tuple[str, list[list[object]]]]:
    """Yield title and cells of each sheet: stored results, or the formulas themselves."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and validations that are not needed here
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=results)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the extent that a file claims may cut rows off
            yield sheet.title, [list(row) for row in sheet.iter_rows(values_only=True)]


def _texts(rows: list[list[object]]) -> Rows:
    width = max((len(row) for row in rows), default=0)
    return [[as_text(v) for v in row] + [""] * (width - len(row)) for row in rows]
