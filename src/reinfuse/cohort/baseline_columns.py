"""Which columns can divide patients: known on the day of the index infusion, and neither an identifier nor a date.

Every factor, subgroup, exposure and confounder of a plan passes through here, by its name when the plan is read and by
its values when the patients are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.near_columns import plain_name
from reinfuse.tabular import cell_parsing

NOT_BASELINE = "is known only after the index infusion and cannot be a baseline factor (immortal-time bias)"
HOW_LATER = "use [[landmarks]] or [[time_dependent]], or say when it was known (known_at) for a landmark"
_OUTCOMES = frozenset(plain_name(name) for name in (
    "crs_grade", "icans_grade", "nt_grade", "first_assessment_day", "response_day", "umrd_day28_day",
    "umrd_day28_compartment", "transplant_day", "best_size_change", "death", "death_cause", "last_contact",
    *ENDPOINTS, *(column for e in ENDPOINTS.values() for column in e.columns),
))  # fmt: skip
"""Columns and endpoints that are not known yet on the day of the index infusion."""
_APART = ("_source", "_infusions", "_patients")
"""Endings of columns that stand beside a derived one: the row that decided it, or a column of the input of its name."""
_IDENTIFIERS = frozenset(
    "patientid patient patientname patientnumber subjectid subjid usubjid subject participantid participant personid "
    "caseid recordid mrn upn ssn nhsnumber initials firstname lastname surname dateofbirth birthdate dob id pid"
    .split()
)  # fmt: skip
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[T ].*)?")
FEWEST_DIFFERENT = 5
"""Patients from which on a column that differs in each of them is taken for an identifier."""


def is_post_baseline(name: str) -> bool:
    """Tell whether a column is an outcome of the index infusion, or tells of one."""
    for ending in _APART:
        name = name.removesuffix(ending)
    return plain_name(name) in _OUTCOMES or (name.startswith("toxicity_") and name.endswith("_grade"))


def is_identifier(name: str) -> bool:
    """Tell whether a column of this name identifies patients."""
    return plain_name(name) in _IDENTIFIERS


def unfit_name(name: str, outcomes: Mapping[str, str], *, known_at: float | None = None) -> str | None:
    """Return why a column of this name divides no patients, or None.

    Parameters
    ----------
    outcomes
        Columns, without case and punctuation, that the plan itself reads an outcome from, and which.
    known_at
        Day from which it is known by the plan; an outcome may then be a landmark factor.
    """
    if is_identifier(name):
        return f"{name} identifies patients and cannot define groups"
    outcome = outcomes.get(plain_name(name)) or (name if is_post_baseline(name) else None)
    if outcome is None or known_at is not None:
        return None
    what = name if outcome == name else f"the column {name} is the outcome {outcome}, which"
    return f"{what} {NOT_BASELINE}: {HOW_LATER}"


def unfit_values(column: pl.Series, numbers: bool = False) -> str | None:
    """Return why a column with these values divides no patients, or None.

    Parameters
    ----------
    numbers
        The values are used as numbers, so that they may differ in every patient.
    """
    texts = [str(v).strip() for v in column.drop_nulls()]
    if texts and all(_is_date(t) for t in set(texts)):
        return "holds dates; give days from the index infusion, or a year"
    if not numbers and len(texts) >= FEWEST_DIFFERENT and len(set(texts)) == len(texts):
        return f"has a different value in each of {len(texts)} patients, like an identifier"
    return None


def _is_date(text: str) -> bool:
    if _DATE.fullmatch(text):
        return True
    return not text.replace(".", "").isdigit() and cell_parsing.read_date(text).rule is None
