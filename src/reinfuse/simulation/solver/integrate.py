"""The solver: patients through protocols, by adaptive steps that end only where something happens.

That is at lymphodepletion and infusion, on day 28 of an infusion, and where a population dies out; all else is read
from the dense output. Eight patients are integrated at once, each in a lane (`dopri5`); a lane that is free takes the
next patient. Chosen by measurement (`benchmarks/virtual/`).
"""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.simulation.model.equations import SIZE, E, M, N, P, X, begin, deplete
from reinfuse.simulation.model.jit import called, compiled
from reinfuse.simulation.solver.dopri5 import (
    COUNT,
    COURSE,
    END,
    FITNESS,
    FLAG,
    LANES,
    MOST_STEPS,
    READING,
    SOON,
    H,
    T,
    step,
)
from reinfuse.simulation.solver.events import (
    BEFORE,
    DAY28,
    EVENT,
    FIRST,
    NOW,
    POSITIVE,
    ROOM,
    TINY,
    UNTIL,
    WHO,
    Leg,
    Outputs,
    Work,
    begin_leg,
    idle,
    load_patient,
    process_step,
    set_states,
)
from reinfuse.simulation.solver.readouts import READ, at_day28, close_course, from_lane, open_course, within_course

__all__ = ["RTOL", "Integers", "advance", "solve", "trace"]
RTOL = 5e-7
"""Relative tolerance of a step: the loosest at which daily CAR-T cells and tumour are well within 1e-4 of LSODA's."""
SolverInput = tuple[Floats, Floats, Floats, Floats, Integers, Floats, float, Floats, Floats, Floats, Floats, Floats]
"""What `solve` and `trace` are given, in their order, without the tolerance."""
Patient = tuple[Floats, float, Floats]


@compiled
def advance(y: Floats, patient: Patient, leg: Leg, rtol: float, outputs: Outputs) -> int:
    """Integrate `y` over a leg without events; return the steps taken.

    Parameters
    ----------
    patient
        Parameters; the fitness of the product; the numbers of cells at which E, M, X, P, N die out.
    leg
        Day of its begin; of its end; of the infusion that is read; whether it is.
    outputs
        Read-outs of the infusion; days since it on which CAR-T cells are counted, and the counts; days at which all
        states are recorded, and the states.
    """
    (p, w, least), (out, days, counts, times, states) = patient, outputs
    if leg[0] >= leg[1] - TINY:
        return 0
    b, who, r, steps = np.zeros((ROOM, LANES)), np.zeros((LANES, 7), np.int64), np.empty((5, SIZE)), 0
    people, work = p.reshape((1, p.size)), (y, r)
    recorded = (out.reshape((1, 1, out.size)), days, counts.reshape((1, 1, counts.size)), times,
                states.reshape((1, *states.shape)))  # fmt: skip
    for lane in range(LANES):
        idle(b, lane)
    load_patient(b, 0, p, least)
    b[FITNESS, 0] = w
    set_states(b, 0, y, r[0], p)
    begin_leg(b, who, 0, leg, out, (days, times))
    while b[COUNT, 0] <= MOST_STEPS:
        step(b.reshape(b.size), rtol)
        steps += 1
        if b[FLAG, 0] > 0.0 and process_step(b, who, 0, work, people, recorded):
            if leg[3]:
                from_lane(b, 0, out)
            return steps
    y[:] = np.nan
    return steps


@called
def _given(y: Floats, p: Floats, event: Floats, least: Floats) -> None:
    """Give lymphodepletion and cells."""
    deplete(y, p, event[1], event[2])
    for k in range(5):
        if y[k] < least[k]:
            y[k] = 0.0
    y[E] += event[3]


@called
def _happens(b: Floats, who: Integers, lane: int, y: Floats, r: Floats, plan: SolverInput) -> bool:
    """Let all events of a day happen, and go on to the next; return whether there is one."""
    p, fitness, least, day, course, event, follow, days, times, out = plan[:10]
    i, e, now, t = who[lane, WHO], who[lane, EVENT], who[lane, NOW], b[UNTIL, lane]
    until, reading = t, b[READING, lane] > 0.0
    if reading:
        from_lane(b, lane, out[i, now])
    while until <= t + TINY:
        over = _over(day[i], course, e)
        if over or course[e] != now:
            reading = False
            if now >= 0:
                close_course(y, t - day[i, now], out[i, now])
            if over:
                return False
            now, b[BEFORE, lane], b[POSITIVE, lane] = course[e], y[P] + y[N], y[P]
        cells_before = y[E] + y[M] + y[X]
        _given(y, p[i], event[e], least[i])
        if abs(t - day[i, now]) < SOON:
            open_course(y, p[i], b[BEFORE, lane], b[POSITIVE, lane], out[i, now])
        elif reading:
            within_course(y, cells_before, t - day[i, now], out[i, now])
        e += 1
        until = day[i, now] + follow if _over(day[i], course, e) else day[i, course[e]] + event[e, 0]
    who[lane, EVENT], who[lane, NOW], b[UNTIL, lane], b[FITNESS, lane] = e, now, until, fitness[i, now]
    start, reading = day[i, now], t >= day[i, now] - SOON
    who[lane, DAY28] = reading and t < start + COURSE - SOON and until >= start + COURSE
    set_states(b, lane, y, r[0], p[i])
    end = start + COURSE if who[lane, DAY28] else until
    begin_leg(b, who, lane, (t, end, start, reading), out[i, now], (days, times))
    return True


