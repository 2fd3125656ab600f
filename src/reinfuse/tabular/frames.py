"""Data frames of any library as tables of texts: the one module that knows narwhals.

Each value becomes the text that it has in a file: NaN, NaT, None and a library's own NA are empty cells, dates stand in
ISO form, whole numbers have no decimal point, true and false are yes and no.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from reinfuse.tabular.cell_parsing import as_text, clean
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.grid import Grid, Meter

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

    AnyFrame: TypeAlias = IntoFrame

_PLAIN = (str, bool, int, float, decimal.Decimal, dt.date)
_COLUMNS = "write plain columns: texts, numbers, dates, yes and no"


@dataclass(frozen=True)
class FrameTexts:
    """A data frame as texts.

    Attributes
    ----------
    labels
        The index where it numbers the rows; None where it says nothing, or more than that.
    index
        What an index that is no numbering is called, which is not read; None where there is none.
    """

    grid: Grid
    labels: Sequence[int] | None = None
    index: str | None = None


def is_frame(value: object) -> bool:
    """Tell whether a value is a data frame that can be read, of whatever library."""
    import narwhals.stable.v2 as nw
    from narwhals.exceptions import DuplicateError

    try:
        native = nw.from_native(value, pass_through=True)
    except DuplicateError:  # of columns: told when it is read
        return True
    return isinstance(native, nw.DataFrame | nw.LazyFrame)


def read_frame(value: object) -> FrameTexts:
    """Return a data frame as texts.

    Raises
    ------
    Unreadable
        If it is no data frame, holds lists or the like, names a column twice, or is beyond the limits.
    """
    import narwhals.stable.v2 as nw

    if not is_frame(value):
        rule = f"is no data frame, but {_called(value)}"
        raise Unreadable(rule, "give a data frame of pandas, polars, pyarrow or another library")
    _refuse_twice(value)
    native: Any = nw.from_native(value)
    frame = native.collect() if isinstance(native, nw.LazyFrame) else native
    meter, names = Meter(), [str(n) for n in frame.columns]
    meter.rows(len(frame) + 1)
    meter.columns(len(names))
    meter.cells((len(frame) + 1) * len(names))
    columns = [_texts(str(s.name), s.to_list(), s.is_null().to_list(), meter=meter) for s in frame.iter_columns()]
    numbered = enumerate(map(list, zip(*columns, strict=True)), 1)
    rows = [(i, row) for i, row in numbered if any(clean(text) for text in row)]
    return FrameTexts(Grid(tuple(range(len(names))), tuple(names), rows), *_index(nw.maybe_get_index(frame)))


def _called(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _refuse_twice(value: Any) -> None:
    """Refuse names of columns that stand twice, or in several levels: of pandas, which alone has them."""
    if not hasattr(value, "iloc"):
        return
    columns = value.columns
    if columns.nlevels > 1:
        raise Unreadable("has names of columns in several levels", "give each column one name")
    if not columns.is_unique:
        twice = next(str(c) for c, again in zip(columns, columns.duplicated(), strict=True) if again)
        raise Unreadable(f"has the column {twice!r} twice", "keep one of the two columns")


def _texts(name: str, values: Sequence[Any], missing: Sequence[bool], *, meter: Meter) -> list[str]:
    texts = ["" if gone else _text(name, value) for value, gone in zip(values, missing, strict=True)]
    meter.characters(sum(map(len, texts)), max(map(len, texts), default=0))
    return texts


def _text(name: str, value: Any) -> str:
    kind = type(value)
    if kind is str or kind is int:  # nearly all of them
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value != value:  # NaN
        return ""
    if value is not None and not isinstance(value, _PLAIN):
        raise Unreadable(f"holds a value of type {type(value).__name__} in the column {name!r}", _COLUMNS)
    if isinstance(value, dt.datetime):
        value = value.replace(microsecond=0, tzinfo=None)
    return as_text(value)


def _index(index: Any) -> tuple[Sequence[int] | None, str | None]:
    """Return the labels of an index that numbers rows, and what one that is more than that is called."""
    if index is None:
        return None, None
    names = [str(n) for n in index.names if n is not None]
    if not names and index.dtype.kind in "iu":
        return [int(label) for label in index.tolist()], None
    if not names and not len(index):
        return None, None
    return None, ", ".join(names) or "without a name"
