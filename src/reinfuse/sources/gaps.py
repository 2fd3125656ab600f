"""What a map leaves unsaid of a source's cells: gathered by cell, told once a column with the line to add."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem
from reinfuse.tabular.toml import toml_text

Kind = Literal[
    "", "unread", "open", "order", "partial", "unmatched", "fault", "weight", "total", "unsaid", "tick", "undated",
    "birth", "answer", "high", "range",
]  # fmt: skip
_DATE = 'a date as 2024-03-15, or "" for an empty cell'
_ANSWERS = {
    "date": _DATE, "last_contact": _DATE, "death": 'alive, a date as 2024-03-15, or "" for an empty cell',
    "dose_cells_per_kg": 'cells per kg as 2000000, or "" for an empty cell',
    "infusion_records": "infusion, or no infusion",
    "grade": '0 to 5, or "" for an empty cell', "infusion": '1, 2, ..., or "" for an empty cell',
    "age_years": 'years, or "" for an empty cell',
    "lymphodepletion": 'a regimen as Flu/Cy, Cy, bendamustine or none, or "" for an empty cell',
}  # fmt: skip
"""What can be answered for the words of a column without choices."""
_DATES = ("date", "last_contact", "death")
_DAYS = re.compile(r"-?(?!(?:19|20)\d\d$)\d{1,4}")
SHOWN = 12
"""Different texts that are shown of one column."""
_RULES: dict[str, str] = {
    "unread": "not understood as {column}",
    "open": "open in the map",
    "order": "date that can be read in two ways",
    "partial": "date without its day",
    "unmatched": "read by no line of the map",
    "fault": "error of the spreadsheet program",
    "weight": "total cells, and the body weight in the row is no number of kg",
    "total": "total cells, not cells per kg",
    "unsaid": "not known to be total cells or cells per kg",
    "tick": "neither ticked nor unticked",
    "undated": "death without its date",
    "birth": "no date of birth that can be read",
    "answer": "answered by a number that says neither cells nor cells/kg, in a column of total cells",
    "high": "answered by more than 5e7 cells per kg, which nobody is known to have been given",
    "range": "gives fewer than 1e4 or more than 1e9 cells per kg, which is no dose",
}


@dataclass(slots=True)
class _Gap:
    sheet: str
    header: str
    place: str
    dictionary: str
    texts: dict[str, dict[str, None]] = field(default_factory=dict)
    """Text -> places of its rows."""


class Gaps:
    """Gathers cells for which the map has no answer."""

    def __init__(self) -> None:
        self._gaps: dict[tuple[Kind, str, str, str], _Gap] = {}

    def add(self, kind: Kind, *, sheet: str, header: str, place: str, dictionary: str = "", text: str = "",
            row: str = "") -> None:  # fmt: skip
        """Note a cell.

        Parameters
        ----------
        sheet, header, row
            Where it stands in the source.
        place
            The map's line that reads it: ``infusions[2].date``.
        dictionary
            Where the map says what its texts mean.
        """
        by = dictionary if kind in ("unread", "open") else place
        gap = self._gaps.setdefault((kind, sheet, header, by), _Gap(sheet, header, place, dictionary))
        gap.texts.setdefault(text, {})[row] = None

    def words(self) -> set[tuple[str, str]]:
        """Return dictionary and word of what was met in a cell and is open in the map."""
        return {(g.dictionary, t.casefold()) for (k, *_), g in self._gaps.items() if k == "open" for t in g.texts}

    def problems(self) -> Iterator[Problem]:
        """Yield one problem for each column and kind."""
        for (kind, *_), gap in self._gaps.items():
            texts = sorted(gap.texts.items(), key=lambda item: -len(item[1]))
            column = gap.place.rpartition(".")[2]
            what = _RULES[kind].format(column=gap.dictionary or column)
            remedy, (first, places) = _remedy(kind, gap, text=texts[0][0]), texts[0]
            if len(texts) == 1 and len(places) == 1:
                (place,) = places
                row = _number(place)
                yield Problem(table=gap.sheet, row=row, column=gap.header or None, value=first,
                              rule=what if row else f"{what} ({place})", remedy=remedy)  # fmt: skip
            else:
                yield Problem(table=gap.sheet, column=gap.header or None, rule=_counted(what, texts), remedy=remedy)


def _counted(what: str, texts: Sequence[tuple[str, Mapping[str, None]]]) -> str:
    """Return a rule with the number of cells and the texts, the most frequent first."""
    cells = sum(len(places) for _, places in texts)
    several = f"{cells} cells, {len(texts)} different texts" if len(texts) > 1 else f"{cells} cells"
    shown = [f"{_quoted(text)} ({_rows(list(places))})" for text, places in texts[:SHOWN]]
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return f"{several}: {what}: {', '.join(shown)}{more}"


def _remedy(kind: Kind, gap: _Gap, *, text: str) -> str:
    if kind in ("unread", "open") and (days := _as_days(gap)):
        return days
    line = f"[values.{gap.dictionary}] {_quoted(text)} = "
    meanings = permitted(gap.dictionary)
    remedies: dict[Kind, str] = {
        "unread": f'add to the map, a line a text: {line}"..." ({meanings})',
        "open": f'answer in the map: {line}"..." instead of "?" ({meanings})',
        "order": f'add order = "dmy", "mdy" or "ymd" to {gap.place} in the map, or date_order to [source]',
        "partial": f'add partial = "first", "middle" or "last" to {gap.place} in the map, or complete the dates',
        "unmatched": f'correct the pattern or condition of {gap.place} in the map, or add to it: {line}"" (left empty)',
        "fault": "correct the formula, or enter the value",
        "weight": "enter the body weight, or empty the dose",
        "total": f'add weight = "header of the body weight" to {gap.place} in the map; without body weights: '
        f'{line}"" (left empty)',
        "unsaid": f'add to {gap.place} in the map unit = "cells/kg", or weight = "header of the body weight" for total '
        f'cells; where it has a unit, correct the cell; or add the dose per kg of each text: {line}"2e6 cells/kg"'
        ', or "" for an empty cell',
        "tick": "correct the cells: 1, x, yes or Checked; 0, no, Unchecked or empty",
        "undated": "enter the date of death, or read it from its column, `where` this one says so",
        "answer": f'{line}"140e6 cells" (all cells, divided by the body weight) or "2e6 cells/kg"',
        "high": f'{line}"140e6 cells" (all cells, divided by the body weight), or "60e6 cells/kg confirmed"',
        "range": f"correct the unit or the weight of {gap.place} in the map, its answer, or the cell",
        "birth": f"correct the dates, or take the line {gap.place} out of the map",
    }
    return remedies[kind]


def _as_days(gap: _Gap) -> str:
    """Return how numbers of days are read in a line of dates; empty where most texts are none."""
    block, _, column = gap.place.rpartition(".")
    numbers = [t for t in gap.texts if _DAYS.fullmatch(t)]
    if column not in _DATES or 2 * len(numbers) <= len(gap.texts):
        return ""
    if block.startswith("infusions"):
        return (f'numbers of days are no dates: write day = {_quoted(gap.header)} in place of date to {block} in the '
                "map, if they count from the first infusion (its day is 0)")  # fmt: skip
    line = f'{column} = {{ column = {_quoted(gap.header)}, after = "infusion 1" }}'
    more = f"to {block} in the map, with the infusion from which they count"
    return f"numbers of days are no dates: write {line} {more}"


def permitted(name: str) -> str:
    """Say which meanings a dictionary's words can have; its name is a column, with or without its table before it."""
    table, _, column = name.rpartition(".")
    tables = [TABLES[table]] if table in TABLES else list(TABLES.values())
    columns = [c for t in tables for c in t.columns if c.name == column and c.choices]
    if not columns:
        return _ANSWERS.get(column, '"" leaves the cell empty')
    return f'{", ".join(columns[0].choices)}{", another text" if columns[0].free else ""}, or "" for an empty cell'


def _rows(places: list[str]) -> str:
    return places[0] if len(places) == 1 else f"{len(places)} cells, first {places[0]}"


def _number(place: str) -> int | None:
    match = re.fullmatch(r"row (\d+)", place)
    return int(match[1]) if match else None


def _quoted(text: str) -> str:
    return toml_text(text if len(text) <= 60 else f"{text[:59]}…")
