"""What is said of a column that nothing was proposed for; one that may hold what a cohort needs is asked about."""

from __future__ import annotations

import re

from reinfuse.sources.left_columns import EMPTY
from reinfuse.sources.propose.births import BIRTH
from reinfuse.sources.propose.concepts import passed_over
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.names import Name
from reinfuse.sources.source_table import HEADER_JOINT
from reinfuse.sources.values import understand
from reinfuse.sources.values.understood import plain, unaccented

_MOSTLY = 0.6
_TELLING = frozenset(
    "crs icans nt ne neurotoxicity mrd umrd response remission relapse progression pd death dead died deceased dose "
    "cells lymphodepletion bor alive vital followup product sex age diagnosis histology bulky lines infusion".split()
)  # fmt: skip
"""Words of what a cohort holds: a column that bears one is not left out without a person's word."""
_NO_FACTORS = ("a name or", "who and where", "a remark", BIRTH, "derived")
"""Begin the kinds of columns that are no factors."""


def left_over(name: Name, cells: ColumnCells, *, aged: bool = True) -> tuple[str, bool]:
    """Return why a column is not carried over, and whether a person must agree first; `aged`: another holds the age."""
    kind = passed_over().get(name.words) or passed_over().get(name.leaf)
    if not cells.counts:
        return EMPTY, False
    if kind is not None and kind.startswith(BIRTH) and not aged:
        line = f'age_years = {{ column = "{name.header}", until = "infusion 1" }}'
        return f"{kind}; no column holds the age: to have it, write [patients] {line}", False
    if kind is not None:
        return (kind if kind.startswith(_NO_FACTORS) else f"{kind}; {_as_factor(name)}"), False
    if name.before:
        return f"of the time before an infusion; {_as_factor(name)}", False
    if cells.dates_or_none >= _MOSTLY:
        return "it holds dates, and its name is not known: is it rightly left out?", True
    for column, what in (("response", "responses"), ("lymphodepletion", "regimens")):
        if _holds(cells, column):
            return f"it holds {what}, but its name does not say of what: is it rightly left out?", True
    if telling := sorted(_TELLING & set(name.words)):
        why = f"its name speaks of {telling[0]}, but its cells do not: is it rightly left out?"
        return why, True
    return f"not a column of the contract; {_as_factor(name)}", False


def _holds(cells: ColumnCells, column: str) -> bool:
    fits = sum(n for t, n in cells.counts.items() if (s := understand(column, t)) and s.parts
               and s.parts.get("class") != "None")  # fmt: skip
    return fits / cells.seen >= _MOSTLY


def _as_factor(name: Name) -> str:
    """Say how the column is kept as a factor all the same."""
    table = "infusions" if name.infusion else "patients"
    leaf = name.header.rpartition(HEADER_JOINT)[2]
    key = "_".join(re.findall(r"[a-z0-9]+", unaccented(plain(leaf)))) or "name"
    return f'to keep it as a factor, write {table}.{key} = "{name.header}"'
