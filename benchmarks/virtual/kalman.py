"""Ensemble Kalman inversion of the published results, as it is and corrected; compared in `inferences.py`.

Several assimilations, each with its noise inflated by their number, of results simulated anew (Emerick & Reynolds,
Comput Geosci 2013;55:3-15). The noise is normal on a target's scale: the study's and the discrepancy's, whose size such
an inversion cannot estimate and takes from its prior. Corrected: response surfaces through all populations that were
simulated on the way, and draws by sequential Monte Carlo with the likelihood itself, the size of the discrepancy with
it (calibrate, emulate, sample: Cleary, Garbuno-Inigo, Lan, Schneider & Stuart, J Comput Phys 2021;424:109716).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reinfuse.simulation.calibration.posterior import SimulatedPopulations, from_prior
from reinfuse.simulation.calibration.targets import Target
from reinfuse.simulation.population.ensemble import DISCREPANCY

ROUNDS = 4
FIRST = 0.25
"""Weight, in the surfaces, of the populations of the prior: as in the calibration."""


def inverted(results: Sequence[Target], simulated: Callable[[np.ndarray], np.ndarray], *, populations: int,
             seed: int) -> tuple[np.ndarray, SimulatedPopulations]:  # fmt: skip
    """Return the points after the last assimilation, and all populations that were simulated on the way.

    Parameters
    ----------
    simulated
        The results of targets at points, (points, targets); NaN: not defined.
    populations
        Simulated in all, in equal rounds.
    """
    random = np.random.default_rng(seed)
    fitted = [j for j, t in enumerate(results) if t.role == "calibrated"]
    value = np.array([results[j].scaled for j in fitted])
    noise = np.array([np.hypot(results[j].spread, DISCREPANCY) for j in fitted]) * np.sqrt(ROUNDS)
    z = from_prior(populations // ROUNDS, seed)
    points, every = [], []
    for _ in range(ROUNDS):
        values = simulated(z)
        points.append(z)
        every.append(values)
        z = z + _step(z, values[:, fitted], value + noise * random.standard_normal((len(z), len(value))), noise)
    weight = np.repeat([FIRST, *[1.0] * (ROUNDS - 1)], len(z))
    return z, SimulatedPopulations(np.vstack(points), np.vstack(every), weight)


def _step(z: np.ndarray, values: np.ndarray, disturbed: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the Kalman step of each member; a result that is not defined in a member does not move it."""
    there = np.isfinite(values)
    counted = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, values, 0.0).sum(axis=0) / counted
    off = np.where(there, values - mean, 0.0)
    across, around = (z - z.mean(axis=0)).T @ off / len(z), off.T @ off / len(z)
    missing = np.where(there & (counted > 1), disturbed - values, 0.0)
    step: np.ndarray = np.linalg.solve(around + np.diag(noise**2), missing.T).T @ across.T
    return step
