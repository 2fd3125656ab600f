"""Two goals at once: what is gained against what it costs, and the frontier on which neither can be had for nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reinfuse.arrays import Floats, Integers


def pareto(gain: Floats, cost: Floats) -> Integers:
    """Return the places of points that no other beats: none has as great a gain at a lower cost, or a greater gain at
    as low a cost. In the order of their costs; of equal points the first.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.simulation.search.frontier import pareto
    >>> pareto(np.array([0.4, 0.5, 0.3, 0.5]), np.array([0.2, 0.6, 0.3, 0.7])).tolist()
    [0, 1]
    """
    kept, best = [], -np.inf
    for k in np.lexsort((-gain, cost)):
        if gain[k] > best:
            kept.append(int(k))
            best = gain[k]
    return np.array(kept, dtype=np.int64)


def best_weights(gain: Floats, cost: Floats) -> list[tuple[float, float] | None]:
    """Return, of points of a frontier in the order of their costs, the weights w between which each has the greatest
    gain - w cost; None for a point that has it for no weight (it lies under the line between two others).

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.simulation.search.frontier import best_weights
    >>> best_weights(np.array([0.0, 0.1, 0.4]), np.array([0.0, 0.5, 1.0]))
    [(0.4, inf), None, (0.0, 0.4)]
    """
    hull: list[int] = []
    for k in range(len(gain)):
        while len(hull) > 1 and _slope(gain, cost, hull[-2], hull[-1]) <= _slope(gain, cost, hull[-1], k):
            hull.pop()
        hull.append(k)
    between = [_slope(gain, cost, a, b) for a, b in pairwise(hull)]
    weights: list[tuple[float, float] | None] = [None] * len(gain)
    for place, k in enumerate(hull):
        high = between[place - 1] if place else float("inf")
        low = between[place] if place < len(between) else 0.0
        weights[k] = (low, high)
    return weights


def _slope(gain: Floats, cost: Floats, a: int, b: int) -> float:
    return float((gain[b] - gain[a]) / (cost[b] - cost[a]))
