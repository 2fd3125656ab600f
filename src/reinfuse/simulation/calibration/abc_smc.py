"""Calibration: an ensemble of virtual populations that meet the published group results, by ABC with sequential Monte
Carlo.

A normal kernel on each target, of the width of its sampling error and discrepancy, makes approximate Bayesian
computation exact for a
model with that error (Wilkinson, Stat Appl Genet Mol Biol 2013;12:129-141). The kernel is brought in by steps, chosen
so that
half of the particles stay effective (Del Moral, Doucet & Jasra, Stat Comput 2012;22:1009-1020), and particles are moved
by a Crank-Nicolson step around their own mean and covariance, which leaves the target unchanged. All particles meet
the same patients.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.targets import log_likelihood
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member

STEP = 0.35
_LEAST_EFFECTIVE = 0.5


@dataclass(frozen=True)
class Stage:
    """One stage: the share of the likelihood that counts, effective particles before the moves, accepted share of
    moves."""

    power: float
    effective: float
    accepted: float
    step: float


@dataclass(frozen=True)
class PosteriorSample:
    """The ensemble: points of `parameter_space` (particles, unknowns), their log likelihoods, the stages, and how many
    first particles have descendants."""

    z: Floats
    log_likelihood: Floats
    stages: tuple[Stage, ...]
    ancestors: int


def calibrate(
    particles: int,
    patients: int,
    moves: int,
    *,
    seed: int,
    cores: int,
    of: Callable[[Member], float] | None = None,
    progress: Progress | None = None,
) -> PosteriorSample:
    """Return an ensemble drawn from the posterior.

    Parameters
    ----------
    particles, patients, moves
        Size of the ensemble; virtual patients behind each particle's group results; moves of each particle in a stage.
    of
        Log likelihood of a member; that of the published targets by default.
    """
    random = np.random.default_rng(seed)
    judge = of or (lambda member: log_likelihood(simulate(member, seed, patients)))

    def judged(points: Floats) -> Floats:
        population = members(points)
        each = [Member(median, cv) for median, cv in zip(population.median, population.cv, strict=True)]
        with ThreadPoolExecutor(cores) as pool:
            return np.fromiter(pool.map(judge, each), dtype=np.float64, count=len(each))

    z = random.standard_normal((particles, len(UNKNOWNS)))
    fit, line = judged(z), np.arange(particles)
    power, step, stages = 0.0, STEP, list[Stage]()
    while power < 1:
        new = _next(fit, power)
        weight = np.exp((new - power) * (fit - fit.max()))
        weight /= weight.sum()
        resampled = _systematic(weight, random)
        z, fit, line, power = z[resampled], fit[resampled], line[resampled], new
        accepted = 0.0
        for _ in range(moves):
            z, fit, share = _moved(z, fit, power, step=step, judged=judged, random=random)
            step = float(np.clip(step * np.exp(share - 0.25), 0.03, 0.9))
            accepted += share / moves
        stages.append(Stage(power, float(1 / np.sum(weight**2)), accepted, step))
        if progress:
            progress("calibrating", round(1000 * power), 1000)
    return PosteriorSample(z, fit, tuple(stages), len(np.unique(line)))


def _next(fit: Floats, power: float) -> float:
    """Return the power at which half of the particles stay effective."""

    def effective(new: float) -> float:
        weight = np.exp((new - power) * (fit - fit.max()))
        return float(weight.sum() ** 2 / np.sum(weight**2))

    if effective(1.0) >= _LEAST_EFFECTIVE * len(fit):
        return 1.0
    low, high = power, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= _LEAST_EFFECTIVE * len(fit) else (low, middle)
    return high


def _systematic(weight: Floats, random: np.random.Generator) -> np.ndarray:
    points = (np.arange(len(weight)) + random.uniform()) / len(weight)
    return np.minimum(np.searchsorted(np.cumsum(weight), points), len(weight) - 1)


def _moved(z: Floats, fit: Floats, power: float, *, step: float, judged: Callable[[Floats], Floats],
           random: np.random.Generator) -> tuple[Floats, Floats, float]:  # fmt: skip
    """Move each half of the particles by the mean and covariance of the other half; return the accepted share."""
    z, fit = z.copy(), fit.copy()
    halves = np.array_split(random.permutation(len(z)), 2)
    accepted = 0
    for half, others in (halves, halves[::-1]):
        mean, root = _normal(z[others])
        off = z[half] - mean
        steps = step * np.exp(0.5 * random.standard_normal(len(half)))
        steps = np.minimum(steps, 0.95)[:, None]
        proposed = mean + np.sqrt(1 - steps**2) * off + steps * (random.standard_normal(off.shape) @ root.T)
        new = judged(proposed)
        ratio = power * (new - fit[half]) + _beyond(proposed, mean, root=root) - _beyond(z[half], mean, root=root)
        taken = np.log(random.uniform(size=len(half))) < ratio
        z[half[taken]], fit[half[taken]] = proposed[taken], new[taken]
        accepted += int(taken.sum())
    return z, fit, accepted / len(z)


def _normal(z: Floats) -> tuple[Floats, Floats]:
    """Return mean and root of the covariance of particles, drawn towards the prior's as far as they are few."""
    share = z.shape[1] / (z.shape[1] + len(z))
    covariance = (1 - share) * np.cov(z.T) + share * np.diag(z.var(axis=0) + 0.02)
    return z.mean(axis=0), np.linalg.cholesky(covariance)


def _beyond(z: Floats, mean: Floats, *, root: Floats) -> Floats:
    """Return the log prior minus the log density of the normal that the moves leave unchanged."""
    log_ratio: Floats = -0.5 * np.sum(z**2, axis=1) + 0.5 * np.sum(np.linalg.solve(root, (z - mean).T) ** 2, axis=0)
    return log_ratio
