"""Competing events: cumulative incidence in each population."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Output, Step, independent, rate_days
from reinfuse.analyses.competing_risks import cumulative_incidence, curve, numbers_at_risk
from reinfuse.analyses.survival import axis_marks
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate


def _of(data: AnalysisSet, end: EndpointColumn, *, confidence: float) -> Output:
    records: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}
    time, other = np.asarray(end.time), np.asarray(end.competing)
    followed = end.known & ~np.isnan(other)
    marks = axis_marks(time[followed], np.maximum(end.event, other)[followed])
    for population, mask in data.populations.items():
        here = mask & followed
        one = (time[here], end.event[here], other[here])
        records += cumulative_incidence(*one, confidence, end.name, population, days=rate_days())
        records += numbers_at_risk(one[0], int(one[1].sum()), end.name, population=population, ticks=marks)
        drawn = curve(*one, confidence)
        if drawn is not None:
            curves[end.name, population, None] = drawn
    return records, curves


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.data.endpoints:
        if end.kind != "binary" and end.competing is not None:
            name = f"cumulative incidence, {end.label}"
            work = partial(_of, inputs.data, end, confidence=inputs.plan.confidence)
            yield independent(name, work, endpoint=end.name)


ANALYSIS = Analysis(
    "cumulative incidence",
    records="competing",
    section="survival",
    steps=_steps,
    what="relapse, non-relapse mortality and other competing events",
    method=(
        "Aalen-Johansen cumulative incidence, log-log interval; after the last time it stays where nobody is "
        "left (R's `survfit`), else it is not estimable (Scand J Stat 1978;5:141)"
    ),
    lacking="no endpoint has a competing event",
)
