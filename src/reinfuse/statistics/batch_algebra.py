"""Sums and inverses of a batch of small matrices: what many Firth fits at once take in each step."""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Bools, Floats

_SINGULAR = -30.0
"""Log-determinant of the scaled information below which it counts as singular."""
_ONE_BY_ONE = 8
"""Columns from which a sum adds them up in another order, and so differs in the last digit."""


def products(x: Floats, b: Floats) -> Floats:
    """Return x_i' b, shape (batch, n)."""
    product: Floats = np.matmul(x, b[:, :, None])[:, :, 0]
    return product


def summed(v: Floats, x: Floats) -> Floats:
    """Return sum_i v_i x_i, shape (batch, k)."""
    total: Floats = np.matmul(v[:, None, :], x)[:, 0, :]
    return total


def row_sums(v: Floats) -> Floats:
    """Return sum_k v_ik, shape (batch, n): of few columns one after the other, which is many times as fast."""
    if not 1 <= v.shape[2] < _ONE_BY_ONE:
        return np.asarray(v.sum(axis=2), dtype=np.float64)
    total = v[:, :, 0].copy()
    for column in range(1, v.shape[2]):
        total += v[:, :, column]
    return total


def crossed(x: Floats, v: Floats) -> Floats:
    """Return sum_i v_i x_i x_i', shape (batch, k, k)."""
    if x.ndim == 3:
        return np.asarray(np.matmul((x * v[:, :, None]).transpose(0, 2, 1), x), dtype=np.float64)
    n, k = x.shape
    return np.asarray((v @ (x[:, :, None] * x[:, None, :]).reshape(n, k * k)).reshape(len(v), k, k), dtype=np.float64)


def quadratic(x: Floats, A: Floats) -> Floats:
    """Return x_i' A x_i, shape (batch, n)."""
    if x.ndim == 3:
        return row_sums((x @ A) * x)
    n, k = x.shape
    return A.reshape(len(A), k * k) @ (x[:, :, None] * x[:, None, :]).reshape(n, k * k).T


def restricted(information: Floats, used: Bools | None) -> tuple[Floats, Floats, Floats]:
    """Return the information of the used columns, 0 elsewhere, its inverse and half its log-determinant."""
    if used is not None:
        information = information * used[:, :, None] * used[:, None, :]
    return information, *inverted(information, used)


def inverted(information: Floats, used: Bools | None) -> tuple[Floats, Floats]:
    """Return the inverse and half the log-determinant; what is not used counts as an identity; singular: 0 and -inf."""
    k = information.shape[-1]
    full = information
    if used is not None:
        full = information + np.eye(k) * (~used)[:, :, None]
    scale = np.sqrt(np.maximum(full.diagonal(axis1=1, axis2=2), 1e-300))
    scales = scale[:, :, None] * scale[:, None, :]
    scaled = full / scales
    log_det, inverse = _of_two(scaled) if 1 <= k <= 2 else _of_many(scaled)
    good = log_det > _SINGULAR
    inverse /= scales
    if not good.all():
        inverse[~good] = 0.0
    if used is not None:
        inverse = inverse * used[:, :, None] * used[:, None, :]
    return inverse, np.where(good, 0.5 * log_det + np.log(scale).sum(axis=1), -np.inf)


def _of_two(scaled: Floats) -> tuple[Floats, Floats]:
    """Return log-determinant and inverse of matrices of one or two columns, written out."""
    first, last = scaled[:, 0, 0], scaled[:, -1, -1]
    other = scaled[:, 0, 1] if scaled.shape[-1] == 2 else None
    det = first if other is None else first * last - other * other
    good = (first > 0) & (det > 0) & np.isfinite(det)
    det = np.where(good, det, 1.0)
    inverse = np.empty_like(scaled)
    inverse[:, 0, 0], inverse[:, -1, -1] = last / det, first / det
    if other is None:
        inverse[:, 0, 0] = 1 / det
    else:
        inverse[:, 0, 1] = inverse[:, 1, 0] = -other / det
    return np.where(good, np.log(det), -np.inf), inverse


def _of_many(scaled: Floats) -> tuple[Floats, Floats]:
    sign, log_det = np.linalg.slogdet(scaled)
    good = (sign > 0) & np.isfinite(log_det) & (log_det > _SINGULAR)
    if not good.all():
        scaled[~good] = np.eye(scaled.shape[-1])
    return np.where(good, log_det, -np.inf), np.asarray(np.linalg.inv(scaled), dtype=np.float64)
