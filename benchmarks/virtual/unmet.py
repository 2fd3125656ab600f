"""Why some published results are not met: what drives them, which results pull against each other, who responds again.

    python benchmarks/virtual/unmet.py            (minutes; writes results/virtual_unmet.json)

Drivers: rank correlations of a result with the unknowns, over populations of the prior and over the bundled ones. What
pulls: response surfaces through both, and populations drawn from the posterior given some of the results alone, with a
discrepancy of a tenth; what the prior allows together is no matter of the structure. Who responds: CART2 after Cy-Flu
with a higher dose, by disease, by the response to CART1 and by resistance.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from reinfuse.simulation.calibration.abc_smc import sample
from reinfuse.simulation.calibration.emulator import Emulator
from reinfuse.simulation.calibration.posterior import (
    DISCREPANCY_SPREAD,
    SimulatedPopulations,
    from_prior,
    likelihood,
    simulate_targets,
)
from reinfuse.simulation.calibration.reference_study import HIGH, simulate
from reinfuse.simulation.calibration.targets import TARGETS, Target
from reinfuse.simulation.model.parameters import DISEASES, MIXTURE_INDEX
from reinfuse.simulation.population.ensemble import DISCREPANCY, Ensemble, bundled
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import draws

SMALL = "--small" in sys.argv
POPULATIONS, MEMBERS, PATIENTS, PARTICLES = (60, 10, 88, 64) if SMALL else (400, 300, 704, 500)
STUDIES, MANY, MOVES = (2, 352, 1) if SMALL else (100, 1408, 8)
SEED, STRICT, FAR, FIRST = 20261201, 0.1, 0.25, 5
RESULTS = (Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parents[1] / "results") / "virtual_unmet.json"
UNMET = (
    "CART2: response",
    "ALL, CART2: complete response",
    "NHL, CART1, Cy-Flu: median CAR-T cells on day 90",
    "CART2: Cy-Flu before CART1 goes with response",
    "CART2: Cy-Flu before CART1 goes with longer PFS",
)
BESIDE = (
    "NHL, CART1, Cy-Flu: complete response",
    "ALL, CART1: undetectable residual disease",
    "NHL, CART1: day of the peak",
    "ALL, CART1: day of the peak",
    "NHL, CART1, Cy-Flu: quartile ratio of CAR-T cells on day 7",
)
PULLS: dict[str, Callable[[Target], bool]] = {
    "all that calibrate": lambda t: True,
    "sizes of CART2 alone": lambda t: t.infusions.startswith("CART2") and t.kind != "association",
    "counts and associations alone": lambda t: t.quantity.startswith("count") or t.kind == "association",
    "all but the associations": lambda t: t.kind != "association",
}


def drivers(values: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """Return the unknowns that a result goes with most, by rank correlation."""
    some = np.isfinite(values)
    strength = [float(spearmanr(z[some, k], values[some]).statistic) for k in range(z.shape[1])]
    first = np.argsort(-np.abs(strength))[:FIRST]
    return {UNKNOWNS[k]: round(strength[k], 2) for k in first}


def pulled(emulator: Emulator, fitted: Callable[[Target], bool]) -> dict[str, float]:
    """Return the medians of results in populations drawn given some of those that calibrate, nearly as published."""
    chosen = [t if fitted(t) else replace(t, role="held out") for t in TARGETS]
    judge = likelihood(emulator, chosen)

    def strictly(points: np.ndarray) -> np.ndarray:
        points = points.copy()
        points[:, -1] = np.log(STRICT / DISCREPANCY) / DISCREPANCY_SPREAD
        return judge(points)

    drawn = sample(strictly, particles=PARTICLES, unknowns=len(UNKNOWNS) + 1, moves=MOVES, last_moves=2 * MOVES,
                   seed=SEED)  # fmt: skip
    middle = emulator(drawn.z[:, :-1])
    return {t.name: round(_value(t, middle[:, k]), 3) for k, t in enumerate(TARGETS) if t.name in UNMET + BESIDE}


def _value(target: Target, scaled: np.ndarray) -> float:
    """Return a median as published; of an association the share on the published side."""
    if target.kind == "association":
        return float(np.mean(scaled > 0))
    return float(target.from_scale(np.median(scaled)))


def who_responds(ensemble: Ensemble, which: np.ndarray) -> dict[str, dict[str, float]]:
    """Return shares among those given CART2, and their response, by kinds of patients: means over members."""
    rows, uniform = [], draws(SEED, 0, MANY).uniform[:, 2]
    for k in which:
        member = ensemble.one(k)
        study = simulate(member, SEED, MANY)
        again, row = study.second["Cy-Flu", HIGH], dict[str, float]()
        for d, disease in enumerate(DISEASES):
            among = again.selected & (study.disease == d)
            resistant = uniform < member.mixture[MIXTURE_INDEX[f"resistant in {disease}"]]
            kinds = {"all": among, "after a response": among & again.before, "after none": among & ~again.before,
                     "resistant": among & resistant, "not resistant": among & ~resistant}  # fmt: skip
            for kind, who in kinds.items():
                row[f"{disease}, {kind}: share"] = float(who.sum() / max(among.sum(), 1))
                row[f"{disease}, {kind}: response"] = (
                    float(again.outcomes.response[who].mean()) if who.any() else np.nan
                )
        rows.append(row)
    return {key: round(float(np.nanmean([r[key] for r in rows])), 2) for key in rows[0]}


def main() -> None:
    """Simulate, compare, write."""
    ensemble, prior = bundled(), from_prior(POPULATIONS, SEED)
    which = np.linspace(0, len(ensemble) - 1, MEMBERS).astype(int)
    z, names = ensemble.z[which], [t.name for t in TARGETS]
    before, after = (simulate_targets(members(p), TARGETS, seed=SEED, patients=PATIENTS, cores=1) for p in (prior, z))
    weight = np.concatenate([np.full(len(prior), FAR), np.ones(len(z))])
    emulator = SimulatedPopulations(np.vstack([prior, z]), np.vstack([before, after]), weight).emulator()
    entry = {
        "populations": POPULATIONS, "members": MEMBERS, "patients": PATIENTS,
        "drivers": {n: {"prior": drivers(before[:, names.index(n)], prior),
                        "bundled": drivers(after[:, names.index(n)], z)} for n in UNMET},
        "given some results alone": {name: pulled(emulator, fitted) for name, fitted in PULLS.items()},
        "who responds to CART2": who_responds(ensemble, which[:: max(1, MEMBERS // STUDIES)]),
    }  # fmt: skip
    RESULTS.write_text(json.dumps(entry, indent=1) + "\n")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
