"""The population model fitted to profiles: draws of the posterior with their diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.population.diagnostics import Diagnostics, diagnose
from reinfuse.kinetics.population.layout import Layout, layout
from reinfuse.kinetics.population.parameters import centres
from reinfuse.kinetics.population.posterior import model
from reinfuse.kinetics.population.reparameterization import CountArrays, K
from reinfuse.kinetics.population.sampler import CHUNK, Effort, PosteriorDraws, Report, sample
from reinfuse.kinetics.population.two_stage_fit import First, first_fit
from reinfuse.kinetics.profiles import Profile

SITES = ("mu", "tau", "share", "sigma", "coef")
FEWEST = 5
"""Profiles with a count above the limit below which no population is fitted."""
MOST = 5000
"""Profiles above which it is not run: half an hour and more."""
FEW, MANY = Effort(4, 500, 1000), Effort(2, 500, 1000)
LARGE = 400
"""Profiles from which two chains are run in place of four."""


@dataclass(frozen=True)
class PopulationFit:
    """A sampled population model.

    Attributes
    ----------
    layout
        Profiles and factors.
    draws
        `mu` (chains, draws, 6), `tau` (standard deviation between infusions of all patients), `share` (of its square
        between infusions of one patient), `sigma`, `coef` (factors, `ACTED_ON`), `theta` (6, profiles).
    """

    layout: Layout
    draws: PosteriorDraws = field(repr=False)
    diagnostics: Diagnostics

    @property
    def sites(self) -> tuple[str, ...]:
        """The population parameters that were sampled."""
        return tuple(s for s in SITES if s in self.draws.values)


def fit(profiles: Sequence[Profile], factors: Mapping[str, Floats], seed: int, *, effort: Effort | None = None,
        report: Report | None = None) -> PopulationFit | str:  # fmt: skip
    """Fit the population model to profiles of one unit and subset, of one or more infusions a patient.

    Parameters
    ----------
    factors
        Name -> value of each profile; a missing value counts as the average of the others, and `Layout.missing` tells
        how many there were.
    effort
        Default: four chains of 1,000 draws, two in large cohorts.

    Returns
    -------
    PopulationFit or str
        Or why it was not fitted.
    """
    counted = sum(bool(p.counted.any()) for p in profiles)
    if counted < FEWEST:
        return f"{counted} infusions with a count above the limit, fewer than {FEWEST}"
    if len(profiles) > MOST:
        return f"{len(profiles)} infusions, more than {MOST}: not run"
    arranged = layout(profiles, factors)
    with jax.enable_x64(True):
        data, first = arrays(arranged)
        effort = effort or effort_for(len(profiles))
        sites = SITES if arranged.names else SITES[:-1]
        draws = sample(
            model, arranged.blocks, (data, None), start=start(first, arranged), effort=effort, seed=seed, report=report
        )
    return PopulationFit(arranged, draws, diagnose(draws, sites))


def effort_for(profiles: int, draws: int | None = None) -> Effort:
    """Return how much is sampled for a number of profiles; `draws` of each chain, rounded to the sampler's steps."""
    effort = MANY if profiles >= LARGE else FEW
    return effort if draws is None else replace(effort, draws=max(round(draws / CHUNK), 4) * CHUNK)


def arrays(arranged: Layout) -> tuple[CountArrays, First]:
    """Return the arrays of a layout on the device, and the first fit."""
    above, below = jax.tree.map(jnp.asarray, (arranged.above, arranged.below))
    X, centre = jnp.asarray(arranged.X), jnp.asarray(centres(arranged.unit))
    first = first_fit(above, below, X, centre)
    return CountArrays(above, below, X, centre, first.curvature, first.pull, first.modes), first


def start(first: First, arranged: Layout) -> dict[str, jax.Array]:
    """Return where chains begin."""
    begun = {"mu": first.mu, "tau": first.tau, "sigma": first.sigma, "share": jnp.full(K, 0.5),
             "w": jnp.zeros((K, len(arranged.profiles)))}  # fmt: skip
    return begun | ({"coef": first.coef} if arranged.names else {})


def flat(fit: PopulationFit, name: str) -> Floats:
    """Return the draws of all chains of a site, shape (draws, ...)."""
    return np.asarray(fit.draws.flat(name))
