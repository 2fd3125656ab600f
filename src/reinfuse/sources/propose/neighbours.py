"""A date beside a therapy: `Next treatment | Start`, where the header of the date says nothing but that it is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from reinfuse.sources.propose.concepts import concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.names import Name

_BARE = frozenset({"date", "start", "begin"})
_SCORE = 90.0
_MOSTLY = 0.8
_THERAPY, _DATE = "therapies.therapy", "therapies.date"


def with_neighbours(
    keyed: Mapping[Key, tuple[Match, str]], names: Sequence[Name], cells: Mapping[str, ColumnCells]
) -> dict[Key, tuple[Match, str]]:
    """Return matches in which a therapy without a date has that of the column behind it."""
    places = {m.name.header: key for key, (m, _) in keyed.items()}
    completed = dict(keyed)
    for name, behind in pairwise(names):
        key = places.get(name.header)
        if key is None or key[0] != _THERAPY or (_DATE, key[1], None) in keyed:
            continue
        if set(behind.leaf) <= _BARE | {"therapy"} and cells[behind.header].dates >= _MOSTLY:
            other = places.get(behind.header)
            if other is not None and completed[other][0].name_score >= 100:
                continue
            completed.pop(other, None) if other is not None else None
            match = Match(behind, cells[behind.header], concepts()[_DATE], _SCORE, 1.0, key[1])
            completed[_DATE, key[1], None] = match, f"it stands behind {name.header!r}"
    return completed
