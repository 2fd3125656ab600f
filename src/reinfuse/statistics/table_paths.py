"""Paths through layers of states: all of them, some drawn by their probability, or the best (`risk_tables`).

Forward sums, backward draws and the best path as for hidden Markov models: Rabiner LR, Proc IEEE 1989;77:257-286.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from reinfuse.arrays import Floats, Integers


@dataclass(frozen=True)
class Layer:
    """States after a step, and the edges that lead to them, sorted by `child`."""

    left: Integers
    height: Floats
    had: Integers
    log: Floats
    score: Floats
    count: Floats
    parent: Integers
    child: Integers
    at_risk: Integers
    edge_log: Floats
    exact: bool


def ranges(first: Integers, last: Integers) -> tuple[Integers, Integers]:
    """Return all pairs (place, value) with first[place] <= value <= last[place]."""
    size = np.maximum(last - first + 1, 0)
    place = np.repeat(np.arange(len(size)), size)
    return place, first[place] + np.arange(len(place)) - np.repeat(np.cumsum(size) - size, size)


def every_path(layers: list[Layer], ends: Integers, *, final: Floats) -> tuple[list[Integers], Floats]:
    """Return all paths, as the edges of each layer, with their log weights."""
    state, log = ends, (final - layers[-1].log)[ends]
    paths: list[Integers] = []
    for layer in reversed(layers[1:]):
        first = np.searchsorted(layer.child, state, "left")
        last = np.searchsorted(layer.child, state, "right") - 1
        place, edge = ranges(first, last)
        paths = [edge, *(p[place] for p in paths)]
        log = log[place] + layer.edge_log[edge]
        state = layer.parent[edge]
    return paths, log


def drawn_paths(layers: list[Layer], final: Floats, *, draws: int, seed: int) -> tuple[list[Integers], Floats]:
    """Return paths drawn by their probability."""
    random = np.random.default_rng(seed)
    chance = np.exp(final - logsumexp(final))
    state = np.searchsorted(np.cumsum(chance), random.random(draws) * chance.sum())
    paths: list[Integers] = []
    for before, layer in zip(reversed(layers[:-1]), reversed(layers[1:]), strict=True):
        share = np.exp(before.log[layer.parent] + layer.edge_log - layer.log[layer.child])
        total = np.append(0.0, np.cumsum(share))
        first = np.searchsorted(layer.child, state, "left")
        last = np.searchsorted(layer.child, state, "right")
        wanted = total[first] + random.random(draws) * (total[last] - total[first])
        edge = np.clip(np.searchsorted(total, wanted, "right") - 1, first, last - 1)
        paths = [edge, *paths]
        state = layer.parent[edge]
    return paths, np.zeros(draws)


def best_path(layers: list[Layer], final: Floats) -> list[Integers]:
    """Return the path of greatest weight."""
    state = int(np.argmax(final))
    path: list[Integers] = []
    for before, layer in zip(reversed(layers[:-1]), reversed(layers[1:]), strict=True):
        first, last = np.searchsorted(layer.child, [state, state + 1])
        edge = int(first) + int(np.argmax(before.score[layer.parent[first:last]] + layer.edge_log[first:last]))
        path = [np.array([edge]), *path]
        state = int(layer.parent[edge])
    return path


def tables_of(layers: list[Layer], paths: list[Integers]) -> tuple[Integers, Integers]:
    """Return numbers at risk and events of paths, shape (paths, k)."""
    if not paths:
        return np.zeros((1, 0), np.int64), np.zeros((1, 0), np.int64)
    at_risk = [layer.at_risk[edge] for layer, edge in zip(layers[1:], paths, strict=True)]
    left = [layer.left[layer.child[edge]] for layer, edge in zip(layers[1:], paths, strict=True)]
    return np.stack(at_risk, axis=1), np.stack(at_risk, axis=1) - np.stack(left, axis=1)
