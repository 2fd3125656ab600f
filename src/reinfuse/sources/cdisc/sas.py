"""SAS's own files: transport files (XPT) and SAS7BDAT, by pyreadstat (extra `sas`)."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.runtime import extras
from reinfuse.sources.cdisc.dataset_json import JsonDataset, is_date_format, value_text
from reinfuse.sources.source_table import SourceColumn
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.files import Unreadable

ENDINGS = (".xpt", ".sas7bdat")
_OTHERWISE = "give the data set as Dataset-JSON, CSV or Parquet"
_DATE_NAME = re.compile(r"\w*DT")
"""ADaM: a variable with a name that ends so holds a date."""
_OLD_ENCODING = "WINDOWS-1252"


def read_sas(path: Path) -> JsonDataset:
    """Read a SAS file.

    Raises
    ------
    ExtraMissing
        If pyreadstat is not installed.
    Unreadable
        If it is damaged or none.
    """
    extras.require("sas", _OTHERWISE)
    remarks = []
    try:
        frame, meta = _read(path, None)
    except UnicodeDecodeError:
        frame, meta = _read(path, _OLD_ENCODING)
        remarks.append(f"not in UTF-8: read as {_OLD_ENCODING}")
    formats = dict(meta.original_variable_types or {})
    columns, texts = [], []
    for column in frame.get_columns():
        label = clean(str(meta.column_names_to_labels.get(column.name) or ""))
        declared = "Char" if column.dtype == pl.String else "Num"
        columns.append(SourceColumn(header=clean(column.name), place=column.name, label=label, declared=declared))
        bare = column.dtype.is_numeric() and _DATE_NAME.fullmatch(column.name.upper()) is not None
        dated = column.dtype.is_numeric() and (bare or is_date_format(str(formats.get(column.name) or "")))
        if dated:
            remarks.append(f"{column.name}: numbers without a format of dates, read as days since 1960-01-01")
        texts.append([_text(v, dated=dated) for v in column.to_list()])
    name = clean(str(getattr(meta, "table_name", "") or ""))
    return JsonDataset(name, clean(str(meta.file_label or "")), tuple(columns), tuple(zip(*texts, strict=True)),
                   tuple(remarks))  # fmt: skip


def _read(path: Path, encoding: str | None) -> tuple[pl.DataFrame, Any]:
    import pyreadstat

    reader: Any = pyreadstat.read_sas7bdat if path.suffix.casefold() == ".sas7bdat" else pyreadstat.read_xport
    try:
        frame, meta = reader(str(path), output_format="polars", encoding=encoding)
    except UnicodeDecodeError:
        raise
    except Exception as why:  # ReadstatError is one of several
        if encoding is None and "convert string" in str(why):
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "not UTF-8") from None
        raise Unreadable("is no SAS file that can be read", "export it again, or give it as CSV") from None
    return frame, meta


def _text(value: object, *, dated: bool) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    return value.isoformat() if isinstance(value, date) else value_text(value, dated=dated)
