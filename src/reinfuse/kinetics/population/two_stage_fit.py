"""A first fit: each infusion's parameters given the population, and the population given those, in turn.

Penalised least squares with the left-censored likelihood, Gauss-Newton steps with Levenberg's damping, and moment steps
for the population (iterative two-stage, Steimer et al., Drug Metab Rev 1984;15:265-292). It starts the sampler and
chooses its coordinates; no result rests on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import log_ndtr

from reinfuse.kinetics.population.curve import log_count
from reinfuse.kinetics.population.parameters import ACTED_ON, ALPHA, FB, RESIDUAL, TMAX
from reinfuse.kinetics.population.posterior import BETWEEN, EFFECT, SPREAD
from reinfuse.kinetics.population.reparameterization import K, Modes, typical_of

ROUNDS = 25
STEPS = 12
STARTS = tuple((t, a, f) for t in (-1.0, 1.0) for a in (-1.5, 1.5) for f in (-1.5, 1.5))
"""Deviations of Tmax, contraction and share that persists, in standard deviations, from which profiles are fitted."""
EVEN = 0.3
"""Part of the proposals that is spread evenly over the starts."""


class First(NamedTuple):
    """Parameters of each infusion (6, n), the population, and curvature (6, 6, n) and pull (6, n) of each profile."""

    theta: Array
    mu: Array
    tau: Array
    sigma: Array
    coef: Array
    curvature: Array
    pull: Array
    modes: Modes


@jax.jit
def first_fit(above: tuple[Array, Array, Array], below: tuple[Array, Array, Array], X: Array, centre: Array) -> First:
    """Fit all profiles; see `Layout` for the arrays."""
    n, q = X.shape
    theta = jnp.broadcast_to(centre[:, None], (K, n))
    start = (theta, centre, jnp.asarray(BETWEEN), jnp.asarray(RESIDUAL), jnp.zeros((q, len(ACTED_ON))))

    def one_round(_: Any, now: tuple[Array, ...]) -> tuple[Array, ...]:
        theta, mu, tau, sigma, coef = now
        typical = typical_of(mu, coef, X=X)
        theta = _fit(theta, typical, tau, sigma=sigma, above=above, below=below)
        _, curvature, _ = _local(theta, sigma, above, below=below)
        spread = jnp.diagonal(jnp.linalg.inv(curvature.transpose(2, 0, 1) + jnp.diag(tau**-2)), axis1=1, axis2=2).T
        mu, coef = _moments(theta, X, tau, centre=centre)
        tau2 = ((theta - typical_of(mu, coef, X=X)) ** 2 + spread).mean(axis=1)
        tau = jnp.exp(_shrunk(jnp.log(tau2) / 2, np.log(BETWEEN), n=n))
        day, value, present = above
        left = present * (value - log_count(theta, day)) ** 2
        free = jnp.maximum(present.sum() - K * n / 2, present.sum() / 4)
        sigma = jnp.clip(jnp.sqrt((left.sum() + 5 * RESIDUAL**2) / (free + 5)), 0.05, 3.0)
        return theta, mu, tau, sigma, coef

    theta, mu, tau, sigma, coef = lax.fori_loop(0, ROUNDS, one_round, start)
    slope, curvature, _ = _local(theta, sigma, above, below=below)
    pull = jnp.einsum("ijn,jn->in", curvature, theta) + slope
    modes = _modes(theta, typical_of(mu, coef, X=X), tau, sigma=sigma, above=above, below=below)
    return First(theta, mu, tau, sigma, coef, curvature, pull, modes)


def _modes(theta: Array, typical: Array, tau: Array, *, sigma: Array, above: Any, below: Any) -> Modes:
    """Fit each profile from several starts given the population; weights by Laplace's approximation."""
    away = np.zeros((len(STARTS), K))
    away[:, (TMAX, ALPHA, FB)] = STARTS
    starts = jnp.concatenate([theta[None], typical + (away * tau)[:, :, None]])

    def one(start: Array) -> tuple[Array, ...]:
        mode = _fit(start, typical, tau, sigma=sigma, above=above, below=below)
        _, curvature, value = _local(mode, sigma, above, below=below)
        root = jnp.linalg.cholesky(curvature.transpose(2, 0, 1) + jnp.diag(tau**-2))
        log_volume = jnp.log(jnp.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        prior = -0.5 * ((mode - typical) ** 2 / tau[:, None] ** 2).sum(axis=0)
        spread = jnp.linalg.inv(root).transpose(2, 1, 0)
        return mode, spread, root.transpose(2, 1, 0), log_volume, value + prior - log_volume

    place, spread, whiten, log_volume, log_mass = lax.map(one, starts)
    share = (1 - EVEN) * jax.nn.softmax(log_mass, axis=0) + EVEN / len(starts)
    return Modes(place, spread, whiten, log_volume, jnp.log(share))


def _shrunk(value: Array, towards: Array, *, n: int) -> Array:
    return (n * value + 4 * towards) / (n + 4)


def _moments(theta: Array, X: Array, tau: Array, *, centre: Array) -> tuple[Array, Array]:
    """Return typical values and effects by ridge regression on their priors."""
    n, q = X.shape
    D = jnp.concatenate([jnp.ones((n, 1)), X], axis=1)

    def one(y: Array, tau: Array, prior: Array, mean: Array) -> Array:
        pull: Array = D.T @ y / tau**2 + mean * jnp.eye(q + 1)[0] / prior[0] ** 2
        solved: Array = jnp.linalg.solve(D.T @ D / tau**2 + jnp.diag(prior**-2), pull)
        return solved

    acts = dict(zip(ACTED_ON, EFFECT, strict=True))
    rows = [one(theta[k], tau[k], jnp.concatenate([SPREAD[k : k + 1], jnp.full(q, acts.get(k, 1e-6))]), centre[k])
            for k in range(K)]  # fmt: skip
    return jnp.stack([r[0] for r in rows]), jnp.stack([rows[k][1:] for k in ACTED_ON], axis=1)


def _local(theta: Array, sigma: Array, above: Any, *, below: Any) -> tuple[Array, Array, Array]:
    """Return slope (6, n), curvature (6, 6, n) and value (n,) of the log likelihood of each profile."""

    def profile(theta: Array, above: Any, below: Any) -> tuple[Array, Array, Array]:
        def curve(t: Array, day: Array) -> Array:
            logs: Array = log_count(t[:, None], day[None])
            return logs[0]

        J, Jb = jax.jacfwd(curve)(theta, above[0]), jax.jacfwd(curve)(theta, below[0])
        z = (above[1] - curve(theta, above[0])) / sigma
        zb = (below[1] - curve(theta, below[0])) / sigma
        tail = log_ndtr(zb)
        h = jnp.exp(-0.5 * zb * zb - 0.5 * jnp.log(2 * jnp.pi) - tail)
        slope = J.T @ (above[2] * z) / sigma - Jb.T @ (below[2] * h) / sigma
        bend = jnp.maximum(h * (h + zb), 0.0) * below[2]
        curvature = (J.T @ (above[2][:, None] * J) + Jb.T @ (bend[:, None] * Jb)) / sigma**2
        return slope, curvature, -0.5 * (above[2] * z * z).sum() + (below[2] * tail).sum()

    slope, curvature, value = jax.vmap(profile)(theta.T, above, below)
    return slope.T, curvature.transpose(1, 2, 0), value


def _fit(theta: Array, typical: Array, tau: Array, *, sigma: Array, above: Any, below: Any) -> Array:
    """Move each profile's parameters uphill."""

    def target(theta: Array) -> tuple[Array, Array, Array]:
        slope, curvature, value = _local(theta, sigma, above, below=below)
        away = (theta - typical) / tau[:, None] ** 2
        return (slope - away, curvature + jnp.diag(tau**-2)[:, :, None],
                value - 0.5 * (away * (theta - typical)).sum(axis=0))  # fmt: skip

    def step(_: Any, now: tuple[Array, Array]) -> tuple[Array, Array]:
        theta, damping = now
        slope, curvature, value = target(theta)
        scale = jnp.eye(K)[:, :, None] * (curvature * damping)
        move = jnp.linalg.solve((curvature + scale).transpose(2, 0, 1), slope.T[:, :, None])[:, :, 0].T
        tried = theta + jnp.clip(move, -2.0, 2.0)
        better = target(tried)[2] > value
        return jnp.where(better, tried, theta), jnp.where(better, damping / 4, damping * 6)

    moved: tuple[Array, Array] = lax.fori_loop(0, STEPS, step, (theta, jnp.full(theta.shape[1], 0.1)))
    return moved[0]
