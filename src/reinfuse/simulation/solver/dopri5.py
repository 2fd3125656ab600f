"""One adaptive step of the model in several patients at once: Dormand-Prince 5(4) with dense output.

Each patient is a lane of one array, in rows of `LANES` numbers, at its own time and with its own step, so that the loop
over lanes becomes the processor's vector arithmetic, and no patient's result depends on who is beside.

Dormand & Prince, J Comput Appl Math 1980;6:19-26; dense output as in Hairer, Norsett & Wanner, Solving Ordinary
Differential Equations I, section II.6.
"""

from __future__ import annotations

import math

from reinfuse.arrays import Floats
from reinfuse.simulation.model.equations import SIZE, Eight, rates
from reinfuse.simulation.model.jit import compiled, inlined
from reinfuse.simulation.model.parameters import LOD, NAMES

LANES = 8
COURSE = 28.0
"""Day of the response."""
GROWN, FLOOR = 1.5, 1.0
"""Progression: tumour at or above 1.5 x nadir, the nadir taken as at least 1e9 cells, from day 28."""
MOST_STEPS = 100_000
"""Steps between two events after which a patient is given up (NaN)."""
SOON = 1e-9
"""Days that make no difference."""

# rows: states and their change at the begin and the end of the step, what bends dense output, the patient
Y, K, NEW, K_NEW, BEND, LEAST = (SIZE * k for k in range(6))
PATIENT = LEAST + 5
(FITNESS, T, H, STEP, END, DUE, COUNT, FORCED, FLAG, LOOK) = range(PATIENT + len(NAMES), PATIENT + len(NAMES) + 10)
# read-outs that every step adds to; day of the infusion; whether it is read, has progressed; tumour not survived
(PEAK, PEAK_DAY, AREA, LOWEST, START, READING, GREW, DEADLY) = range(LOOK + 1, LOOK + 9)
ROWS = DEADLY + 1


@inlined
def eight(b: Floats, row: int, lane: int) -> Eight:
    """Return eight rows of a lane."""
    i = row * LANES + lane
    return (b[i], b[i + LANES], b[i + 2 * LANES], b[i + 3 * LANES],
            b[i + 4 * LANES], b[i + 5 * LANES], b[i + 6 * LANES], b[i + 7 * LANES])  # fmt: skip


@inlined
def put(b: Floats, row: int, lane: int, v: Eight) -> None:
    """Set eight rows of a lane."""
    i = row * LANES + lane
    b[i], b[i + LANES], b[i + 2 * LANES], b[i + 3 * LANES] = v[0], v[1], v[2], v[3]
    b[i + 4 * LANES], b[i + 5 * LANES], b[i + 6 * LANES], b[i + 7 * LANES] = v[4], v[5], v[6], v[7]


@inlined
def _patient(b: Floats, lane: int) -> tuple[float, ...]:
    """Return a lane's parameters."""
    i = PATIENT * LANES + lane
    last = (b[i + 32 * LANES], b[i + 33 * LANES], b[i + 34 * LANES], b[i + 35 * LANES])
    return (eight(b, PATIENT, lane) + eight(b, PATIENT + 8, lane) + eight(b, PATIENT + 16, lane)
            + eight(b, PATIENT + 24, lane) + last)  # fmt: skip


@inlined
def _add(y: Eight, c: float, k: Eight) -> Eight:
    """Return y + c k."""
    return (y[0] + c * k[0], y[1] + c * k[1], y[2] + c * k[2], y[3] + c * k[3],
            y[4] + c * k[4], y[5] + c * k[5], y[6] + c * k[6], y[7] + c * k[7])  # fmt: skip


@inlined
def _choose(yes: bool, one: Eight, other: Eight) -> Eight:
    """Return the one or the other."""
    return (one[0] if yes else other[0], one[1] if yes else other[1], one[2] if yes else other[2],
            one[3] if yes else other[3], one[4] if yes else other[4], one[5] if yes else other[5],
            one[6] if yes else other[6], one[7] if yes else other[7])  # fmt: skip


