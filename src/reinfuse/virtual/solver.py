"""The solver: patients through protocols, by adaptive steps that end only where something happens.

That is at lymphodepletion and infusion, on day 28 of an infusion, and where a population dies out; all else is read
from
the dense output. Chosen by measurement (`benchmarks/virtual/`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reinfuse.virtual.compiled import compiled, inlined
from reinfuse.virtual.equations import SIZE, E, Floats, M, N, P, X, begin, change, deplete
from reinfuse.virtual.steps import between, cells, dense, die_out, step
from reinfuse.virtual.watch import COURSE, at_day28, close_course, open_course, watch_cells, watch_tumour

_change, _begin, _deplete = inlined(change), inlined(begin), inlined(deplete)
RTOL = 1e-6
"""Relative tolerance of a step."""
MOST_STEPS = 100_000
"""Steps between two events after which a patient is given up (NaN)."""
NEXT = 0.05
"""First step after an event, days."""
Integers = NDArray[np.int64]


@inlined
def _note(r: Floats, t: float, h: float, times: Floats, states: Floats, j: int) -> int:
    """Put states at the asked times of a step; return how many times are done."""
    while j < len(times) and times[j] <= t + h + 1e-12:
        for i in range(SIZE):
            states[j, i] = dense(r, i, (times[j] - t) / h)
        j += 1
    return j


@inlined
def _count(r: Floats, day: float, h: float, days: Floats, counts: Floats, j: int) -> int:
    """Put CAR-T cells on the asked days of a step of a course; return how many days are done."""
    while j < len(days) and days[j] <= day + h + 1e-12:
        counts[j] = cells(r, (days[j] - day) / h)
        j += 1
    return j


@compiled
def advance(y: Floats, p: Floats, w: float, t: float, end: float, rtol: float, least: Floats, start: float,
            reading: bool, out: Floats, days: Floats, counts: Floats, times: Floats,
            states: Floats) -> int:  # fmt: skip
    """Bring `y` from day `t` to `end` without events; return the steps taken.

    Parameters
    ----------
    p, w, least
        The patient; the fitness of the product; the numbers of cells at which E, M, X, P, N die out.
    start, reading, out, days, counts
        Day of the infusion that is read; whether; its read-outs; days since it on which CAR-T cells are counted.
    times, states
        Days at which all states are noted.
    """
    k, r = np.zeros((7, SIZE)), np.empty((5, SIZE))
    new, mid = np.empty(SIZE), np.empty(SIZE)
    h, steps = NEXT, 0
    j, g = int(np.searchsorted(times, t)), int(np.searchsorted(days, t - start))
    _change(y, p, w, k[0])
    while t < end - 1e-10 and steps < MOST_STEPS:
        h = min(h, end - t)
        off = step(y, k, h, p, w, rtol, new, mid)
        steps += 1
        if not off <= 1.0:
            h *= max(0.2, 0.9 * off**-0.2) if off == off else 0.2
            continue
        between(y, new, k, h, r)
        who, at = die_out(y, new, r, least)
        if who >= 0:
            h *= at
            step(y, k, h, p, w, rtol, new, mid)
            between(y, new, k, h, r)
            new[who] = 0.0
        j = _note(r, t, h, times, states, j)
        if reading:
            g = _count(r, t - start, h, days, counts, g)
            watch_cells(r, y, new, k, t - start, h, out)
            watch_tumour(r, y, new, k, t - start, h, p, out)
        t += h
        y[:] = new
        if who >= 0:
            _change(y, p, w, k[0])
            h = NEXT
        else:
            k[0] = k[6]
            h *= min(5.0, 0.9 * max(off, 1e-10) ** -0.2)
    if t < end - 1e-10:
        y[:] = np.nan
    return steps


@compiled
def one(p: Floats, fitness: Floats, least: Floats, day: Floats, course: Integers, event: Floats, follow: float,
        rtol: float, days: Floats, times: Floats, out: Floats, counts: Floats, states: Floats) -> int:  # fmt: skip
    """Bring one patient through a protocol; see `solve`."""
    y = np.empty(SIZE)
    _begin(p, y)
    steps, t, now, before, positive = 0, day[0] + event[0, 0], -1, 0.0, 0.0
    for e in range(len(course) + 1):
        over = e == len(course) or np.isnan(day[course[e]])
        until = (day[now] + follow) if over else day[course[e]] + event[e, 0]
        start = day[max(now, 0)]
        w = fitness[max(now, 0)]
        reading = now >= 0 and t >= start - 1e-9
        if reading and t < start + COURSE - 1e-9 and until >= start + COURSE:
            steps += advance(
                y, p, w, t, start + COURSE, rtol, least, start, True, out[now], days, counts[now], times, states
            )
            at_day28(y, out[now])
            t = start + COURSE
        last = max(now, 0)
        steps += advance(y, p, w, t, until, rtol, least, start, reading, out[last], days, counts[last], times, states)
        t = until
        if over:
            close_course(y, until - start, out[now])
            break
        if course[e] != now:
            if now >= 0:
                close_course(y, until - start, out[now])
            now, before, positive = course[e], y[P] + y[N], y[P]
        _deplete(y, p, event[e, 1], event[e, 2])
        for i in range(5):
            if y[i] < least[i]:
                y[i] = 0.0
        y[E] += event[e, 3]
        if abs(t - day[now]) < 1e-9:
            open_course(y, before, positive, out[now])
            if len(days) and days[0] == 0.0:
                counts[now, 0] = y[E] + y[M] + y[X]
    return steps


@compiled
def solve(p: Floats, fitness: Floats, least: Floats, day: Floats, course: Integers, event: Floats, follow: float,
          rtol: float, days: Floats, out: Floats, counts: Floats) -> int:  # fmt: skip
    """Bring patients through a protocol; return the steps taken.

    Parameters
    ----------
    p
        Parameters as `declared.PARAMETERS`; shape (patients, 35).
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
        Days since an infusion on which CAR-T cells are counted; read-outs (patients, infusions, `watch.READ`) and
        counts
        (patients, infusions, days), both filled with NaN before.
    """
    times, states = np.empty(0), np.empty((0, SIZE))
    steps = 0
    for i in range(len(p)):
        steps += one(
            p[i], fitness[i], least[i], day[i], course, event, follow, rtol, days, times, out[i], counts[i], states
        )
    return steps


@compiled
def trace(p: Floats, fitness: Floats, least: Floats, day: Floats, course: Integers, event: Floats, follow: float,
          rtol: float, times: Floats, states: Floats) -> int:  # fmt: skip
    """Note all states of patients at `times` (days since the first infusion); shape (patients, times, 8). Returns
    steps."""
    days = np.empty(0)
    out, counts = np.empty((day.shape[1], 17)), np.empty((day.shape[1], 0))
    steps = 0
    for i in range(len(p)):
        steps += one(
            p[i], fitness[i], least[i], day[i], course, event, follow, rtol, days, times, out, counts, states[i]
        )
    return steps
