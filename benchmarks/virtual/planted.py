"""Recovery: planted populations make the group results, with the errors of the published ones; are they found again?

Populations are drawn from the priors, and with them the discrepancy. Of each, the results are simulated in many
patients, and the error of each study and the discrepancy added; the posterior is drawn by surfaces that were learnt
from populations of the priors. Counted: how often the 90 % interval holds each unknown of the planted population, and
each result that was held out, which nothing was calibrated on; and the ranks of the planted among the drawn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import expit

from reinfuse.simulation.calibration.emulator import fit
from reinfuse.simulation.calibration.posterior import (
    CalibrationEffort,
    discrepancy,
    draw,
    from_prior,
    simulate_targets,
)
from reinfuse.simulation.calibration.targets import TARGETS, Target
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members

SMALL = "--small" in sys.argv
POPULATIONS, LEARNT, PATIENTS, LARGE = (2, 120, 88, 352) if SMALL else (20, 1000, 352, 1408)
EFFORT = CalibrationEffort(particles=64, moves=2) if SMALL else CalibrationEffort(particles=600, moves=6, last_moves=10)
SEED, INTERVAL, BINS = 700, (0.05, 0.95), 10


def published(target: Target, scaled: float, spread: float, random: np.random.Generator) -> Target:
    """Return a target as a study of its size would have published it of a population."""
    value = scaled + spread * random.standard_normal()
    if target.kind == "proportion":
        return replace(target, value=float(random.binomial(target.n, expit(value)) / target.n))
    return replace(target, value=float(np.exp(value + target.error * random.standard_normal())))


def planted(cores: int = 1) -> dict[str, object]:
    """Return how often the planted populations were found again."""
    sized = [t for t in TARGETS if t.kind != "association"]
    began, z = time.perf_counter(), from_prior(LEARNT, SEED)
    values = simulate_targets(members(z), sized, seed=SEED, patients=PATIENTS, cores=cores)
    emulator, error = fit(z, values), fit(z, values).error
    unknowns, results, ranks = [], [], []
    for k in range(POPULATIONS):
        random = np.random.default_rng(SEED + k)
        truth = random.standard_normal((1, len(UNKNOWNS) + 1))
        own = simulate_targets(members(truth[:, :-1]), sized, seed=SEED, patients=LARGE, cores=cores)[0]
        spread = float(discrepancy(truth)[0])
        told = [published(t, own[j], spread, random) if np.isfinite(own[j]) else replace(t, role="held out")
                for j, t in enumerate(sized)]  # fmt: skip
        drawn = draw(emulator, told, EFFORT, seed=SEED + k, last_moves=EFFORT.last_moves).z
        scaled = emulator(drawn[:, :-1]) + error * random.standard_normal((len(drawn), len(sized)))
        held = [j for j, t in enumerate(sized) if t.role == "held out" and np.isfinite(own[j])]
        unknowns.append(within(drawn, truth[0]))
        results.append(within(scaled[:, held], own[held]))
        ranks.append(np.mean(drawn < truth, axis=0))
        print(k, np.mean(unknowns[-1]), np.mean(results[-1]), flush=True)
    return {"populations": POPULATIONS, "learnt_from": LEARNT, "patients": PATIENTS, "particles": EFFORT.particles,
            "seconds": time.perf_counter() - began, "unknowns": len(UNKNOWNS) + 1,
            "unknowns_within_90": float(np.mean(unknowns)), "discrepancy_within_90": float(np.mean([u[-1] for u in
                                                                                                   unknowns])),
            "results": len(results[0]), "results_within_90": float(np.mean(np.concatenate(results))),
            "populations_by_unknowns_within_90": [float(np.mean(u)) for u in unknowns],
            "ranks": np.histogram(np.concatenate(ranks), BINS, (0, 1))[0].tolist()}  # fmt: skip


def within(drawn: np.ndarray, truth: np.ndarray) -> Sequence[bool]:
    """Return whether the 90 % intervals of what was drawn hold the truth."""
    low, high = np.quantile(drawn, INTERVAL, axis=0)
    flags: Sequence[bool] = ((low <= truth) & (truth <= high)).tolist()
    return flags
