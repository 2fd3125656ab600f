"""Factors that are learnt after time zero: landmark analysis, and factors that change with time.

Landmark (Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719): patients still at risk after a chosen day, grouped by
what was known on that day, followed from it. Time-dependent: each patient counts as `no` until the day of the change
and as `yes` after it (counting process). Both keep the time that patients had to live to be in a group from counting
for that group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from reinfuse.analyses import survival
from reinfuse.analyses.association import associations, infinite, ratio
from reinfuse.analyses.base import Analysis, Inputs, Output, Step, independent
from reinfuse.analyses.design_matrix import design_of
from reinfuse.analyses.small_groups import median_of_enough
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.post_baseline import TimeDependentFactor, at_landmark, factor_at, known_after, landmark_day
from reinfuse.cohort.strata import Stratum
from reinfuse.plan.options import Landmark
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth_left_truncated


def landmark(endpoint: EndpointColumn, factor: FactorColumn, adjust: Sequence[FactorColumn], *, day: float,
             confidence: float,
             ticks: Sequence[float]) -> tuple[list[Estimate], dict[str, Curve]]:  # fmt: skip
    """Return the association with a factor known by a day, and the curves of its groups from that day.

    Parameters
    ----------
    ticks
        Days from the landmark at which numbers at risk are given.
    """
    shifted, ended = at_landmark(endpoint, day)
    model = "multivariable" if adjust else "univariable"
    ended_by = (
        f"{ended} of {int(endpoint.known.sum())} patients had an event or were censored by day {day:g}"
        if ended
        else None
    )
    estimates = [replace(e, analysis="landmark", at=day, note=joined([e.note, ended_by]))
                 for e in associations(shifted, [factor, *adjust], model, confidence=confidence)]  # fmt: skip
    curves: dict[str, Curve] = {}
    for level in factor.levels if factor.kind != "number" else ():
        here = shifted.known & (factor.values == level).fill_null(False).to_numpy()
        records, curve = survival.survival(
            np.asarray(shifted.time)[here],
            shifted.event[here],
            confidence,
            endpoint=endpoint.name,
            population=Stratum("landmark", f"{day:g}"),
            group=Stratum(factor.name, level),
            days=[],
            ticks=ticks,
        )
        estimates += [
            replace(median_of_enough(e), analysis="landmark", at=day, model=None)
            if e.statistic == "median"
            else replace(e, analysis="landmark", model=None)
            for e in records
        ]
        if curve is not None:
            curves[Stratum(factor.name, level)] = curve
    return estimates, curves


def time_dependent(endpoint: EndpointColumn, change: TimeDependentFactor, adjust: Sequence[FactorColumn],
                   *, confidence: float) -> list[Estimate]:  # fmt: skip
    """Return the hazard ratio after the change against before it, and those of the factors adjusted for."""
    zeros = np.zeros(len(endpoint.event))
    base = design_of(endpoint, adjust) if adjust else None
    rows = base.rows if base else np.flatnonzero(endpoint.known)
    time, event, day = np.asarray(endpoint.time)[rows], endpoint.event[rows], change.day[rows]
    entry = zeros[rows] if endpoint.entry is None else endpoint.entry[rows]
    undated = np.zeros(len(zeros), dtype=np.bool_) if change.undated is None else change.undated
    at_risk = (time > entry) & ~undated[rows]
    left_out = int(undated[rows].sum())
    rows, time, event, day, entry = rows[at_risk], time[at_risk], event[at_risk], day[at_risk], entry[at_risk]
    X = np.empty((len(rows), 0)) if base is None else base.X[at_risk][:, base.usable]
    terms = [change.name, *([base.terms[j] for j in base.usable] if base else [])]
    changed = int(((day < time) & (day >= 0)).sum())
    own = Estimate("time_dependent", endpoint.name, "hazard_ratio", unit="ratio", confidence=confidence,
                   model="multivariable" if adjust else "univariable", method=firth_left_truncated.METHOD, n=len(rows),
                   events=int(event.sum()))  # fmt: skip
    if not changed or not event.sum() or len(rows) > firth_left_truncated.MOST_PATIENTS:
        why = "no event" if changed else "no patient changed status under observation"
        why = (
            why
            if len(rows) <= firth_left_truncated.MOST_PATIENTS
            else f"over {firth_left_truncated.MOST_PATIENTS} patients: not run"
        )
        return [replace(own, term=change.name, note=f"{NOT_ESTIMABLE}: {why}")]
    split = _split(X, entry, time, event=event, day=day)
    fit = firth_left_truncated.fit(*split, confidence)
    records = []
    for j, term in enumerate(terms):
        remarks = [f"{changed} of {len(rows)} patients changed status" if j == 0 else None,
                   f"{left_out} left out: the day of the change is missing" if left_out and j == 0 else None,
                   infinite("cox") if fit.infinite[j] else None, None if fit.converged else NOT_ESTIMABLE]  # fmt: skip
        value, lower, upper = (ratio(float(v[j])) for v in (fit.coef, fit.lower, fit.upper))
        records.append(replace(own, term=term, estimate=value, lower=lower, upper=upper,
                               p_value=finite(float(fit.p_value[j])), note=joined(remarks)))  # fmt: skip
    return records


def _split(X: Floats, entry: Floats, time: Floats, *, event: Floats,
           day: Floats) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    """Cut each patient's time at the day of the change: columns (the changing one first), start, stop, event."""
    day = np.where(np.isnan(day), np.inf, day)
    before, after = day > entry, day < time
    first = np.column_stack([np.zeros(before.sum()), X[before]])
    second = np.column_stack([np.ones(after.sum()), X[after]])
    start = np.concatenate([entry[before], np.maximum(day, entry)[after]])
    stop = np.concatenate([np.minimum(day, time)[before], time[after]])
    ended = np.concatenate([np.where(after, 0.0, event)[before], event[after]])
    return np.vstack([first, second]), start, stop, ended


