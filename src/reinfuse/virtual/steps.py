"""One adaptive step of the model: Dormand-Prince 5(4) with dense output.

Dormand & Prince, J Comput Appl Math 1980;6:19-26; dense output as in Hairer, Norsett & Wanner, Solving Ordinary
Differential Equations I, section II.6.
"""

from __future__ import annotations

import math

import numpy as np

from reinfuse.virtual.compiled import inlined
from reinfuse.virtual.equations import SIZE, E, Floats, M, N, P, X, change

_change = inlined(change)
CAR_T, TUMOUR = -1, -2
"""What `of` and its kin can be asked for besides a state: all CAR-T cells, all tumour."""
RTOL = 1e-6
_ATOL = np.array([2e-12, 2e-12, 2e-12, 1e-12, 1e-12, 1e-14, 1e-9, 1e-9])


@inlined
def dense(r: Floats, k: int, x: float) -> float:
    """Return state k at share x of the step."""
    z = 1.0 - x
    value: float = r[0, k] + x * (r[1, k] + z * (r[2, k] + x * (r[3, k] + z * r[4, k])))
    return value


@inlined
def cells(r: Floats, x: float) -> float:
    """Return all CAR-T cells at share x of the step."""
    return dense(r, E, x) + dense(r, M, x) + dense(r, X, x)


@inlined
def burden(r: Floats, x: float) -> float:
    """Return all tumour at share x of the step."""
    return dense(r, P, x) + dense(r, N, x)


@inlined
def of(r: Floats, what: int, x: float) -> float:
    """Return CAR-T cells (-1), tumour (-2) or a state."""
    if what == CAR_T:
        return cells(r, x)
    return burden(r, x) if what == TUMOUR else dense(r, what, x)


@inlined
def crossing(r: Floats, what: int, level: float) -> float:
    """Return the share of the step at which a quantity passes a level."""
    low, high = 0.0, 1.0
    above = of(r, what, 0.0) >= level
    for _ in range(40):
        middle = 0.5 * (low + high)
        if (of(r, what, middle) >= level) == above:
            low = middle
        else:
            high = middle
    return high


@inlined
def extreme(r: Floats, what: int, sign: float) -> float:
    """Return the share of the step at which a quantity is greatest (sign 1) or least (-1)."""
    low, high = 0.0, 1.0
    for _ in range(40):
        a, b = low + (high - low) / 3.0, high - (high - low) / 3.0
        if sign * of(r, what, a) < sign * of(r, what, b):
            low = a
        else:
            high = b
    return 0.5 * (low + high)


@inlined
def step(y: Floats, k: Floats, h: float, p: Floats, w: float, rtol: float, new: Floats, mid: Floats) -> float:
    """Take one step from y (its change in k[0]) to `new` (its change in k[6]); return the error in tolerances."""
    for i in range(SIZE):
        mid[i] = y[i] + h * 0.2 * k[0, i]
    _change(mid, p, w, k[1])
    for i in range(SIZE):
        mid[i] = y[i] + h * (0.075 * k[0, i] + 0.225 * k[1, i])
    _change(mid, p, w, k[2])
    for i in range(SIZE):
        mid[i] = y[i] + h * (44 / 45 * k[0, i] - 56 / 15 * k[1, i] + 32 / 9 * k[2, i])
    _change(mid, p, w, k[3])
    for i in range(SIZE):
        mid[i] = y[i] + h * (
            19372 / 6561 * k[0, i] - 25360 / 2187 * k[1, i] + 64448 / 6561 * k[2, i] - 212 / 729 * k[3, i]
        )
    _change(mid, p, w, k[4])
    for i in range(SIZE):
        mid[i] = y[i] + h * (9017 / 3168 * k[0, i] - 355 / 33 * k[1, i] + 46732 / 5247 * k[2, i] + 49 / 176 * k[3, i]
                             - 5103 / 18656 * k[4, i])  # fmt: skip
    _change(mid, p, w, k[5])
    for i in range(SIZE):
        new[i] = y[i] + h * (35 / 384 * k[0, i] + 500 / 1113 * k[2, i] + 125 / 192 * k[3, i] - 2187 / 6784 * k[4, i]
                             + 11 / 84 * k[5, i])  # fmt: skip
    _change(new, p, w, k[6])
    total = 0.0
    for i in range(SIZE):
        off = h * (71 / 57600 * k[0, i] - 71 / 16695 * k[2, i] + 71 / 1920 * k[3, i] - 17253 / 339200 * k[4, i]
                   + 22 / 525 * k[5, i] - 1 / 40 * k[6, i])  # fmt: skip
        off /= _ATOL[i] + rtol * max(abs(y[i]), abs(new[i]))
        total += off * off
    return math.sqrt(total / SIZE)


@inlined
def between(y: Floats, new: Floats, k: Floats, h: float, r: Floats) -> None:
    """Put the polynomials of the step's dense output into r."""
    for i in range(SIZE):
        rise = new[i] - y[i]
        bend = h * k[0, i] - rise
        r[0, i] = y[i]
        r[1, i] = rise
        r[2, i] = bend
        r[3, i] = rise - h * k[6, i] - bend
        r[4, i] = h * (-12715105075 / 11282082432 * k[0, i] + 87487479700 / 32700410799 * k[2, i]
                       - 10690763975 / 1880347072 * k[3, i] + 701980252875 / 199316789632 * k[4, i]
                       - 1453857185 / 822651844 * k[5, i] + 69997945 / 29380423 * k[6, i])  # fmt: skip


@inlined
def area(y: Floats, new: Floats, k: Floats, h: float) -> float:
    """Return the area under the CAR-T cells of a step (Hermite's cubic)."""
    c0, c1, d0, d1 = 0.0, 0.0, 0.0, 0.0
    for i in range(3):
        c0 += y[i]
        c1 += new[i]
        d0 += k[0, i]
        d1 += k[6, i]
    return h * 0.5 * (c0 + c1) + h * h / 12.0 * (d0 - d1)


@inlined
def die_out(y: Floats, new: Floats, r: Floats, least: Floats) -> tuple[int, float]:
    """Return which population is the first to die out in a step, and at which share of it; -1 if none."""
    who, when = -1, 2.0
    for i in range(5):
        if y[i] >= least[i] > new[i]:
            at = crossing(r, i, least[i])
            if at < when:
                who, when = i, at
    return who, when