@called
def _over(day: Floats, course: Integers, e: int) -> bool:
    """Return whether nothing more happens to a patient."""
    return e == len(course) or day[course[e]] != day[course[e]]


@called
def _arrived(b: Floats, who: Integers, lane: int, y: Floats, r: Floats, plan: SolverInput) -> bool:
    """Go on from where a lane was to go; return whether its patient is still on the way."""
    out = plan[9]
    if who[lane, DAY28]:
        at_day28(y, out[who[lane, WHO], who[lane, NOW]])
        who[lane, DAY28], b[COUNT, lane], b[H, lane], b[END, lane] = 0, 0.0, FIRST, b[UNTIL, lane]
        if b[T, lane] < b[END, lane] - TINY:
            return True
    return _happens(b, who, lane, y, r, plan)


@called
def _enter(b: Floats, who: Integers, lane: int, i: int, work: Work, plan: SolverInput) -> bool:
    """Let patient i begin in a lane, if there is one; return whether there is anything to do."""
    (y, r), (p, _, least, day, _, event) = work, plan[:6]
    idle(b, lane)
    if i >= len(p):
        return False
    load_patient(b, lane, p[i], least[i])
    begin(p[i], y)
    who[lane, WHO], who[lane, EVENT], who[lane, NOW] = i, 0, -1
    b[UNTIL, lane] = day[i, 0] + event[0, 0]
    return _happens(b, who, lane, y, r, plan)


@compiled
def _drive(plan: SolverInput, rtol: float) -> int:
    """Bring all patients through; return the steps taken."""
    p, _, _, _, _, _, _, days, times, out, counts, states = plan
    b, who, going = np.zeros((ROOM, LANES)), np.zeros((LANES, 7), np.int64), np.zeros(LANES, np.int64)
    y, r, flat = np.empty(SIZE), np.empty((5, SIZE)), b.reshape(b.size)
    work, outputs = (y, r), (out, days, counts, times, states)
    waiting, steps = 0, 0
    for lane in range(LANES):
        going[lane] = _enter(b, who, lane, waiting, work, plan)
        waiting += 1
    while going.any():
        step(flat, rtol)
        for lane in range(LANES):
            steps += going[lane]
            if b[FLAG, lane] == 0.0:
                continue
            if b[COUNT, lane] > MOST_STEPS:
                out[who[lane, WHO], who[lane, NOW] :] = np.nan
            elif not process_step(b, who, lane, work, p, outputs) or _arrived(b, who, lane, y, r, plan):
                continue
            going[lane] = _enter(b, who, lane, waiting, work, plan)
            waiting += 1
    return steps


def solve(p: Floats, fitness: Floats, least: Floats, *, day: Floats,  # noqa: PLR0913 - arrays of one call
          course: Integers, event: Floats, follow: float, rtol: float, days: Floats, out: Floats,
          counts: Floats) -> int:  # fmt: skip
    """Bring patients through a protocol; return the steps taken.

    Parameters
    ----------
    p
        Parameters as `parameters.PARAMETERS`; shape (patients, 36).
    fitness, day
        Fitness of the product and day of each infusion; shape (patients, infusions). A NaN day ends the protocol for
        that patient.
    least
        Numbers of cells at which E, M, X, P, N die out; shape (patients, 5).
    course, event
        What happens, in order: to which infusion it belongs, (events,); days since that infusion, cyclophosphamide and
        fludarabine in reference courses, cells given (cells/uL); shape (events, 4).
    follow
        Days from the last infusion to the end.
    days, out, counts
        Days since an infusion on which CAR-T cells are counted; read-outs (patients, infusions, `readouts.READ`) and
        counts (patients, infusions, days), both filled with NaN before.
    """
    times, states = np.empty(0), np.empty((len(p), 0, SIZE))
    return _drive((p, fitness, least, day, course, event, follow, days, times, out, counts, states), rtol)


def trace(p: Floats, fitness: Floats, least: Floats, *, day: Floats,  # noqa: PLR0913 - arrays of one call
          course: Integers, event: Floats, follow: float, rtol: float, times: Floats,
          states: Floats) -> int:  # fmt: skip
    """Note all states of patients at `times` (days since the first infusion); shape (patients, times, 8). Returns
    steps."""
    out, counts = np.empty((*day.shape, len(READ))), np.empty((*day.shape, 0))
    return _drive((p, fitness, least, day, course, event, follow, np.empty(0), times, out, counts, states), rtol)
