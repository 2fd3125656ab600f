"""What no cohort can do without and no column was taken for: infusions, death and last contact are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reinfuse.sources.source_map import OPEN, WIDE_SHEET, Block, Field

_NO_DEATH = 'no column of death was found: name it, or write const = "" if nobody died'
_NO_INFUSIONS = (
    "no date of an infusion was found, and without infusions there is no cohort: write a block [[infusions]] "
    "(sheet, patient_id, infusion, date; where: the rows that are infusions), or enter them in columns of their own "
    'and map again; then answer "yes"'
)
_NO_LAST_CONTACT = (
    "no date of last contact was found: write the line last_contact to [patients], or enter it in a column of its own "
    'and map again; or answer "yes" if each patient has died'
)


def with_open_death(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks in which death is a question of the patients, where no block has a line of it."""
    if not blocks or any(b.table == WIDE_SHEET or "death" in b.fields for b in blocks):
        return list(blocks)
    death = {"death": Field(const=OPEN, reason=_NO_DEATH)}
    own = next((b for b in blocks if b.table == "patients" and not b.where), None)
    if own is None:
        return [*blocks, Block("patients", blocks[0].sheet, {"patient_id": blocks[0].fields["patient_id"], **death})]
    return [replace(b, fields={**b.fields, **death}) if b is own else b for b in blocks]


def questions_of_what_lacks(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the questions about infusions and last contacts that no block reads."""
    if not blocks or any(b.table == WIDE_SHEET for b in blocks):
        return
    if not any(b.table == "infusions" for b in blocks):
        yield _NO_INFUSIONS
    if not any(b.table == "patients" and "last_contact" in b.fields for b in blocks):
        yield _NO_LAST_CONTACT
