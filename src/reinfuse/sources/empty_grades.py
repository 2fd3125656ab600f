"""Empty cells in a column of grades: grade 0 where a person says so, and only after an infusion that was given."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from reinfuse.sources.imported import ImportedCell, Origin
from reinfuse.sources.source_map import EMPTY_GRADES, EMPTY_MEANINGS, Field, SourceMap
from reinfuse.sources.source_table import SourceTable
from reinfuse.tabular.cell_parsing import clean

GRADE = "grade"
KINDS = ("CRS", "ICANS")
Place = tuple[SourceTable, int]
"""Table of a source, and row."""


def meaning_of_empty(filled: Field, source_map: SourceMap) -> str:
    """Return the grade that an empty cell of a line stands for; empty: none, it is missing."""
    zero, _ = EMPTY_MEANINGS
    meaning = filled.empty or source_map.questions.get(EMPTY_GRADES, "")
    return zero if meaning == zero else ""


def rows_lacking(
    listed: Container[tuple[str, str, str]], given: Mapping[tuple[str, str], Place], kinds: Iterable[str]
) -> Iterator[dict[str, ImportedCell]]:
    """Yield rows of grade 0 for infusions that were given and that no row of a kind tells of.

    Parameters
    ----------
    listed
        Patient, infusion and kind of what the source lists, with a grade or without.
    given
        Patient and number of the infusions that were given -> the source's table and row.
    kinds
        Those that the source lists where they occurred.
    """
    zero, _ = EMPTY_MEANINGS
    for (patient, number), (table, row) in given.items():
        for kind in kinds:
            if (patient, number, kind) not in listed:
                texts = {"patient_id": patient, "infusion": number, "kind": kind, GRADE: zero}
                rule = "no row is grade 0, as the map says"
                yield {c: ImportedCell(t, "", rule, Origin(table), row) for c, t in texts.items()}


def with_empty(
    cells: Mapping[str, Sequence[ImportedCell]], given: Container[tuple[str, str]], grade: str
) -> list[ImportedCell]:
    """Return grades in which empty cells of infusions that were given are that grade.

    Parameters
    ----------
    cells
        Column of toxicities -> cells, one a row: `patient_id`, `infusion` and `grade`.
    given
        Patient and number of the infusions that were given.
    """
    rule = f"an empty cell is grade {grade}, as the map says"
    return [
        c._replace(text=grade, rule=rule) if not clean(c.raw) and not c.text and (p.text, n.text) in given else c
        for p, n, c in zip(cells["patient_id"], cells["infusion"], cells[GRADE], strict=True)
    ]
