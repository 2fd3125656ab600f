"""ADSL, ADTTE and ADRS of a cohort: what CDISC's tools read of the analysed patients.

Days count from 1 in ADaM: AVAL = ADT - STARTDT + 1, where STARTDT is the day of the index infusion; of the duration of
response, that of the first response.
Sources: CDISC, ADaM Implementation Guide 1.3; ADaM Basic Data Structure for Time-to-Event Analyses 1.0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl

from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.raw_tables import TIME
from reinfuse.sources.cdisc.infusion_dates import INDEX

EPOCH = date(1970, 1, 1)
Value = str | float | int | date | None
CENSORED, COMPETING = 1, 2
_OVERALL, _BEST = "OVR", "BOR"
_SEXES = {"F": "F", "M": "M"}
_LONGEST_CODE = 8


@dataclass(frozen=True, slots=True)
class AdamVariable:
    """One variable of a data set, with a value a record; None is missing."""

    name: str
    label: str
    kind: Literal["string", "float", "integer", "date"]
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set of ADaM, one class of it with its key variables."""

    name: str
    label: str
    variables: tuple[AdamVariable, ...]
    keys: tuple[str, ...]

    @property
    def records(self) -> int:
        """Number of its records."""
        return len(self.variables[0].values)


def adam_tables(cohort: Cohort, data: AnalysisSet, *, index: int) -> tuple[DataSet, ...]:
    """Return ADSL, ADTTE and ADRS of the analysed patients.

    Parameters
    ----------
    index
        The index infusion.

    Returns
    -------
    tuple of DataSet
        Without those that would have no record. A cohort by days, or a wide sheet, has no dates in them.
    """
    frame = data.frame
    starts = _starts(cohort, frame, index=index)
    sets = (
        _subjects(cohort, frame, starts=starts, index=index),
        _times(cohort.name, data, starts),
        _responses(cohort, frame),
    )
    return tuple(s for s in sets if s.records)


def is_dated(cohort: Cohort) -> bool:
    """Tell whether a cohort's infusions are dated by dates, not by days."""
    return not cohort.wide and "date" in cohort.tables["infusions"].columns


def _day(number: float | None) -> date | None:
    return None if number is None else EPOCH + timedelta(days=int(number))


def _starts(cohort: Cohort, frame: pl.DataFrame, *, index: int) -> list[date | None]:
    """Return the date of each analysed patient's index infusion."""
    if not is_dated(cohort):
        return [None] * frame.height
    infusions = cohort.tables["infusions"].filter(pl.col("infusion") == index)
    days = dict(infusions.select(ID, TIME).iter_rows())
    return [_day(days.get(patient)) for patient in frame[ID]]


def _texts(frame: pl.DataFrame, column: str) -> list[str | None]:
    if column not in frame.columns:
        return [None] * frame.height
    return [None if v is None else str(v) for v in frame[column].to_list()]


def _subjects(cohort: Cohort, frame: pl.DataFrame, *, starts: Sequence[date | None], index: int) -> DataSet:
    """Return ADSL: one record a patient, with the dates of all infusions."""
    count = frame.height
    ages = frame["age_years"].to_list() if "age_years" in frame.columns else [None] * count
    variables = [
        _study(cohort.name, count), AdamVariable("USUBJID", "Unique Subject Identifier", "string", frame[ID].to_list()),
        AdamVariable("AGE", "Age", "float", ages),
        AdamVariable("AGEU", "Age Units", "string", [None if a is None else "YEARS" for a in ages]),
        AdamVariable("SEX", "Sex", "string", [_SEXES.get(s or "", "U") for s in _texts(frame, "sex")]),
        AdamVariable("DIAG", "Diagnosis", "string", _texts(frame, "diagnosis")),
    ]  # fmt: skip
    if is_dated(cohort):
        variables += _infusions(cohort, frame)
        variables += _outcome(cohort, frame)
        label = f"Date of Index Infusion ({index})"
        variables.append(AdamVariable(INDEX, label, "date", starts))
    return DataSet("ADSL", "Subject-Level Analysis", tuple(variables), ("USUBJID",))


def _study(name: str, count: int) -> AdamVariable:
    return AdamVariable("STUDYID", "Study Identifier", "string", [name] * count)


def _infusions(cohort: Cohort, frame: pl.DataFrame) -> Iterator[AdamVariable]:
    """Yield the dates and products of the infusions of the analysed patients, as periods of treatment."""
    infusions = cohort.tables["infusions"].filter(pl.col(ID).is_in(frame[ID].implode()))
    for number in sorted(infusions["infusion"].unique().to_list()):
        one = infusions.filter(pl.col("infusion") == number)
        days = dict(one.select(ID, TIME).iter_rows())
        dates = [_day(days.get(p)) for p in frame[ID]]
        yield AdamVariable(f"TR{number:02d}SDT", f"Date of CAR-T Infusion {number}", "date", dates)
        if "product" in one.columns:
            products = dict(one.select(ID, "product").iter_rows())
            values = [products.get(p) for p in frame[ID]]
            yield AdamVariable(f"TRT{number:02d}A", f"Actual Treatment for Period {number:02d}", "string", values)


