"""Coordinates in which each infusion's parameters are nearly a standard normal, whatever the population is.

The patients' deviations u (`posterior`) are integrated out: given the earlier infusions of the patient, theta_po is
normal with the mean c and variance s^2 of `_given_before`. Sampling goes on in w, where theta = m + L^-T w,
P = Lambda + diag(1/s^2) = L L^T and m = P^-1 (b + c/s^2). Lambda and b are a normal approximation of the profile's
likelihood, exp(b theta - theta Lambda theta / 2): first its curvature at a first fit, later that with which draws have
the mean 0 and variance 1 (`refitted`). Were the likelihood normal, w would be standard normal whatever the population
parameters are. Lambda and b only choose coordinates; the posterior is exact.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS

K = len(PARAMETERS)
HELD = 10.0
"""How many draws the approximation so far counts for when it is fitted anew."""


class Modes(NamedTuple):
    """Fits of each profile from several starts.

    Attributes
    ----------
    place
        Shape (m, 6, n).
    spread, whiten
        Root S of the covariance, S S^T, and its inverse; shape (m, 6, 6, n).
    log_volume, log_weight
        Log of the determinant of `whiten`, and of the share of each; shape (m, n).
    """

    place: Array
    spread: Array
    whiten: Array
    log_volume: Array
    log_weight: Array


class CountArrays(NamedTuple):
    """Arrays of a `Layout`, and of its first fit: `curvature` of shape (6, 6, n), `pull` (b) of shape (6, n)."""

    above: tuple[Array, Array, Array]
    below: tuple[Array, Array, Array]
    X: Array
    centre: Array
    curvature: Array
    pull: Array
    modes: Modes | None = None


class Population(NamedTuple):
    """What the infusions are expected to be: `typical` of shape (6, n), `tau` and `share` of shape (6,)."""

    typical: Array
    tau: Array
    share: Array


def expected(values: Any, X: Array) -> Population:
    """Return the population of values of the sites."""
    return Population(typical_of(values["mu"], values.get("coef"), X=X), values["tau"], values["share"])


def typical_of(mu: Array, coef: Array | None, *, X: Array) -> Array:
    """Return what is expected of each infusion from its factors, shape (6, n)."""
    typical = jnp.broadcast_to(mu[:, None], (K, X.shape[0]))
    return typical if coef is None else typical.at[jnp.array(ACTED_ON)].add((X @ coef).T)


def of_patients(value: Array, blocks: tuple[int, ...]) -> Array:
    """Return the sums over each patient's infusions of values of shape (n,)."""
    total, start = jnp.zeros(blocks[0], value.dtype), 0
    for n in blocks:
        total = total.at[:n].add(value[start : start + n])
        start += n
    return total


@partial(jax.jit, static_argnames="blocks")
def place(w: Array, among: Population, data: CountArrays, blocks: tuple[int, ...]) -> tuple[Array, Array]:
    """Return theta of w, and of each profile the log prior density with the log of the map's volume, shape (n,)."""
    weights, variance = _by_profile(among, blocks)
    L = _cholesky(data.curvature, 1 / variance)
    placed, centres = [], []
    sums, start = jnp.zeros((K, blocks[0]), w.dtype), 0
    for before, n in enumerate(blocks):
        here = slice(start, start + n)
        c = among.typical[:, here] + weights[before][:, None] * sums[:, :n]
        own = [[None if v is None else v[here] for v in row] for row in L]
        theta = _back(own, _forward(own, data.pull[:, here] + c / variance[:, here]) + w[:, here])
        sums = sums[:, :n] + theta - among.typical[:, here]
        placed.append(theta)
        centres.append(c)
        start += n
    theta, c = jnp.concatenate(placed, axis=1), jnp.concatenate(centres, axis=1)
    return theta, _log_normal(theta, c, variance) - sum(jnp.log(L[i][i]) for i in range(K))


@partial(jax.jit, static_argnames="blocks")
def back(theta: Array, among: Population, data: CountArrays, blocks: tuple[int, ...]) -> Array:
    """Return w of theta."""
    c, variance = _before(theta, among, blocks=blocks)
    L = _cholesky(data.curvature, 1 / variance)
    turned = jnp.stack([sum(L[h][i] * theta[h] for h in range(i, K)) for i in range(K)])
    return turned - _forward(L, data.pull + c / variance)


def log_prior(theta: Array, among: Population, *, blocks: tuple[int, ...]) -> Array:
    """Return the log density of each infusion's parameters given those of the earlier ones, shape (n,)."""
    return _log_normal(theta, *_before(theta, among, blocks=blocks))


