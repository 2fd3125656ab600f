"""Draws from a posterior by sequential Monte Carlo.

The likelihood is brought in by steps, chosen so that half of the particles stay effective (Del Moral, Doucet & Jasra,
Stat Comput 2012;22:1009-1020), and particles are moved by a Crank-Nicolson step around their own mean and covariance,
which leaves the target unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.runtime.progress import Progress
from reinfuse.statistics.tempering import ACCEPTED, around, next_power, resampled, weights

STEP = 0.35


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
    """Particles (particles, unknowns), their log likelihoods, the stages, and how many first particles have
    descendants."""

    z: Floats
    log_likelihood: Floats
    stages: tuple[Stage, ...]
    ancestors: int


def sample(judge: Callable[[Floats], Floats], *, particles: int, unknowns: int, moves: int, last_moves: int = 0,
           seed: int, progress: Progress | None = None) -> PosteriorSample:  # fmt: skip
    """Return draws from the posterior of standard normal unknowns.

    Parameters
    ----------
    judge
        Log likelihood of points, shape (points, unknowns).
    moves, last_moves
        Moves of each particle in a stage; besides, after the last one.
    """
    random = np.random.default_rng(seed)
    z = random.standard_normal((particles, unknowns))
    fit, line = judge(z), np.arange(particles)
    power, step, stages = 0.0, STEP, list[Stage]()
    while power < 1:
        new = next_power(fit[None], power)
        [weight] = weights(fit[None], new - power)
        [chosen] = resampled(weight[None], particles, random)
        z, fit, line, power = z[chosen], fit[chosen], line[chosen], new
        accepted, times = 0.0, moves + (last_moves if power == 1 else 0)
        for _ in range(times):
            z, fit, share = _moved(z, fit, power, step=step, judge=judge, random=random)
            step = float(np.clip(step * np.exp(share - ACCEPTED), 0.03, 0.9))
            accepted += share / times
        stages.append(Stage(power, float(1 / np.sum(weight**2)), accepted, step))
        if progress:
            progress("calibrating", round(1000 * power), 1000)
    return PosteriorSample(z, fit, tuple(stages), len(np.unique(line)))


def _moved(z: Floats, fit: Floats, power: float, *, step: float, judge: Callable[[Floats], Floats],
           random: np.random.Generator) -> tuple[Floats, Floats, float]:  # fmt: skip
    """Move each half of the particles by the mean and covariance of the other half; return the accepted share."""
    z, fit = z.copy(), fit.copy()
    halves = np.array_split(random.permutation(len(z)), 2)
    accepted = 0
    for half, others in (halves, halves[::-1]):
        steps = np.minimum(step * np.exp(0.5 * random.standard_normal(len(half))), 0.95)
        fresh = random.standard_normal((len(half), z.shape[1]))
        proposed, gain = around(z[half], z[others], fresh=fresh, steps=steps)
        new = judge(proposed)
        ratio = power * (new - fit[half]) + gain
        taken = np.log(random.uniform(size=len(half))) < ratio
        z[half[taken]], fit[half[taken]] = proposed[taken], new[taken]
        accepted += int(taken.sum())
    return z, fit, accepted / len(z)
