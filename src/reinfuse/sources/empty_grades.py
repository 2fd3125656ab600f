"""Empty cells in a column of grades: grade 0 where a person says so, and only after an infusion that was given."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from reinfuse.sources.imported import ImportedCell
from reinfuse.sources.source_map import EMPTY_GRADES, EMPTY_MEANINGS, Field, SourceMap
from reinfuse.tabular.cell_parsing import clean

GRADE = "grade"


def meaning_of_empty(filled: Field, source_map: SourceMap) -> str:
    """Return the grade that an empty cell of a line stands for; empty: none, it is missing."""
    zero, _ = EMPTY_MEANINGS
    meaning = filled.empty or source_map.questions.get(EMPTY_GRADES, "")
    return zero if meaning == zero else ""


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
