"""The last infusion alone, from the state just before it: so that only what follows can be changed."""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.simulation.model.equations import E, N, P, deplete
from reinfuse.simulation.model.jit import compiled, inlined
from reinfuse.simulation.solver.integrate import RTOL, advance, trace
from reinfuse.simulation.solver.readouts import COURSE, READ, at_day28, close_course, open_course
from reinfuse.simulation.trial.protocol import Schedule

_deplete = inlined(deplete)


def before_last(p: Floats, fitness: Floats, least: Floats, *, schedule: Schedule, rtol: float = RTOL) -> Floats:
    """Return the states of patients just before the last lymphodepletion of a protocol; shape (patients, 8)."""
    day = np.tile(schedule.day, (len(p), 1))
    day[:, -1] = np.nan
    event = schedule.event[schedule.course == len(schedule.day) - 1]
    until = schedule.day[-1] + event[0, 0]
    states = np.full((len(p), 1, 8), np.nan)
    trace(p, fitness, least, day=day, course=schedule.course, event=schedule.event, follow=until - schedule.day[-2],
          rtol=rtol, times=np.array([until]), states=states)  # fmt: skip
    return states[:, 0]


def last_infusion(y: Floats, p: Floats, fitness: Floats, *, least: Floats, schedule: Schedule, follow: float,
                  rtol: float = RTOL) -> Floats:  # fmt: skip
    """Return the read-outs of the last infusion (patients, 18) from the states before its lymphodepletion."""
    event = schedule.event[schedule.course == len(schedule.day) - 1]
    out = np.full((len(p), len(READ)), np.nan)
    _last(y, (p, np.ascontiguousarray(fitness[:, -1]), least), event, follow, rtol, out)
    return out


@compiled
def _last(start: Floats, patients: tuple[Floats, Floats, Floats], event: Floats, follow: float, rtol: float,
          out: Floats) -> None:  # fmt: skip
    p, fitness, least = patients
    none, times, states = np.empty(0), np.empty(0), np.empty((0, 8))
    for i in range(len(p)):
        y, t = start[i].copy(), event[0, 0]
        before, positive = y[P] + y[N], y[P]
        patient, outputs = (p[i], fitness[i], least[i]), (out[i], none, none, times, states)
        for e in range(len(event) + 1):
            until = follow if e == len(event) else event[e, 0]
            reading = t >= -1e-9 and e > 0
            if reading and t < COURSE - 1e-9 and until >= COURSE:
                advance(y, patient, (t, COURSE, 0.0, True), rtol, outputs)
                at_day28(y, out[i])
                t = COURSE
            advance(y, patient, (t, until, 0.0, reading), rtol, outputs)
            t = until
            if e == len(event):
                break
            _deplete(y, p[i], event[e, 1], event[e, 2])
            for k in range(5):
                if y[k] < least[i, k]:
                    y[k] = 0.0
            y[E] += event[e, 3]
            if abs(t) < 1e-9:
                open_course(y, p[i], before, positive, out[i])
        close_course(y, follow, out[i])
