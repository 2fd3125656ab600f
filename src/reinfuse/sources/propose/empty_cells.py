"""Grades that are empty after an infusion that was given: grade 0 in one sheet, not known in the next; it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.propose.matching import Key
from reinfuse.sources.source_table import SourceTable
from reinfuse.tabular.cell_parsing import clean, is_missing


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
