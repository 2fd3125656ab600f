"""The posterior of the population model.

Infusion o of patient p has the parameters (on their scales; k = 1..6, factors x of the infusion)

    theta_pok = mu_k + x_po . coef_k + u_pk + v_pok,   u_pk ~ N(0, (1 - share_k) tau_k^2),
                                               v_pok ~ N(0, share_k tau_k^2).

Models take the data and what else one needs (the joint model's outcome). Their factors have one value a patient:
given the population, patients are independent, which the sampler uses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import Array
from numpyro.distributions import constraints

from reinfuse.kinetics.population.curve import log_likelihood
from reinfuse.kinetics.population.parameters import (
    ACTED_ON,
    BETWEEN_SPREAD,
    PARAMETERS,
    RESIDUAL,
    RESIDUAL_SPREAD,
    SHARE,
)
from reinfuse.kinetics.population.reparameterization import (
    CountArrays,
    K,
    Population,
    log_prior,
    of_patients,
    place,
    typical_of,
)

SPREAD = np.array([p.spread for p in PARAMETERS])
BETWEEN = np.array([p.between for p in PARAMETERS])
EFFECT = np.array([PARAMETERS[k].effect for k in ACTED_ON])


def population(data: CountArrays) -> Population:
    """Sample what the infusions are drawn from."""
    mu = numpyro.sample("mu", dist.Normal(data.centre, SPREAD).to_event(1))
    tau = numpyro.sample("tau", dist.LogNormal(np.log(BETWEEN), BETWEEN_SPREAD).to_event(1))
    share = numpyro.sample("share", dist.Beta(*SHARE).expand([K]).to_event(1))
    q = data.X.shape[1]
    coef = numpyro.sample("coef", dist.Normal(0.0, EFFECT).expand([q, len(ACTED_ON)]).to_event(2)) if q else None
    return Population(typical_of(mu, coef, X=data.X), tau, share)


def model(both: tuple[CountArrays, Any], blocks: tuple[int, ...]) -> None:
    """Define the posterior."""
    infusions(both[0], blocks)


def infusions(data: CountArrays, blocks: tuple[int, ...]) -> tuple[Array, Array]:
    """Sample the parameters of the infusions given their counts: theta, shape (6, n), and sigma."""
    among = population(data)
    sigma = numpyro.sample("sigma", dist.LogNormal(np.log(RESIDUAL), RESIDUAL_SPREAD))
    w = numpyro.sample("w", dist.ImproperUniform(constraints.real_matrix, (), (K, data.X.shape[0])))
    theta, log_placed = place(w, among, data, blocks)
    numpyro.deterministic("theta", theta)
    numpyro.factor("counts", of_patients(log_placed + log_likelihood(theta, sigma, data.above, data.below), blocks))
    return theta, sigma


def given_infusions(data: CountArrays, theta: Array, blocks: tuple[int, ...]) -> None:
    """Define the posterior of the population, sigma apart, given the parameters of the infusions."""
    numpyro.factor("infusions", log_prior(theta, population(data), blocks=blocks).sum())
