"""Chains, two at a time, with progress: the only door to NumPyro's sampler.

An iteration moves, in turn, the infusions' parameters given the population (`patients`), the population given those
parameters, and the population given their coordinates (`coordinates`), in which the parameters move along with it.
Both of the last are steps of the no-U-turn sampler (Hoffman and Gelman, J Mach Learn Res 2014;15:1593-1623) in few
dimensions. Typical values, variances and effects mix well by the one where counts are few and by the other where they
are many (interweaving: Yu and Meng, J Comput Graph Stat 2011;20:531-570). Each step leaves the posterior as it is.

Warm-up: `WINDOWS` windows of a fifth each, after each of which the coordinates are chosen anew from its draws; the
population stays where it is during the first `STILL`. Chains run in threads; each is a pure function of the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from threading import Lock
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers
from numpyro.distributions import biject_to, constraints
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo, potential_energy

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.kinetics.population import individual_updates
from reinfuse.kinetics.population.posterior import given_infusions
from reinfuse.kinetics.population.reparameterization import back, expected, place, refitted

CHUNK = 25
"""Iterations between two reports of progress."""
AT_ONCE = 2
WINDOWS, STILL = 3, 2
SETTLING, WARMING, KEEPING = range(3)
GIVEN = ("mu", "tau", "share", "coef")
"""Sites that move given the infusions' parameters."""
SUPPORT = {"tau": constraints.positive, "sigma": constraints.positive, "share": constraints.unit_interval}
ACCEPT, DEEPEST = 0.8, 8
Model = Callable[..., Any]
Report = Callable[[int, int], None]


class ChainState(NamedTuple):
    """Where a chain is: `inner` moves given the infusions' parameters, `outer` given their coordinates w."""

    key: Any
    w: Any
    outer: Any
    inner: Any
    pace: individual_updates.Pace


@dataclass(frozen=True)
class Effort:
    """How much is sampled: chains, iterations to adapt and to keep of each (multiples of `CHUNK`)."""

    chains: int = 4
    warmup: int = 500
    draws: int = 500

    @property
    def iterations(self) -> int:
        """Iterations of all chains."""
        return self.chains * (self.warmup + self.draws)


@dataclass(frozen=True)
class PosteriorDraws:
    """What the chains gave.

    Attributes
    ----------
    values
        Name -> draws, shape (chains, draws, ...).
    diverging
        Iterations in which a move of the population diverged, shape (chains, draws).
    energy, steps
        Hamiltonian, and gradients of the counts' likelihood, of each iteration, shape (chains, draws).
    """

    values: Mapping[str, Floats] = field(repr=False)
    diverging: Bools = field(repr=False)
    energy: Floats = field(repr=False)
    steps: Integers = field(repr=False)

    def flat(self, name: str) -> Floats:
        """Return the draws of all chains of one name, shape (chains * draws, ...)."""
        value = self.values[name]
        return value.reshape(-1, *value.shape[2:])


