"""Relapse, non-relapse mortality and progression-free survival on one clock, so that at each time they add up to 1.

Progression-free survival is censored at the last adequate assessment and, by most plans, before a new therapy; relapse
and non-relapse mortality are followed to the last contact. So the three of a report do not add up. Here both clocks are
taken for all three. On the clock of progression-free survival each of its events is a relapse, where a relapse is
recorded by that day, else a death without one. On the clock of last contact the event is whichever of the two competing
events came first. On either, cumulative incidences (Aalen and Johansen, Scand J Stat 1978;5:141-150) and the
Kaplan-Meier curve of the time to the first of the events share risk sets, and add up to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Step, rate_days, without_curves
from reinfuse.analyses.competing_risks import cumulative_incidence, numbers_at_risk
from reinfuse.analyses.survival import survival
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.results.estimate import Estimate, joined

RECORDS = "one_clock"
CLOCKS = {"progression-free survival": "pfs", "last contact": "relapse"}
"""Clock -> the endpoint whose times it has."""
FREE = "progression_free"


@dataclass(frozen=True)
class EventClock:
    """Times of patients until relapse, death without it, or censoring.

    Attributes
    ----------
    time
        Days, shape (n,).
    relapse, death
        1 where that came at `time`; neither: censored.
    left_out
        Patients of whom one of the endpoints is missing, or whose endpoints contradict each other.
    """

    time: Floats
    relapse: Floats
    death: Floats
    left_out: int = 0


def of_progression_free(pfs: EndpointColumn, relapse: EndpointColumn) -> EventClock:
    """Return the clock of progression-free survival, each event a relapse or a death without one."""
    time, other = np.asarray(pfs.time), np.asarray(relapse.competing)
    by_then = np.asarray(relapse.time) <= time
    ended = pfs.event == 1
    relapsed, died = ended & by_then & (relapse.event == 1), ended & by_then & (other == 1)
    here = pfs.known & relapse.known & ~np.isnan(other) & (~ended | relapsed | died)
    return EventClock(time[here], relapsed[here] * 1.0, died[here] * 1.0, int((~here).sum()))


def of_last_contact(relapse: EndpointColumn) -> EventClock:
    """Return the clock of relapse and non-relapse mortality."""
    other = np.asarray(relapse.competing)
    here = relapse.known & ~np.isnan(other)
    return EventClock(np.asarray(relapse.time)[here], relapse.event[here], other[here], int((~here).sum()))


def adding_up(clock: EventClock, name: str, *, confidence: float) -> list[Estimate]:
    """Return both incidences and the probability of neither event at set days, with the numbers at risk.

    Parameters
    ----------
    name
        What the clock is called, of `CLOCKS`.
    """
    days, either = rate_days(), clock.relapse + clock.death
    free, _ = survival(clock.time, either, confidence, endpoint=FREE, population="all", group=None, days=days, ticks=[])
    records = [e for e in free if e.statistic == "rate_at"]
    for endpoint, event, other in (("relapse", clock.relapse, clock.death), ("nrm", clock.death, clock.relapse)):
        records += cumulative_incidence(clock.time, event, other, confidence, endpoint, "all", days=days)
    records += numbers_at_risk(clock.time, int(either.sum()), FREE, population="all", ticks=days)
    many = f"{clock.left_out} patient{'' if clock.left_out == 1 else 's'}"
    missing = f"{many} excluded: an endpoint missing, or neither event recorded by it" if clock.left_out else None
    return [replace(e, analysis=RECORDS, group=name, note=joined([e.note, missing])) for e in records]


def _of(inputs: Inputs) -> list[Estimate]:
    pfs, relapse = inputs.data.endpoint("pfs"), inputs.data.endpoint("relapse")
    clocks: list[tuple[str, EventClock]] = []
    if relapse is not None and relapse.competing is not None:
        if pfs is not None:
            clocks.append(("progression-free survival", of_progression_free(pfs, relapse)))
        clocks.append(("last contact", of_last_contact(relapse)))
    return [
        e
        for name, clock in clocks
        if len(clock.time)
        for e in adding_up(clock, name, confidence=inputs.plan.confidence)
    ]


def _steps(inputs: Inputs) -> Iterator[Step]:
    yield without_curves("one clock", partial(_of, inputs))


ANALYSIS = Analysis(
    "one clock",
    records=RECORDS,
    section="survival",
    steps=_steps,
    what="relapse, non-relapse mortality and progression-free survival on one clock, adding up to 1",
    method=(
        "Aalen-Johansen incidences and the Kaplan-Meier curve of the first of both events, of the same times: those of "
        "progression-free survival, and those to last contact (Scand J Stat 1978;5:141)"
    ),
    lacking="no relapse with non-relapse mortality as its competing event",
    switches=("competing",),
)
