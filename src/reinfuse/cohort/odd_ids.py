"""Ids that may be no patient of their own: written like another one, or alone in a row of a wide sheet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import polars as pl

from reinfuse.cohort.listed import listed
from reinfuse.cohort.raw_tables import DERIVED, ROW
from reinfuse.exceptions import Problem


def _bare(patient: str) -> str:
    """Return an id without case, width, spaces, and zeros before a number; 1-23 and 12-3 stay apart."""
    plain = re.sub(r"[\s_/-]+", "-", unicodedata.normalize("NFKC", patient).casefold())
    plain = re.sub(r"(?<!\d)-|-(?!\d)", "", plain)
    return re.sub(r"(?<![\d.])0+(?=\d)", "", plain)


def look_alike(frame: pl.DataFrame, table: str) -> Iterator[Problem]:
    """Tell of ids that differ in case, spaces or leading zeros only: one patient entered twice counts as two."""
    ids = frame.drop_nulls("patient_id").filter(pl.col("patient_id").is_first_distinct())
    earlier: dict[str, str] = {}
    alike: list[tuple[int, str, str]] = []
    for row, patient in ids.select(ROW, "patient_id").iter_rows():
        first = earlier.setdefault(_bare(patient), patient)
        if first != patient:
            alike.append((row, patient, first))
    each = (Problem(table=table, row=row, column="patient_id", value=patient, severity="warning",
                    rule="the id differs from another one in case, spaces or leading zeros only",
                    remedy=f"correct one of the two if it is the patient {first!r}; else nothing")
            for row, patient, first in alike)  # fmt: skip
    yield from listed(each, len(alike))


def alone(frame: pl.DataFrame) -> Iterator[Problem]:
    """Tell of rows of a wide sheet that hold an id and nothing else, as a note below the table does."""
    others = [c for c in frame.columns if c not in ("patient_id", ROW) and DERIVED not in c]
    empty = frame.drop_nulls("patient_id").filter(pl.all_horizontal(pl.col(c).is_null() for c in others))
    if not others or empty.height == frame.height:
        return
    each = (Problem(table="sheet", row=row, column="patient_id", value=patient, severity="warning",
                    rule="the row holds an id and nothing else, and counts as a patient",
                    remedy="fill it, or take it out if it is no patient but a note")
            for row, patient in empty.select(ROW, "patient_id").iter_rows())  # fmt: skip
    yield from listed(each, empty.height)