def _outcome(cohort: Cohort, frame: pl.DataFrame) -> Iterator[AdamVariable]:
    """Yield death and last contact."""
    patients = {row[ID]: row for row in cohort.tables["patients"].iter_rows(named=True)}
    deaths = [_day(patients[p]["death"]) for p in frame[ID]]
    yield AdamVariable("DTHFL", "Subject Death Flag", "string", ["Y" if d else None for d in deaths])
    yield AdamVariable("DTHDT", "Date of Death", "date", deaths)
    yield AdamVariable("DTHCAUS", "Cause of Death", "string", [patients[p].get("death_cause") for p in frame[ID]])
    last = [_day(patients[p]["last_contact"]) or d for p, d in zip(frame[ID], deaths, strict=True)]
    yield AdamVariable("LSTALVDT", "Date Last Known Alive", "date", last)


@dataclass(frozen=True, slots=True)
class _Record:
    subject: str
    code: str
    label: str
    days: float
    censored: int
    event: str | None
    why: str | None
    start: date | None


def _times(study: str, data: AnalysisSet, starts: Sequence[date | None]) -> DataSet:
    """Return ADTTE: one record a patient and time to an event."""
    codes = _codes([e.name for e in data.endpoints if e.kind == "time"])
    records = [r for e in data.endpoints if e.kind == "time" for r in _records(e, codes[e.name], data, starts)]
    whole = [1 if r.days.is_integer() else 0 for r in records]
    ends = [r.start + timedelta(days=int(r.days)) if r.start is not None and w else None
            for r, w in zip(records, whole, strict=True)]  # fmt: skip
    variables = (
        _study(study, len(records)),
        AdamVariable("USUBJID", "Unique Subject Identifier", "string", [r.subject for r in records]),
        AdamVariable("PARAMCD", "Parameter Code", "string", [r.code for r in records]),
        AdamVariable("PARAM", "Parameter", "string", [f"{r.label} (days)" for r in records]),
        AdamVariable("AVAL", "Analysis Value", "float", [r.days + 1 for r in records]),
        AdamVariable("AVALU", "Analysis Value Unit", "string", ["DAYS"] * len(records)),
        AdamVariable("STARTDT", "Time to Event Origin Date for Subject", "date", [r.start for r in records]),
        AdamVariable("ADT", "Analysis Date", "date", ends),
        AdamVariable("CNSR", "Censor", "integer", [r.censored for r in records]),
        AdamVariable("EVNTDESC", "Event or Censoring Description", "string", [r.event for r in records]),
        AdamVariable("CNSDTDSC", "Censor Date Description", "string", [r.why for r in records]),
    )
    return DataSet("ADTTE", "Time to Event Analysis", variables, ("USUBJID", "PARAMCD"))


def _codes(names: Sequence[str]) -> dict[str, str]:
    """Return a code of at most eight letters and digits for each endpoint, no two alike."""
    codes: dict[str, str] = {}
    for name in names:
        code = "".join(c for c in name.upper() if c.isalnum())[:_LONGEST_CODE]
        number = 2
        while code in codes.values():
            code = f"{code[: _LONGEST_CODE - 1]}{number}"
            number += 1
        codes[name] = code
    return codes


def _records(end: EndpointColumn, code: str, data: AnalysisSet,
             starts: Sequence[date | None]) -> Iterator[_Record]:  # fmt: skip
    """Yield the records of one endpoint, of the patients of whom it is known."""
    assert end.time is not None
    declared = declaration(end.name)
    happened = (declared.event or end.label).capitalize()
    if end.name == "dor":
        happened = "Progression, relapse or death"
    last = "Last contact" if declared.to_last_contact else "Last adequate assessment" if declared.event else None
    response = data.frame["response_day"].to_list() if "response_day" in data.frame.columns else None
    for i, subject in enumerate(data.frame[ID]):
        if math.isnan(end.time[i]) or math.isnan(end.event[i]):
            continue
        competing = end.competing is not None and end.competing[i] == 1
        censored = 0 if end.event[i] == 1 else COMPETING if competing else CENSORED
        start = starts[i]
        if end.name == "dor":
            day = None if response is None else response[i]
            start = start + timedelta(days=int(day)) if start is not None and day is not None else None
        why = None if not censored else "Competing event" if competing else last or "Last observation"
        yield _Record(
            subject, code, end.label, float(end.time[i]), censored, None if censored else happened, why, start
        )


def _responses(cohort: Cohort, frame: pl.DataFrame) -> DataSet:
    """Return ADRS: each assessment of the analysed patients, and their best responses."""
    rows: list[tuple[str, str, str, date | None, str]] = []
    if is_dated(cohort) and "responses" in cohort.tables:
        own = cohort.tables["responses"].filter(pl.col(ID).is_in(frame[ID].implode())).sort(ID, TIME)
        rows += [(p, _OVERALL, "Overall Response by Investigator", _day(t), str(r))
                 for p, t, r in own.select(ID, TIME, "response").iter_rows() if r is not None]  # fmt: skip
    best = _texts(frame, "response")
    rows += [(p, _BEST, "Best Response after the Index Infusion", None, r)
             for p, r in zip(frame[ID], best, strict=True) if r is not None]  # fmt: skip
    variables = (
        _study(cohort.name, len(rows)),
        AdamVariable("USUBJID", "Unique Subject Identifier", "string", [r[0] for r in rows]),
        AdamVariable("PARAMCD", "Parameter Code", "string", [r[1] for r in rows]),
        AdamVariable("PARAM", "Parameter", "string", [r[2] for r in rows]),
        AdamVariable("ADT", "Analysis Date", "date", [r[3] for r in rows]),
        AdamVariable("AVALC", "Analysis Value (C)", "string", [r[4] for r in rows]),
    )
    return DataSet("ADRS", "Response Analysis", variables, ("USUBJID", "PARAMCD", "ADT"))
