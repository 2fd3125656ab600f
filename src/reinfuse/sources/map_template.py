"""The empty map: every line of an ordinary wide sheet with dates, each one open until a person names its column."""

from __future__ import annotations

from reinfuse.sources.map_text import map_text
from reinfuse.sources.source_map import OPEN, Block, Field, SourceMap

_HEAD = """\
# A map to be filled by hand. `reinfuse map SOURCE --out map.toml` proposes one from the sheet itself, with less work.
# Write the header of your sheet for each "?" (as "CART #2 | Date" where rows of a header stand above each other), take
# away the lines that your sheet lacks, and add a block [[infusions]] for each further infusion.
"""
_REASONS = {
    "patient_id": "identical in every sheet",
    "last_contact": "date on which the patient was last known alive",
    "death": 'date of death; if nobody died: { const = "" }',
    "dose_cells_per_kg": "CAR-positive viable T cells per kg; total cells need weight = the header of the body weight",
    "lymphodepletion": "as free text: Flu/Cy, Cy, bendamustine, none",
    "response": "CR, CRi, nPR, PR, SD, PD, NE; other words are answered under [values.response]",
    "result": "undetectable or detectable",
    "grade": "0 to 5, by ASTCT",
}


def template_map() -> SourceMap:
    """Return a map in which everything is open."""
    patients = _block("patients", "patient_id", "diagnosis", "sex", "age_years", "last_contact", "death")
    infusions = [_block("infusions", "patient_id", "date", "lymphodepletion", "dose_cells_per_kg", infusion=str(k))
                 for k in (1, 2)]  # fmt: skip
    responses = _block("responses", "patient_id", "date", "response")
    mrd = _block("mrd", "patient_id", "date", "result")
    toxicities = [_block("toxicities", "patient_id", "grade", infusion="2", kind=kind) for kind in ("CRS", "ICANS")]
    blocks = (patients, *infusions, responses, mrd, *toxicities)
    return SourceMap("excel", "", blocks, date_order=OPEN, ids=OPEN)


def template_map_text() -> str:
    """Return it as a commented file."""
    return _HEAD + map_text(template_map())


def _block(table: str, *columns: str, **constants: str) -> Block:
    fields = {c: _open(c) for c in columns[:1]}
    fields |= {c: Field(const=text) for c, text in constants.items()}
    return Block(table, "", fields | {c: _open(c) for c in columns[1:]})


def _open(column: str) -> Field:
    unit = OPEN if column == "dose_cells_per_kg" else ""
    return Field(column=OPEN, unit=unit, reason=_REASONS.get(column, ""))
