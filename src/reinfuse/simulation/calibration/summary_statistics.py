"""Group results of a simulated study, as they were published of real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.simulation.calibration.reference_study import COUNTED, HIGH, LOW, Simulated
from reinfuse.simulation.calibration.treatment_effects import effects
from reinfuse.simulation.trial.outcomes import Outcomes
from reinfuse.simulation.trial.protocol import Regimen

RAISED = 36 / 44
"""Share of patients with a higher dose at CART2 (Gauthier 2021)."""
FLU_FIRST = 2 / 3
"""Share with Cy-Flu before CART1 among those who needed CART2 (assumed; not in what could be read of Gauthier 2021)."""
MIX: Mapping[tuple[Regimen, float], float] = {
    ("Cy", LOW): (1 - FLU_FIRST) * (1 - RAISED),
    ("Cy", HIGH): (1 - FLU_FIRST) * RAISED,
    ("Cy-Flu", LOW): FLU_FIRST * (1 - RAISED),
    ("Cy-Flu", HIGH): FLU_FIRST * RAISED,
}
"""Share of each arm in the reference study."""


def free_of_progression(outcome: Outcomes, among: Bools, *, day: float) -> float:
    """Return the share of some patients without progression by a day (all are followed for as long)."""
    return float(np.mean(~(outcome.progressed & (outcome.pfs <= day))[among])) if among.any() else float("nan")


def mixed(of: Callable[[Outcomes], Floats | Bools], study: Simulated) -> float:
    """Return the mean of a quantity over the patients given CART2, arms mixed as in the reference study."""
    total, weight = 0.0, 0.0
    for key, share in MIX.items():
        second = study.second[key]
        if second.selected.any():
            total += share * float(np.mean(of(second.outcomes)[second.selected]))
            weight += share
    return total / weight if weight else float("nan")


def first(name: str, study: Simulated) -> float:
    """Return the share with an outcome after CART1 with Cy-Flu."""
    outcome: Outcomes = study.first["Cy-Flu"].outcomes
    return float(np.mean(getattr(outcome, name)[outcome.given]))


def count(day: float, study: Simulated) -> float:
    """Return the median CAR-T cells of the living on a day after CART1 with Cy-Flu."""
    return float(np.nanmedian(study.first["Cy-Flu"].counts[:, list(COUNTED).index(day)]))


def width(day: float, study: Simulated) -> float:
    """Return the ratio of the quartiles of CAR-T cells on a day after CART1 with Cy-Flu."""
    low, high = np.nanquantile(
        np.maximum(study.first["Cy-Flu"].counts[:, list(COUNTED).index(day)], 1e-3), [0.25, 0.75]
    )
    return float(high / low)


def peak_ratio(study: Simulated) -> float:
    """Return the median peak of complete responders to CART1 with Cy-Flu over that of the others."""
    outcome = study.first["Cy-Flu"].outcomes
    without = outcome.given & ~outcome.cr
    if not (outcome.cr.any() and without.any()):
        return float("nan")
    return float(np.median(outcome.cmax[outcome.cr]) / np.median(outcome.cmax[without]))


def responders_free(days: float, study: Simulated) -> float:
    """Return the share of responders to CART2 without progression by a day, arms mixed as in the reference study."""
    total, weight = 0.0, 0.0
    for key, share in MIX.items():
        second = study.second[key]
        among = second.selected & second.outcomes.response
        if among.any():
            own = share * among.sum() / second.selected.sum()
            total, weight = total + own * free_of_progression(second.outcomes, among, day=days), weight + own
    return total / weight if weight else float("nan")


def effect(name: str, study: Simulated) -> float:
    """Return one of the `effects`, arms mixed as in the reference study."""
    return float(getattr(effects(study, MIX), name))


def median_day(name: Literal["pfs", "os"], study: Simulated) -> float:
    """Return the median PFS or OS (days) after CART2, arms mixed as in the reference study; 2 years if beyond one."""
    when, weight = [], []
    for key, share in MIX.items():
        outcome, who = study.second[key].outcomes, study.second[key].selected
        event = outcome.progressed if name == "pfs" else outcome.died
        day = np.where(event, outcome.pfs if name == "pfs" else outcome.os, 730.0)[who]
        when.append(day)
        weight.append(np.full(len(day), share / max(len(day), 1)))
    days, shares = np.concatenate(when), np.concatenate(weight)
    if not len(days):
        return float("nan")
    order = np.argsort(days)
    return float(days[order][np.searchsorted(np.cumsum(shares[order]) / shares.sum(), 0.5)])


def second(name: str, study: Simulated) -> float:
    """Return the share with an outcome after CART2, arms mixed as in the reference study."""
    return mixed(lambda outcome: getattr(outcome, name), study)


def responders_to_first_free(days: float, study: Simulated) -> float:
    """Return the share of complete responders to CART1 with Cy-Flu without progression by a day."""
    outcome = study.first["Cy-Flu"].outcomes
    return free_of_progression(outcome, outcome.cr, day=days)


def free_after_cy(days: float, study: Simulated) -> float:
    """Return the share without progression by a day after CART1 with Cy alone."""
    outcome = study.first["Cy"].outcomes
    return free_of_progression(outcome, outcome.given, day=days)


def day_of_peak(study: Simulated) -> float:
    """Return the median day of the peak after CART1 with Cy-Flu."""
    return float(np.nanmedian(study.first["Cy-Flu"].tmax))
