"""The intercept of severe CRS of a population: so that its rate at CART2 is a given one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from reinfuse.arrays import Floats
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.summary_statistics import MIX
from reinfuse.simulation.population.parameter_space import members
from reinfuse.simulation.population.virtual_patients import Member

SEVERE, TREATED = 4, 44
"""CRS of grade 3 or more at CART2 (Gauthier 2021)."""
_REACH = 60.0


def crs_intercepts(z: Floats, *, seed: int, patients: int, cores: int) -> Floats:
    """Return the intercept of each population, its rate drawn from Jeffreys' posterior of the published one.

    Parameters
    ----------
    z
        Points of `parameter_space`, (members, unknowns).
    """
    rates = np.random.default_rng(seed).beta(SEVERE + 0.5, TREATED - SEVERE + 0.5, len(z)).tolist()
    population = members(z)
    with ThreadPoolExecutor(cores) as pool:
        each = pool.map(lambda k: crs_intercept(population[k], rates[k], seed=seed, patients=patients), range(len(z)))
        intercepts: Floats = np.fromiter(each, dtype=np.float64, count=len(z)).round(4)
        return intercepts


def crs_intercept(member: Member, rate: float, *, seed: int, patients: int) -> float:
    """Return the log odds with which a population has a rate of severe CRS at CART2, mixed as in the reference
    study."""
    study = simulate(member, seed, patients)
    scores, shares = [], []
    for key, share in MIX.items():
        second = study.second[key]
        own = second.outcomes.crs[second.selected]
        own = own[np.isfinite(own)]
        scores.append(own)
        shares.append(np.full(len(own), share / max(len(own), 1)))
    score, weight = np.concatenate(scores), np.concatenate(shares)
    if not len(score):
        return float(np.log(rate / (1 - rate)))
    return float(brentq(lambda x: float(np.sum(weight * expit(x + score)) / weight.sum()) - rate, -_REACH, _REACH))
