"""The posterior of the population model, on coordinates in which it is nearly a standard normal.

Infusion o of patient p has the parameters (on their scales; k = 1..6, factors x of the infusion)

    theta_pok = mu_k + x_po . coef_k + u_pk + v_pok,   u_pk ~ N(0, (1 - share_k) tau_k^2),
                                               v_pok ~ N(0, share_k tau_k^2).

The patients' deviations u are integrated out: given those before, theta_po is normal with the mean c and
variance s^2 of `_given_before`. Sampling goes on in w, where theta = m + L^-T w, P = Lambda + diag(1/s^2) = L L^T and
m = P^-1 (b + c/s^2). Lambda and b are the curvature of the profile's log likelihood and Lambda theta + gradient at a
first fit: were the likelihood normal, w would be standard normal whatever the population parameters are. Lambda and b
only choose coordinates; the posterior is exact.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
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

K = len(PARAMETERS)
SPREAD = np.array([p.spread for p in PARAMETERS])
BETWEEN = np.array([p.between for p in PARAMETERS])
EFFECT = np.array([PARAMETERS[k].effect for k in ACTED_ON])


class Data(NamedTuple):
    """Arrays of a `Layout`, and of its first fit: `curvature` of shape (6, 6, n), `pull` (b) of shape (6, n)."""

    seen: tuple[Array, Array, Array]
    below: tuple[Array, Array, Array]
    X: Array
    centre: Array
    curvature: Array
    pull: Array


def population() -> dict[str, Any]:
    """Sample the population parameters from their priors."""
    return {
        "tau": numpyro.sample("tau", dist.LogNormal(np.log(BETWEEN), BETWEEN_SPREAD).to_event(1)),
        "share": numpyro.sample("share", dist.Beta(*SHARE).expand([K]).to_event(1)),
        "sigma": numpyro.sample("sigma", dist.LogNormal(np.log(RESIDUAL), RESIDUAL_SPREAD)),
    }


def model(data: Data, blocks: tuple[int, ...]) -> Array:
    """Define the posterior; return the infusions' parameters, shape (6, n)."""
    theta, _ = infusions(data, blocks)
    kept: Array = numpyro.deterministic("theta", theta)
    return kept


def infusions(data: Data, blocks: tuple[int, ...]) -> tuple[Array, Array]:
    """Sample the parameters of the infusions given their counts: theta, shape (6, n), and sigma."""
    mu = numpyro.sample("mu", dist.Normal(data.centre, SPREAD).to_event(1))
    drawn = population()
    q, n = data.X.shape[1], data.X.shape[0]
    coef = numpyro.sample("coef", dist.Normal(0.0, EFFECT).expand([q, len(ACTED_ON)]).to_event(2)) if q else None
    w = numpyro.sample("w", dist.ImproperUniform(constraints.real_matrix, (), (K, n)))
    typical = typical_of(mu, coef, data.X)
    theta, log_prior = place(w, typical, drawn["tau"], drawn["share"], data, blocks)
    numpyro.factor("counts", log_prior + log_likelihood(theta, drawn["sigma"], data.seen, data.below).sum())
    return theta, drawn["sigma"]


@jax.jit
def typical_of(mu: Array, coef: Array | None, X: Array) -> Array:
    """Return what is expected of each infusion from its factors, shape (6, n)."""
    typical = jnp.broadcast_to(mu[:, None], (K, X.shape[0]))
    return typical if coef is None else typical.at[jnp.array(ACTED_ON)].add((X @ coef).T)


@partial(jax.jit, static_argnames="blocks")
def place(w: Array, typical: Array, tau: Array, share: Array, data: Data,
          blocks: tuple[int, ...]) -> tuple[Array, Array]:  # fmt: skip
    """Return theta of w, and its log prior density with the log of the map's volume."""
    placed, total = [], jnp.zeros(())
    sums = jnp.zeros((K, blocks[0]))
    start = 0
    for before, n in enumerate(blocks):
        here = slice(start, start + n)
        sums = sums[:, :n]
        weight, variance = _given_before(before, tau, share)
        c = typical[:, here] + weight[:, None] * sums
        theta, log_volume = _placed(w[:, here], c, variance, data.curvature[:, :, here], data.pull[:, here])
        z2 = (theta - c) ** 2 / variance[:, None]
        total += (-0.5 * z2 - 0.5 * jnp.log(2 * jnp.pi * variance)[:, None]).sum() + log_volume.sum()
        sums = sums + theta - typical[:, here]
        placed.append(theta)
        start += n
    return jnp.concatenate(placed, axis=1), total


def _given_before(before: int, tau: Array, share: Array) -> tuple[Array, Array]:
    """Return the weight of the sum of earlier deviations in the mean of the next, and its variance; shape (6,)."""
    patient, infusion = (1 - share) * tau**2, share * tau**2
    weight = patient / (before * patient + infusion)
    return weight * (before > 0), infusion + patient * infusion / (before * patient + infusion) if before else tau**2


def _placed(w: Array, c: Array, variance: Array, curvature: Array, pull: Array) -> tuple[Any, Any]:
    """Return m + L^-T w, shape (6, n), and -log det L, shape (n,); written out so that all profiles go at once."""
    precision = 1 / variance
    L: list[list[Any]] = [[None] * K for _ in range(K)]
    for i in range(K):
        for j in range(i + 1):
            rest = curvature[i, j] + (precision[i] if i == j else 0.0)
            for h in range(j):
                rest = rest - L[i][h] * L[j][h]
            L[i][j] = jnp.sqrt(rest) if i == j else rest / L[j][j]
    y: list[Any] = []
    for i in range(K):  # L y = b + c/s^2
        rest = pull[i] + c[i] * precision[i]
        for h in range(i):
            rest = rest - L[i][h] * y[h]
        y.append(rest / L[i][i])
    theta: list[Any] = [None] * K
    for i in reversed(range(K)):  # L^T theta = y + w
        rest = y[i] + w[i]
        for h in range(i + 1, K):
            rest = rest - L[h][i] * theta[h]
        theta[i] = rest / L[i][i]
    return jnp.stack(theta), -sum(jnp.log(L[i][i]) for i in range(K))
