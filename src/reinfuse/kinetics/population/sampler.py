"""NUTS in chains, two at a time, with progress: the only door to NumPyro's sampler.

No-U-turn sampler: Hoffman and Gelman, J Mach Learn Res 2014;15:1593-1623. Chains run in threads; each is a pure
function of the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from threading import Lock
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray
from numpyro.infer import NUTS, init_to_value

CHUNK = 25
"""Iterations between two reports of progress."""
AT_ONCE = 2
Model = Callable[..., Any]
Report = Callable[[int, int], None]


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
class Draws:
    """What the chains gave.

    Attributes
    ----------
    values
        Name -> draws, shape (chains, draws, ...).
    diverging
        Iterations that diverged, shape (chains, draws).
    energy, steps
        Hamiltonian and leapfrog steps of each iteration, shape (chains, draws).
    """

    values: Mapping[str, NDArray[np.float64]] = field(repr=False)
    diverging: NDArray[np.bool_] = field(repr=False)
    energy: NDArray[np.float64] = field(repr=False)
    steps: NDArray[np.int64] = field(repr=False)

    def flat(self, name: str) -> NDArray[np.float64]:
        """Return the draws of all chains of one name, shape (chains * draws, ...)."""
        value = self.values[name]
        return value.reshape(-1, *value.shape[2:])


def sample(model: Model, blocks: tuple[int, ...], data: Any, start: Mapping[str, Any], dense: tuple[str, ...],
           effort: Effort, seed: int, report: Report | None = None) -> Draws:  # fmt: skip
    """Sample from a model of `data` and `blocks`.

    Parameters
    ----------
    start
        Where chains begin: values of all sites; `w` is drawn anew for each chain.
    dense
        Sites that share a dense mass matrix.
    report
        Called with the iterations done and all, of all chains.
    """
    kernel, advance, finish = _compiled(model, blocks, dense, effort.warmup)
    done, lock = [0], Lock()

    def chain(state: Any) -> dict[str, Any]:
        with jax.enable_x64(True):  # holds for one thread
            return advanced(state)

    def advanced(state: Any) -> dict[str, Any]:
        kept: list[Any] = []
        for i in range((effort.warmup + effort.draws) // CHUNK):
            state, told = advance(state, data)
            told["steps"].block_until_ready()
            if i >= effort.warmup // CHUNK:
                kept.append(jax.tree.map(np.asarray, told))
            with lock:
                done[0] += CHUNK
                if report:
                    report(done[0], effort.iterations)
        joined: dict[str, Any] = jax.tree.map(lambda *parts: np.concatenate(parts), *kept)
        return {**joined, "values": jax.tree.map(np.asarray, finish(joined["z"], data))}

    states = []
    for key in jax.random.split(jax.random.PRNGKey(seed), effort.chains):
        drawn = {**start, "w": jax.random.normal(key, start["w"].shape)}
        kernel._init_strategy = init_to_value(values=drawn)
        states.append(kernel.init(key, effort.warmup, None, (data,), {}))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        each = list(pool.map(chain, states))
    stacked = jax.tree.map(lambda *parts: np.stack(parts), *each)
    return Draws(stacked["values"], stacked["diverging"], stacked["energy"], stacked["steps"])


@lru_cache(maxsize=4)
def _compiled(model: Model, blocks: tuple[int, ...], dense: tuple[str, ...],
              warmup: int) -> tuple[NUTS, Callable[..., Any], Callable[..., Any]]:  # fmt: skip
    """Return a kernel, a step of `CHUNK` iterations, and the map from its coordinates to the model's sites."""
    kernel = NUTS(partial(model, blocks=blocks), dense_mass=[dense], target_accept_prob=0.9, max_tree_depth=9)

    @jax.jit
    def advance(state: Any, data: Any) -> Any:
        def one(state: Any, _: None) -> Any:
            state = kernel.sample(state, (data,), {})
            return state, {"z": state.z, "diverging": state.diverging, "energy": state.energy, "steps": state.num_steps}

        return jax.lax.scan(one, state, None, length=CHUNK)

    @jax.jit
    def finish(z: Any, data: Any) -> Any:
        return jax.lax.map(kernel.postprocess_fn((data,), {}), z)

    return kernel, advance, finish
