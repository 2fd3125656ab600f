"""Sequential Monte Carlo by tempering: particles are led from a prior to a posterior through powers of the likelihood.

The next power is the one at which a share of the particles stays effective (Del Moral, Doucet & Jasra, Stat Comput
2012;22:1009-1020). Resampling is systematic (Kitagawa, J Comput Graph Stat 1996;5:1-25). Particles are
moved by a Crank-Nicolson step (Cotter, Roberts, Stuart & White, Stat Sci 2013;28:424-446) around mean and covariance of
others, so that moves are long where the data say little and short where they say much.
"""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats, Integers

_HALVINGS = 50
_LEAST_STEP, _MOST_STEP = 0.03, 0.95
ACCEPTED = 0.25
"""Share of accepted moves to which steps are adapted."""


def next_power(fit: Floats, power: float, *, least: float = 0.5) -> float:
    """Return the greatest power, up to 1, at which a share of the particles stays effective.

    Parameters
    ----------
    fit
        Log likelihoods of particles of equal weight, (groups, particles), groups weighted apart; -inf: impossible.
    power
        The power that they represent already.
    least
        Effective share of the possible particles.
    """
    possible = np.isfinite(fit)
    count = float(possible.sum())
    off = _below_best(fit)

    def share(new: float) -> float:
        weight = np.where(possible, np.exp((new - power) * np.where(possible, off, 0.0)), 0.0)
        total, square = weight.sum(axis=1), np.sum(weight**2, axis=1)
        return float(np.sum(total[square > 0] ** 2 / square[square > 0])) / count

    if not count or share(1.0) >= least:
        return 1.0
    low, high = power, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) >= least else (low, middle)
    return low if low > power else high


def weights(fit: Floats, step: float) -> Floats:
    """Return the weights of particles whose power rises by a step, together 1 in each group that has any."""
    weight = np.where(np.isfinite(fit), np.exp(step * np.where(np.isfinite(fit), _below_best(fit), 0.0)), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    even: Floats = weight / np.where(total > 0, total, 1.0)
    return even


def resampled(weight: Floats, size: int, random: np.random.Generator) -> Integers:
    """Return the places of resampled particles in their groups, (groups, size); a group without weights keeps its
    first."""
    at = (np.arange(size) + random.uniform(size=(len(weight), 1))) / size
    places = [np.searchsorted(np.cumsum(w), a * w.sum(), side="right") for w, a in zip(weight, at, strict=True)]
    chosen: Integers = np.minimum(np.array(places), weight.shape[1] - 1)
    chosen[weight.sum(axis=1) <= 0] = 0
    return chosen


def around(z: Floats, others: Floats, *, fresh: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Return proposals for points by a Crank-Nicolson step around mean and covariance of others, and the log of the
    ratio with which their standard normal prior enters the acceptance of a move.

    Parameters
    ----------
    z, others
        Points, (points, numbers) each; `others` are not moved.
    fresh
        Standard normal numbers, as many as `z`.
    steps
        Size of each point's step, below 1.
    """
    mean, root = _normal(others)
    size = steps[:, None]
    proposed: Floats = mean + np.sqrt(1.0 - size**2) * (z - mean) + size * (fresh @ root.T)
    return proposed, _beyond(proposed, mean, root=root) - _beyond(z, mean, root=root)


def _normal(z: Floats) -> tuple[Floats, Floats]:
    """Return mean and root of the covariance of points, drawn towards a diagonal one as far as they are few."""
    share = z.shape[1] / (z.shape[1] + len(z))
    covariance = (1 - share) * np.cov(z.T) + share * np.diag(z.var(axis=0) + 0.02)
    return z.mean(axis=0), np.linalg.cholesky(covariance)


def _beyond(z: Floats, mean: Floats, *, root: Floats) -> Floats:
    """Return the log of a standard normal density minus that of the normal that the moves leave unchanged."""
    log_ratio: Floats = -0.5 * np.sum(z**2, axis=1) + 0.5 * np.sum(np.linalg.solve(root, (z - mean).T) ** 2, axis=0)
    return log_ratio


def adapted(step: float, accepted: float) -> float:
    """Return a step after a share of its moves was accepted."""
    return float(np.clip(step * np.exp(2.0 * (accepted - ACCEPTED)), _LEAST_STEP, _MOST_STEP))


def _below_best(fit: Floats) -> Floats:
    """Return log likelihoods below the best of each group; -inf throughout in a group of impossible particles."""
    best = fit.max(axis=1, keepdims=True)
    below: Floats = np.subtract(fit, best, out=np.full_like(fit, -np.inf), where=np.isfinite(best))
    return below
