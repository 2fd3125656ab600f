"""Each analysed patient's whole sequence: infusions, other therapies, responses, MRD, progression, last contact, death.

Days are counted from the index infusion. Nothing is filled in: what a cohort does not tell is absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.raw_tables import TIME

RESPONDING = {"CR": "CR", "CRi": "CR", "nPR": "PR", "PR": "PR"}
"""Assessments in response, and the kind of response they show."""
KINDS = (
    "infusion",
    "CR",
    "PR",
    "SD",
    "PD",
    "progression or death",
    "MRD undetectable",
    "MRD detectable",
    "other therapy",
    "transplant",
)
_TRANSPLANTS = ("allo-HCT", "auto-HCT")


@dataclass(frozen=True)
class Event:
    """Something on a day; `detail` is an infusion's number, the same for every part of a split dose."""

    day: float
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Course:
    """One patient's sequence.

    Attributes
    ----------
    start, end
        First day that is shown, and death or last contact.
    died
        True: `end` is the death; None: not told.
    events
        In order of their days.
    responses
        (from, to, CR or PR): from an assessment in response to the next assessment.
    """

    patient_id: str
    diagnosis: str
    start: float
    end: float
    died: bool | None
    events: tuple[Event, ...] = field(repr=False)
    responses: tuple[tuple[float, float, str], ...] = field(repr=False, default=())


def courses(cohort: Cohort, data: AnalysisSet, index: int, *, threshold: float | None = None) -> tuple[Course, ...]:
    """Return the sequences of the analysed patients, in the order of their ids.

    Parameters
    ----------
    index
        Number of the index infusion.
    threshold
        MRD value below which it is undetectable; None: only results that are told in words are shown.
    """
    return tuple(_wide(data, index) if cohort.wide else _dated(cohort, data, index, threshold=threshold))


def _dated(cohort: Cohort, data: AnalysisSet, index: int, *, threshold: float | None) -> Iterator[Course]:
    infusions = cohort.tables["infusions"]
    zero = dict(infusions.filter(pl.col("infusion") == index).select(ID, TIME).iter_rows())
    events = _events(cohort, zero, threshold)
    people = cohort.tables["patients"].select(ID, "last_contact", "death", "diagnosis").iter_rows()
    people_by_id = {row[0]: row[1:] for row in people}
    for patient in data.frame[ID]:
        last, death, diagnosis = people_by_id[patient]
        # what was found on the day of an infusion was found before it, as for the endpoints
        of_patient = sorted(events[patient], key=lambda e: (e.day, e.kind == "infusion"))
        end = float((death if death is not None else last) - zero[patient])
        start = min([0.0, *(e.day for e in of_patient if e.kind == "infusion")])
        shown = tuple(e for e in of_patient if start <= e.day <= end)
        yield Course(patient, diagnosis or "not recorded", start, end, death is not None, shown, _spans(shown))


def _events(cohort: Cohort, zero: dict[str, int], threshold: float | None) -> dict[str, list[Event]]:
    by_patient: dict[str, list[Event]] = defaultdict(list)

    def add(table: str, kind: pl.Expr, detail: pl.Expr | None = None) -> None:
        collect(cohort.tables.get(table), kind, detail=detail)

    def collect(frame: pl.DataFrame | None, kind: pl.Expr, *, detail: pl.Expr | None) -> None:
        if frame is not None:
            shown_detail = pl.lit("") if detail is None else detail
            for patient, time, what, more in frame.select(
                ID, TIME, kind.alias("k"), shown_detail.alias("d")
            ).iter_rows():
                if patient in zero and time is not None and what is not None:
                    by_patient[patient].append(Event(float(time - zero[patient]), what, more))

    add("infusions", pl.lit("infusion"), pl.col("infusion").cast(pl.String))
    collect(cohort.split_doses, pl.lit("infusion"), detail=pl.col("whole").cast(pl.String))
    add("responses", pl.col("response").replace(RESPONDING))
    if "mrd" in cohort.tables:
        add("mrd", pl.format("MRD {}", _mrd(cohort.tables["mrd"].columns, threshold)))
    if "therapies" in cohort.tables:
        kinds = cohort.tables["therapies"]
        kind = pl.col("kind") if "kind" in kinds.columns else pl.lit("anticancer")
        transplant = kind.is_in(_TRANSPLANTS).fill_null(False)
        add("therapies", pl.when(transplant).then(pl.lit("transplant"))
            .when(kind.fill_null("anticancer") != "supportive").then(pl.lit("other therapy")))  # fmt: skip
    return by_patient


def _mrd(columns: list[str], threshold: float | None) -> pl.Expr:
    """Return the result in words; where only the value is told, from the threshold."""
    result = pl.col("result") if "result" in columns else pl.lit(None, dtype=pl.String)
    if threshold is None or "value" not in columns:
        return result
    below = pl.when(pl.col("value") < threshold).then(pl.lit("undetectable"))
    return pl.coalesce(result, below.when(pl.col("value").is_not_null()).then(pl.lit("detectable")))


def _spans(events: tuple[Event, ...]) -> tuple[tuple[float, float, str], ...]:
    """Return the times in response: each ends at the next assessment, whatever it shows, or at the next infusion."""
    begun = {e.detail: e for e in reversed(events) if e.kind == "infusion"}  # a further part of one ends no response
    marks = [e for e in events if e.kind in ("CR", "PR", "SD", "PD") or e is begun.get(e.detail)]
    spans: list[tuple[float, float, str]] = []
    for one, following in pairwise(marks):
        if one.kind in ("CR", "PR") and one.day < following.day:
            if spans and spans[-1][1] == one.day and spans[-1][2] == one.kind:
                spans[-1] = (spans[-1][0], following.day, one.kind)
            else:
                spans.append((one.day, following.day, one.kind))
    return tuple(spans)


def _wide(data: AnalysisSet, index: int) -> Iterator[Course]:
    """Return what a sheet with derived times tells."""
    for row in data.frame.iter_rows(named=True):
        end = row.get("os_days") if row.get("os_days") is not None else row.get("pfs_days")
        if end is None:
            continue
        events = [Event(0.0, "infusion", str(index))]
        interval = row.get("interval_days")
        if interval is not None and index == 2:
            events.append(Event(-float(interval), "infusion", "1"))
        response = RESPONDING.get(row.get("response") or "")
        if response and row.get("response_day") is not None:
            events.append(Event(float(row["response_day"]), response))
        if row.get("umrd_day28") is not None and row.get("umrd_day28_day") is not None:
            state = "undetectable" if row["umrd_day28"] == "yes" else "detectable"
            events.append(Event(float(row["umrd_day28_day"]), f"MRD {state}"))
        if row.get("transplant_day") is not None:
            events.append(Event(float(row["transplant_day"]), "transplant"))
        dead_of_disease = str(row.get("relapse_source") or "").startswith("patients")
        if row.get("relapse_event") == "yes" and row.get("relapse_days") is not None and not dead_of_disease:
            events.append(Event(float(row["relapse_days"]), "PD"))
        elif row.get("pfs_event") == "yes" and row.get("pfs_days") is not None:
            events.append(Event(float(row["pfs_days"]), "progression or death"))
        shown = tuple(sorted((e for e in events if e.day <= end), key=lambda e: e.day))
        died = None if row.get("os_event") is None else row["os_event"] == "yes"
        yield Course(
            str(row[ID]), row.get("diagnosis") or "not recorded", min(0.0, shown[0].day), float(end), died, shown
        )
