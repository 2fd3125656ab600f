"""The dates of CAR-T infusions in ADaM: which variables hold them, and those of ADSL beside the records of others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.source_table import SourceColumn, SourceTable

SUBJECTS = "ADSL"
INDEX = "CARTINDT"
"""The date of the index infusion, as `export adam` names it."""
_INFUSIONS = (
    (re.compile(r"CAR(?:T|T1)?(?:INF)?S?DT|CART?1S?DT|INFS?DT|TR01SDT|AP01SDT|TRTSDT|CARTINDT"), 1),
    (re.compile(r"(?:TR|AP)0?([2-9])SDT|CART?([2-9])S?DT|INF([2-9])S?DT"), 0),
)
"""Names of variables; a group holds the number of the infusion."""


def infusion_of(name: str) -> int | None:
    """Return the number of the infusion whose date a variable holds; None: it holds none.

    Examples
    --------
    >>> infusion_of("TR02SDT"), infusion_of("CARTDT"), infusion_of("TRTSDT"), infusion_of("ADT")
    (2, 1, 1, None)
    """
    plain = name.upper().rpartition(".")[2]
    for pattern, number in _INFUSIONS:
        if match := pattern.fullmatch(plain):
            return number or int(next(g for g in match.groups() if g))
    return None


def with_infusion_dates(tables: Sequence[SourceTable]) -> tuple[SourceTable, ...]:
    """Return data sets with the dates of infusions that ADSL has and they lack, as columns ``ADSL.TR02SDT``."""
    subjects = next((Variables(t) for t in tables if t.name == SUBJECTS), None)
    if subjects is None:
        return tuple(tables)
    dates = {c.header: dict(zip(subjects.texts("USUBJID"), subjects.table.texts(c.header), strict=True))
             for c in subjects.table.columns if infusion_of(c.header) is not None}  # fmt: skip
    return tuple(t if t.name == SUBJECTS or not Variables(t).has("PARAMCD") else _with(t, dates) for t in tables)


def _with(table: SourceTable, dates: dict[str, dict[str, str]]) -> SourceTable:
    own = Variables(table)
    lacking = [h for h in dates if not own.has(h)]
    who = own.texts("USUBJID")
    columns = (*table.columns, *(SourceColumn(header=f"{SUBJECTS}.{h}", place=h, form=SUBJECTS) for h in lacking))
    rows = tuple(
        replace(row, texts=(*row.texts, *(dates[h].get(subject, "") for h in lacking)))
        for row, subject in zip(table.rows, who, strict=True)
    )
    return replace(table, columns=columns, rows=rows)
