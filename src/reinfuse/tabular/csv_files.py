"""The one writer of CSV files: no spreadsheet program takes a text in them for a formula.

A text that begins with `=`, `+`, `-`, `@`, a tab or a line end, and is no number, gets an apostrophe before it (OWASP,
CSV injection); reading takes it off again. Numbers stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

_FORMULA = re.compile(r"['\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|['\s]*[\t\r\n]")
_PERHAPS = r"^['\s=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
"""What every formula begins with, for a first look at whole columns."""
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


def harmless(text: str) -> str:
    """Return a cell's text, after an apostrophe where a spreadsheet program would take it for a formula."""
    return f"'{text}" if _is_formula(text) else text


def original(cell: str) -> str:
    """Return the text that `harmless` made a cell of."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def csv_text(frame: pl.DataFrame) -> str:
    """Return a frame as CSV."""
    frame = frame.with_columns(pl.selectors.categorical().cast(pl.String))
    texts = [c for c, kind in frame.schema.items() if kind == pl.String and frame[c].str.contains(_PERHAPS).any()]
    safe = [pl.col(c).map_elements(harmless, return_dtype=pl.String) for c in texts]
    return frame.with_columns(safe).rename({c: harmless(c) for c in frame.columns}).write_csv()


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as CSV (UTF-8)."""
    path.write_text(csv_text(frame), encoding="utf-8", newline="")


def rows_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows, the heads first, as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([harmless(x) if isinstance(x, str) else x for x in row] for row in rows)
    return text.getvalue()


def write_rows(rows: Iterable[Iterable[object]], path: Path) -> None:
    """Write rows, the heads first, as CSV (UTF-8)."""
    path.write_text(rows_text(rows), encoding="utf-8", newline="")


def read_csv(path: Path, schema: Mapping[str, Any] | None = None, *, as_texts: bool = False) -> pl.DataFrame:
    """Read what `write_csv` wrote; `as_texts`: every column as it is written.

    Raises
    ------
    OSError, polars.exceptions.PolarsError
        If it cannot be read.
    """
    frame = pl.read_csv(path, schema_overrides=schema, infer_schema=not as_texts, infer_schema_length=None)
    frame = frame.rename({c: original(c) for c in frame.columns})
    texts = [c for c, kind in frame.schema.items() if kind == pl.String and frame[c].str.starts_with("'").any()]
    return frame.with_columns(pl.col(c).map_elements(original, return_dtype=pl.String) for c in texts)
