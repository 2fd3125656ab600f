"""Mixtures of Betas for a proportion and of Gammas for a rate: priors that stay mixtures of the same kind after data.

With weights w_j, y events of n patients turn Beta(a_j, b_j) into Beta(a_j + y, b_j + n - y), and y events in exposure T
turn Gamma(a_j, b_j) into Gamma(a_j + y, b_j + T); the weights are multiplied by each component's probability of the
data. A robust prior adds a vague component, so that data in conflict with the others move the weight to it (Schmidli et
al., Biometrics 2014;70:1023-1032).

`mixture_fit` brings a prior that is known on a grid into this form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import (
    betainc,
    betaincinv,
    betaln,
    gammainc,
    gammaincinv,
    gammaln,
    logsumexp,
    xlog1py,
    xlogy,
)

from reinfuse.arrays import Floats


def _valid(weights: Floats, *shapes: Floats) -> tuple[Floats, ...]:
    """Return the parameters as arrays, the weights with a sum of 1."""
    arrays = tuple(np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (weights, *shapes))
    if len({x.shape for x in arrays}) > 1 or not all(np.isfinite(x).all() for x in arrays):
        raise ValueError("weights and parameters of a mixture must be finite, one a component")
    if not ((arrays[0] >= 0).all() and arrays[0].sum() > 0 and all((x > 0).all() for x in arrays[1:])):
        raise ValueError("weights of a mixture must not be negative, and its parameters be above 0")
    return arrays[0] / arrays[0].sum(), *arrays[1:]


def _root(excess: Callable[[float], float], ends: Floats) -> float:
    """Return where a distribution function has its value, between the quantiles of its components."""
    low, high = float(ends.min()), float(ends.max())
    if excess(low) >= 0:  # one component, or rounding
        return low
    return high if excess(high) <= 0 else float(brentq(excess, low, high, xtol=1e-15))


@dataclass(frozen=True)
class BetaMixture:
    """A mixture of Betas.

    Attributes
    ----------
    weights, a, b
        One a component; weights are scaled to a sum of 1.
    """

    weights: Floats
    a: Floats
    b: Floats

    def __post_init__(self) -> None:
        for name, value in zip(("weights", "a", "b"), _valid(self.weights, self.a, self.b), strict=True):
            object.__setattr__(self, name, value)

    @property
    def mean(self) -> float:
        """Mean of the proportion."""
        return float((self.weights * self.a / (self.a + self.b)).sum())

    @property
    def sd(self) -> float:
        """Standard deviation of the proportion."""
        m = self.a / (self.a + self.b)
        second = m * (self.a + 1) / (self.a + self.b + 1)
        return float(np.sqrt((self.weights * second).sum() - self.mean**2))

    def log_pdf(self, p: Floats) -> Floats:
        """Return the log density at proportions within 0 and 1."""
        p = np.asarray(p, dtype=np.float64)[..., None]
        log = xlogy(self.a - 1, p) + xlog1py(self.b - 1, -p) - betaln(self.a, self.b)
        return np.asarray(logsumexp(log, b=self.weights, axis=-1))

    def cdf(self, p: Floats) -> Floats:
        """Return the probability of a proportion of at most p."""
        p = np.asarray(p, dtype=np.float64)[..., None]
        return np.asarray((self.weights * betainc(self.a, self.b, p)).sum(axis=-1))

    def quantile(self, share: float) -> float:
        """Return the proportion below which this share of the distribution lies."""
        held = self.weights > 0
        ends = betaincinv(self.a[held], self.b[held], share)
        return _root(lambda p: float(self.cdf(np.array(p))) - share, ends)

    def interval(self, *, confidence: float = 0.95) -> tuple[float, float]:
        """Return the limits that leave equal tails."""
        return self.quantile(0.5 - confidence / 2), self.quantile(0.5 + confidence / 2)

    def predictive(self, *, n: int) -> Floats:
        """Return the probability of each number of events, 0 to n, before they are known, shape (n + 1,)."""
        y = np.arange(n + 1.0)
        return np.asarray(np.exp(logsumexp(self._log_marginal(y[:, None], float(n)), b=self.weights, axis=-1)))

    def posterior(self, *, events: float, n: float) -> BetaMixture:
        """Return the mixture after events among n patients."""
        if not 0 <= events <= n:
            raise ValueError("events must lie between 0 and n")
        log = self._log_marginal(np.array(float(events)), float(n))
        weights = self.weights * np.exp(log - log.max())
        return BetaMixture(weights, self.a + events, self.b + n - events)

    def robust(self, *, weight: float, a: float = 1.0, b: float = 1.0) -> BetaMixture:
        """Return the mixture with a vague component Beta(a, b) of this weight."""
        if not 0 <= weight <= 1:
            raise ValueError("the weight of the vague component must lie between 0 and 1")
        return BetaMixture(np.append(self.weights * (1 - weight), weight), np.append(self.a, a), np.append(self.b, b))

    def _log_marginal(self, y: Floats, n: float) -> Floats:
        choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
        return np.asarray(choose + betaln(self.a + y, self.b + n - y) - betaln(self.a, self.b))


@dataclass(frozen=True)
class GammaMixture:
    """A mixture of Gammas.

    Attributes
    ----------
    weights, a, b
        One a component: shape a and rate b, the rate in units of exposure; weights are scaled to a sum of 1.
    """

    weights: Floats
    a: Floats
    b: Floats

    def __post_init__(self) -> None:
        for name, value in zip(("weights", "a", "b"), _valid(self.weights, self.a, self.b), strict=True):
            object.__setattr__(self, name, value)

    @property
    def mean(self) -> float:
        """Mean of the rate."""
        return float((self.weights * self.a / self.b).sum())

    @property
    def sd(self) -> float:
        """Standard deviation of the rate."""
        second = self.a * (self.a + 1) / self.b**2
        return float(np.sqrt((self.weights * second).sum() - self.mean**2))

    def log_pdf(self, rate: Floats) -> Floats:
        """Return the log density at rates above 0."""
        rate = np.asarray(rate, dtype=np.float64)[..., None]
        log = xlogy(self.a - 1, rate) - self.b * rate + self.a * np.log(self.b) - gammaln(self.a)
        return np.asarray(logsumexp(log, b=self.weights, axis=-1))

    def cdf(self, rate: Floats) -> Floats:
        """Return the probability of a rate of at most this."""
        rate = np.asarray(rate, dtype=np.float64)[..., None]
        return np.asarray((self.weights * gammainc(self.a, self.b * rate)).sum(axis=-1))

    def quantile(self, share: float) -> float:
        """Return the rate below which this share of the distribution lies."""
        held = self.weights > 0
        ends = gammaincinv(self.a[held], share) / self.b[held]
        return _root(lambda x: float(self.cdf(np.array(x))) - share, ends)

    def interval(self, *, confidence: float = 0.95) -> tuple[float, float]:
        """Return the limits that leave equal tails."""
        return self.quantile(0.5 - confidence / 2), self.quantile(0.5 + confidence / 2)

    def predictive(self, *, exposure: float, most: int) -> Floats:
        """Return the probability of each number of events, 0 to most, in an exposure, shape (most + 1,)."""
        y = np.arange(most + 1.0)
        return np.asarray(np.exp(logsumexp(self._log_marginal(y[:, None], exposure), b=self.weights, axis=-1)))

    def posterior(self, *, events: float, exposure: float) -> GammaMixture:
        """Return the mixture after events in an exposure."""
        if events < 0 or exposure <= 0:
            raise ValueError("events must not be negative, and the exposure be above 0")
        log = self._log_marginal(np.array(float(events)), exposure)
        weights = self.weights * np.exp(log - log.max())
        return GammaMixture(weights, self.a + events, self.b + exposure)

    def robust(self, *, weight: float, a: float, b: float) -> GammaMixture:
        """Return the mixture with a vague component Gamma(a, b) of this weight."""
        if not 0 <= weight <= 1:
            raise ValueError("the weight of the vague component must lie between 0 and 1")
        return GammaMixture(np.append(self.weights * (1 - weight), weight), np.append(self.a, a), np.append(self.b, b))

    def _log_marginal(self, y: Floats, exposure: float) -> Floats:
        share = np.log(self.b / (self.b + exposure))
        other = np.log(exposure / (self.b + exposure))
        return np.asarray(gammaln(self.a + y) - gammaln(self.a) - gammaln(y + 1) + self.a * share + y * other)
