"""Flags of events, 1 or 0, beside dated columns: who died, and who progressed on a day that no column holds."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from reinfuse.sources.propose.concepts import concepts, derived_concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.names import Name
from reinfuse.sources.source_map import WIDE_SHEET

_SCORE = 90.0
_PROGRESSION = "responses.date:PD"


def flag_of_death(names: Sequence[Name], cells: Mapping[str, ColumnCells]) -> Match | None:
    """Return the column that flags the event of overall survival: it tells who died."""
    name = next(_flags("os", names, cells), None)
    concept = concepts()["patients.death:status"]
    return None if name is None else Match(name, cells[name.header], concept, _SCORE, 1.0, None)


def undated_progression(
    names: Sequence[Name], cells: Mapping[str, ColumnCells], lines: Container[Key]
) -> Iterator[tuple[str, str]]:
    """Yield columns that flag the event of progression-free survival, with what is lost where no date of it stands."""
    for name in _flags("pfs", names, cells):
        numbers = [int(w) for w in name.words if w.isdigit()]
        k = name.infusion or next(iter(numbers), None)
        if (_PROGRESSION, k, None) in lines or (_PROGRESSION, None, None) in lines:
            continue
        after = f"infusion {k}" if k else "infusion ..."
        yield name.header, (
            "it tells who progressed, and no column holds the day, so that nobody would but by a response: is it "
            'rightly left out? If not, add [[responses]] with date = { column = "the time", unit = "months", '
            f'after = "{after}" }}, response = {{ const = "PD" }} and where = {{ "{name.header}" = ["1"] }}'
        )  # fmt: skip


def _flags(endpoint: str, names: Sequence[Name], cells: Mapping[str, ColumnCells]) -> Iterator[Name]:
    phrases = {w for w, _ in derived_concepts()[f"{WIDE_SHEET}.{endpoint}_event"].phrases if endpoint in w}
    for name in names:
        bare = tuple(w for w in name.words if not w.isdigit())
        if bare in phrases and set(cells[name.header].counts) == {"0", "1"}:
            yield name
