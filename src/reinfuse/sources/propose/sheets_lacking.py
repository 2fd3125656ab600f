"""Sheets whose patients no column of death or diagnosis tells of, while another sheet has one: each is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from reinfuse.sources.source_map import OPEN, Block, Field

_ASKED = {
    "death": 'no column of death was found in this sheet: name it, or write const = "" if nobody of it died',
    "diagnosis": "no column of the diagnosis was found in this sheet: name it, or write what all its patients have, as "
    'const = "ALL"',
}


def with_what_lacks(blocks: Sequence[Block], patients: Mapping[str, AbstractSet[str]]) -> list[Block]:
    """Return blocks in which each sheet of infusions says of its own patients what other sheets do not.

    Parameters
    ----------
    patients
        Name of the source's table -> whose rows it holds.
    """
    completed = list(blocks)
    given = dict.fromkeys(b.sheet for b in blocks if b.table == "infusions" and b.sheet in patients)
    for column, why in _ASKED.items():
        telling = {b.sheet for b in blocks if b.table == "patients" and column in b.fields}
        if not telling:
            home = _home(blocks, patients)
            if home:
                completed, telling = _with(completed, home, column, Field(const=OPEN, reason=why)), {home}
        described = frozenset().union(*(patients.get(sheet, frozenset()) for sheet in telling))
        for sheet in given:
            if sheet not in telling and patients[sheet] - described:
                completed = _with(completed, sheet, column, Field(const=OPEN, reason=why))
    return completed


def _home(blocks: Sequence[Block], patients: Mapping[str, AbstractSet[str]]) -> str:
    """Return the sheet that tells most of patients, of those that tell of the most; empty where none tells anything."""
    telling = {b.sheet: len(b.fields) for b in blocks if b.table == "patients" and not b.where}
    return max(telling, key=lambda s: (len(patients.get(s, ())), telling[s]), default="")


def _with(blocks: Sequence[Block], sheet: str, column: str, filled: Field) -> list[Block]:
    """Return blocks with a further line about the patients of a sheet."""
    own = next((b for b in blocks if b.table == "patients" and b.sheet == sheet and not b.where), None)
    if own is None:
        who = next(b.fields["patient_id"] for b in blocks if b.sheet == sheet)
        return [*blocks, Block("patients", sheet, {"patient_id": who, column: filled})]
    return [replace(b, fields={**b.fields, column: filled}) if b is own else b for b in blocks]
