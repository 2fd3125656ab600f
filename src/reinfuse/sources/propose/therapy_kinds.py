"""Therapies of several kinds in one column: transplants and radiation are told from drugs by their own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reinfuse.sources.propose.unread_events import speaks_of_transplant
from reinfuse.sources.source_map import OPEN, Block, Field
from reinfuse.sources.source_table import SourceTable
from reinfuse.sources.values.words import read_choice
from reinfuse.tabular.cell_parsing import clean, is_missing

_USUAL = "anticancer"
_MOST_TEXTS = 80
"""Different therapies that a map lists."""


def with_kinds(blocks: Iterable[Block], tables: Iterable[SourceTable]) -> Iterator[Block]:
    """Yield blocks, those of therapies with one kind for all split where a text of theirs is of another."""
    by_name = {t.name: t for t in tables}
    for block in blocks:
        kind, therapy = block.fields.get("kind", Field()), block.fields.get("therapy", Field())
        table = by_name.get(block.sheet)
        dated = not block.fields.get("date", Field(column=OPEN)).is_open
        if block.where or not dated or kind.const != _USUAL or table is None or therapy.column not in table.positions:
            yield block
            continue
        texts = dict.fromkeys(t for t in map(clean, table.texts(therapy.column)) if t and not is_missing(t))
        others = {t: own for t in texts if (own := _kind_of(t)) not in ("", _USUAL)}
        if not others or len(texts) > _MOST_TEXTS:
            yield block
        else:
            yield from _split(block, therapy.column, texts=texts, others=others)


def _kind_of(text: str) -> str:
    """Return the kind that a text says; empty where it says none."""
    told = read_choice("therapies.kind", text)
    if told is not None:
        return told.parts["kind"]
    if speaks_of_transplant(text):
        return "auto-HCT" if re.search(r"\b(?:auto|asct)", text, re.IGNORECASE) else "allo-HCT"
    return ""


def _split(block: Block, header: str, *, texts: Iterable[str], others: Mapping[str, str]) -> Iterator[Block]:
    usual = tuple(t for t in texts if t not in others)
    if usual:
        yield replace(block, where={header: usual})
    for kind in dict.fromkeys(others.values()):
        own = tuple(t for t, k in others.items() if k == kind)
        field = Field(const=kind, confirm=True, reason=f"{', '.join(own)} in {header}")
        yield replace(block, fields={**block.fields, "kind": field}, where={header: own})
