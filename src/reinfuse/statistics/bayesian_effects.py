"""Bayesian logistic and Cox models with weakly informative priors, by importance sampling at low-discrepancy points.

Likelihood: logistic, or Cox's partial likelihood with Breslow's ties, which is the marginal likelihood under a diffuse
gamma-process prior of the baseline hazard (Sinha, Ibrahim and Chen, Biometrika 2003;90:629-641). Priors are of log odds
or log hazard ratios, independent, about 0: normal (Greenland, Int J Epidemiol 2006;35:765-775), Student t or Cauchy
(Gelman et al., Ann Appl Stat 2008;2:1360-1383), the intercept Cauchy with scale 10 at the columns' means. Posterior:
points of a scrambled Sobol sequence, of fixed seed, through a multivariate t of 4 degrees of freedom about the mode
(Owen, Monte Carlo theory, 2013, chapter 9), each weighted by posterior over proposal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
from scipy.special import gammaln, ndtri, stdtrit

from reinfuse.arrays import Floats

Family = Literal["normal", "student_t", "cauchy"]
DEGREES = {"student_t": 7.0, "cauchy": 1.0}
"""Degrees of freedom; `student_t` as Ghosh, Li and Mitra, Bayesian Anal 2018;13:359-383, recommend it."""
FEWEST_EFFECTIVE = 400
"""Points' worth below which the sample says too little."""
_POINTS = 14
"""Binary logarithm of the number of points."""
_BLOCKS = 16
"""Parts in which the points are taken, so that each fits into a processor's memory."""
_HEAVY = 4.0
_INTERCEPT = 10.0
_ROUNDS = 100
_WIDER = 1.1
_WIDTH, _QUARTILES_APART = 1.08, 1.34
"""Of the kernel: the best width for a normal density (Silverman, Density estimation, 1986, sections 3.4 and 3.6)."""


@dataclass(frozen=True)
class Prior:
    """An independent prior of each log ratio, with median 0.

    Attributes
    ----------
    family, scale
        `normal` with this standard deviation, or a t distribution with this scale.
    """

    family: Family = "normal"
    scale: float = 1.0

    def log_density(self, b: Floats) -> Floats:
        """Return the log density of each coefficient."""
        return _log_t(b, self.scale, df=None if self.family == "normal" else DEGREES[self.family])

    def quantile(self, p: float) -> float:
        """Return a quantile."""
        unit = ndtri(p) if self.family == "normal" else stdtrit(DEGREES[self.family], p)
        return float(self.scale * unit)


@dataclass(frozen=True)
class Posterior:
    """A sample of the coefficients and its weights.

    Attributes
    ----------
    coef, weight
        Shapes (points, k) and (points,); weights add up to 1.
    effective
        How many independent points it is worth.
    """

    coef: Floats = field(repr=False)
    weight: Floats = field(repr=False)
    effective: float

    def quantiles(self, j: int, shares: tuple[float, ...]) -> list[float]:
        """Return quantiles of one coefficient."""
        order = np.argsort(self.coef[:, j])
        below = np.cumsum(self.weight[order]) - self.weight[order] / 2
        return [float(v) for v in np.interp(shares, below, self.coef[order, j])]

    def above(self, j: int, value: float) -> float:
        """Return the probability that a coefficient exceeds a value."""
        return float(self.weight[self.coef[:, j] > value].sum())

    def density(self, j: int, at: Floats) -> Floats:
        """Return the density of one coefficient at some values: a normal kernel of order 4, without bias of order 2."""
        b = self.coef[:, j]
        first, third = self.quantiles(j, (0.25, 0.75))
        deviation = float(np.sqrt(self.weight @ (b - self.weight @ b) ** 2))
        width = _WIDTH * min(deviation, (third - first) / _QUARTILES_APART) * self.effective ** (-1 / 9)
        squared = ((at[:, None] - b) / width) ** 2
        kernel = (1.5 - squared / 2) * np.exp(-squared / 2) / (width * np.sqrt(2 * np.pi))
        return np.asarray(np.maximum(kernel @ self.weight, 0), dtype=np.float64)


