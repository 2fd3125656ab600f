"""What the end of a Parquet file declares, read before anything is unpacked: its size, and whether columns are nested.

The end is a structure in Thrift's compact protocol; structures are read as mappings from the number of a field.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from reinfuse.tabular import limits
from reinfuse.tabular.files import Unreadable

_MAGIC = b"PAR1"
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
_CHILDREN = 5
_CHUNKS, _META, _VALUES, _UNPACKED = 1, 3, 5, 6
_DEPTH, _BITS = 12, 63


@dataclass(frozen=True, slots=True)
class Declared:
    """What a Parquet file says of itself: `values` and `unpacked` (bytes) of all columns together."""

    rows: int
    columns: int
    values: int
    unpacked: int
    nested: bool


def read_footer(data: bytes) -> Declared:
    """Return what the end of a Parquet file declares.

    Raises
    ------
    Unreadable
        If the end is longer than the limit.
    ValueError, IndexError
        If it is damaged.
    """
    if len(data) < 12 or data[:4] != _MAGIC or data[-4:] != _MAGIC:
        raise ValueError("no Parquet file")
    (size,) = struct.unpack("<I", data[-8:-4])
    if size > limits.FOOTER_BYTES:
        most = limits.megabytes(limits.FOOTER_BYTES)
        remedy = "write it again with fewer columns, and all rows in one group"
        raise Unreadable(f"describes its columns in more than {most}, the limit", remedy)
    whole = _Compact(data[len(data) - 8 - size : -8]).structure(_DEPTH)
    elements = whole[_SCHEMA][1:]  # the first holds the others
    chunks = [chunk[_META] for group in whole[_GROUPS] for chunk in group[_CHUNKS]]
    values, unpacked = ([c[field] for c in chunks] for field in (_VALUES, _UNPACKED))
    if min([whole[_ROWS], *values, *unpacked]) < 0:
        raise ValueError("a size below 0")
    return Declared(whole[_ROWS], len(elements), sum(values), sum(unpacked), any(e.get(_CHILDREN) for e in elements))


class _Compact:
    """Reads Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def structure(self, depth: int) -> dict[int, Any]:
        """Return the fields of a structure."""
        fields, field = {}, 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            fields[field] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (4, 5, 6):
            return self._integer()
        if kind == 8:
            return self._skip(self._varint())
        if kind in (1, 2, 3):
            return self._byte()
        if kind == 7:
            return self._skip(8)
        if not depth or kind not in (9, 10, 12):
            raise ValueError("no field of a Parquet file")
        return self.structure(depth - 1) if kind == 12 else self._list(depth - 1)

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > len(self._data):
            raise ValueError("a list longer than its file")
        return [self._value(head & 15, depth) for _ in range(count)]

    def _skip(self, size: int) -> None:
        self._at += size

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > _BITS:
                raise ValueError("no number of a Parquet file")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
