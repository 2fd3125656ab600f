"""A response surface: group results as smooth functions of the unknowns, learnt from simulated populations.

Each result, on its scale, is a quadratic polynomial in the unknowns (all squares, and the products of two on which the
rest depends most), fitted by ridge regression whose penalty is chosen by leave-one-out error. That error is what the
surface does not know: Monte Carlo error of the simulated patients included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats

_PRODUCTS = 80
"""Products of two unknowns in a surface."""
_PENALTIES = np.geomspace(0.3, 3000.0, 9)
_LEAST = 40
"""Fewest populations in which a result must be defined."""


@dataclass(frozen=True)
class Emulator:
    """Response surfaces of several results.

    Attributes
    ----------
    weight, centre
        Of the terms (unknowns, squares, products), shape (terms, results); constant of each result.
    error
        Root mean square leave-one-out error of each result; infinite where it was hardly ever defined.
    """

    weight: Floats
    centre: Floats
    error: Floats

    def __call__(self, z: Floats) -> Floats:
        """Return the results at points; shape (points, results)."""
        values: Floats = self.centre + _terms(z) @ self.weight
        return values

    def only(self, which: Sequence[int]) -> Emulator:
        """Return the surfaces of some of the results."""
        return Emulator(self.weight[:, which], self.centre[which], self.error[which])


def fit(z: Floats, values: Floats, *, weight: Floats | None = None) -> Emulator:
    """Return the surfaces through simulated results.

    Parameters
    ----------
    z, values
        Points (points, unknowns), and results on their scales there, (points, results); NaN: not defined.
    weight
        Of the points in the fit and in its error.
    """
    root, terms = np.sqrt(np.ones(len(z)) if weight is None else weight), _terms(z)
    surfaces = [_surface(terms, values[:, k], root, plain=2 * z.shape[1]) for k in range(values.shape[1])]
    weights, centres, errors = zip(*surfaces, strict=True)
    return Emulator(np.column_stack(weights), np.array(centres), np.array(errors))


def _terms(z: Floats) -> Floats:
    one, other = np.triu_indices(z.shape[1], 1)
    return np.hstack([z, z**2 - 1, z[:, one] * z[:, other]])


def _surface(terms: Floats, values: Floats, root: Floats, *, plain: int) -> tuple[Floats, float, float]:
    """Return weights of the terms, constant and error of one result; `plain`: how many terms are no products."""
    some, weight = np.isfinite(values), np.zeros(terms.shape[1])
    if some.sum() < _LEAST:
        return weight, 0.0, float("inf")
    root = root[some]
    means, centre = (np.average(a[some], axis=0, weights=root**2) for a in (terms, values))
    x = root[:, None] * (terms[some] - means)  # around their means: later points lie around the posterior, not around 0
    y = root * (values[some] - centre)
    rest = y - x[:, :plain] @ _ridge(x[:, :plain], y)[0]
    strength = np.abs(rest @ x[:, plain:]) / np.linalg.norm(x[:, plain:], axis=0).clip(1e-12)
    chosen = np.concatenate([np.arange(plain), plain + np.sort(np.argsort(strength)[-_PRODUCTS:])])
    weight[chosen], error = _ridge(x[:, chosen], y)
    return weight, float(centre - means @ weight), error / float(np.sqrt(np.mean(root**2)))


def _ridge(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Return the coefficients with the penalty of least leave-one-out error, and that error."""
    square, vectors = np.linalg.eigh(x.T @ x)
    square = np.maximum(square, 1e-9)
    turned, along = x @ vectors, vectors.T @ (x.T @ y)
    best, kept = np.inf, np.zeros(x.shape[1])
    for penalty in _PENALTIES:
        leverage = np.minimum((turned**2) @ (1 / (square + penalty)), 0.999)
        coefficients = along / (square + penalty)
        error = float(np.sqrt(np.mean(((y - turned @ coefficients) / (1 - leverage)) ** 2)))
        if error < best:
            best, kept = error, vectors @ coefficients
    return kept, best
