"""A response surface: group results as smooth functions of the unknowns, learnt from simulated populations.

Each result, on its scale, is a quadratic polynomial in the unknowns (all squares, and the products of two on which the
rest depends most), fitted by ridge regression whose penalty is chosen by leave-one-out error. That error is what the
surface does not know: Monte Carlo error of the simulated patients included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats, Integers

_PRODUCTS = 80
"""Products of two unknowns in a surface."""
_PENALTIES = np.geomspace(0.3, 3000.0, 12)
_LEAST = 40
"""Fewest populations in which a result must be defined."""


@dataclass(frozen=True)
class _Surface:
    products: Integers
    weight: Floats
    centre: float
    error: float


@dataclass(frozen=True)
class Emulator:
    """Response surfaces of several results."""

    surfaces: tuple[_Surface, ...]

    @property
    def error(self) -> Floats:
        """Root mean square leave-one-out error of each result; infinite where it was hardly ever defined."""
        return np.array([s.error for s in self.surfaces])

    def __call__(self, z: Floats) -> Floats:
        """Return the results at points; shape (points, results)."""
        plain, pairs, columns = _plain(z), _pairs(z.shape[1]), []
        for s in self.surfaces:
            own, paired = np.split(s.weight, [plain.shape[1]])
            columns.append(s.centre + plain @ own + _products(z, pairs[:, s.products]) @ paired)
        return np.column_stack(columns)


def fit(z: Floats, values: Floats, *, weight: Floats | None = None) -> Emulator:
    """Return the surfaces through simulated results.

    Parameters
    ----------
    z, values
        Points (points, unknowns), and results on their scales there, (points, results); NaN: not defined.
    weight
        Of the points in the fit and in its error.
    """
    weights, every = np.ones(len(z)) if weight is None else weight, _products(z, _pairs(z.shape[1]))
    return Emulator(tuple(_surface(z, every, values[:, k], weight=weights) for k in range(values.shape[1])))


def _pairs(unknowns: int) -> Integers:
    return np.array(np.triu_indices(unknowns, 1))


def _plain(z: Floats) -> Floats:
    return np.hstack([z, z**2 - 1])


def _products(z: Floats, pairs: Integers) -> Floats:
    products: Floats = z[:, pairs[0]] * z[:, pairs[1]]
    return products


def _surface(z: Floats, every: Floats, values: Floats, *, weight: Floats) -> _Surface:
    some, most = np.isfinite(values), min(_PRODUCTS, every.shape[1])
    if some.sum() < _LEAST:
        return _Surface(np.arange(most), np.zeros(2 * z.shape[1] + most), 0.0, float("inf"))
    z, every, values, weight = z[some], every[some], values[some], weight[some]
    root, centre = np.sqrt(weight), float(np.average(values, weights=weight))
    plain = _centred(_plain(z), weight)
    rest = root * (values - centre - plain @ _ridge(root[:, None] * plain, root * (values - centre))[0])
    strength = np.abs((root * rest) @ every) / np.linalg.norm(root[:, None] * every, axis=0).clip(1e-12)
    products = np.sort(np.argsort(strength)[-most:])
    columns = np.hstack([_plain(z), every[:, products]])
    coefficients, error = _ridge(root[:, None] * _centred(columns, weight), root * (values - centre))
    centre -= float(np.average(columns, axis=0, weights=weight) @ coefficients)
    return _Surface(products, coefficients, centre, error / float(np.sqrt(np.mean(weight))))


def _centred(columns: Floats, weight: Floats) -> Floats:
    """Return columns around their means: the points of later rounds lie around the posterior, not around 0."""
    around: Floats = columns - np.average(columns, axis=0, weights=weight)
    return around


def _ridge(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Return the coefficients with the penalty of least leave-one-out error, and that error."""
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    turned = left.T @ y
    best, kept = np.inf, np.zeros(x.shape[1])
    for penalty in _PENALTIES:
        shrunk = singular**2 / (singular**2 + penalty)
        leverage = np.minimum(np.sum(left**2 * shrunk, axis=1), 0.999)
        error = float(np.sqrt(np.mean(((y - left @ (shrunk * turned)) / (1 - leverage)) ** 2)))
        if error < best:
            best, kept = error, right.T @ (singular / (singular**2 + penalty) * turned)
    return kept, best
