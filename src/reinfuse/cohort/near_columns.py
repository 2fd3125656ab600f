"""Columns that are not declared, and which declared one each may be meant for: a misspelt one must not be lost."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from reinfuse.cohort.schema import Column, TableSchema
from reinfuse.exceptions import Problem, slips_between

_MISSPELT, _ABBREVIATION = 0.85, 3
_LENGTHS, _LETTERS = 2, 4
"""Two edits change the length by two and the set of letters by four: the others are not compared letter by letter."""


def plain_name(name: str) -> str:
    """Return a column name without case and without anything but letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@dataclass(frozen=True, slots=True)
class _Name:
    plain: str
    letters: int
    parts: tuple[str, ...]
    column: Column | None = None

    @classmethod
    def of(cls, text: str, column: Column | None = None) -> _Name:
        plain, letters = plain_name(text), 0
        for letter in set(plain):
            letters |= 1 << (ord(letter) - ord("0"))
        return cls(plain, letters, tuple(re.findall(r"[a-z0-9]+", text.casefold())), column)

    def likeness(self, other: _Name) -> float:
        """Return how like two names are, from 0 to 1: 0 where digits or short parts (DFS, PFS) differ."""
        far = (
            abs(len(self.plain) - len(other.plain)) > _LENGTHS or (self.letters ^ other.letters).bit_count() > _LETTERS
        )
        if far or re.sub(r"\D", "", self.plain) != re.sub(r"\D", "", other.plain):
            return 0.0
        if len(self.parts) == len(other.parts) and any(map(_is_another, self.parts, other.parts)):
            return 0.0
        return SequenceMatcher(None, self.plain, other.plain).ratio()


def _is_another(part: str, other: str) -> bool:
    """Tell whether two short parts of a name are two abbreviations, rather than one with its letters exchanged."""
    return len(part) == len(other) <= _ABBREVIATION and sorted(part) != sorted(other)


def strangers(extra: Iterable[str], table: TableSchema, have: Container[str], *, own: bool) -> Iterator[Problem]:
    """Tell of columns that are not declared: misspelt ones are errors, the others are kept.

    Parameters
    ----------
    extra
        Names of the columns.
    have
        All columns of the table.
    own
        The table may have many columns of its own: only those that look like declared ones are told.
    """
    declared = [_Name.of(c.name, c) for c in (*table.columns, *table.also)]
    for title in extra:
        name = _Name.of(title)
        like, column = max(((name.likeness(d), d.column) for d in declared), key=lambda pair: pair[0])
        near = column is not None and (like >= _MISSPELT or slips_between(title, column.name) is not None)
        lost = column is not None and like >= _MISSPELT and column.name not in have
        if column is not None and lost and not column.required:  # that a required one is missing is told by itself
            rule = f"the column is not read, and its name is nearly {column.name}"
            plan = f', or write {column.name} = "{title}" under [columns] in the plan,' if own else ""
            remedy = f"name it {column.name}{plan} if it is that ({column.meaning}); else name it otherwise"
            yield Problem(table=table.name, column=title, rule=rule, remedy=remedy)
        elif not own or near:
            hint = f"did you mean {column.name}? otherwise " if column is not None and near else ""
            rule = "the column is not a standard one" if own else "the column is not a declared one"
            remedy = f"{hint}nothing: it is kept, and a plan can use it as a factor"
            yield Problem(table=table.name, column=title, rule=rule, remedy=remedy, severity="warning")
