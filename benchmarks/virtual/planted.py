"""Recovery: a planted population makes the group results, with the sampling error of the published ones; is it found
again?

Three populations drawn from the priors. Counted: how often the ensemble's 90 % range holds each unknown of the
planted one, and each
outcome of a second infusion in it, on which nothing was calibrated.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from reinfuse.runtime.parallel import CORES
from reinfuse.simulation.calibration.abc_smc import calibrate
from reinfuse.simulation.calibration.reference_study import Simulated, simulate
from reinfuse.simulation.calibration.targets import CALIBRATED, Target
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member

SMALL = "--small" in sys.argv
POPULATIONS, PARTICLES, PATIENTS, MOVES = (1, 8, 32, 1) if SMALL else (3, 150, 256, 4)
NARROWER = 0.7
"""Planted populations are drawn with this share of the priors' spread, so that few of their results are out of
range."""


def outcomes_of(study: Simulated) -> dict[str, float]:
    """Return what is predicted of second infusions: response, CR, PFS at 6 months and peak in each arm."""
    shares = {}
    for (regimen, dose), second in study.second.items():
        who, arm = second.selected, f"{regimen}, {dose:g}"
        if who.any():
            shares[f"response, {arm}"] = float(second.outcomes.response[who].mean())
            shares[f"cr, {arm}"] = float(second.outcomes.cr[who].mean())
            shares[f"pfs at 6 months, {arm}"] = float((second.outcomes.pfs[who] > 182.6).mean())
            shares[f"log10 peak, {arm}"] = float(np.log10(second.outcomes.cmax[who] + 1e-9).mean())
    return shares


def noisy(target: Target, value: float, random: np.random.Generator) -> float:
    """Return a planted result as a study of the target's size would publish it, on the target's scale."""
    return target.on_scale(value) + target.spread * random.standard_normal()


def planted() -> dict[str, object]:
    """Return how often the planted populations were found again."""
    unknowns, predicted, seconds = [], [], []
    for k in range(POPULATIONS):
        random = np.random.default_rng(100 + k)
        truth = NARROWER * random.standard_normal((1, len(UNKNOWNS)))
        population = members(truth)
        study = simulate(Member(population.median[0], population.cv[0]), 500 + k, 4096)
        observed = {t.name: noisy(t, t.simulated(study), random) for t in CALIBRATED}

        def judge(member: Member, k: int = k, observed: dict[str, float] = observed) -> float:
            simulated = simulate(member, 900 + k, PATIENTS)
            z = [(t.on_scale(t.simulated(simulated)) - observed[t.name]) / t.spread for t in CALIBRATED]
            return float(-0.5 * np.sum(np.minimum(np.nan_to_num(z, nan=10.0) ** 2, 100.0)))

        began = time.perf_counter()
        ensemble = calibrate(PARTICLES, PATIENTS, MOVES, seed=700 + k, cores=CORES, of=judge)
        seconds.append(time.perf_counter() - began)
        low, high = np.quantile(ensemble.z, [0.05, 0.95], axis=0)
        unknowns.append(((low <= truth[0]) & (truth[0] <= high)).tolist())
        predicted.append(held(ensemble.z, outcomes_of(study), 500 + k))
        print(k, np.mean(unknowns[-1]), np.mean(predicted[-1]), flush=True)
    return {"populations": POPULATIONS, "particles": PARTICLES, "patients": PATIENTS, "moves_a_stage": MOVES,
            "seconds": seconds, "unknowns_within_90": [float(np.mean(u)) for u in unknowns],
            "outcomes_within_90": [float(np.mean(p)) for p in predicted], "outcomes": len(predicted[0]),
            "all_unknowns": float(np.mean(unknowns)),
            "all_outcomes": float(np.mean(np.concatenate(predicted)))}  # fmt: skip


def held(z: np.ndarray, truth: dict[str, float], seed: int) -> list[bool]:
    """Return whether the ensemble's 90 % range holds each planted outcome."""
    population = members(z)
    each = [
        outcomes_of(simulate(Member(a, b), seed, 512)) for a, b in zip(population.median, population.cv, strict=True)
    ]
    within = []
    for name, value in truth.items():
        low, high = np.quantile([e[name] for e in each if name in e], [0.05, 0.95])
        within.append(bool(low <= value <= high))
    return within
