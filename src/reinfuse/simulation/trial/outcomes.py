"""Outcomes of an infusion, from its read-outs. The definitions are the model's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.simulation.solver.dopri5 import SOON
from reinfuse.simulation.solver.readouts import (
    BURDEN,
    CMAX,
    COURSE,
    DAY28,
    DEAD,
    DETECTED,
    DIED,
    END,
    ESCAPED,
    LAST,
    PARTIAL,
    POSITIVE,
    PROGRESSED,
    WINDOW,
)

CLEAR = 1.0
"""Complete response: tumour below 1e9 cells (1 mL) on day 28, in a living patient, as for every response."""
RESIDUAL = 0.1
"""Undetectable residual disease: tumour below 1e8 cells, 1e-4 of 1e12 marrow cells, on day 28."""
ON_PEAK, ON_BURDEN = 1.5, 0.75
"""Log odds of CRS of grade 3 or more for a tenfold peak and a tenfold tumour (assumed; signs: Turtle 2016, JCI
126:2123)."""


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of one infusion; arrays of shape (patients,). A response that was not assessed is False.

    `given`: whether the infusion was given; nobody is treated after death (`exclude_the_dead`). `pfs` (to progression
    or death) and `persistence` (to death at most) in days; `progressed` (or died) and `lost`: whether the event was
    observed. `crs`: log odds of CRS of grade 3 or more but for the ensemble member's intercept. `antigen_negative`:
    whether most tumour at progression has lost the antigen.
    """

    given: Bools
    cr: Bools
    response: Bools
    umrd: Bools
    pfs: Floats
    progressed: Bools
    os: Floats
    died: Bools
    cmax: Floats
    persistence: Floats
    lost: Bools
    crs: Floats
    antigen_negative: Bools


def outcomes(out: Floats) -> Outcomes:
    """Return the outcomes of one infusion from its read-outs, shape (patients, 18)."""
    given = np.isfinite(out[:, WINDOW])
    tumour, before = out[:, DAY28], out[:, BURDEN]
    with np.errstate(invalid="ignore", divide="ignore"):
        dead = out[:, DEAD] > 0.5
        alive = ~(dead & (out[:, DIED] <= COURSE))
        cr = alive & (tumour < CLEAR)
        event = (out[:, PROGRESSED] > 0.5) | dead
        lost = (out[:, DETECTED] < 0.5) & (out[:, LAST] <= out[:, DIED])
        crs = ON_PEAK * np.log10(out[:, CMAX]) + ON_BURDEN * np.log10(np.maximum(before, 1e-3))
        return Outcomes(
            given, cr, cr | (alive & (tumour <= out[:, PARTIAL] * before)), alive & (tumour < RESIDUAL),
            np.minimum(out[:, END], out[:, DIED]), event, out[:, DIED], dead,
            out[:, CMAX], np.minimum(out[:, LAST], out[:, DIED]), lost, crs,
            (out[:, PROGRESSED] > 0.5) & (out[:, END] <= out[:, DIED]) & (out[:, ESCAPED] > 0.5),
        )  # fmt: skip


def needs_another(first: Floats, second: Floats) -> Bools:
    """Return who needed the second of two infusions when it was given, as the reference study selected.

    No response on day 28 of the first, or progression since; alive; antigen-positive tumour of 1e9 cells or more.

    Parameters
    ----------
    first, second
        Read-outs of both infusions, shape (patients, 18), of a run in which all who lived were given the second.

    Raises
    ------
    ValueError
        If the second infusion's lymphodepletion came before the response to the first was read, on day 28.
    """
    outcome = outcomes(first)
    if np.any(outcome.given & np.isnan(first[:, DAY28])):
        raise ValueError("the response to the infusion before was not read: lymphodepletion before its day 28")
    with np.errstate(invalid="ignore"):
        return (
            outcomes(second).given
            & (~outcome.response | outcome.progressed)
            & ~outcome.died
            & (second[:, POSITIVE] >= CLEAR)
        )


def exclude_the_dead(out: Floats, counts: Floats, *, counted: Floats) -> None:
    """Take out of a run what would have happened after death: infusions are not given, CAR-T cells not counted.

    The solver goes on after death. Who died in the course of an earlier infusion, or between lymphodepletion and
    infusion, was not given the infusion: all its read-outs are NaN, as of one that was not in the protocol.

    Parameters
    ----------
    out, counts
        Read-outs (patients, infusions, 18) and counts (patients, infusions, days), changed in place.
    counted
        Days of the counts since the infusion.
    """
    with np.errstate(invalid="ignore"):
        dead = out[:, :, DEAD] > 0.5
        unmade = dead & (out[:, :, DIED] <= SOON)
        unmade[:, 1:] |= dead[:, :-1]
        unmade = np.logical_or.accumulate(unmade, axis=1)
        counts[dead[:, :, None] & (counted > out[:, :, DIED, None])] = np.nan
    out[unmade], counts[unmade] = np.nan, np.nan
