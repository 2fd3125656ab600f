"""ADLB: counts of CAR-T cells where it holds them, and baseline values of common tests as factors of patients."""

from __future__ import annotations

import re

from reinfuse.sources.cdisc.drafts import Draft
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.source_map import OPEN, Field

NAME = "ADLB"
_CELLS = re.compile(r"\bcar[ -]?(?:t|\+|positive)|chimeric antigen|transgene|vector cop", re.IGNORECASE)
_UNITS = (("copies/ug", r"cop(?:ies|y)\s*/\s*[uµμ]g"), ("cells/uL", r"cells?\s*/\s*[uµμ]l"))
_TESTS = {"LDH": "ldh", "FERRITN": "ferritin", "FERRITIN": "ferritin", "CRP": "crp", "PLAT": "platelets",
          "HGB": "haemoglobin", "NEUT": "neutrophils", "LYM": "lymphocytes"}  # fmt: skip
"""PARAMCD -> column of patients."""


def unit_of(text: str) -> str:
    """Return the contract's unit of counts that a text names alone; `OPEN` where it names none or several."""
    units = {unit for unit, pattern in _UNITS if re.search(pattern, text, re.IGNORECASE)}
    return units.pop() if len(units) == 1 else OPEN


def laboratory(draft: Draft, data: Variables) -> None:
    """Propose what a data set of laboratory values tells of a cohort; a person confirms each of it."""
    names = dict(zip(data.texts("PARAMCD"), data.texts("PARAM"), strict=True))
    cells = tuple(code for code, name in names.items() if _CELLS.search(f"{code} {name}"))
    if cells:
        said = " ".join([*data.distinct("AVALU"), *(names[c] for c in cells)])
        fields = {"date": Field(column=data.first("ADT") or OPEN),
                  "value": Field(column=data.header("AVAL"), confirm=True, reason=", ".join(names[c] for c in cells)),
                  "unit": Field(const=unit_of(said), reason="from PARAM or AVALU")}  # fmt: skip
        draft.add("counts", data, fields, where={data.header("PARAMCD"): cells}, reason="counts of CAR-T cells")
    if not data.holds("ABLFL", "Y"):
        return
    for code, column in _TESTS.items():
        if code in names and column not in {c for b in draft.blocks if b.table == "patients" for c in b.fields}:
            why = f"{names[code] or code}, the baseline record (ABLFL = Y): a factor of patients"
            where = {data.header("PARAMCD"): (code,), data.header("ABLFL"): ("Y",)}
            value = Field(column=data.header("AVAL"), confirm=True, confidence=0.7, reason=why)
            draft.add("patients", data, {column: value}, where=where, reason=why)
