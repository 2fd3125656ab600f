"""Grades that are empty after an infusion that was given: grade 0 in one sheet, not known in the next; it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.propose.matching import Key
from reinfuse.sources.source_map import Block, Field
from reinfuse.sources.source_table import SourceTable
from reinfuse.sources.values import understand
from reinfuse.tabular.cell_parsing import clean, is_missing


def lacks_rows(blocks: Sequence[Block], tables: Iterable[SourceTable]) -> bool:
    """Tell whether a list of toxicities, a row each, passes over an infusion that another sheet numbers."""
    by_name = {t.name: t for t in tables}
    listed = [b for b in blocks if b.table == "toxicities" and b.fields.get("kind", Field()).column]
    given = [b for b in blocks if b.table == "infusions" and b.fields.get("infusion", Field()).column]
    told = {(k, kind) for b in listed for k, kind in zip(_keys(b, by_name), _texts(b, "kind", by_name), strict=True)}
    kinds = {kind for _, kind in told if any(k in kind.casefold() for k in ("crs", "icans"))}
    return any((key, kind) not in told for b in given for key in _keys(b, by_name) if all(key) for kind in kinds)


def _keys(block: Block, tables: Mapping[str, SourceTable]) -> list[tuple[str, str]]:
    numbers = (s.parts.get("infusion", t) if (s := understand("infusion", t)) else t
               for t in _texts(block, "infusion", tables))  # fmt: skip
    return list(zip(_texts(block, "patient_id", tables), numbers, strict=True))


def _texts(block: Block, column: str, tables: Mapping[str, SourceTable]) -> list[str]:
    table, header = tables[block.sheet], block.fields[column].column
    return [clean(t) for t in table.texts(header)] if header in table.positions else [""] * len(table.rows)


def with_empty_grades(table: SourceTable, lines: Mapping[Key, ProposedLine]) -> Iterator[tuple[Key, ProposedLine]]:
    """Yield lines of grades that are empty in rows of an infusion that was given, with the number of those cells."""
    graded = {key: line for key, line in lines.items() if line.match.concept.column == "grade"
              and line.match.concept.kind and line.match.cells.counts}  # fmt: skip
    filled = {h: [bool(clean(t)) for t in table.texts(h)] for h in {g.filled.column for g in graded.values()} if h}
    for key, line in graded.items():
        column = line.filled.column
        if column not in filled:
            continue
        date = lines.get(("infusions.date", key[1], None)) or lines.get(("infusions.date", None, None))
        if date is not None and date.filled.column:
            given = [not is_missing(clean(t)) for t in table.texts(date.filled.column)]
        else:
            given = [any(cells) for cells in zip(*filled.values(), strict=True)]
        count = sum(g and not f for g, f in zip(given, filled[column], strict=True))
        if count:
            said = f"{line.filled.reason}; {count} empty after an infusion that was given"
            yield key, replace(line, filled=replace(line.filled, reason=said))
