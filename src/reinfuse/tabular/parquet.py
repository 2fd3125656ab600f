"""Parquet files: their size is told before they are unpacked, and every value becomes a text."""

from __future__ import annotations

import io
from collections.abc import Sequence

import polars as pl

from reinfuse.tabular.cell_parsing import as_text, clean
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.grid import Grid, Meter
from reinfuse.tabular.limits import UNPACKED_BYTES, megabytes
from reinfuse.tabular.parquet_footer import Declared, read_footer

_DAMAGED = ("is not a Parquet file that can be read", "write it again with plain columns")
_NO_TEXT = (pl.Object, pl.Binary, pl.Duration, pl.Time)


def read_parquet(data: bytes) -> Grid:
    """Read a Parquet file with plain columns.

    Raises
    ------
    Unreadable
        If it is damaged, nested, or beyond the limits.
    """
    try:
        return _grid(data)
    except Unreadable:
        raise
    except (Exception, pl.exceptions.PanicException):  # a damaged file makes the reader raise, or stop, anywhere
        raise Unreadable(*_DAMAGED) from None


def read_names(data: bytes) -> list[str]:
    """Return the names of the columns of a Parquet file.

    Raises
    ------
    Unreadable
        If it is damaged, nested, or beyond the limits.
    """
    try:
        _measure(read_footer(data))
        return pl.scan_parquet(io.BytesIO(data)).collect_schema().names()
    except Unreadable:
        raise
    except (Exception, pl.exceptions.PanicException):
        raise Unreadable(*_DAMAGED) from None


def _grid(data: bytes) -> Grid:
    """A few bytes can stand for billions of rows, or for a long text in each of them: both are counted first."""
    _measure(read_footer(data))
    lazy, meter = pl.scan_parquet(io.BytesIO(data)), Meter()
    names = lazy.collect_schema().names()
    height = int(lazy.select(pl.len()).collect().item())
    meter.rows(height + 1)
    meter.columns(len(names))
    meter.cells((height + 1) * len(names))
    frame = pl.read_parquet(io.BytesIO(data), n_rows=height, use_statistics=False)
    columns = [_texts(s, meter) for s in frame.get_columns()]
    rows = [(i, row) for i, row in enumerate(map(list, zip(*columns, strict=True)), 1) if any(clean(c) for c in row)]
    return Grid(tuple(range(len(names))), tuple(names), rows)


def _measure(declared: Declared) -> None:
    """Refuse what would take all memory once it is unpacked; nesting of hundreds of levels ends the reader itself."""
    meter = Meter()
    meter.rows(declared.rows + 1)
    meter.columns(declared.columns)
    if declared.nested:
        raise Unreadable(
            "holds lists or structures in a column, which are not read", "write it again with plain columns"
        )
    meter.cells(declared.values)
    if declared.unpacked > UNPACKED_BYTES:
        rule = f"unpacks to more than {megabytes(UNPACKED_BYTES)}, the limit"
        raise Unreadable(rule, "remove what is not needed")


def _texts(series: pl.Series, meter: Meter) -> Sequence[str]:
    if series.dtype in _NO_TEXT:
        raise Unreadable(
            f"holds a column of type {series.dtype}, which is not read", "write it again with plain columns"
        )
    if series.dtype in (pl.Categorical, pl.Enum):
        sizes = series.cast(pl.Categorical).cat.len_chars()
    else:
        sizes = series.str.len_bytes() if series.dtype == pl.String else pl.Series([0])
    meter.characters(int(sizes.sum()), int(sizes.max() or 0))  # type: ignore[arg-type]
    return [as_text(v) for v in series.to_list()]
