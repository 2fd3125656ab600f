"""Doses whose unit stands in a column beside them: read row by row as it says, never by the size of the number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.names import Name
from reinfuse.sources.source_map import OPEN, UNITS
from reinfuse.sources.values import understand
from reinfuse.sources.values.doses import dose_unit, names_unit_alone, read_dose

UNIT_NOTE = "unit of the dose: the dose is read in each row as it says"
_MOSTLY = 0.5


def unit_beside(matched: Mapping[Key, tuple[Match, str]], names: Iterable[Name], *,
                cells: Mapping[str, ColumnCells]) -> ColumnCells | None:  # fmt: skip
    """Return the column that holds units of doses, whatever its name, where there is one column of plain doses."""
    doses = [m.cells for m, _ in matched.values() if m.concept.column.endswith("dose_cells_per_kg")]
    if len(doses) != 1 or not any((d := read_dose(t, mark=doses[0].mark)) and not d.per for t in doses[0].counts):
        return None
    used = {m.name.header for m, _ in matched.values()}
    columns = [cells[n.header] for n in names if n.header not in used]
    holding = [c for c in columns if c.counts and sum(k for t, k in c.counts.items() if names_unit_alone(c.said(t)))
               >= _MOSTLY * sum(c.counts.values())]  # fmt: skip
    return holding[0] if len(holding) == 1 else None


def in_units(line: ProposedLine, units: ColumnCells, *, weight: str) -> ProposedLine:
    """Return the line of a dose whose unit a column beside it holds: read once for each unit, in the rows of that."""
    header = units.column.header
    by_unit: dict[str, list[str]] = {}
    for text in units.counts:
        if (said := understand("product", text)) is not None and not said.parts:
            continue  # "unknown": a dose in such a row is told as read by no line
        unit = dose_unit(units.said(text))
        by_unit.setdefault(str(unit) if unit and str(unit) in UNITS else OPEN, []).append(text)
    why = f"the unit stands in {header!r}"
    fields = [
        replace(line.filled, unit=unit, where={header: tuple(texts)}, reason=f"{line.filled.reason}; {why}",
                confirm=True, weight=(weight or OPEN) if unit.endswith("cells") else "")
        for unit, texts in by_unit.items()
    ]  # fmt: skip
    return replace(line, filled=fields[0], others=tuple(fields[1:]), doubts=(f"{why}, row by row",))
