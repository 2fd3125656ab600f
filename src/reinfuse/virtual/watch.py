"""What is read out of each infusion while the solver goes on."""

from __future__ import annotations

from reinfuse.virtual.compiled import inlined
from reinfuse.virtual.declared import LOD
from reinfuse.virtual.equations import T_DEATH, A, E, Floats, M, N, P, X
from reinfuse.virtual.steps import CAR_T, TUMOUR, area, burden, cells, crossing, extreme

READ = ("cmax", "tmax", "auc", "last", "seen", "burden", "positive", "day28", "nadir", "end", "progressed",
        "died", "dead", "escaped", "immune", "immune28", "window")  # fmt: skip
"""Read-outs of an infusion, in days since it; its `window` lasts to the next lymphodepletion or the end of follow-up.

CAR-T cells: peak, its day, area of days 0-28, last day at which they are seen, whether they are `seen` at the end.
Tumour: all and antigen-positive before lymphodepletion, on day 28 (NaN: the window is shorter), nadir, day of
progression or
end and whether `progressed`, day of death or end and whether `dead`, antigen-negative share at progression or end.
Anti-CAR immunity at infusion and on day 28."""
(CMAX, TMAX_DAY, AUC, LAST, SEEN, BURDEN, POSITIVE, DAY28, NADIR, END, PROGRESSED, DIED, DEAD, ESCAPED, IMMUNE,
 IMMUNE28, WINDOW) = range(len(READ))  # fmt: skip
COURSE = 28.0
"""Day of the response."""
GROWN, FLOOR = 1.5, 1.0
"""Progression: tumour at or above 1.5 x nadir, the nadir taken as at least 1e9 cells, from day 28."""
_SOON = 1e-9


@inlined
def watch_cells(r: Floats, y: Floats, new: Floats, k: Floats, day: float, h: float, out: Floats) -> None:
    """Read CAR-T cells out of a step from `day` of the infusion: area, peak, last sight."""
    after = day + h
    c0, c1 = y[E] + y[M] + y[X], new[E] + new[M] + new[X]
    if after <= COURSE + _SOON:
        out[AUC] += area(y, new, k, h)
    if c1 > out[CMAX]:
        out[CMAX], out[TMAX_DAY] = c1, after
    if k[0, E] + k[0, M] + k[0, X] > 0.0 > k[6, E] + k[6, M] + k[6, X]:
        at = extreme(r, CAR_T, 1.0)
        peak = cells(r, at)
        if peak > out[CMAX]:
            out[CMAX], out[TMAX_DAY] = peak, day + at * h
    if c0 >= LOD:
        out[LAST] = after if c1 >= LOD else day + crossing(r, CAR_T, LOD) * h


@inlined
def watch_tumour(r: Floats, y: Floats, new: Floats, k: Floats, day: float, h: float, p: Floats,
                 out: Floats) -> None:  # fmt: skip
    """Read tumour out of a step: nadir, progression, death."""
    after = day + h
    t0, t1 = y[P] + y[N], new[P] + new[N]
    if out[PROGRESSED] == 0.0:
        if k[0, P] + k[0, N] < 0.0 < k[6, P] + k[6, N]:
            out[NADIR] = min(out[NADIR], burden(r, extreme(r, TUMOUR, -1.0)))
        out[NADIR] = min(out[NADIR], t1)
        level = GROWN * max(out[NADIR], FLOOR)
        if after >= COURSE - _SOON and t1 >= level:
            within = day >= COURSE - _SOON and t0 < level
            out[END] = day + crossing(r, TUMOUR, level) * h if within else after
            out[PROGRESSED] = 1.0
            out[ESCAPED] = new[N] / t1
    if out[DEAD] == 0.0 and t1 >= p[T_DEATH]:
        out[DIED] = day + crossing(r, TUMOUR, p[T_DEATH]) * h if t0 < p[T_DEATH] else day
        out[DEAD] = 1.0


@inlined
def open_course(y: Floats, before: float, positive: float, out: Floats) -> None:
    """Begin to read at an infusion: `y` just after it, the tumour and its positive part before lymphodepletion."""
    out[:] = 0.0
    out[CMAX] = y[E] + y[M] + y[X]
    out[BURDEN], out[POSITIVE], out[IMMUNE] = before, positive, y[A]
    out[NADIR] = y[P] + y[N]
    out[DAY28] = out[IMMUNE28] = float("nan")


@inlined
def at_day28(y: Floats, out: Floats) -> None:
    """Read the response day out."""
    out[DAY28], out[IMMUNE28] = y[P] + y[N], y[A]


@inlined
def close_course(y: Floats, window: float, out: Floats) -> None:
    """End a course `window` days after its infusion."""
    out[WINDOW] = window
    if y[E] + y[M] + y[X] >= LOD:
        out[SEEN], out[LAST] = 1.0, window
    if out[PROGRESSED] == 0.0:
        out[END] = window
        out[ESCAPED] = y[N] / max(y[P] + y[N], 1e-30)
    if out[DEAD] == 0.0:
        out[DIED] = window
