"""What happens within a step: its dense output, the share of it at which a level is passed, what dies out."""

from __future__ import annotations

from reinfuse.arrays import Floats
from reinfuse.simulation.model.equations import SIZE, E, M, N, P, X
from reinfuse.simulation.model.jit import called, inlined
from reinfuse.simulation.solver.dopri5 import BEND, K_NEW, LEAST, NEW, STEP, K, Y

Quartic = tuple[float, float, float, float, float]
_CLOSE = 1e-13


@inlined
def between(b: Floats, lane: int, r: Floats) -> None:
    """Put the polynomials of the step of a lane into r, shape (5, states)."""
    h = b[STEP, lane]
    for i in range(SIZE):
        y = b[Y + i, lane]
        rise = b[NEW + i, lane] - y
        bend = h * b[K + i, lane] - rise
        r[0, i], r[1, i], r[2, i] = y, rise, bend
        r[3, i] = rise - h * b[K_NEW + i, lane] - bend
        r[4, i] = b[BEND + i, lane]


@inlined
def state(r: Floats, i: int) -> Quartic:
    """Return the polynomial of a state."""
    return r[0, i], r[1, i], r[2, i], r[3, i], r[4, i]


@inlined
def _sum(a: Quartic, b: Quartic) -> Quartic:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]


@inlined
def cells(r: Floats) -> Quartic:
    """Return the polynomial of all CAR-T cells."""
    return _sum(_sum(state(r, E), state(r, M)), state(r, X))


@inlined
def burden(r: Floats) -> Quartic:
    """Return the polynomial of all tumour."""
    return _sum(state(r, P), state(r, N))


@inlined
def at(q: Quartic, x: float) -> float:
    """Return a polynomial at share x of the step."""
    z = 1.0 - x
    return q[0] + x * (q[1] + z * (q[2] + x * (q[3] + z * q[4])))


@inlined
def slope(q: Quartic, x: float) -> float:
    """Return a polynomial's slope at share x of the step."""
    z = 1.0 - 2.0 * x
    return q[1] + z * q[2] + x * ((2.0 - 3.0 * x) * q[3] + 2.0 * (1.0 - x) * z * q[4])


@called
def _zero(q: Quartic, level: float, of_slope: bool) -> float:
    """Return the share of the step at which a polynomial passes a level, or its slope 0 (regula falsi, Illinois)."""
    low, high = 0.0, 1.0
    f, g = (slope(q, 0.0), slope(q, 1.0)) if of_slope else (at(q, 0.0) - level, at(q, 1.0) - level)
    side = 0
    for _ in range(60):
        x = (low * g - high * f) / (g - f) if g != f else 0.5 * (low + high)
        v = slope(q, x) if of_slope else at(q, x) - level
        if (v > 0.0) == (g > 0.0):
            f = 0.5 * f if side == 1 else f
            high, g, side = x, v, 1
        else:
            g = 0.5 * g if side == -1 else g
            low, f, side = x, v, -1
        if high - low < _CLOSE or v == 0.0:
            break
    return x


@called
def crossing(q: Quartic, level: float) -> float:
    """Return the share of the step at which a polynomial passes a level."""
    return _zero(q, level, False)


@called
def turning(q: Quartic) -> float:
    """Return the share of the step at which a polynomial turns."""
    return _zero(q, 0.0, True)


@inlined
def die_out(b: Floats, lane: int, r: Floats) -> tuple[int, float]:
    """Return which population is the first to die out in a step, and at which share of it; -1 if none."""
    who, when = -1, 2.0
    for i in range(5):
        least = b[LEAST + i, lane]
        if b[Y + i, lane] > least > b[NEW + i, lane]:
            share = crossing(state(r, i), least)
            if share < when:
                who, when = i, share
    return who, when
