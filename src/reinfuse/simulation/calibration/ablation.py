"""Ablation: the mechanisms behind the published findings, from the simulated study with each switched off in turn."""

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
class ReportedEffect:
    """How an effect is reported: its statistic, and the sign of its logarithm (hazard ratios: below 1 is better)."""

    endpoint: str
    term: str
    statistic: str
    model: str
    sign: float = 1.0
    log: bool = True


REPORTED: Mapping[str, ReportedEffect] = {
    "flu_response": ReportedEffect("response", "Cy-Flu before CART1", "odds_ratio", "as selected"),
    "dose_response": ReportedEffect("response", "higher dose at CART2", "odds_ratio", "as selected"),
    "flu_pfs": ReportedEffect("pfs", "Cy-Flu before CART1", "hazard_ratio", "as selected", -1.0),
    "dose_pfs": ReportedEffect("pfs", "higher dose at CART2", "hazard_ratio", "as selected", -1.0),
    "both_persistence": ReportedEffect("persistence_days", "both", "ratio", "as selected"),
    "causal_flu_response": ReportedEffect("response", "Cy-Flu before CART1", "odds_ratio", "same patients"),
    "causal_flu_cr": ReportedEffect("cr", "Cy-Flu before CART1", "risk_difference", "same patients", log=False),
    "observed_flu_cr": ReportedEffect("cr", "Cy-Flu before CART1", "risk_difference", "as selected", log=False),
}
"""Fields of `Effects` and how they are reported."""


def ablation(ensemble: Ensemble, seed: int, *, members: int = MEMBERS, patients: int = PATIENTS,
             progress: Progress | None = None) -> tuple[Estimate, ...]:  # fmt: skip
    """Return the effects of both factors and the response at CART2 with all mechanisms, and without each in turn."""
    which = np.linspace(0, len(ensemble) - 1, min(members, len(ensemble))).astype(int)
    estimates: list[Estimate] = []
    cases = {ALL: {}, **{f"without {name}": changed for name, changed in MECHANISMS.items()}}
    for completed, (name, changed) in enumerate(cases.items(), 1):
        estimates += _records(name, *_effects(ensemble, which, changed, seed=seed, patients=patients))
        if progress:
            progress("mechanisms", completed, len(cases))
    return tuple(estimates)


def _effects(ensemble: Ensemble, which: np.ndarray, changed: Mapping[str, float], *, seed: int,
             patients: int) -> tuple[list[Effects], Floats]:  # fmt: skip
    def one(k: int) -> tuple[Effects, float]:
        study = simulate(ensemble.one(k).without(changed), seed, patients)
        return effects(study, summary_statistics.MIX), summary_statistics.second("response", study)

    with ThreadPoolExecutor(CORES) as pool:
        replicates = list(pool.map(one, which))
    return [e for e, _ in replicates], np.array([r for _, r in replicates])


def _records(case: str, replicates: list[Effects], response: Floats) -> Iterator[Estimate]:
    yield _record(case, ReportedEffect("response", "", "proportion", "as selected", log=False), response)
    for name, reported in REPORTED.items():
        values = np.array([getattr(e, name) for e in replicates])
        yield _record(case, reported, values)
        defined = values[np.isfinite(values)]
        better = float(np.mean(defined > 0)) if len(defined) else None
        yield Estimate("virtual_ablation", reported.endpoint, "share_better", group=case, model=reported.model,
                       term=reported.term, estimate=better, n=len(defined), events=int(np.sum(defined > 0)),
                       method="share of the ensemble in which the effect is on the published side",
                       note=None if len(defined) else NOT_ESTIMABLE)  # fmt: skip


def _record(case: str, reported: ReportedEffect, values: Floats) -> Estimate:
    defined = values[np.isfinite(values)] * reported.sign
    if not len(defined):
        return Estimate("virtual_ablation", reported.endpoint, reported.statistic, group=case, model=reported.model,
                        term=reported.term or None, n=0, method=_METHOD, note=NOT_ESTIMABLE)  # fmt: skip
    middle, low, high = np.quantile(np.exp(defined) if reported.log else defined, [0.5, 0.025, 0.975])
    return Estimate("virtual_ablation", reported.endpoint, reported.statistic, group=case, model=reported.model,
                    term=reported.term or None, estimate=float(middle), lower=float(low), upper=float(high),
                    confidence=0.95, method=_METHOD, n=len(defined))  # fmt: skip
