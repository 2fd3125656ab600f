"""What is read out of each infusion while the solver goes on: from the steps in which something happens.

`dopri5.step` itself accumulates the area, and the peak and nadir at the ends of steps.
"""

from __future__ import annotations

from reinfuse.arrays import Floats
from reinfuse.simulation.model.equations import PR, T_DEATH, A, E, M, N, P, X
from reinfuse.simulation.model.jit import called
from reinfuse.simulation.model.parameters import LOD
from reinfuse.simulation.solver import dopri5
from reinfuse.simulation.solver.dense_output import at, burden, cells, crossing, slope, turning
from reinfuse.simulation.solver.dopri5 import (
    AREA,
    DEADLY,
    FLOOR,
    GREW,
    GROWN,
    LOWEST,
    PATIENT,
    PEAK,
    PEAK_DAY,
    SOON,
    START,
    STEP,
)
from reinfuse.simulation.solver.dopri5 import T as NOW

READ = ("cmax", "tmax", "auc", "last", "detected", "burden", "positive", "day28", "nadir", "end", "progressed",
        "died", "dead", "escaped", "immune", "immune28", "window", "partial")  # fmt: skip
"""Read-outs of an infusion, in days since it; its `window` lasts to the next lymphodepletion or the end of follow-up.

CAR-T cells: peak, its day, area of days 0-28, last day on which they are detectable, whether they are `detected` at the
end. Tumour: all and antigen-positive before lymphodepletion, on day 28 (NaN: the window is shorter), nadir, day of
progression or end and whether `progressed`, day of death or end and whether `dead`, antigen-negative share at
progression or end. Anti-CAR immunity at infusion and on day 28. Share of the tumour left at which a response is called.
Peak and area end with death."""
(CMAX, TMAX_DAY, AUC, LAST, DETECTED, BURDEN, POSITIVE, DAY28, NADIR, END, PROGRESSED, DIED, DEAD, ESCAPED, IMMUNE,
 IMMUNE28, WINDOW, PARTIAL) = range(len(READ))  # fmt: skip
COURSE = dopri5.COURSE
"""Day of the response."""


@called
def watch_cells(r: Floats, day: float, h: float, out: Floats) -> None:
    """Read CAR-T cells out of a step from `day` of the infusion: a peak within it, last sight."""
    q = cells(r)
    if out[DEAD] == 0.0 and slope(q, 0.0) > 0.0 > slope(q, 1.0):
        x = turning(q)
        if at(q, x) > out[CMAX]:
            out[CMAX], out[TMAX_DAY] = at(q, x), day + x * h
    if at(q, 0.0) >= LOD > at(q, 1.0):
        out[LAST] = day + crossing(q, LOD) * h


@called
def watch_tumour(r: Floats, day: float, h: float, deadly: float, out: Floats) -> None:
    """Read tumour out of a step: a nadir within it, progression, death."""
    q = burden(r)
    t0, t1 = at(q, 0.0), at(q, 1.0)
    if out[PROGRESSED] == 0.0:
        if slope(q, 0.0) < 0.0 < slope(q, 1.0):
            out[NADIR] = min(out[NADIR], at(q, turning(q)))
        level = GROWN * max(out[NADIR], FLOOR)
        if day + h >= COURSE - SOON and t1 >= level:
            within = day >= COURSE - SOON and t0 < level
            out[END] = day + crossing(q, level) * h if within else day + h
            out[PROGRESSED] = 1.0
            out[ESCAPED] = (r[0, N] + r[1, N]) / t1
    if out[DEAD] == 0.0 and max(t0, t1) >= deadly:
        x = crossing(q, deadly) if t0 < deadly else 0.0
        out[DIED], out[DEAD] = day + x * h, 1.0
        if out[TMAX_DAY] > out[DIED]:  # still rising at death
            out[CMAX], out[TMAX_DAY] = at(cells(r), x), out[DIED]


@called
def to_lane(b: Floats, lane: int, out: Floats) -> None:
    """Let the steps of a lane go on from the read-outs."""
    b[PEAK, lane], b[PEAK_DAY, lane] = out[CMAX], out[TMAX_DAY]
    b[AREA, lane], b[LOWEST, lane] = out[AUC], out[NADIR]
    b[GREW, lane] = out[PROGRESSED]
    b[DEADLY, lane] = b[PATIENT + T_DEATH, lane] if out[DEAD] == 0.0 else float("inf")


@called
def from_lane(b: Floats, lane: int, out: Floats) -> None:
    """Put into the read-outs what the steps of a lane added to them; of cells, to death at most."""
    out[NADIR] = b[LOWEST, lane]
    if out[DEAD] == 0.0:
        out[CMAX], out[TMAX_DAY], out[AUC] = b[PEAK, lane], b[PEAK_DAY, lane], b[AREA, lane]


@called
def look(b: Floats, lane: int, r: Floats, out: Floats) -> None:
    """Read out of a step in which something happens."""
    day, h = b[NOW, lane] - b[START, lane], b[STEP, lane]
    from_lane(b, lane, out)
    watch_cells(r, day, h, out)
    watch_tumour(r, day, h, b[PATIENT + T_DEATH, lane], out)
    to_lane(b, lane, out)


@called
def open_course(y: Floats, p: Floats, before: float, positive: float, out: Floats) -> None:
    """Begin to read at an infusion: `y` just after it, the tumour and its positive part before lymphodepletion."""
    out[:] = 0.0
    out[PARTIAL] = p[PR]
    out[CMAX] = y[E] + y[M] + y[X]
    out[BURDEN], out[POSITIVE], out[IMMUNE] = before, positive, y[A]
    out[NADIR] = y[P] + y[N]
    out[DAY28] = out[IMMUNE28] = float("nan")


@called
def within_course(y: Floats, before: float, day: float, out: Floats) -> None:
    """Read what is given on a later `day` of the infusion: CAR-T cells `before` it and after it (`y`)."""
    after = y[E] + y[M] + y[X]
    if before >= LOD:
        out[LAST] = day
    if out[DEAD] == 0.0 and after > out[CMAX]:
        out[CMAX], out[TMAX_DAY] = after, day


@called
def at_day28(y: Floats, out: Floats) -> None:
    """Read the response day out."""
    out[DAY28], out[IMMUNE28] = y[P] + y[N], y[A]


@called
def close_course(y: Floats, window: float, out: Floats) -> None:
    """End a course `window` days after its infusion."""
    out[WINDOW] = window
    if y[E] + y[M] + y[X] >= LOD:
        out[DETECTED], out[LAST] = 1.0, window
    if out[PROGRESSED] == 0.0:
        out[END] = window
        out[ESCAPED] = y[N] / max(y[P] + y[N], 1e-30)
    if out[DEAD] == 0.0:
        out[DIED] = window