def _of(inputs: Inputs, mark: Landmark, day: float) -> Output:
    """Return one landmark of the plan, for each of its endpoints."""
    data, plan = inputs.data, inputs.plan
    records: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}
    names = {f.name for f in (*data.factors, *data.later)}
    factor, why = factor_at(mark.factor, day, data=data)
    after, of = known_after(mark.factor, day, data=data) if mark.factor == "response" else (0, 0)
    adjust = [f for f, _ in (factor_at(n, day, data=data) for n in mark.adjust if n in names) if f is not None]
    late = f"{after} of {of} responders first responded after the landmark" if after else None
    for name in mark.endpoints:
        end = data.endpoint(name)
        if end is None or end.kind != "time":
            continue
        if factor is None:
            records.append(Estimate("landmark", name, "hazard_ratio", term=mark.factor, at=day, method="landmark",
                                    n=0, events=0, note=f"{NOT_ESTIMABLE}: {why}"))  # fmt: skip
            continue
        shifted, _ = at_landmark(end, day)
        marks = survival.axis_marks(np.asarray(shifted.time)[shifted.known], shifted.event[shifted.known])
        effects, drawn = landmark(end, factor, adjust, day=day, confidence=plan.confidence, ticks=marks)
        records += [replace(e, note=joined([e.note, late])) if e.term == factor.name else e for e in effects]
        curves |= {(name, Stratum("landmark", f"{day:g}"), group): curve for group, curve in drawn.items()}
    return records, curves


def _steps(inputs: Inputs) -> Iterator[Step]:
    for mark in inputs.plan.landmarks:
        day = landmark_day(mark, inputs.data, rules=inputs.plan.rules)
        yield independent(f"landmark, {mark.factor} at day {day:g}", partial(_of, inputs, mark, day))


ANALYSIS = Analysis(
    "landmark",
    records="landmark",
    section="later",
    steps=_steps,
    what=("response and uMRD status at a landmark, by default day 42 (see below), and PFS and OS thereafter"),
    method="J Clin Oncol 1983;1:710",
    lacking="no planned landmark with its endpoint in the data",
)
