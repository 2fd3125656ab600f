"""Moves of the infusions' parameters given the population: all patients at once, each accepted or refused by itself.

Given the population patients are independent, so that one who is hard to move slows no other. `glide` is Hamiltonian
Monte Carlo (Neal, Handbook of Markov Chain Monte Carlo, 2011, chapter 5) with a step for each patient. `leap` proposes
new parameters of one infusion from a mixture of t distributions around the profile's fits from several starts, and so
goes between explanations of the counts that lie apart: an early peak that no count saw, or none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax, random
from jax.scipy.special import logsumexp

from reinfuse.kinetics.population.reparameterization import K, Modes, of_patients

Density = Callable[[Array], Array]
"""Log density of each patient, of w."""
STEPS = 6
FIRST_STEP, MOST_STEP, JITTER = 0.5, 0.6, 0.4
"""Of a standard normal, whose half turn is about 3."""
WANTED = 0.8
"""Share of moves that each patient's step is adapted to."""
FREEDOM = 5.0


class Pace(NamedTuple):
    """Log of each patient's step, and how often it was adapted."""

    log_step: Array
    times: Array


def pace(patients: int) -> Pace:
    """Return where steps begin."""
    return Pace(jnp.full(patients, np.log(FIRST_STEP)), jnp.zeros(()))


def adapted(now: Pace, accepted: Array) -> Pace:
    """Move steps towards the share of moves that is wanted (Robbins and Monro)."""
    log_step = now.log_step + (accepted - WANTED) / (1 + now.times) ** 0.6
    return Pace(jnp.minimum(log_step, np.log(MOST_STEP)), now.times + 1)


def glide(key: Array, density: Density, w: Array, *, now: Pace, blocks: tuple[int, ...]) -> tuple[Array, Array]:
    """Return moved w, and the probability with which each patient's move was accepted."""
    begin, stretch, toss = random.split(key, 3)
    who = _patient(blocks)
    step = jnp.exp(now.log_step) * random.uniform(stretch, (blocks[0],), minval=1 - JITTER, maxval=1 + JITTER)
    step = step[who]

    def total(w: Array) -> tuple[Array, Array]:
        each = density(w)
        return each.sum(), each

    def one(i: Array, at: tuple[Array, ...]) -> tuple[Array, ...]:
        w, p, before, _ = at
        (_, each), slope = jax.value_and_grad(total, has_aux=True)(w)
        half = jnp.where((i == 0) | (i == STEPS), 0.5, 1.0)
        p = p + half * step * slope
        return jnp.where(i < STEPS, w + step * p, w), p, jnp.where(i == 0, each, before), each

    p = random.normal(begin, w.shape)
    nothing = jnp.zeros(blocks[0])
    moved, q, before, after = lax.fori_loop(0, STEPS + 1, one, (w, p, nothing, nothing))
    gain = after - before - 0.5 * of_patients((q**2 - p**2).sum(axis=0), blocks)
    return _tossed(toss, gain, w, moved=moved, who=who)


def leap(key: Array, density: Density, w: Array, *, maps: Any, modes: Modes, blocks: tuple[int, ...]) -> Array:
    """Return w with, of each patient, one infusion's parameters proposed anew; the map to theta and back is given."""
    forth, back = maps
    choose, mode, begin, tail, toss = random.split(key, 5)
    who, n = _patient(blocks), w.shape[1]
    own = np.sum([np.arange(blocks[0]) < b for b in blocks], axis=0)
    chosen = jnp.floor(random.uniform(choose, (blocks[0],)) * own)
    here = chosen[who] == np.repeat(np.arange(len(blocks)), blocks)
    theta = forth(w)
    picked = random.categorical(mode, modes.log_weight, axis=0)
    at = np.arange(n)
    z = random.normal(begin, (K, n)) * jnp.sqrt(FREEDOM / random.chisquare(tail, FREEDOM, shape=(n,)))
    proposed = modes.place[picked, :, at].T + (modes.spread[picked, :, :, at] * z.T[:, None]).sum(axis=2).T
    proposed = jnp.where(here, proposed, theta)
    moved = back(proposed)
    gain = density(moved) - density(w) + of_patients(_log_mixture(theta, modes) - _log_mixture(proposed, modes), blocks)
    return _tossed(toss, gain, w, moved=moved, who=who)[0]


def _log_mixture(theta: Array, modes: Modes) -> Array:
    """Return the log density of the proposals, but for a constant, shape (n,)."""
    away = (modes.whiten * (theta - modes.place)[:, None]).sum(axis=2)
    tail = -0.5 * (FREEDOM + K) * jnp.log1p((away**2).sum(axis=1) / FREEDOM)
    log_density: Array = logsumexp(modes.log_weight + modes.log_volume + tail, axis=0)
    return log_density


def _tossed(key: Array, gain: Array, w: Array, *, moved: Array, who: np.ndarray) -> tuple[Array, Array]:
    accepted = jnp.minimum(1.0, jnp.exp(jnp.where(jnp.isnan(gain), -jnp.inf, gain)))
    taken = random.uniform(key, accepted.shape) < accepted
    return jnp.where(taken[who], moved, w), accepted


def _patient(blocks: tuple[int, ...]) -> np.ndarray:
    return np.concatenate([np.arange(n) for n in blocks])
