"""Group results of a simulated study, as they were published of real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.simulation.calibration.reference_study import (
    COUNTED,
    HIGH,
    LOW,
    FirstInfusion,
    SecondInfusion,
    Simulated,
)
from reinfuse.simulation.calibration.treatment_effects import Effects, effects
from reinfuse.simulation.trial.outcomes import Outcomes
from reinfuse.simulation.trial.protocol import Regimen

RAISED = 36 / 44
"""Share of patients with a higher dose at CART2 (Gauthier 2021)."""
FLU_FIRST = 2 / 3
"""Share with Cy-Flu before CART1 among those who needed CART2 (assumed; not in what could be read of Gauthier 2021)."""
FLU_OF_TRIAL = 104 / 133
"""Share with Cy-Flu before CART1 in the reference study's trial (Blood 2018, table 1 of NCT01865617)."""
Arms = Mapping[tuple[Regimen, float], float]
MIX: Arms = {
    ("Cy", LOW): (1 - FLU_FIRST) * (1 - RAISED),
    ("Cy", HIGH): (1 - FLU_FIRST) * RAISED,
    ("Cy-Flu", LOW): FLU_FIRST * (1 - RAISED),
    ("Cy-Flu", HIGH): FLU_FIRST * RAISED,
}
"""Share of each arm in the reference study."""
FIRST: Mapping[str, Mapping[Regimen, float]] = {
    "CART1, Cy-Flu": {"Cy-Flu": 1.0},
    "CART1, Cy": {"Cy": 1.0},
    "CART1, trial's mix": {"Cy": 1 - FLU_OF_TRIAL, "Cy-Flu": FLU_OF_TRIAL},
    "CART1, half without fludarabine": {"Cy": 0.5, "Cy-Flu": 0.5},
}
SECOND: Mapping[str, Arms] = {"CART2 of the reference study": MIX, "CART2, same dose": {("Cy-Flu", LOW): 1.0}}
"""Infusions whose results were published, and the shares of regimens (before CART1) and doses (of CART2) in them."""
BEYOND = 730.0
"""Day of a median that lies beyond the follow-up."""
_EFFECTS = tuple(f.name for f in fields(Effects))
NONE = float("nan")


def summary(quantity: str, study: Simulated, *, infusions: str, day: float | None = None) -> float:
    """Return a group result; NaN where no patient tells it.

    Parameters
    ----------
    quantity
        Of `QUANTITIES`.
    infusions
        Of `FIRST` or `SECOND`.
    day
        Days since the infusion, of a quantity that is read on a day.
    """
    if infusions in FIRST:
        return _averaged((w, *_OF_FIRST[quantity](study.first[r], day)) for r, w in FIRST[infusions].items())
    arms = SECOND[infusions]
    if quantity in _EFFECTS:
        return float(getattr(effects(study, arms), quantity))
    if quantity.endswith("_median"):
        return median_day(quantity.removesuffix("_median"), study, arms=arms)
    if quantity == "peak_of_first":
        return _peak_of_first(study, arms)
    return _averaged((w, *_OF_SECOND[quantity](study.second[a], day)) for a, w in arms.items())


def _averaged(parts: Iterable[tuple[float, float, float]]) -> float:
    """Return the average of (share, value, weight within the share) in which values that are not there do not count."""
    total, whole = 0.0, 0.0
    for share, value, weight in parts:
        if np.isfinite(value) and share * weight > 0:
            total, whole = total + share * weight * value, whole + share * weight
    return total / whole if whole else NONE


Part = tuple[float, float]
"""A value, and the weight with which it is averaged with those of other arms."""


def _share(flags: Bools | Floats, among: Bools) -> Part:
    """Return the share among some patients; it weighs as they are among all."""
    n = float(np.sum(among))
    return (float(np.mean(flags[among])), n / len(among)) if n else (NONE, 0.0)


def _free(outcome: Outcomes, day: float | None) -> Bools:
    flags: Bools = ~(outcome.progressed & (outcome.pfs <= (day or 0.0)))
    return flags


def _value(value: float) -> Part:
    return value, 1.0


def _on(day: float | None) -> int:
    return list(COUNTED).index(day)


def _quartile_ratio(counts: Floats) -> float:
    low, high = np.nanquantile(np.maximum(counts, 1e-3), [0.25, 0.75]) if np.isfinite(counts).any() else (NONE, NONE)
    return float(high / low)


def _median(values: Floats) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else NONE