@inlined
def _stages(y: Eight, k1: Eight, h: float, p: tuple[float, ...], w: float) -> tuple[Eight, Eight, Eight, Eight]:
    """Return the states after a step, their change, what bends dense output, and the error."""
    k2 = rates(_add(y, h * (1 / 5), k1), p, w)
    k3 = rates(_add(_add(y, h * (3 / 40), k1), h * (9 / 40), k2), p, w)
    k4 = rates(_add(_add(_add(y, h * (44 / 45), k1), h * (-56 / 15), k2), h * (32 / 9), k3), p, w)
    at = _add(_add(y, h * (19372 / 6561), k1), h * (-25360 / 2187), k2)
    k5 = rates(_add(_add(at, h * (64448 / 6561), k3), h * (-212 / 729), k4), p, w)
    at = _add(_add(y, h * (9017 / 3168), k1), h * (-355 / 33), k2)
    k6 = rates(_add(_add(_add(at, h * (46732 / 5247), k3), h * (49 / 176), k4), h * (-5103 / 18656), k5), p, w)
    at = _add(_add(y, h * (35 / 384), k1), h * (500 / 1113), k3)
    new = _add(_add(_add(at, h * (125 / 192), k4), h * (-2187 / 6784), k5), h * (11 / 84), k6)
    k7 = rates(new, p, w)
    none = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    bend = _add(_add(none, h * (-12715105075 / 11282082432), k1), h * (87487479700 / 32700410799), k3)
    bend = _add(_add(bend, h * (-10690763975 / 1880347072), k4), h * (701980252875 / 199316789632), k5)
    bend = _add(_add(bend, h * (-1453857185 / 822651844), k6), h * (69997945 / 29380423), k7)
    off = _add(_add(none, h * (71 / 57600), k1), h * (-71 / 16695), k3)
    off = _add(_add(off, h * (71 / 1920), k4), h * (-17253 / 339200), k5)
    return new, k7, bend, _add(_add(off, h * (22 / 525), k6), h * (-1 / 40), k7)


@inlined
def _part(off: float, y: float, new: float, scale: float) -> float:
    """Return the square of a state's error, relative to the state or, where it is less, to a scale."""
    share = off / (scale + max(abs(y), abs(new)))
    return share * share


@inlined
def _error(off: Eight, y: Eight, new: Eight) -> float:
    """Return the mean square error of a step. Scales of cells and tumour: about 1,000 cells; of u and Phi: 1."""
    return 0.125 * (
        _part(off[0], y[0], new[0], 2e-6) + _part(off[1], y[1], new[1], 2e-6) + _part(off[2], y[2], new[2], 2e-6)
        + _part(off[3], y[3], new[3], 1e-6) + _part(off[4], y[4], new[4], 1e-6) + _part(off[5], y[5], new[5], 1e-6)
        + _part(off[6], y[6], new[6], 1.0) + _part(off[7], y[7], new[7], 1.0)
    )  # fmt: skip


@inlined
def _next(h: float, step: float, error: float, taken: bool) -> float:
    """Return the next step's length; `step` may have been shorter than planned (`h`)."""
    x = math.sqrt(math.sqrt(math.sqrt(math.sqrt(error))))
    factor = 0.9 / (x * math.sqrt(x))  # 0.9 / off^(3/16)
    factor = factor if factor > 0.2 else 0.2
    factor = factor if factor < 5.0 else 5.0
    proposed = step * factor
    return max(h, proposed) if taken & (step < h) else proposed


@inlined
def _dies(b: Floats, lane: int, y: Eight, new: Eight) -> bool:
    """Return whether a population falls below its least number of cells."""
    i = LEAST * LANES + lane
    return bool(((y[0] > b[i]) & (new[0] < b[i])) | ((y[1] > b[i + LANES]) & (new[1] < b[i + LANES]))
            | ((y[2] > b[i + 2 * LANES]) & (new[2] < b[i + 2 * LANES]))
            | ((y[3] > b[i + 3 * LANES]) & (new[3] < b[i + 3 * LANES]))
            | ((y[4] > b[i + 4 * LANES]) & (new[4] < b[i + 4 * LANES])))  # fmt: skip


