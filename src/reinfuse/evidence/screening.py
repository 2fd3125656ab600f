"""The screening list: records that are in no register yet, for a person to decide on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Literal

SCREENING = "screening.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningRow:
    """A record to be screened, or that was.

    Attributes
    ----------
    decision
        Empty until somebody has decided: ``include`` or ``exclude``.
    reason
        Why it was excluded.
    screened_by, screened_on
        Who decided, and when.
    listed_on
        Day on which it came onto the list.
    """

    title: str = ""
    authors: str = ""
    journal: str = ""
    year: str = ""
    doi: str = ""
    pmid: str = ""
    kind: str = ""
    source: str = ""
    listed_on: date
    decision: Literal["", "include", "exclude"] = ""
    reason: str = ""
    screened_by: str = ""
    screened_on: date | None = None

    def cells(self) -> list[str]:
        """Return its cells, in the order of `HEADS`."""
        return [str(getattr(self, name) or "") for name in HEADS]


HEADS = tuple(f.name for f in fields(ScreeningRow))
