"""A lane's stops: what is noted on the way, a population that dies out, the begin of a leg and its end."""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.simulation.model.equations import SIZE, change
from reinfuse.simulation.model.jit import called, inlined
from reinfuse.simulation.solver.dense_output import at, between, cells, die_out, state
from reinfuse.simulation.solver.dopri5 import (
    COUNT,
    DUE,
    END,
    FITNESS,
    FORCED,
    K_NEW,
    LEAST,
    LOOK,
    NEW,
    PATIENT,
    READING,
    ROWS,
    SOON,
    START,
    STEP,
    H,
    K,
    T,
    Y,
)
from reinfuse.simulation.solver.readouts import look, to_lane

FIRST = 0.2
"""First step after an event, days."""
NOBODY = 1e-30
"""A population below this is none (one cell in a patient: about 2e-9): a step cannot tell it from its own error, and
would let it die out again and again."""
TINY = 1e-10
# rows of a lane besides those of `dopri5`, and its whole numbers
UNTIL, BEFORE, POSITIVE, PLANNED_STEP = range(ROWS, ROWS + 4)
ROOM = ROWS + 4
WHO, EVENT, NOW, DAY28, DYING, NOTED, COUNTED = range(7)
Work = tuple[Floats, Floats]
"""Arrays to work in: states (8,), polynomials of a step (5, 8)."""
Outputs = tuple[Floats, Floats, Floats, Floats, Floats]
"""Read-outs, days of counts, counts, times of states, states."""
Leg = tuple[float, float, float, bool]
"""Day of its begin, of its end, of the infusion, and whether that is read."""


@called
def idle(b: Floats, lane: int) -> None:
    """Let a lane stand still."""
    b[H, lane] = b[READING, lane] = b[FORCED, lane] = 0.0
    b[END, lane] = b[DUE, lane] = np.inf
    b[COUNT, lane] = -np.inf


@called
def _first(days: Floats, day: float) -> int:
    """Return the place of the first of the days that is not before a day."""
    low, high = 0, len(days)
    while low < high:
        middle = (low + high) // 2
        if days[middle] < day:
            low = middle + 1
        else:
            high = middle
    return low


@called
def _due(b: Floats, who: Integers, lane: int, days: Floats, times: Floats) -> None:
    """Set when something is next to be noted."""
    j, g = who[lane, NOTED], who[lane, COUNTED]
    when = times[j] if j < len(times) else np.inf
    b[DUE, lane] = min(when, b[START, lane] + days[g]) if b[READING, lane] > 0.0 and g < len(days) else when


@inlined
def record_states(b: Floats, who: Integers, lane: int, r: Floats, outputs: Outputs) -> None:
    """Record states at the requested times of a step, and CAR-T cells on the requested days."""
    _, days, counts, times, states = outputs
    t, h, j, g = b[T, lane], b[STEP, lane], who[lane, NOTED], who[lane, COUNTED]
    who_is, now = who[lane, WHO], who[lane, NOW]
    while j < len(times) and times[j] <= t + h + 1e-12:
        x = (times[j] - t) / h
        for i in range(SIZE):
            states[who_is, j, i] = at(state(r, i), x)
        j += 1
    day, q = t - b[START, lane], cells(r)
    while b[READING, lane] > 0.0 and g < len(days) and days[g] <= day + h + 1e-12:
        counts[who_is, now, g] = at(q, (days[g] - day) / h)
        g += 1
    who[lane, NOTED], who[lane, COUNTED] = j, g
    _due(b, who, lane, days, times)


@called
def set_states(b: Floats, lane: int, y: Floats, dy: Floats, p: Floats) -> None:
    """Set the states of a lane."""
    change(y, p, b[FITNESS, lane], dy)
    for i in range(SIZE):
        b[Y + i, lane], b[K + i, lane] = y[i], dy[i]


@inlined
def process_step(b: Floats, who: Integers, lane: int, work: Work, p: Floats, outputs: Outputs) -> bool:
    """Go on from a step in which something happens; return whether the lane has reached the end of its leg, with the
    states there in `work`.

    Arrays are those of all patients: a part of one taken at every step would cost more than the step.
    """
    y, r = work
    h, forced = b[STEP, lane], b[FORCED, lane] > 0.0
    between(b, lane, r)
    if not forced:
        dying, share = die_out(b, lane, r)
        if dying >= 0:  # the step again, to where it dies out
            who[lane, DYING], b[FORCED, lane] = dying, 1.0
            b[PLANNED_STEP, lane], b[H, lane] = b[H, lane], h * share
            return False
    if b[T, lane] + h >= b[DUE, lane] - SOON:
        record_states(b, who, lane, r, outputs)
    if b[LOOK, lane] > 0.0:
        look(b, lane, r, outputs[0][who[lane, WHO], who[lane, NOW]])
    b[T, lane] += h
    for i in range(SIZE):
        y[i] = b[Y + i, lane] = b[NEW + i, lane]
        b[K + i, lane] = b[K_NEW + i, lane]
    if forced:
        y[who[lane, DYING]], b[FORCED, lane], b[H, lane] = 0.0, 0.0, b[PLANNED_STEP, lane]
        set_states(b, lane, y, r[0], p[who[lane, WHO]])
    return bool(b[T, lane] >= b[END, lane] - TINY)


@called
def begin_leg(b: Floats, who: Integers, lane: int, leg: Leg, out: Floats, requested: tuple[Floats, Floats]) -> None:
    """Begin a leg in a lane: `out` the read-outs of its infusion, `requested` days of counts and times of states."""
    (t, end, start, reading), (days, times) = leg, requested
    b[T, lane], b[H, lane], b[END, lane], b[COUNT, lane], b[FORCED, lane] = t, FIRST, end, 0.0, 0.0
    b[START, lane], b[READING, lane] = start, 1.0 if reading else 0.0
    if reading:
        to_lane(b, lane, out)
    who[lane, NOTED], who[lane, COUNTED] = _first(times, t), _first(days, t - start)
    _due(b, who, lane, days, times)


@called
def load_patient(b: Floats, lane: int, p: Floats, least: Floats) -> None:
    """Put a patient into a lane."""
    for i in range(len(p)):
        b[PATIENT + i, lane] = p[i]
    for i in range(len(least)):
        b[LEAST + i, lane] = max(least[i], NOBODY)