@inlined
def _read(b: Floats, lane: int, live: bool, begin: tuple[Eight, Eight], end: tuple[Eight, Eight]) -> bool:
    """Add a step, from states and their change at its `begin` and `end`, to the read-outs; return whether something
    happens within it that needs a closer look."""
    (y, k), (new, k_new) = begin, end
    h, day = b[STEP * LANES + lane], b[T * LANES + lane] - b[START * LANES + lane]
    after, live = day + h, live & (b[READING * LANES + lane] > 0.0)
    c0, c1 = y[0] + y[1] + y[2], new[0] + new[1] + new[2]
    up0, up1 = k[0] + k[1] + k[2], k_new[0] + k_new[1] + k_new[2]
    t0, t1, grow0, grow1 = y[3] + y[4], new[3] + new[4], k[3] + k[4], k_new[3] + k_new[4]
    area = h * 0.5 * (c0 + c1) + h * h / 12.0 * (up0 - up1)
    b[AREA * LANES + lane] += area if live & (after <= COURSE + SOON) else 0.0
    most, on, least = b[PEAK * LANES + lane], b[PEAK_DAY * LANES + lane], b[LOWEST * LANES + lane]
    higher, still = live & (c1 > most), b[GREW * LANES + lane] == 0.0
    lower = live & still & (t1 < least)
    b[PEAK * LANES + lane] = c1 if higher else most
    b[PEAK_DAY * LANES + lane] = after if higher else on
    least = t1 if lower else least
    b[LOWEST * LANES + lane] = least
    # a cubic's turn is within 4/27 h of its slopes; beside a quartic's, the quarter is generous
    peak = (up0 > 0.0) & (up1 < 0.0) & (max(c0, c1) + 0.25 * h * (up0 - up1) > most)
    nadir = (grow0 < 0.0) & (grow1 > 0.0) & (min(t0, t1) - 0.25 * h * (grow1 - grow0) < least)
    grew = (after >= COURSE - SOON) & (t1 >= GROWN * max(least, FLOOR)) | nadir
    notable = peak | (c0 >= LOD) & (c1 < LOD) | still & grew
    return bool(live & (notable | (max(t0, t1) >= b[DEADLY * LANES + lane])))


@compiled
def step(b: Floats, rtol: float) -> None:
    """Take a step in every lane; raise a flag where something happens, and else go on to its end."""
    for lane in range(LANES):
        y, k, p = eight(b, Y, lane), eight(b, K, lane), _patient(b, lane)
        t, planned, end = b[T * LANES + lane], b[H * LANES + lane], b[END * LANES + lane]
        h = min(planned, end - t)
        b[STEP * LANES + lane] = h
        new, k_new, bend, off = _stages(y, k, h, p, b[FITNESS * LANES + lane])
        error = _error(off, y, new) / (rtol * rtol)
        forced = b[FORCED * LANES + lane] > 0.0
        taken = (error <= 1.0) | forced
        dies = taken & ~forced & _dies(b, lane, y, new)
        look = _read(b, lane, taken & ~dies, (y, k), (new, k_new))
        count = b[COUNT * LANES + lane] + 1.0
        after = t + h
        due = (after >= b[DUE * LANES + lane] - SOON) | (after >= end - SOON)
        flag = (taken & (forced | dies | look | due)) | (count > MOST_STEPS)
        go = taken & ~flag
        b[COUNT * LANES + lane] = count
        b[LOOK * LANES + lane] = 1.0 if look else 0.0
        b[FLAG * LANES + lane] = 1.0 if flag else 0.0
        b[H * LANES + lane] = _next(planned, h, error, taken)
        b[T * LANES + lane] = after if go else t
        put(b, NEW, lane, new)
        put(b, K_NEW, lane, k_new)
        put(b, BEND, lane, bend)
        put(b, Y, lane, _choose(go, new, y))
        put(b, K, lane, _choose(go, k_new, k))
