"""Whether the chains can be believed: R-hat, effective sample sizes, divergences, energy.

Rank-normalised split R-hat, bulk and tail effective sample size: Vehtari et al., Bayesian Anal 2021;16:667-718. Energy
(Bayesian fraction of missing information): Betancourt, arXiv:1604.00695.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
from scipy import stats

from reinfuse.arrays import Floats
from reinfuse.kinetics.population.sampler import PosteriorDraws

GOOD_RHAT, WORST_RHAT = 1.01, 1.05
GOOD_ESS, WORST_ESS = 400.0, 100.0
GOOD_ENERGY = 0.3
MOST_DIVERGENT = 0.01
"""Share of iterations."""


@dataclass(frozen=True)
class Diagnostics:
    """The worst of each diagnostic over the population parameters.

    Attributes
    ----------
    rhat, ess
        Largest R-hat, smallest of bulk and tail effective sample sizes; `where` names the parameter of each.
    divergences, iterations
        Divergent iterations, and all that were kept.
    energy
        Smallest fraction of missing information of a chain.
    """

    rhat: float
    ess: float
    where: tuple[str, str]
    divergences: int
    iterations: int
    chains: int
    energy: float

    @property
    def refused(self) -> str | None:
        """Why nothing may be concluded from the draws; None: something may."""
        wrong = []
        if not self.rhat <= WORST_RHAT:
            wrong.append(f"R-hat {self.rhat:.2f} ({self.where[0]}), above {WORST_RHAT}")
        if not self.ess >= WORST_ESS:
            wrong.append(f"{self.ess:.0f} effective draws ({self.where[1]}), below {WORST_ESS:.0f}")
        if self.divergences > MOST_DIVERGENT * self.iterations:
            wrong.append(f"{self.divergences} of {self.iterations} iterations diverged")
        return f"sampling did not converge: {'; '.join(wrong)}" if wrong else None

    @property
    def doubts(self) -> str | None:
        """What is short of the usual bounds though not refused."""
        shortfalls = []
        if self.rhat > GOOD_RHAT:
            shortfalls.append(f"R-hat {self.rhat:.3f}, above {GOOD_RHAT}")
        if self.ess < GOOD_ESS:
            shortfalls.append(f"{self.ess:.0f} effective draws, below {GOOD_ESS:.0f}")
        if self.divergences:
            shortfalls.append(f"{self.divergences} of {self.iterations} iterations diverged")
        if self.energy < GOOD_ENERGY:
            shortfalls.append(f"fraction of missing information {self.energy:.2f}, below {GOOD_ENERGY}")
        return f"sampling: {'; '.join(shortfalls)}" if shortfalls and not self.refused else None


def diagnose(draws: PosteriorDraws, names: Sequence[str]) -> Diagnostics:
    """Return the diagnostics of the named sites."""
    rhats: dict[str, float] = {}
    sizes: dict[str, float] = {}
    for name in names:
        value = draws.values[name]
        flat = value.reshape(*value.shape[:2], -1)
        for j in range(flat.shape[2]):
            key = name if flat.shape[2] == 1 else f"{name}[{j}]"
            rhats[key], sizes[key] = rhat(flat[:, :, j]), ess(flat[:, :, j])
    worst = max(rhats, key=lambda k: rhats[k] if np.isfinite(rhats[k]) else np.inf)
    least = min(sizes, key=lambda k: sizes[k] if np.isfinite(sizes[k]) else -np.inf)
    change = np.diff(draws.energy, axis=1)
    energy = ((change**2).mean(axis=1) / draws.energy.var(axis=1)).min()
    return Diagnostics(rhats[worst], sizes[least], (worst, least), int(draws.diverging.sum()), draws.diverging.size,
                       draws.diverging.shape[0], float(energy))  # fmt: skip


def rhat(draws: Floats) -> float:
    """Return rank-normalised split R-hat, the larger of that of the draws and of their folding; (chains, draws)."""
    folded = np.abs(draws - np.median(draws))
    return float(max(split_gelman_rubin(_ranked(draws)), split_gelman_rubin(_ranked(folded))))


def ess(draws: Floats) -> float:
    """Return the smaller of bulk and tail effective sample size; (chains, draws)."""
    low, high = np.quantile(draws, (0.05, 0.95))
    parts = (_ranked(draws), (draws <= low).astype(float), (draws <= high).astype(float))
    return float(min(effective_sample_size(_split(p)) for p in parts))


def _split(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _ranked(draws: Floats) -> Floats:
    ranks = stats.rankdata(draws, axis=None).reshape(draws.shape)
    scores: Floats = stats.norm.ppf((ranks - 0.375) / (draws.size + 0.25))
    return scores