def sample(model: Model, blocks: tuple[int, ...], data: Any, *, start: Mapping[str, Any], effort: Effort, seed: int,
           report: Report | None = None) -> PosteriorDraws:  # fmt: skip
    """Sample from a model of `data` and `blocks`.

    Parameters
    ----------
    data
        `Data`, and what else the model needs.
    start
        Where chains begin: values of all sites; `w` is drawn anew for each chain.
    report
        Called with the iterations done and all, of all chains.
    """
    windows, rest = _windows(effort.warmup)
    begin, advance, refit = _compiled(model, blocks, tuple(start), warmup=rest + sum(windows[STILL:]))
    finished, lock = [0], Lock()

    def go(state: Any, data: Any, iterations: int, phase: int) -> tuple[Any, Any]:
        chunks: list[Any] = []
        for _ in range(iterations // CHUNK):
            state, drawn = advance(state, data, phase)
            chunks.append(jax.tree.map(np.asarray, drawn))
            with lock:
                finished[0] += CHUNK
                if report:
                    report(finished[0], effort.iterations)
        return state, jax.tree.map(lambda *parts: np.concatenate(parts), *chunks) if chunks else None

    def chain(state: Any) -> Any:
        with jax.enable_x64(True):  # holds for one thread
            own = data
            for i, iterations in enumerate(windows):
                state, drawn = go(state, own, iterations, SETTLING if i < STILL else WARMING)
                state, own = refit(state, own, drawn["values"])
            state, _ = go(state, own, rest, WARMING)
            return go(state, own, effort.draws, KEEPING)[1]

    states = [begin(key, data, dict(start)) for key in jax.random.split(jax.random.PRNGKey(seed), effort.chains)]
    advance(states[0], data, SETTLING)[1]["steps"].block_until_ready()  # compiles once, not in each thread
    with ThreadPoolExecutor(AT_ONCE) as pool:
        each = list(pool.map(chain, states))
    stacked = jax.tree.map(lambda *parts: np.stack(parts), *each)
    return PosteriorDraws(stacked["values"], stacked["diverging"], stacked["energy"], stacked["steps"])


def _windows(warmup: int) -> tuple[list[int], int]:
    """Return the iterations after which coordinates are chosen anew, and those of warm-up that are left."""
    each = warmup // (5 * CHUNK) * CHUNK
    return [each] * (WINDOWS if each else 0), warmup - each * WINDOWS


def _constrained(free: Mapping[str, Any]) -> dict[str, Any]:
    return {s: biject_to(SUPPORT.get(s, constraints.real))(v) for s, v in free.items()}


def _nuts(model: Model, sites: tuple[str, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return how the no-U-turn sampler of a model of `data` and `at` begins and moves."""

    def potential(data: Any, at: Any) -> Callable[..., Any]:
        return partial(potential_energy, model, (data, at), {})

    init, step = hmc(potential_fn_gen=potential, algo="NUTS")

    def begin(z: Any, data: Any, at: Any, warmup: int, key: Any) -> Any:
        position = ParamInfo({s: z[s] for s in sites}, jnp.zeros(()), {s: jnp.zeros_like(z[s]) for s in sites})
        return init(position, warmup, dense_mass=[sites], target_accept_prob=ACCEPT, max_tree_depth=DEEPEST,
                    model_args=(data, at), rng_key=key)  # fmt: skip

    def move(now: Any, z: Any, data: Any, at: Any, still: Any) -> Any:
        z = {s: z[s] for s in sites}
        value, slope = jax.value_and_grad(potential(data, at))(z)
        now = now._replace(z=z, potential_energy=value, z_grad=slope)
        return jax.lax.cond(still, lambda s: s, lambda s: step(s, (data, at), {}), now)

    return begin, move


def _patient_densities(within: Callable[..., Any], w: Any, *, z: Any, data: Any) -> Any:
    """Return the log density of each patient, but for a constant."""
    trace = handlers.trace(handlers.substitute(within, {**_constrained(z), "w": w})).get_trace(data)
    return sum(s["fn"].log_prob(s["value"]) for s in trace.values() if s["type"] == "sample" and s["is_observed"])


@lru_cache(maxsize=4)
def _compiled(model: Model, blocks: tuple[int, ...], all_sites: tuple[str, ...],
              *, warmup: int) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:  # fmt: skip
    """Return how a chain begins, a step of `CHUNK` iterations, and the choice of its coordinates anew."""
    sites = tuple(s for s in all_sites if s != "w")
    within = partial(model, blocks=blocks)
    begin_outer, move_outer = _nuts(lambda data, w: handlers.condition(within, {"w": w})(data), sites)
    begin_inner, move_inner = _nuts(lambda data, theta: given_infusions(data[0], theta, blocks),
                                    tuple(s for s in sites if s in GIVEN))  # fmt: skip

    def placed(w: Any, z: Any, data: Any) -> Any:
        return place(w, expected(_constrained(z), data[0].X), data[0], blocks)[0]

    def unplaced(theta: Any, z: Any, data: Any) -> Any:
        return back(theta, expected(_constrained(z), data[0].X), data[0], blocks)

    def one(state: ChainState, data: Any, phase: Any) -> tuple[ChainState, Any]:
        key, slide, jump = jax.random.split(state.key, 3)
        z, still = state.outer.z, phase == SETTLING
        density = partial(_patient_densities, within, z=z, data=data)
        w, accepted = individual_updates.glide(slide, density, state.w, now=state.pace, blocks=blocks)
        maps = partial(placed, z=z, data=data), partial(unplaced, z=z, data=data)
        w = individual_updates.leap(jump, density, w, maps=maps, modes=data[0].modes, blocks=blocks)
        theta = placed(w, z, data)
        inner = move_inner(state.inner, z, data, theta, still)
        w = unplaced(theta, z := {**z, **inner.z}, data)
        outer = move_outer(state.outer, z, data, w, still)
        pace = jax.tree.map(
            partial(jnp.where, phase == KEEPING), state.pace, individual_updates.adapted(state.pace, accepted)
        )
        drawn = {"values": {**_constrained(outer.z), "theta": placed(w, outer.z, data)},
                 "diverging": outer.diverging | inner.diverging, "energy": outer.energy,
                 "steps": outer.num_steps + individual_updates.STEPS + 2}  # fmt: skip
        return ChainState(key, w, outer, inner, pace), drawn

    @jax.jit
    def begin(key: Any, data: Any, values: Any) -> ChainState:
        key, first, second, third = jax.random.split(key, 4)
        z = {s: biject_to(SUPPORT.get(s, constraints.real)).inv(jnp.asarray(values[s])) for s in sites}
        w = jax.random.normal(first, values["w"].shape)
        return ChainState(key, w, begin_outer(z, data, w, warmup, second), begin_inner(z, data, w, warmup, third),
                          individual_updates.pace(blocks[0]))  # fmt: skip

    @jax.jit
    def advance(state: ChainState, data: Any, phase: Any) -> Any:
        return jax.lax.scan(lambda state, _: one(state, data, phase), state, None, length=CHUNK)

    @jax.jit
    def moved(state: ChainState, data: Any, new: Any) -> ChainState:
        w = unplaced(placed(state.w, state.outer.z, data), state.outer.z, new)
        return state._replace(w=w, pace=individual_updates.pace(blocks[0]))

    def refit(state: ChainState, data: Any, values: Any) -> tuple[ChainState, Any]:
        own = {s: v for s, v in values.items() if s in GIVEN}
        new = (refitted(values["theta"], own, data[0], blocks=blocks), *data[1:])
        return moved(state, data, new), new

    return begin, advance, refit
