"""Dataset-JSON 1.1: one object, NDJSON (a line a row), and either of them compressed.

Source: CDISC, Dataset-JSON 1.1 (2024). The specification compresses with zlib; its own examples with gzip: both are
read.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from reinfuse.sources.source_table import SourceColumn
from reinfuse.sources.values.understood import number_text
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.limits import UNPACKED_BYTES, megabytes

_NOT_ONE = ("is not Dataset-JSON that can be read", "write it again as Dataset-JSON 1.1, or as CSV")
_COMPRESSED = (b"\x1f\x8b", b"\x78")
_EITHER = zlib.MAX_WBITS | 32
"""For zlib: find out whether it is zlib or gzip."""
SAS_EPOCH = date(1960, 1, 1)
_DATE_FORMATS = ("DATE", "E8601DA", "YYMMDD", "MMDDYY", "DDMMYY", "IS8601DA")


@dataclass(frozen=True)
class JsonDataset:
    """One data set as texts: name, label, columns and rows, and what is to be told of it."""

    name: str
    label: str
    columns: tuple[SourceColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()


def read_dataset_json(data: bytes) -> JsonDataset:
    """Read a data set.

    Raises
    ------
    Unreadable
        If it is damaged, cut short, or none.
    """
    head, rows = _parsed(_unpacked(data))
    described = head.get("columns")
    if not isinstance(described, list) or not all(isinstance(c, dict) and "name" in c for c in described):
        raise Unreadable(*_NOT_ONE)
    columns = tuple(
        SourceColumn(header=clean(str(c["name"])), place=str(c["name"]), declared=str(c.get("dataType", "")),
                     label=clean(str(c.get("label", "")))) for c in described
    )  # fmt: skip
    dated = [is_date_format(str(c.get("displayFormat", ""))) for c in described]
    width, declared = len(columns), head.get("records")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != width:
            held = len(row) if isinstance(row, list) else "no"
            rule = f"record {number} has {held} values where {width} columns are described"
            raise Unreadable(rule, "write the file again")
    if isinstance(declared, int) and declared != len(rows):
        raise Unreadable(f"says that it holds {declared} records, and holds {len(rows)}", "get the whole file")
    texts = tuple(tuple(value_text(v, dated=d) for v, d in zip(row, dated, strict=True)) for row in rows)
    return JsonDataset(clean(str(head.get("name", ""))), clean(str(head.get("label", ""))), columns, texts)


def looks_like_dataset_json(start: bytes) -> bool:
    """Tell whether the beginning of a file speaks of a data set."""
    return b"datasetJSONVersion" in start or b"itemGroupOID" in start


def is_date_format(display: str) -> bool:
    """Tell whether a format of SAS shows a number as a date."""
    return display.upper().startswith(_DATE_FORMATS)


def value_text(value: object, *, dated: bool = False) -> str:
    """Return a value as a text; with `dated`, numbers are days since 1960-01-01 as SAS counts them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if value != value:
            return ""
        return (SAS_EPOCH + timedelta(days=int(value))).isoformat() if dated else number_text(float(value))
    return clean(str(value))


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_COMPRESSED):
        return data
    try:
        unpacker = zlib.decompressobj(_EITHER)
        unpacked = unpacker.decompress(data, UNPACKED_BYTES)
    except zlib.error:
        raise Unreadable(*_NOT_ONE) from None
    if unpacker.unconsumed_tail:
        raise Unreadable(f"unpacks to more than {megabytes(UNPACKED_BYTES)}, the limit", "leave out what is not needed")
    if not unpacker.eof:
        raise Unreadable("is compressed, and cut short", "get the whole file")
    return unpacked


def _parsed(data: bytes) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """Return the description of a data set and its rows, of one object or of lines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("is not in UTF-8, as Dataset-JSON is", "write the file again in UTF-8") from None
    try:
        first, _, rest = text.lstrip().partition("\n")
        if _is_head(first) and rest.lstrip().startswith("["):
            return json.loads(first), [json.loads(line) for line in rest.splitlines() if line.strip()]
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(*_NOT_ONE) from None
    if not isinstance(whole, dict) or not isinstance(whole.get("rows", []), list):
        raise Unreadable(*_NOT_ONE)
    return whole, whole.get("rows", [])


def _is_head(line: str) -> bool:
    """Tell whether a line is the description alone, which the rows follow line by line."""
    return line.rstrip().endswith("}") and '"columns"' in line and '"rows"' not in line
