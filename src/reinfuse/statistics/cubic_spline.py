"""A restricted cubic spline of three knots in a Firth model: columns, and its curve with profile intervals.

Linear below the first and above the last knot (Stone and Koo, Proc Stat Comp Sect ASA 1985:45-48; Harrell, Regression
Modeling Strategies, 2nd ed. 2015, section 2.4.5, with his scaling by the squared distance of the outer knots and his
knots at the 10th, 50th and 90th percentiles). Each point of the curve is a log odds or hazard ratio against a reference
value; its interval is that of the profile penalised likelihood, for which the model is written with this contrast as a
coefficient: all points are fitted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtri, ndtri

from reinfuse.arrays import Floats
from reinfuse.statistics import batch_algebra, firth_batch
from reinfuse.statistics.firth import Kind

SHARES = (0.1, 0.5, 0.9)
_ROUNDS = 25
_NEAR = 1e-5
_FARTHEST = 1e3
"""Multiples of the normal half-width beyond which there is no limit."""


@dataclass(frozen=True)
class SplineCurve:
    """Log ratios against the reference value, with limits; NaN where there is none; each of shape (points,)."""

    value: Floats = field(repr=False)
    log_ratio: Floats = field(repr=False)
    lower: Floats = field(repr=False)
    upper: Floats = field(repr=False)


def knots(x: Floats) -> Floats:
    """Return the 10th, 50th and 90th percentiles; some are equal where few values are met."""
    return np.quantile(x, SHARES)


def basis(x: Floats, at: Sequence[float] | Floats) -> Floats:
    """Return the columns of a spline: the value itself, and the part that is not linear; shape (n, 2).

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.cubic_spline import basis
    >>> basis(np.array([0.0, 1.0, 2.0, 3.0]), [0.0, 1.0, 2.0]).tolist()
    [[0.0, 0.0], [1.0, 0.25], [2.0, 1.5], [3.0, 3.0]]
    """
    first, middle, last = map(float, at)

    def cubed(knot: float) -> Floats:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3, dtype=np.float64)

    bend = cubed(first) - cubed(middle) * (last - first) / (last - middle)
    bend += cubed(last) * (middle - first) / (last - middle)
    return np.column_stack([x, bend / (last - first) ** 2])


def curve(kind: Kind, x: Floats, event: Floats, time: Floats | None, *, at: Floats, values: Floats, reference: float,
          confidence: float = 0.95) -> SplineCurve:  # fmt: skip
    """Return the log ratio of each value against the reference.

    Parameters
    ----------
    kind, event, time
        As in `firth.fit`.
    x
        The number, shape (n,).
    at
        Knots, shape (3,).
    values, reference
        Values of the curve, shape (points,), none of them the reference.
    """
    X, points, base = (basis(v, at) for v in (x, values, np.array([reference])))
    along, bend = (points - base).T
    X = X - X.mean(axis=0)
    batch = np.stack([np.tile(X[:, 0], (len(values), 1)) / along[:, None],
                      X[:, 1] - np.outer(bend / along, X[:, 0])], axis=2)  # fmt: skip
    spread = batch.std(axis=1)
    batch = batch / spread[:, None, :]
    top = _fits(kind, batch, event, time, held=None)
    log_ratio = np.where(top.converged, top.coef[:, 0], np.nan)
    variance, _ = batch_algebra.inverted(top.information, None)
    half = float(ndtri(0.5 + confidence / 2)) * np.sqrt(np.maximum(variance[:, 0, 0], 1e-12))
    limits = _limits(kind, batch, event, time, top=top, half=half, confidence=confidence)
    return SplineCurve(values, *(v / spread[:, 0] for v in (log_ratio, *limits)))


def _fits(kind: Kind, X: Floats, event: Floats, time: Floats | None, *, held: Floats | None) -> firth_batch.Fits:
    rows, at = len(X), None if held is None else (0, held)
    y = np.tile(event, (rows, 1))
    if kind == "logistic" or time is None:
        X = np.concatenate([X, np.ones((*X.shape[:2], 1))], axis=2)
        return firth_batch.logistic(X, y, held=at)
    return firth_batch.cox(X, np.tile(time, (rows, 1)), y, held=at)


def _limits(kind: Kind, X: Floats, event: Floats, time: Floats | None, *, top: firth_batch.Fits, half: Floats,
            confidence: float) -> Floats:  # fmt: skip
    """Return where the profile has fallen by the quantile: the root of the fall is nearly a line in the distance."""
    wanted = float(np.sqrt(chdtri(1, 1 - confidence)))
    X, value, good = np.concatenate([X, X]), np.tile(top.value, 2), np.tile(top.converged, 2)
    best, distance = np.tile(top.coef[:, 0], 2), np.concatenate([-half, half])
    near = np.zeros(len(X), dtype=np.bool_)
    for _ in range(_ROUNDS):
        far = np.flatnonzero(~near)
        fits = _fits(kind, X[far], event, time, held=(best + distance)[far])
        root = np.sqrt(np.maximum(2 * (value[far] - fits.value), 1e-12))
        near[far] = fits.converged & (np.abs(root - wanted) < _NEAR)
        if near.all():
            break
        change = np.clip(wanted / np.where(np.isfinite(root), root, 2 * wanted), 0.3, 3.0)
        wider = np.clip(distance[far] * change, -_FARTHEST, _FARTHEST)
        distance[far] = np.where(near[far], distance[far], wider)
    return np.where(near & good, best + distance, np.nan).reshape(2, -1)
