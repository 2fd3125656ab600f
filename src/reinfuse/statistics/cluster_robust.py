"""Standard errors that hold where patients of one cluster resemble each other, for few clusters.

Logistic and linear models: CR2 (Bell and McCaffrey, Surv Methodol 2002;28:169-181) with Satterthwaite degrees of
freedom, both by the working model of independent patients (Pustejovsky and Tipton, J Bus Econ Stat 2018;36:672-683;
R's clubSandwich). Z are the columns and e the residuals over the working standard deviations, M = (Z'Z)^-1, and for a
cluster with working variances V on the diagonal W_g = V (V (I - Z_g M Z_g') V)^(-1/2) Z_g M. The variance is the sum of
W_g' e_g e_g' W_g. For one coefficient, p_g its column of W_g, the degrees of freedom are tr(B)^2 / sum B^2 with
B_gh = [g = h] p_g'p_g - p_g' Z_g M Z_h' p_h.

Cox model: a jackknife over clusters, (G - 1) / G times the sum of squared differences of the estimates without a
cluster from the estimate with all, with G - 1 degrees of freedom (Lipsitz et al., Biometrics 1994;50:842-846); CR2 is
not established there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.statistics import firth_batch

_ROUNDS = 60
_FARTHEST = 30.0
_NOTHING = 1e-10


@dataclass(frozen=True)
class RobustFit:
    """Effects with robust standard errors.

    Attributes
    ----------
    coef, error, df
        Shape (k,): effects on the log scale, standard errors, degrees of freedom of t; NaN where there is none.
    converged
        The estimate is finite.
    """

    coef: Floats
    error: Floats
    df: Floats
    converged: bool


def linear(X: Floats, y: Floats, cluster: Integers) -> RobustFit:
    """Fit a linear model; columns as they are, an intercept among them, shape (n, k); `cluster` has shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import cluster_robust
    >>> X = np.column_stack([np.ones(6), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]])
    >>> fit = cluster_robust.linear(X, np.array([1.0, 3.0, 2.0, 3.0, 1.0, 5.0]), np.array([0, 0, 1, 1, 2, 2]))
    >>> round(float(fit.coef[1]), 2), round(float(fit.error[1]), 2), round(float(fit.df[1]), 2)
    (2.33, 0.88, 2.0)
    """
    coef: Floats = np.asarray(np.linalg.lstsq(X, y, rcond=None)[0], dtype=np.float64)
    return RobustFit(coef, *_cr2(X, y - X @ coef, np.ones(len(y)), cluster=cluster), True)


def logistic(X: Floats, event: Floats, cluster: Integers) -> RobustFit:
    """Fit a logistic model by maximum likelihood; columns as they are, an intercept among them, shape (n, k)."""
    b = np.zeros(X.shape[1])
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(X @ b, -_FARTHEST, _FARTHEST)))
        v = p * (1 - p)
        step = np.linalg.lstsq((X.T * v) @ X, X.T @ (event - p), rcond=1e-12)[0]
        b = b + np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < _NOTHING:
            break
    p = 1 / (1 + np.exp(-np.clip(X @ b, -_FARTHEST, _FARTHEST)))
    root = np.sqrt(p * (1 - p))
    if np.abs(X @ b).max() > _FARTHEST / 2 or root.min() < 1e-6:  # the likelihood has no maximum
        nothing = np.full(len(b), np.nan)
        return RobustFit(b, nothing, nothing, False)
    return RobustFit(b, *_cr2(X * root[:, None], (event - p) / root, root**2, cluster=cluster), True)


def _cr2(Z: Floats, residual: Floats, variance: Floats, *, cluster: Integers) -> tuple[Floats, Floats]:
    """Return standard errors and degrees of freedom from whitened columns and residuals."""
    M: Floats = np.asarray(np.linalg.inv(Z.T @ Z), dtype=np.float64)
    groups = [np.flatnonzero(cluster == g) for g in np.unique(cluster)]
    weights = [_adjusted(Z[rows], M, variance[rows]) @ M for rows in groups]  # W_g, shape (n_g, k)
    scores = np.array([w.T @ residual[rows] for w, rows in zip(weights, groups, strict=True)])
    own = np.array([(w**2).sum(axis=0) for w in weights])
    cross = np.array([w.T @ Z[rows] for w, rows in zip(weights, groups, strict=True)])  # p_g' Z_g, each coefficient
    df = np.empty(Z.shape[1])
    for j in range(Z.shape[1]):
        B = np.diag(own[:, j]) - cross[:, j] @ M @ cross[:, j].T
        df[j] = np.trace(B) ** 2 / (B**2).sum() if (B**2).sum() > 0 else np.nan
    return np.sqrt((scores**2).sum(axis=0)), df


def _adjusted(Z: Floats, M: Floats, variance: Floats) -> Floats:
    """Return V (V (I - Z M Z') V)^(-1/2) Z; directions that the model fits exactly count nothing."""
    own = np.eye(len(Z)) - Z @ M @ Z.T
    values, vectors = np.linalg.eigh(variance[:, None] * own * variance)
    least = _NOTHING * max(float(values.max()), 1e-300)
    root = np.where(values > least, 1 / np.sqrt(np.maximum(values, least)), 0.0)
    return np.asarray(variance[:, None] * ((vectors * root) @ vectors.T @ Z), dtype=np.float64)


def cox(X: Floats, time: Floats, event: Floats, cluster: Integers) -> RobustFit:
    """Fit a Firth Cox model, its standard errors by a jackknife over clusters; shapes as in `firth.fit`."""
    scale = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / scale
    names = np.unique(cluster)
    weights = np.vstack([np.ones(len(Z)), *(1.0 * (cluster != g) for g in names)])
    many = len(weights)
    fits = firth_batch.cox(Z, np.tile(time, (many, 1)), np.tile(event, (many, 1)), weights=weights)
    spread = ((fits.coef[1:] - fits.coef[0]) ** 2).sum(axis=0) * (many - 2) / (many - 1)
    good = bool(fits.converged.all())
    df = np.full(X.shape[1], many - 2.0)
    return RobustFit(fits.coef[0] / scale, np.where(good, np.sqrt(spread), np.nan) / scale, df, good)
