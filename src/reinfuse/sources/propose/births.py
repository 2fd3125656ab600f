"""The age from a date of birth, where no column holds the age: a person agrees, and the date itself stays behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reinfuse.sources.propose.concepts import concepts, passed_over
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.filled import ProposedLine, line_of
from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.names import Name
from reinfuse.sources.values import understand
from reinfuse.sources.values.dates import EARLIEST_BIRTH, readings

BIRTH = "a date of birth"
"""Begins what is said of such a column."""
AGE: Key = ("patients.age_years", None, None)
_FIRST = "infusion 1"
_SCORE = 90.0
_MOSTLY = 0.8
_EARLY = re.compile(r"(?<!\d)19[0-4]\d(?!\d)|(?<!\d)19[0-4]\d(?=\d{4}(?!\d))")
_TWO_DIGITS = re.compile(r"\s*\d{1,2}\s*[./-]\s*\d{1,2}\s*[./-]\s*\d{2}\s*")
_QUOTED = re.compile(r"'[^']*'(?:, (?:'[^']*'|\.\.\.))*")
"""Examples in what is doubtful: no date of birth stands in a map."""


def birth_name(names: Iterable[Name], cells: Mapping[str, ColumnCells]) -> Name | None:
    """Return the column of dates of birth, None where there is none."""
    kinds = passed_over()
    return next((n for n in names if any(kinds.get(w, "").startswith(BIRTH) for w in (n.words, n.leaf))
                 and _dated(cells[n.header]) >= _MOSTLY), None)  # fmt: skip


def _dated(cells: ColumnCells) -> float:
    """Return the share of the filled cells that are dates from 1900 on, in whatever order."""
    born = (n for t, n in cells.counts.items() if understand("birth", t) or readings(t, earliest=EARLIEST_BIRTH))
    return sum(born) / cells.seen if cells.counts else 0.0


def _as_events(cells: ColumnCells) -> ColumnCells:
    """Return dates of birth before 1950 as ones of a later leap year, so that they are judged as other dates are."""
    counts: dict[str, int] = {}
    for text, times in cells.counts.items():
        later = _EARLY.sub("1952", text)
        counts[later] = counts.get(later, 0) + times
    return replace(cells, counts=counts)


def birth_line(name: Name, cells: ColumnCells, *, order: str) -> ProposedLine:
    """Return the line of the age at CART1."""
    cells = _as_events(cells)
    as_date = replace(concepts()["patients.last_contact"], phrases=())
    dated = line_of(Match(name, cells, as_date, _SCORE, cells.dates, None), order=order)
    match = Match(name, cells, concepts()["patients.age_years"], _SCORE, cells.dates, None)
    why = "the age at CART1 follows from the date of birth, which is not carried over"
    filled = replace(dated.filled, until=_FIRST, confirm=True, reason=why, confidence=match.confidence)
    if any(_TWO_DIGITS.fullmatch(t) for t in cells.counts):
        filled = replace(filled, reason=f"{why}; years of two digits are taken for those that make it 0 to 99")
    unnamed = (_QUOTED.sub("a date of birth", d) for d in dated.doubts if "name" not in d)
    return ProposedLine(match, filled, tuple(unnamed))
