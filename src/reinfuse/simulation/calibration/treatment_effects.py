"""The two factors of the reference study, in a simulated one: what would be observed, and what they cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Bools
from reinfuse.simulation.calibration.reference_study import DOSES, HIGH, LOW, REGIMENS_BEFORE, Simulated
from reinfuse.simulation.trial.protocol import Regimen

_HALF = 0.5


@dataclass(frozen=True)
class Effects:
    """Log effects at CART2, Cy-Flu (against Cy) before CART1 and a higher dose; above 0: better.

    `response`: log odds ratios, adjusted for each other, as observed in the patients selected by each arm's own course.
    `pfs`: minus log hazard ratios (exponential, to one year). `both_persistence`: log ratio of mean days of
    persistence,
    both factors against neither. `causal_*`: log odds ratio of response and difference of CR in the same patients,
    who needed CART2
    after either regimen.
    """

    flu_response: float
    dose_response: float
    flu_pfs: float
    dose_pfs: float
    both_persistence: float
    causal_flu_response: float
    causal_flu_cr: float
    observed_flu_cr: float


def effects(study: Simulated, mix: Mapping[tuple[Regimen, float], float]) -> Effects:
    """Return the effects; arms weigh as in `mix`."""
    odds, rate, stay, cr = (dict[tuple[Regimen, float], float]() for _ in range(4))
    for key, second in study.second.items():
        who, outcome = second.selected, second.outcomes
        odds[key] = _log_odds(outcome.response[who])
        cr[key] = float(np.mean(outcome.cr[who])) if who.any() else np.nan
        rate[key] = float(np.log((outcome.progressed[who].sum() + _HALF) / (outcome.pfs[who].sum() + 1.0)))
        stay[key] = float(np.log(np.mean(outcome.persistence[who]) + 1.0)) if who.any() else np.nan
    flu_mix = {dose: sum(mix[r, dose] for r in REGIMENS_BEFORE) for dose in DOSES}
    dose_mix = {r: sum(mix[r, dose] for dose in DOSES) for r in REGIMENS_BEFORE}
    causal, both_cr = _causal(study)
    return Effects(
        sum(w * (odds["Cy-Flu", d] - odds["Cy", d]) for d, w in flu_mix.items()),
        sum(w * (odds[r, HIGH] - odds[r, LOW]) for r, w in dose_mix.items()),
        -sum(w * (rate["Cy-Flu", d] - rate["Cy", d]) for d, w in flu_mix.items()),
        -sum(w * (rate[r, HIGH] - rate[r, LOW]) for r, w in dose_mix.items()),
        stay["Cy-Flu", HIGH] - stay["Cy", LOW],
        causal, both_cr,
        sum(w * (cr["Cy-Flu", d] - cr["Cy", d]) for d, w in flu_mix.items()),
    )  # fmt: skip


def _log_odds(flags: Bools) -> float:
    yes, n = float(np.sum(flags)), len(flags)
    return float(np.log((yes + _HALF) / (n - yes + _HALF)))


def _causal(study: Simulated) -> tuple[float, float]:
    both = np.logical_and(study.second["Cy", LOW].selected, study.second["Cy-Flu", LOW].selected)
    if not both.any():
        return np.nan, np.nan
    odds = [np.mean([_log_odds(study.second[r, d].outcomes.response[both]) for d in DOSES]) for r in ("Cy-Flu", "Cy")]
    cr = [np.mean([study.second[r, d].outcomes.cr[both].mean() for d in DOSES]) for r in ("Cy-Flu", "Cy")]
    return float(odds[0] - odds[1]), float(cr[0] - cr[1])
