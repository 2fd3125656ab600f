"""The course after the index infusion as states: probabilities of being in each, and transitions between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from reinfuse.analyses.base import Analysis, Inputs, Output, Step, independent, rate_days
from reinfuse.analyses.small_groups import FEWEST_PATIENTS
from reinfuse.analyses.time_axis import FEWEST_AT_RISK, axis_days
from reinfuse.arrays import Floats
from reinfuse.cohort.analysis_set import ID
from reinfuse.cohort.disease_states import STATES, lacking, stretches
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.strata import Combination, Stratum
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.statistics.multistate import CENSORED, Occupation, Stretches, occupation

RECORDS = "states"
METHOD = "Aalen-Johansen state occupation, infinitesimal jackknife, log-log CI"
STATE = "state"
STAYED = "None (censored)"


def as_arrays(rows: pl.DataFrame) -> Stretches:
    """Return stretches, one row each, as arrays."""
    patient = rows[ID].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Stretches(patient, rows["origin"].to_numpy(), rows["target"].fill_null(CENSORED).to_numpy(),
                     rows["start"].to_numpy(), rows["stop"].to_numpy())  # fmt: skip


def under_observation(rows: Stretches, day: float) -> Floats:
    """Return how many patients are in each state and still followed on a day."""
    here = (rows.start < day) & (day <= rows.stop)
    return np.bincount(rows.origin[here], minlength=len(STATES)).astype(np.float64)


def _probabilities(rows: Stretches, course: Occupation, state: int, *, own: Estimate) -> Iterator[Estimate]:
    last, alive = float(rows.stop.max()), (rows.target == CENSORED) & (rows.stop == rows.stop.max())
    entered = int(course.counts[:, state].sum())
    for day in (DAYS_A_MONTH * 3, *rate_days()):
        record = replace(own, at=day, events=entered, group=Stratum(STATE, STATES[state]))
        before = np.flatnonzero(course.time <= day)
        if day > last and alive.any():
            yield replace(record, note=f"{NOT_ESTIMABLE}: beyond the last follow-up, day {last:g}")
        elif not before.size:
            yield replace(record, estimate=float(state == 0), note=f"no transition by then: interval {NOT_ESTIMABLE}")
        else:
            i = before[-1]
            lower, upper = finite(float(course.lower[i, state])), finite(float(course.upper[i, state]))
            note = f"interval {NOT_ESTIMABLE}" if lower is None else None
            yield replace(record, estimate=float(course.probability[i, state]), lower=lower, upper=upper, note=note)


def _marks(rows: Stretches, course: Occupation) -> list[float]:
    """Return the days at which patients in each state are counted: up to the last with enough under observation."""
    ends = np.sort(rows.stop[(rows.target == CENSORED)])
    most = float(rows.stop.max())
    end = float(ends[-FEWEST_AT_RISK]) if len(ends) >= FEWEST_AT_RISK else most
    left = course.time[course.probability[:, 0] <= 1 / 2]
    return axis_days(end, median=float(left[0]) if left.size else None, n=int(rows.patient.max()) + 1)


def _curve(rows: Stretches, course: Occupation, state: int) -> Curve:
    """Return the probability of a state as a curve; its events are entries into the state."""
    entered = rows.target == state
    place = np.searchsorted(course.time, rows.stop[entered])
    counts = np.bincount(place, minlength=len(course.time)).astype(np.float64)
    return Curve(course.time, course.probability[:, state], course.lower[:, state], course.upper[:, state],
                 course.at_risk[:, state], counts, np.zeros(len(course.time)), int(rows.patient.max()) + 1)  # fmt: skip


def course_of(rows: pl.DataFrame, confidence: float) -> Output:
    """Return probabilities at set days, patients in each state, transitions, curves; nothing without a transition."""
    records: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}
    if rows.is_empty() or rows["target"].null_count() == rows.height:
        return records, curves
    arrays = as_arrays(rows)
    n = int(arrays.patient.max()) + 1
    if n < FEWEST_PATIENTS:
        return records, curves
    course = occupation(arrays, len(STATES), confidence=confidence)
    marks = _marks(arrays, course)
    visited = [i for i in range(len(STATES)) if i == 0 or course.counts[:, i].any()]
    own = Estimate(RECORDS, None, "probability", unit="fraction", method=METHOD, n=n, confidence=confidence)
    count = Estimate(RECORDS, None, "at_risk", unit="patients", method="count", n=n)
    for state in visited:
        group = Stratum(STATE, STATES[state])
        records += _probabilities(arrays, course, state, own=own)
        records += [replace(count, at=day, group=group, estimate=float(under_observation(arrays, day)[state]))
                    for day in marks if STATES[state] != STATES[-1]]  # fmt: skip
        curves[RECORDS, "all", group] = _curve(arrays, course, state)
    for origin in (state for state in visited if STATES[state] != STATES[-1]):
        stayed = int(((arrays.origin == origin) & (arrays.target == CENSORED)).sum())
        entered = n if origin == 0 else int(course.counts[:, origin].sum())
        moves = {STATES[target]: int(course.counts[origin, target]) for target in visited if target not in (0, origin)}
        for target, number in (*moves.items(), (STAYED, stayed)):
            pair = Combination((Stratum("from", STATES[origin]), Stratum("to", target)), " to ")
            records.append(replace(count, statistic="transitions", group=pair, estimate=float(number), n=entered,
                                   events=number))  # fmt: skip
    return records, curves


def _steps(inputs: Inputs) -> Iterator[Step]:
    if lacking(inputs.cohort) is None:
        rows = stretches(inputs.cohort, inputs.plan.index_infusion, rules=inputs.plan.rules)
        yield independent("course as states", lambda: course_of(rows, inputs.plan.confidence))


ANALYSIS = Analysis(
    "course as states",
    records=RECORDS,
    section="survival",
    steps=_steps,
    what="probability of being without response, in response, in relapse, after transplant, on the next therapy, dead",
    method=(
        "Aalen-Johansen state occupation probabilities (Scand J Stat 1978;5:141); standard errors by the infinitesimal "
        "jackknife, log-log intervals, as R's `survfit` for several states; steps of one day are one transition"
    ),
    lacking="needs dated tables with responses; a sheet with derived times tells no order of events",
    switches=("competing",),
)