def posterior(X: Floats, event: Floats, time: Floats | None = None, *, prior: Prior) -> Posterior | None:
    """Return the posterior of a model's coefficients; None where no mode was reached.

    Parameters
    ----------
    X
        Shape (n, k), in the units in which the prior is meant.
    event, time
        As in `firth.fit`; without `time` a logistic model.
    """
    centred = X - X.mean(axis=0)
    k = X.shape[1]
    likelihood, width = (_logistic(centred, event), k + 1) if time is None else (_cox(centred, event, time), k)

    def density(b: Floats) -> Floats:
        value = likelihood(b) + prior.log_density(b[:, :k]).sum(axis=1)
        return np.asarray(value if width == k else value + _log_t(b[:, k], _INTERCEPT, df=1.0), dtype=np.float64)

    mode = _mode(density, width)
    if mode is None:
        return None
    at, spread = mode
    root = np.linalg.cholesky(spread) * _WIDER
    unit = _heavy_points(width)
    points = at + unit @ root.T
    proposal = _log_multivariate_t(unit)
    log_weight = np.concatenate([density(block) for block in np.split(points, _BLOCKS)]) - proposal
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    return Posterior(points[:, :k], weight, float(1 / (weight**2).sum()))


def _log_t(b: Floats, scale: float, *, df: float | None) -> Floats:
    if df is None:
        return np.asarray(-0.5 * (b / scale) ** 2 - 0.5 * np.log(2 * np.pi) - np.log(scale), dtype=np.float64)
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi) - np.log(scale)
    return np.asarray(constant - (df + 1) / 2 * np.log1p((b / scale) ** 2 / df), dtype=np.float64)


def _log_multivariate_t(unit: Floats) -> Floats:
    """Return the log density of the proposal but for a constant."""
    k = unit.shape[1]
    return np.asarray(-(_HEAVY + k) / 2 * np.log1p((unit**2).sum(axis=1) / _HEAVY), dtype=np.float64)


@cache
def _heavy_points(k: int) -> Floats:
    """Return points of a multivariate t distribution, always the same."""
    from scipy.special import chdtri
    from scipy.stats import qmc

    uniform = np.clip(qmc.Sobol(k + 1, seed=1).random_base2(_POINTS), 1e-9, 1 - 1e-9)
    chi = chdtri(_HEAVY, uniform[:, -1:])
    return np.asarray(ndtri(uniform[:, :-1]) * np.sqrt(_HEAVY / chi), dtype=np.float64)


_Density = Callable[[Floats], Floats]
"""Log density of coefficients of shape (points, k)."""


def _logistic(X: Floats, event: Floats) -> _Density:
    Z = np.column_stack([X, np.ones(len(X))])

    def value(b: Floats) -> Floats:
        eta = b @ Z.T
        return np.asarray(eta @ event - np.logaddexp(0, eta).sum(axis=1), dtype=np.float64)

    return value


def _cox(X: Floats, event: Floats, time: Floats) -> _Density:
    order = np.argsort(-time, kind="stable")
    Z, t, died = X[order], time[order], event[order] == 1
    last = np.searchsorted(-t, -t[died], side="right") - 1

    def value(b: Floats) -> Floats:
        eta = b @ Z.T
        greatest = eta.max(axis=1, keepdims=True)
        risk = np.cumsum(np.exp(np.maximum(eta - greatest, -700)), axis=1)[:, last]
        return np.asarray((eta[:, died] - greatest - np.log(np.maximum(risk, 1e-300))).sum(axis=1), dtype=np.float64)

    return value


def _mode(density: _Density, k: int) -> tuple[Floats, Floats] | None:
    """Return the mode and the inverse of the curvature there."""
    from scipy.optimize import minimize

    reached = minimize(lambda b: -float(density(b[None])[0]), np.zeros(k), method="BFGS", options={"maxiter": _ROUNDS})
    curvature = _curvature(density, reached.x)
    values, vectors = np.linalg.eigh(curvature)
    if not np.isfinite(values).all() or values.min() <= 0:
        return None
    return np.asarray(reached.x, dtype=np.float64), vectors @ np.diag(1 / values) @ vectors.T


def _curvature(density: _Density, at: Floats) -> Floats:
    """Return the negative second derivatives by central differences."""
    k, h = len(at), 1e-3
    steps = np.eye(k) * h
    pairs = [(i, j) for i in range(k) for j in range(k)]
    points = np.array([at + s * steps[i] + t * steps[j] for i, j in pairs for s in (-1, 1) for t in (-1, 1)])
    value = density(points).reshape(len(pairs), 4)
    second = (value[:, 0] - value[:, 1] - value[:, 2] + value[:, 3]) / (4 * h * h)
    return -second.reshape(k, k)
