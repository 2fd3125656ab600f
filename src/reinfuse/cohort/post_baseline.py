"""Post-baseline factors: their status on a landmark day, and the day on which they change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import polars as pl

from reinfuse.arrays import Bools, Floats
from reinfuse.cohort import endpoint_derivation
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import FIRST_ASSESSED
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn

LABELS = {"response": "Response", "umrd_day28": "Undetectable MRD", "transplant": "Allogeneic transplant"}
DAYS = {"response": "response_day", "umrd_day28": "umrd_day28_day", "transplant": "transplant_day"}
"""The column that holds the day from which each is known."""
FIRST_DAY = 42.0
"""Default landmark: assessments and tests meant for day 28 have been made by then."""
ASSESSED = 90
"""Percent of the patients ever assessed who must have been assessed by the default landmark of response."""
WEEK = 7


class PlannedLandmark(Protocol):
    """A planned landmark: its factor, and its day or None for the default."""

    @property
    def factor(self) -> str:
        """Name of the factor."""

    @property
    def day(self) -> float | None:
        """Days after the index infusion."""

    @property
    def adjust(self) -> tuple[str, ...]:
        """Names of the factors adjusted for."""


@dataclass(frozen=True)
class TimeDependentFactor:
    """A factor that is no for everybody at time zero and turns yes on a day, NaN = never.

    Attributes
    ----------
    undated
        Patients in whom it turned yes on a day that the data do not tell; None: nobody.
    """

    name: str
    label: str
    day: Floats = field(repr=False)
    undated: Bools | None = field(default=None, repr=False)


def landmark_day(mark: PlannedLandmark, data: AnalysisSet, *, rules: Rules) -> float:
    """Return the plan's day, or the default: day 42, or later where the factor is not known by then.

    The default is a rule on days of assessments alone, so that it can be stated before any outcome is looked at.
    """
    if mark.day is not None:
        return mark.day
    known_at = {f.name: f.known_at or 0.0 for f in (*data.factors, *data.later)}
    first = max(FIRST_DAY, *(known_at.get(n, 0.0) for n in (mark.factor, *mark.adjust)))
    if mark.factor in known_at:
        return first
    if mark.factor == "umrd_day28":
        return max(first, float(rules.umrd_window[1]))
    frame = data.frame
    days = frame[FIRST_ASSESSED].drop_nulls().sort().to_list() if FIRST_ASSESSED in frame.columns else []
    if not days:
        return first
    last = days[math.ceil(ASSESSED * len(days) / 100) - 1]
    return max(first, float(WEEK * math.ceil(last / WEEK)))


def known_after(factor: str, day: float, *, data: AnalysisSet) -> tuple[int, int]:
    """Return of how many patients response or uMRD became known after a day, and of how many at all."""
    if factor not in DAYS or DAYS[factor] not in data.frame.columns:
        return 0, 0
    days = data.frame[DAYS[factor]].drop_nulls()
    return int((days > day).sum()), len(days)


def landmark_notes(marks: Sequence[PlannedLandmark], data: AnalysisSet, *, rules: Rules) -> list[str]:
    """Return what the days of the planned landmarks leave out, and where the default was moved."""
    return [note for mark in marks for note in _landmark_notes(mark, landmark_day(mark, data, rules=rules), data=data)]


def _landmark_notes(mark: PlannedLandmark, day: float, *, data: AnalysisSet) -> Iterator[str]:
    head = f"landmark of {mark.factor} at day {day:g}"
    after, of = known_after(mark.factor, day, data=data)
    if mark.factor == "response" and mark.day is None and day > FIRST_DAY:
        yield f"{head}, not {FIRST_DAY:g}: {ASSESSED}% of first assessments were made by then"
    if after and mark.factor == "response":
        yield f"{head}: {after} of {of} responders first responded after it and count there as no response"
    elif after and mark.factor == "umrd_day28":
        yield f"{head}: {after} of {of} patients were tested after it and are excluded there"


def at_landmark(endpoint: EndpointColumn, day: float) -> tuple[EndpointColumn, int]:
    """Return the endpoint counted from a landmark day, and how many patients had ended before or on it."""
    time = np.asarray(endpoint.time)
    at_risk = endpoint.known & (time > day)
    event, since = np.where(at_risk, endpoint.event, np.nan), np.where(at_risk, time - day, np.nan)
    shifted = replace(endpoint, event=event, time=since, competing=None)
    return shifted, int(endpoint.known.sum() - at_risk.sum())


def factor_at(name: str, day: float, *, data: AnalysisSet) -> tuple[FactorColumn | None, str]:
    """Return a factor as known on a landmark day, or None and the reason why there is none.

    Response: yes where the first response was made by then, else no; not known for a responder without a day. uMRD: the
    test that counts as that of day 28, where it was made by then, else not known.
    """
    own = next((f for f in data.later if f.name == name), None) or data.factor(name)
    if own is not None:
        late = own.known_at is not None and own.known_at > day
        return (None, f"known on day {own.known_at:g} only") if late else (own, "")
    when = DAYS[name]
    if when not in data.frame.columns:
        return None, f"the day is not recorded ({when})"
    by_then = (pl.col(when) <= day).fill_null(False)
    if name == "umrd_day28":
        values = data.frame.select(v=pl.when(by_then).then(pl.col(name)))["v"]
        column = _yes_no(name, values, day=day) if values.null_count() < len(values) else None
        return column, "" if column else "no test by then"
    dated = pl.lit(pl.Series(~_undated(name, data)))
    return _yes_no(name, data.frame.select(v=pl.when(dated).then(endpoint_derivation.words(by_then)))["v"], day=day), ""


def _undated(name: str, data: AnalysisSet) -> Bools:
    """Tell who responded on a day that the data do not tell."""
    responded = data.endpoint("response") if name == "response" else None
    missing = data.frame[DAYS[name]].is_null().to_numpy()
    return missing & (responded.event == 1) if responded is not None else np.zeros(len(missing), dtype=np.bool_)


def _yes_no(name: str, values: pl.Series, *, day: float) -> FactorColumn:
    return FactorColumn(name, f"{LABELS[name]} by day {day:g}", "binary", values.alias(name), ("no", "yes"))


def time_dependent_factor(name: str, data: AnalysisSet) -> tuple[TimeDependentFactor | None, str]:
    """Return on which day a factor turned yes for each patient, or None and the reason why there is none."""
    if DAYS[name] not in data.frame.columns:
        return None, f"the day is not recorded ({DAYS[name]})"
    day = data.frame[DAYS[name]].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    turned = TimeDependentFactor(name, LABELS[name], day, _undated(name, data))
    return (turned, "") if (~np.isnan(day)).any() else (None, "no patient has it")
