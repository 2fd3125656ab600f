"""Of which infusion a block of a map is, in words: `infusion 2: "2. CAR-T | Response"`; and blocks of two infusions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from reinfuse.exceptions import Problem
from reinfuse.sources.propose.names import parse, with_siblings
from reinfuse.sources.source_map import OPEN, Block, Field, SourceMap
from reinfuse.sources.values.words import YES_NO

MAIN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "responses": ("response",), "mrd": ("result", "value"), "counts": ("value",), "toxicities": ("grade",),
    "therapies": ("therapy",),
}  # fmt: skip
"""Columns without which a block of events says nothing."""
_TIMES = ("date", "day")
_AFTER = re.compile(r"infusion (\d+)")


def infusions_of(headers: Iterable[str]) -> Mapping[str, int]:
    """Return the infusion that each header of a sheet names, by a word for it or a number that others bear too.

    Examples
    --------
    >>> dict(infusions_of(["1. CAR-T | Response", "Assessed 1", "Assessed 2", "Age"]))
    {'1. CAR-T | Response': 1, 'Assessed 1': 1, 'Assessed 2': 2}
    """
    return _infusions(tuple(dict.fromkeys(headers)))


@lru_cache(maxsize=64)
def _infusions(headers: tuple[str, ...]) -> Mapping[str, int]:
    """Parse the headers of a sheet once: each of its blocks and questions asks for them."""
    names = with_siblings([parse(h) for h in headers])
    return MappingProxyType({n.header: n.infusion for n in names if n.infusion is not None})


def headers_of_sheet(source_map: SourceMap, sheet: str) -> tuple[str, ...]:
    """Return the headers of a sheet that a map reads or leaves out."""
    read = (h for b in source_map.blocks if b.sheet == sheet for f in b.fields.values() for h in f.headers)
    return tuple(dict.fromkeys((*read, *source_map.ignored.get(sheet, {}))))


def infusion_of(block: Block, by_header: Mapping[str, int]) -> int | None:
    """Return the infusion of a block, None where it is of several, or of none."""
    return next((k for _, k in _named(block, by_header)), None)


def named(source_map: SourceMap, block: Block) -> str:
    """Return in words of which infusion a block is, and what it reads; empty for blocks of patients."""
    if block.table not in (*MAIN_COLUMNS, "infusions"):
        return ""
    number = infusion_of(block, infusions_of(headers_of_sheet(source_map, block.sheet)))
    columns = (*MAIN_COLUMNS.get(block.table, ()), *_TIMES, *block.fields)
    header = next((h for c in columns if c != "patient_id" and (h := _read(block.fields.get(c)))), "")
    alone = len({b.sheet for b in source_map.blocks}) == 1
    read = f'"{header}"' if alone or not header else f'{block.sheet}, "{header}"'
    return ": ".join(filter(None, (f"infusion {number}" if number else "", read)))


def of_two_infusions(source_map: SourceMap, headers: Mapping[str, Iterable[str]]) -> Iterator[Problem]:
    """Yield a problem for each block whose date and event stand in columns of different infusions.

    Parameters
    ----------
    headers
        Name of the source's table -> its headers.
    """
    for place, block in source_map.places():
        if block.table not in (*MAIN_COLUMNS, "infusions"):
            continue
        numbers = list(_named(block, infusions_of(headers.get(block.sheet or next(iter(headers), ""), ()))))
        if len({k for _, k in numbers}) < 2:
            continue
        key = f"{place}: of {' and '.join(dict.fromkeys(f'infusion {k}' for _, k in numbers))}"
        if YES_NO.get(source_map.questions.get(key, "").casefold()) != "yes":
            said = "; ".join(f"{line} is of infusion {k}" for line, k in numbers)
            yield Problem(table="map", column=place, value=block.sheet or None,
                          rule=f"reads one event from columns of different infusions: {said}",
                          remedy=f'give each block the columns of one infusion; or write "{key}" = "yes" to '
                          "[questions], if it is right all the same")  # fmt: skip


def _named(block: Block, by_header: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield each line of a block that names an infusion, with its number: what happened first, then when."""
    if (number := block.fields.get("infusion")) and (number.const or "").isdigit():
        yield f"infusion = {number.const}", int(number.const or 0)
    for column in (*MAIN_COLUMNS.get(block.table, ()), *_TIMES):
        filled = block.fields.get(column)
        if filled is None:
            continue
        if (header := _read(filled)) in by_header:
            yield f'{column} = "{header}"', by_header[header]
        elif not filled.column and (match := _AFTER.fullmatch(filled.after)):
            yield f'{column}, after = "{filled.after}"', int(match[1])


def _read(filled: Field | None) -> str:
    return "" if filled is None or filled.column in ("", OPEN) else filled.column
