"""Cohorts drawn from the population model: for calibration of the method, and for predictive checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.population.curve import log_count
from reinfuse.kinetics.population.parameters import (
    ACTED_ON,
    BETWEEN_SPREAD,
    PARAMETERS,
    RESIDUAL,
    RESIDUAL_SPREAD,
    SHARE,
    centres,
)
from reinfuse.kinetics.profiles import Profile


@dataclass(frozen=True)
class Truth:
    """Population parameters, on their scales: shapes (6,), (6,), (6,), (), (factors, 4)."""

    mu: Floats = field(repr=False)
    tau: Floats = field(repr=False)
    share: Floats = field(repr=False)
    sigma: float
    coef: Floats = field(repr=False)


def from_prior(unit: str, factors: int, *, random: np.random.Generator) -> Truth:
    """Draw population parameters from their priors."""
    spread, between = np.array([p.spread for p in PARAMETERS]), np.array([p.between for p in PARAMETERS])
    effect = np.array([PARAMETERS[k].effect for k in ACTED_ON])
    return Truth(
        random.normal(centres(unit), spread), random.lognormal(np.log(between), BETWEEN_SPREAD),
        random.beta(*SHARE, len(PARAMETERS)), float(random.lognormal(np.log(RESIDUAL), RESIDUAL_SPREAD)),
        random.normal(0.0, effect, (factors, len(ACTED_ON))),
    )  # fmt: skip


def profiles(truth: Truth, X: Floats, patient: Sequence[str], *, infusion: Sequence[int], day: Floats, limit: float,
             unit: str, random: np.random.Generator) -> list[Profile]:  # fmt: skip
    """Draw counts.

    Parameters
    ----------
    X
        Factors of each infusion, as they enter the model, shape (infusions, factors).
    patient, infusion
        Of each.
    day
        Days of the counts of each, shape (infusions, counts).
    limit
        Of quantification.
    """
    theta = parameters(truth, X, patient, random=random)
    with jax.enable_x64(True):
        expected = np.asarray(log_count(jnp.asarray(theta), jnp.asarray(day)))
    value = np.exp(expected + truth.sigma * random.standard_normal(expected.shape))
    return [Profile(p, i, "total", unit, d, np.where(v < limit, limit, v), v < limit)
            for p, i, d, v in zip(patient, infusion, day, value, strict=True)]  # fmt: skip


def parameters(truth: Truth, X: Floats, patient: Sequence[str], *, random: np.random.Generator) -> Floats:
    """Draw the parameters of each infusion, shape (6, infusions); deviations of a patient are shared by his."""
    n, k = len(patient), len(PARAMETERS)
    _, index = np.unique(np.asarray(patient), return_inverse=True)
    own = random.standard_normal((k, index.max() + 1)) * (truth.tau * np.sqrt(1 - truth.share))[:, None]
    theta = truth.mu[:, None] + own[:, index]
    theta += random.standard_normal((k, n)) * (truth.tau * np.sqrt(truth.share))[:, None]
    theta[list(ACTED_ON)] += (X @ truth.coef).T
    return np.asarray(theta)
