"""Competing events by group: cumulative incidence and numbers at risk at each level of each factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Output, Step, independent, level_masks, rate_days
from reinfuse.analyses.competing_risks import cumulative_incidence, curve, numbers_at_risk
from reinfuse.analyses.survival import axis_marks
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate

RECORDS = "incidence_groups"


def _of(inputs: Inputs, end: EndpointColumn) -> Output:
    records: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}
    time, other = np.asarray(end.time), np.asarray(end.competing)
    followed = end.known & ~np.isnan(other)
    marks = axis_marks(time[followed], np.maximum(end.event, other)[followed])
    days = rate_days()
    for group, mask in level_masks(inputs.data):
        here = mask & followed
        one = (time[here], end.event[here], other[here])
        own = cumulative_incidence(*one, inputs.plan.confidence, end.name, "all", days=days)
        at_risk = numbers_at_risk(one[0], int(one[1].sum()), end.name, population="all", ticks=sorted({*marks, *days}))
        records += [replace(e, analysis=RECORDS, group=group) for e in (*own, *at_risk)]
        drawn = curve(*one, inputs.plan.confidence)
        if drawn is not None:
            curves[end.name, "all", group] = drawn
    return records, curves


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.data.endpoints:
        if end.kind == "time" and end.competing is not None:
            yield independent(f"incidence by group, {end.label}", partial(_of, inputs, end), endpoint=end.name)


ANALYSIS = Analysis(
    "incidence by group",
    records=RECORDS,
    section="survival",
    steps=_steps,
    what="cumulative incidence of competing events, with numbers at risk, at each level of each factor",
    method="as the cumulative incidence of all patients (Scand J Stat 1978;5:141), each group by itself",
    lacking="no competing event with a factor that has groups",
    switches=("competing",),
)
