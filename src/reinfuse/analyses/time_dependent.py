"""Factors that change with time, in the counting-process form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.landmark import time_dependent
from reinfuse.cohort.post_baseline import time_dependent_factor
from reinfuse.plan.options import TimeDependent
from reinfuse.results.estimate import Estimate


def _of(inputs: Inputs, one: TimeDependent) -> list[Estimate]:
    end, (change, _) = inputs.data.endpoint(one.endpoint), time_dependent_factor(one.factor, inputs.data)
    if end is None or end.kind != "time" or change is None:
        return []
    return time_dependent(end, change, inputs.columns(one.adjust), confidence=inputs.plan.confidence)


def _steps(inputs: Inputs) -> Iterator[Step]:
    for one in inputs.plan.time_dependent:
        name = f"time-dependent factor, {one.factor} and {one.endpoint}"
        yield without_curves(name, partial(_of, inputs, one))


ANALYSIS = Analysis(
    "time-dependent factor",
    records="time_dependent",
    section="later",
    steps=_steps,
    what="response as a time-dependent covariate",
    method="counting process (Ann Stat 1982;10:1100)",
    lacking="no planned factor with its endpoint and days in the data",
)
