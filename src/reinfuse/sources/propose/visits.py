"""A sheet with a row a visit, which is an infusion in some rows: infusions are read from those, days from each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from reinfuse.sources.source_map import OPEN, Block, Field
from reinfuse.sources.source_table import SourceTable
from reinfuse.tabular.cell_parsing import clean, is_missing

_OF_INFUSIONS = ("product", "dose_cells_per_kg", "lymphodepletion")
_MOST_TEXTS = 30
"""Different texts of a column that says of what kind a visit is."""
_OWN_DAY = "a row of the sheet is a visit, on its own day"


def with_visits(blocks: Sequence[Block], tables: Iterable[SourceTable]) -> list[Block]:
    """Return blocks in which a sheet of visits gives infusions from the rows of infusions alone.

    Where rows of one infusion hold different days, they are visits: events have the day of their row, and a column
    that has one text in exactly one row of each infusion says which row it is; without one, it is asked.
    """
    by_name = {t.name: t for t in tables}
    changed = {b.sheet: marks for b in blocks if b.table == "infusions" and not b.where and b.sheet in by_name
               and (marks := _marks(b, by_name[b.sheet])) is not None}  # fmt: skip
    return [_of_visits(b, changed[b.sheet], blocks) if b.sheet in changed else b for b in blocks]


def _marks(infusions: Block, table: SourceTable) -> Mapping[str, tuple[str, ...]] | None:
    """Return header and text of the rows that are infusions; None where each infusion has one day."""
    who, number, date = (infusions.fields.get(c, Field()).column for c in ("patient_id", "infusion", "date"))
    if not {who, number, date} <= set(table.positions):
        return None
    columns = zip(*(map(clean, table.texts(h)) for h in (who, number, date)), strict=True)
    rows = [(row, (patient, k), day) for row, (patient, k, day) in enumerate(columns) if patient and not is_missing(k)]
    days: dict[tuple[str, str], set[str]] = {}
    for _, infusion, day in rows:
        days.setdefault(infusion, set()).add(day)
    if not any(len(own) > 1 for own in days.values()):
        return None
    keys = {row: (infusion, day) for row, infusion, day in rows}
    given = _given(infusions, table)
    for column in table.columns:
        texts = [clean(t) for t in table.texts(column.header)]
        if column.header not in (who, number, date) and (text := _once_each(texts, keys, given)):
            return {column.header: (text,)}
    return {next(c.header for c in table.columns if c.header not in (who, number, date)): (OPEN,)}


def _given(infusions: Block, table: SourceTable) -> AbstractSet[int]:
    """Return the rows that tell a product, dose or lymphodepletion."""
    headers = [f.column for c, f in infusions.fields.items() if c in _OF_INFUSIONS and f.column in table.positions]
    return {row for h in headers for row, text in enumerate(table.texts(h)) if not is_missing(clean(text))}


def _once_each(texts: Sequence[str], keys: Mapping[int, tuple[tuple[str, str], str]], given: AbstractSet[int]) -> str:
    """Return the text that stands on exactly one day of each infusion, and in each row that tells of one."""
    wanted = {infusion for infusion, _ in keys.values()}
    days: dict[str, set[tuple[tuple[str, str], str]]] = {}
    for row, key in keys.items():
        days.setdefault(texts[row], set()).add(key)
    if len(days) > _MOST_TEXTS:
        return ""
    hits = [t for t, own in days.items() if not is_missing(t) and len(own) == len(wanted)
            and {infusion for infusion, _ in own} == wanted and all(texts[row] == t for row in given)]  # fmt: skip
    return hits[0] if len(hits) == 1 and given else ""


def _of_visits(block: Block, marks: Mapping[str, tuple[str, ...]], blocks: Iterable[Block]) -> Block:
    infusions = next(b for b in blocks if b.table == "infusions" and b.sheet == block.sheet)
    if block.table == "infusions":
        (header,) = marks
        date = replace(block.fields["date"], confirm=True,
                       reason=f"rows are visits: infusions are those in which {header!r} says so")  # fmt: skip
        return replace(block, fields={**block.fields, "date": date}, where=dict(marks), reason="rows of infusions")
    return replace(block, fields=dict(_dated(block, infusions.fields["date"])))


def _dated(block: Block, date: Field) -> Iterator[tuple[str, Field]]:
    """Yield fields of an event; a day that no column told is that of its row."""
    for column, filled in block.fields.items():
        placed = bool(filled.after and not filled.column) or filled.column == OPEN
        if column == "date" and placed and block.table != "toxicities":
            yield column, replace(date, reason=_OWN_DAY, confirm=False)
        else:
            yield column, filled
