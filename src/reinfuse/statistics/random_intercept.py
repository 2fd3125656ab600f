"""A logistic model with a normal random intercept of each cluster on the log odds, by softly penalised likelihood.

What a shared frailty is to times, this is to a binary outcome: patient i of cluster g has the log odds x_i'b + s z_g,
z_g standard normal. z is integrated out by adaptive Gauss-Hermite quadrature about each cluster's mode (Pinheiro and
Bates, J Comput Graph Stat 1995;4:12-35). To the log-likelihood c times log det(X'WX) / 2 of the model without clusters
and c times a negative Huber loss of log s are added, c = 2 sqrt(p / n) with p coefficients: estimates are then finite,
s is neither 0 nor infinite, and the penalty vanishes as n grows (Sterzinger and Kosmidis, Stat Comput 2023;33:53).
Standard errors are of the curvature at the maximum, s counted as estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Floats, Integers

_NODES = 25
_MODE_ROUNDS, _MODE_CLOSE, _LONGEST = 100, 1e-10, 2.0
_STARTS = (-1.5, 0.0)
"""Log standard deviations from which the maximum is looked for."""
_STEP = 1e-4
_FARTHEST = 15.0
"""Standard deviations of a column beyond which an estimate counts as infinite."""


@dataclass(frozen=True)
class RandomInterceptFit:
    """Effects on the log odds, beside the clusters' own.

    Attributes
    ----------
    coef, error
        Shape (k,).
    deviation
        Standard deviation of the clusters' log odds.
    log_likelihood
        Without the penalty.
    converged
        The estimate is finite.
    """

    coef: Floats
    error: Floats
    deviation: float
    log_likelihood: float
    converged: bool


def fit(X: Floats, event: Floats, cluster: Integers, *, deviation: float | None = None,
        penalised: bool = True) -> RandomInterceptFit:  # fmt: skip
    """Fit the model; X without an intercept, shapes as in `firth.fit`, `cluster` (n,).

    Parameters
    ----------
    deviation
        Of the clusters' log odds; None: estimated.
    penalised
        False: maximum likelihood, as R's ``glmer``.

    Examples
    --------
    Without differences between clusters, 3 of 4 against 1 of 4 responders, c / 2 = 1 / 2 added to each count:

    >>> import numpy as np
    >>> from reinfuse.statistics import random_intercept
    >>> x, y = np.repeat([0.0, 1.0], 4), np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    >>> fitted = random_intercept.fit(x[:, None], y, np.arange(8), deviation=1e-6)
    >>> round(float(np.exp(fitted.coef[0])), 2), round((3.5 / 1.5) ** 2, 2)
    (5.44, 5.44)
    """
    from scipy.optimize import minimize  # here: slow to import, and few plans ask for it

    scale, k = X.std(axis=0), X.shape[1]
    Z = np.column_stack([(X - X.mean(axis=0)) / scale, np.ones(len(X))])
    model = _Model(Z, event, (cluster == np.unique(cluster)[:, None]).astype(np.float64),
                   2 * np.sqrt((k + 1) / len(X)) if penalised else 0.0)  # fmt: skip
    held = None if deviation is None else float(np.log(deviation))
    best = None
    for start in _STARTS if held is None else (held,):
        at = np.append(np.zeros(k + 1), start)
        free = slice(None) if held is None else slice(k + 1)

        def loss(b: Floats, at: Floats = at, free: slice = free) -> tuple[float, Floats]:
            value, slope = model.value(np.append(b, at[len(b) :]))
            return -value, -slope[free]

        reached = minimize(loss, at[free], jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
        if np.isfinite(reached.fun) and (best is None or reached.fun < best[0]):
            best = float(reached.fun), np.append(reached.x, at[len(reached.x) :])
    nothing = RandomInterceptFit(*(np.full(k, np.nan),) * 2, float("nan"), float("nan"), False)
    if best is None or np.abs(best[1][:k]).max() > _FARTHEST or np.abs(best[1][-1]) > _FARTHEST:
        return nothing
    variance = model.variance(best[1], k + 1 if held is not None else k + 2)
    if variance is None:
        return nothing
    return RandomInterceptFit(best[1][:k] / scale, np.sqrt(np.diag(variance)[:k]) / scale, float(np.exp(best[1][-1])),
                              model.likelihood(best[1])[0], True)  # fmt: skip


@dataclass(frozen=True)
class _Model:
    """Columns with an intercept, outcomes, clusters as rows of zeros and ones, and the multiple of the penalty."""

    X: Floats
    event: Floats
    member: Floats
    penalty: float

    def value(self, b: Floats) -> tuple[float, Floats]:
        """Return the penalised log-likelihood and its slope; of `b` the last is the log of the deviation."""
        value, slope = self.likelihood(b)
        if not self.penalty:
            return value, slope
        p = expit(self.X @ b[:-1])
        root = self.X * np.sqrt(p * (1 - p))[:, None]
        sign, size = np.linalg.slogdet(root.T @ root)
        if sign <= 0:
            return -np.inf, np.zeros(len(b))
        leverage = ((root @ np.linalg.inv(root.T @ root)) * root).sum(axis=1)
        far = abs(b[-1]) > 1
        huber = 0.5 - abs(b[-1]) if far else -(b[-1] ** 2) / 2
        more = np.append(self.X.T @ (leverage * (0.5 - p)), -np.sign(b[-1]) if far else -b[-1])
        return value + self.penalty * float(size / 2 + huber), slope + self.penalty * more

    def likelihood(self, b: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood with the clusters integrated out, and its slope."""
        deviation, eta = float(np.exp(b[-1])), self.X @ b[:-1]
        mode, spread = self._modes(eta, deviation)
        nodes, weights = np.polynomial.hermite.hermgauss(_NODES)
        z = mode[:, None] + np.sqrt(2) * spread[:, None] * nodes  # (clusters, nodes)
        own = eta[:, None] + deviation * (self.member.T @ z)
        inside = self.member @ (self.event[:, None] * own - np.logaddexp(0, own)) - z**2 / 2
        terms = inside + nodes**2 + np.log(weights) + np.log(spread / np.sqrt(np.pi))[:, None]
        greatest = terms.max(axis=1, keepdims=True)
        each = np.exp(terms - greatest)
        share = self.member.T @ (each / each.sum(axis=1, keepdims=True))
        left = share * (self.event[:, None] - expit(own))
        slope = np.append(self.X.T @ left.sum(axis=1), deviation * (left * (self.member.T @ z)).sum())
        return float((greatest[:, 0] + np.log(each.sum(axis=1))).sum()), slope

    def _modes(self, eta: Floats, deviation: float) -> tuple[Floats, Floats]:
        """Return each cluster's most probable z and the spread about it."""
        z = np.zeros(len(self.member))
        for _ in range(_MODE_ROUNDS):
            p = expit(eta + deviation * (z @ self.member))
            curvature = 1 + deviation**2 * (self.member @ (p * (1 - p)))
            step = (deviation * (self.member @ (self.event - p)) - z) / curvature
            z = z + np.clip(step, -_LONGEST, _LONGEST)
            if np.abs(step).max() < _MODE_CLOSE:
                break
        return z, np.asarray(1 / np.sqrt(curvature), dtype=np.float64)

    def variance(self, b: Floats, free: int) -> Floats | None:
        """Return the inverse curvature of the penalised likelihood in its first parameters; None at no maximum."""
        steps = np.eye(len(b))[:free] * _STEP
        H = -np.array([(self.value(b + s)[1] - self.value(b - s)[1])[:free] / (2 * _STEP) for s in steps])
        H = (H + H.T) / 2
        if not np.isfinite(H).all() or np.linalg.eigvalsh(H).min() <= 0:
            return None
        return np.asarray(np.linalg.inv(H), dtype=np.float64)
