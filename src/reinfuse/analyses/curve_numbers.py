"""Numbers under survival curves that a plan's figures ask for: at risk at other times, cumulative events, censored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from reinfuse.analyses.base import level_masks
from reinfuse.analyses.time_axis import shown_days
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.strata import factor_of
from reinfuse.plan.figure_options import FigureLook, FigureOptions
from reinfuse.results.estimate import Estimate

CUMULATIVE = {"events": "cumulative_events", "censored": "cumulative_censored"}
"""Row of a risk table -> its statistic: patients with the event, or censored, up to and including the day."""


def figure_name(endpoint: str, factor: str | None = None) -> str:
    """Return the name of the figure of an endpoint's curves, of all patients or by a factor."""
    return f"km_{endpoint}_by_{factor}" if factor else f"km_{endpoint}"


def numbers_at_risk(time: Floats, entry: Floats | None, tick: float) -> float:
    """Return how many are at risk on a day."""
    here: Bools = time >= tick if entry is None else (time >= tick) & (entry < max(tick, 1e-9))
    return float(here.sum())


def curve_numbers(data: AnalysisSet, end: EndpointColumn, *, options: FigureOptions,
                  marks: Sequence[float]) -> list[Estimate]:  # fmt: skip
    """Return what the figures of one endpoint show under their curves beyond the numbers at risk at `marks`."""
    every = np.ones(data.frame.height, dtype=np.bool_)
    look = options.look_of(figure_name(end.name))
    records = list(_of(end, every, None, look=look, marks=marks))
    for group, here in level_masks(data):
        look = options.look_of(figure_name(end.name, factor_of(group)))
        records += _of(end, here, group, look=look, marks=marks)
    return records


def _of(end: EndpointColumn, mask: Bools, group: str | None, *, look: FigureLook,
        marks: Sequence[float]) -> Iterator[Estimate]:  # fmt: skip
    here = mask & end.known
    time, event = np.asarray(end.time)[here], end.event[here]
    if not len(time):
        return
    entry = None if end.entry is None else end.entry[here]
    days = shown_days(look, marks) if look.x_breaks is not None or look.x_max is not None else list(marks)

    def record(statistic: str, day: float, number: float) -> Estimate:
        return Estimate("survival", end.name, statistic, group=group, at=day, estimate=number, unit="patients",
                        method="count", n=len(time), events=int(event.sum()))  # fmt: skip

    yield from (record("at_risk", d, numbers_at_risk(time, entry, d)) for d in days if d not in marks)
    for row in look.risk_table:
        if row in CUMULATIVE:
            counted = event == (row == "events")
            yield from (record(CUMULATIVE[row], d, float((counted & (time <= d)).sum())) for d in days)
