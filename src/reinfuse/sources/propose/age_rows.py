"""The rows of an export by event from which the age is read: those that hold it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reinfuse.sources.source_map import Block
from reinfuse.sources.source_table import SourceTable
from reinfuse.tabular.cell_parsing import clean


def with_rows_of_ages(blocks: Sequence[Block], tables: Iterable[SourceTable]) -> list[Block]:
    """Return blocks in which the age of a patient who has one is read from its row, whatever its event.

    Where a patient has several, the rows of the first infusion are meant, as they were proposed.
    """
    by_name = {t.name: t for t in tables}
    return [_with_rows(b, by_name[b.sheet]) if b.where and "age_years" in b.fields and b.sheet in by_name else b
            for b in blocks]  # fmt: skip


def _with_rows(block: Block, table: SourceTable) -> Block:
    who, age = block.fields["patient_id"].column, block.fields["age_years"].column
    if len(block.where) != 1 or not {who, age, *block.where} <= set(table.positions):
        return block
    (header, wanted), *_ = block.where.items()
    rows = [(w, clean(e)) for w, a, e in zip(*map(table.texts, (who, age, header)), strict=True) if clean(a)]
    if any(event in wanted for _, event in rows):
        return block
    once = len({w for w, _ in rows}) == len(rows)
    events = tuple(dict.fromkeys(event for _, event in rows))
    return replace(block, where={header: events}) if once and all(events) else block