def _peak_ratio(first: FirstInfusion) -> float:
    """Return the median peak of complete responders over that of the others."""
    outcome = first.outcomes
    return _median(outcome.cmax[outcome.cr]) / _median(outcome.cmax[outcome.given & ~outcome.cr])


def _decline(first: FirstInfusion) -> float:
    return _median(first.outcomes.cmax / np.maximum(first.counts[:, _on(28.0)], 1e-3))


_OF_FIRST: Mapping[str, Callable[[FirstInfusion, float | None], Part]] = {
    "response": lambda i, _: _share(i.outcomes.response, i.outcomes.given),
    "cr": lambda i, _: _share(i.outcomes.cr, i.outcomes.given),
    "umrd": lambda i, _: _share(i.outcomes.umrd, i.outcomes.given),
    "free": lambda i, day: _share(_free(i.outcomes, day), i.outcomes.given),
    "cr_free": lambda i, day: _share(_free(i.outcomes, day), i.outcomes.cr),
    "responders_free": lambda i, day: _share(_free(i.outcomes, day), i.outcomes.response),
    "antigen_negative": lambda i, _: _share(i.outcomes.antigen_negative, i.outcomes.cr & i.outcomes.progressed),
    "peak_day": lambda i, _: _value(_median(i.tmax)),
    "count": lambda i, day: _value(_median(i.counts[:, _on(day)])),
    "count_ratio": lambda i, day: _value(_quartile_ratio(i.counts[:, _on(day)])),
    "peak_ratio": lambda i, _: _value(_peak_ratio(i)),
    "decline": lambda i, _: _value(_decline(i)),
}
_OF_SECOND: Mapping[str, Callable[[SecondInfusion, float | None], Part]] = {
    "response": lambda i, _: (_share(i.outcomes.response, i.selected)[0], 1.0),
    "cr": lambda i, _: (_share(i.outcomes.cr, i.selected)[0], 1.0),
    "responders_free": lambda i, day: _among_responders(i, day),
    "response_relapsed": lambda i, _: _share(i.outcomes.response, i.selected & i.before),
    "cr_relapsed": lambda i, _: _share(i.outcomes.cr, i.selected & i.before),
    "response_refractory": lambda i, _: _share(i.outcomes.response, i.selected & ~i.before),
    "cr_refractory": lambda i, _: _share(i.outcomes.cr, i.selected & ~i.before),
}
QUANTITIES = (*dict.fromkeys((*_OF_FIRST, *_OF_SECOND, "pfs_median", "os_median", "peak_of_first", *_EFFECTS)),)
"""What can be compared with a published result: by CART1, by CART2, or by both."""


def _among_responders(second: SecondInfusion, day: float | None) -> Part:
    """Return the share of responders without progression by a day; it weighs as the responders of an arm."""
    among = second.selected & second.outcomes.response
    weight = float(among.sum() / max(second.selected.sum(), 1))
    return _share(_free(second.outcomes, day), among)[0], weight


def second(name: str, study: Simulated) -> float:
    """Return the share with an outcome after CART2, arms mixed as in the reference study."""
    return summary(name, study, infusions="CART2 of the reference study")


def median_day(name: str, study: Simulated, *, arms: Arms) -> float:
    """Return the median PFS or OS (days) after CART2, arms mixed; `BEYOND` if it is later than the follow-up."""
    when, weight = [], []
    for key, share in arms.items():
        outcome, who = study.second[key].outcomes, study.second[key].selected
        event = outcome.progressed if name == "pfs" else outcome.died
        day = np.where(event, outcome.pfs if name == "pfs" else outcome.os, BEYOND)[who]
        when.append(day)
        weight.append(np.full(len(day), share / max(len(day), 1)))
    days, shares = np.concatenate(when), np.concatenate(weight)
    if not len(days):
        return NONE
    order = np.argsort(days)
    return float(days[order][np.searchsorted(np.cumsum(shares[order]) / shares.sum(), 0.5)])


def _peak_of_first(study: Simulated, arms: Arms) -> float:
    """Return the median peak of CART2 over that of CART1, in patients who relapsed after a response to CART1."""
    parts = []
    for (regimen, dose), share in arms.items():
        again = study.second[regimen, dose]
        who = again.selected & again.before
        peaks = _median(again.outcomes.cmax[who]) / _median(study.first[regimen].outcomes.cmax[who])
        parts.append((share, *_value(peaks)))
    return _averaged(parts)