def refitted(theta: Array, values: Any, data: CountArrays, *, blocks: tuple[int, ...]) -> CountArrays:
    """Return the data with Lambda and b fitted to draws: theta of shape (draws, 6, n), and of the sites.

    Matrices are taken to numpy: two chains at once in batches of LAPACK's through JAX can wait for each other forever.
    """
    moments = (np.asarray(v) for v in _around(theta, values, data, blocks))
    (away, c, precision), mean = moments, np.asarray(theta).mean(axis=0)
    c, precision = c.mean(axis=0), precision.mean(axis=0)
    n, off = len(away), (away - away.mean(axis=0)).transpose(2, 1, 0)
    now = np.linalg.inv(np.asarray(data.curvature).transpose(2, 0, 1) + np.eye(K) * precision.T[:, None])
    spread = (off @ off.transpose(0, 2, 1) + HELD * now) / (n + HELD)
    root = np.sqrt(precision.T)
    scale = root[:, :, None] * root[:, None, :]
    value, vector = np.linalg.eigh(np.linalg.inv(spread) / scale - np.eye(K))
    curvature = (vector * np.maximum(value, 0.0)[:, None]) @ vector.transpose(0, 2, 1) * scale
    pull = (curvature @ mean.T[:, :, None])[:, :, 0].T + precision * (mean - c)
    return data._replace(curvature=jnp.asarray(curvature.transpose(1, 2, 0)), pull=jnp.asarray(pull))


@partial(jax.jit, static_argnames="blocks")
def _around(theta: Array, values: Any, data: CountArrays, blocks: tuple[int, ...]) -> Any:
    """Return, of each draw, theta - m, c and 1/s^2."""

    def one(drawn: Any) -> tuple[Array, Array, Array]:
        theta, values = drawn
        among = expected(values, data.X)
        c, variance = _before(theta, among, blocks=blocks)
        away = _back(_cholesky(data.curvature, 1 / variance), back(theta, among, data, blocks))
        return away, c, 1 / variance

    return lax.map(one, (theta, values))


def _log_normal(theta: Array, c: Array, variance: Array) -> Array:
    log_density: Array = (-0.5 * (theta - c) ** 2 / variance - 0.5 * jnp.log(2 * jnp.pi * variance)).sum(axis=0)
    return log_density


def _before(theta: Array, among: Population, *, blocks: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the mean c of each infusion given the earlier ones, and its variance; shape (6, n)."""
    weights, variance = _by_profile(among, blocks)
    centres, away = [], theta - among.typical
    sums, start = jnp.zeros((K, blocks[0]), theta.dtype), 0
    for before, n in enumerate(blocks):
        here = slice(start, start + n)
        centres.append(among.typical[:, here] + weights[before][:, None] * sums[:, :n])
        sums = sums[:, :n] + away[:, here]
        start += n
    return jnp.concatenate(centres, axis=1), variance


def _by_profile(among: Population, blocks: tuple[int, ...]) -> tuple[list[Array], Array]:
    """Return the weight of each block, and the variance of each profile, shape (6, n)."""
    each = [_given_before(before, among.tau, share=among.share) for before in range(len(blocks))]
    variance = jnp.concatenate([jnp.broadcast_to(v[:, None], (K, n)) for (_, v), n in zip(each, blocks, strict=True)],
                               axis=1)  # fmt: skip
    return [weight for weight, _ in each], variance


def _given_before(before: int, tau: Array, *, share: Array) -> tuple[Array, Array]:
    """Return the weight of the sum of earlier deviations in the mean of the next, and its variance; shape (6,)."""
    patient, infusion = (1 - share) * tau**2, share * tau**2
    weight = patient / (before * patient + infusion)
    return weight * (before > 0), infusion + patient * infusion / (before * patient + infusion) if before else tau**2


# Written out, so that all profiles go at once.


def _cholesky(curvature: Array, precision: Array) -> list[list[Any]]:
    """Return L of each profile's curvature + diag(precision)."""
    L: list[list[Any]] = [[None] * K for _ in range(K)]
    for i in range(K):
        for j in range(i + 1):
            rest = curvature[i, j] + (precision[i] if i == j else 0.0)
            for h in range(j):
                rest = rest - L[i][h] * L[j][h]
            L[i][j] = jnp.sqrt(rest) if i == j else rest / L[j][j]
    return L


def _forward(L: list[list[Any]], right: Array) -> Array:
    """Solve L y = right."""
    y: list[Any] = []
    for i in range(K):
        rest = right[i]
        for h in range(i):
            rest = rest - L[i][h] * y[h]
        y.append(rest / L[i][i])
    return jnp.stack(y)


def _back(L: list[list[Any]], right: Array) -> Array:
    """Solve L^T x = right."""
    x: list[Any] = [None] * K
    for i in reversed(range(K)):
        rest = right[i]
        for h in range(i + 1, K):
            rest = rest - L[h][i] * x[h]
        x[i] = rest / L[i][i]
    return jnp.stack(x)
