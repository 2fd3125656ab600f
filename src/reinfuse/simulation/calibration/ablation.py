"""Which mechanism carries which published finding: the simulated study again with each mechanism switched off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration import summary_statistics
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.treatment_effects import Effects, effects
from reinfuse.simulation.model.parameters import MECHANISMS
from reinfuse.simulation.population.ensemble import Ensemble

ALL = "all mechanisms"
MEMBERS, PATIENTS = 60, 512
_METHOD = "simulated reference study; median and 95% range over the ensemble"


@dataclass(frozen=True)
class Shown:
    """How an effect is told: its statistic, and whether its logarithm is turned round (hazard ratios: below 1 is
    better)."""

    endpoint: str
    term: str
    statistic: str
    model: str
    sign: float = 1.0
    log: bool = True


SHOWN: Mapping[str, Shown] = {
    "flu_response": Shown("response", "Cy-Flu before CART1", "odds_ratio", "as selected"),
    "dose_response": Shown("response", "higher dose at CART2", "odds_ratio", "as selected"),
    "flu_pfs": Shown("pfs", "Cy-Flu before CART1", "hazard_ratio", "as selected", -1.0),
    "dose_pfs": Shown("pfs", "higher dose at CART2", "hazard_ratio", "as selected", -1.0),
    "both_persistence": Shown("persistence_days", "both", "ratio", "as selected"),
    "causal_flu_response": Shown("response", "Cy-Flu before CART1", "odds_ratio", "same patients"),
    "causal_flu_cr": Shown("cr", "Cy-Flu before CART1", "risk_difference", "same patients", log=False),
    "observed_flu_cr": Shown("cr", "Cy-Flu before CART1", "risk_difference", "as selected", log=False),
}
"""Fields of `Effects` and how they are told."""


def ablation(ensemble: Ensemble, seed: int, *, members: int = MEMBERS, patients: int = PATIENTS,
             progress: Progress | None = None) -> tuple[Estimate, ...]:  # fmt: skip
    """Return the effects of both factors and the response at CART2 with all mechanisms, and without each in turn."""
    which = np.linspace(0, len(ensemble) - 1, min(members, len(ensemble))).astype(int)
    told: list[Estimate] = []
    cases = {ALL: {}, **{f"without {name}": changed for name, changed in MECHANISMS.items()}}
    for done, (name, changed) in enumerate(cases.items(), 1):
        told += _records(name, *_effects(ensemble, which, changed, seed=seed, patients=patients))
        if progress:
            progress("mechanisms", done, len(cases))
    return tuple(told)


def _effects(ensemble: Ensemble, which: np.ndarray, changed: Mapping[str, float], *, seed: int,
             patients: int) -> tuple[list[Effects], Floats]:  # fmt: skip
    def one(k: int) -> tuple[Effects, float]:
        study = simulate(ensemble.one(k).without(changed), seed, patients)
        return effects(study, summary_statistics.MIX), summary_statistics.second("response", study)

    with ThreadPoolExecutor(CORES) as pool:
        found = list(pool.map(one, which))
    return [e for e, _ in found], np.array([r for _, r in found])


def _records(case: str, found: list[Effects], response: Floats) -> Iterator[Estimate]:
    yield _record(case, Shown("response", "", "proportion", "as selected", log=False), response)
    for name, shown in SHOWN.items():
        values = np.array([getattr(e, name) for e in found])
        yield _record(case, shown, values)
        there = values[np.isfinite(values)]
        better = float(np.mean(there > 0)) if len(there) else None
        yield Estimate("virtual_ablation", shown.endpoint, "share_better", group=case, model=shown.model,
                       term=shown.term, estimate=better, n=len(there), events=int(np.sum(there > 0)),
                       method="share of the ensemble in which the effect is on the published side",
                       note=None if len(there) else NOT_ESTIMABLE)  # fmt: skip


def _record(case: str, shown: Shown, values: Floats) -> Estimate:
    there = values[np.isfinite(values)] * shown.sign
    if not len(there):
        return Estimate("virtual_ablation", shown.endpoint, shown.statistic, group=case, model=shown.model,
                        term=shown.term or None, n=0, method=_METHOD, note=NOT_ESTIMABLE)  # fmt: skip
    middle, low, high = np.quantile(np.exp(there) if shown.log else there, [0.5, 0.025, 0.975])
    return Estimate("virtual_ablation", shown.endpoint, shown.statistic, group=case, model=shown.model,
                    term=shown.term or None, estimate=float(middle), lower=float(low), upper=float(high),
                    confidence=0.95, method=_METHOD, n=len(there))  # fmt: skip
