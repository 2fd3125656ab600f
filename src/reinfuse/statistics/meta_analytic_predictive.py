"""Bayesian random effects by quadrature, and what they predict for a further study: the meta-analytic-predictive prior.

theta_i ~ N(mu, tau^2) (`study_likelihood`), mu ~ N(m, s^2), tau half-normal; theta* ~ N(mu, tau^2) is the parameter of
a further study, and its distribution given the others is the meta-analytic-predictive prior of that study
(Neuenschwander et al., Clin Trials 2010;7:5-18; Schmidli et al., Biometrics 2014;70:1023-1032). Half-normal
priors of tau of 0.5 and 1 on the log-odds scale: Friede et al., Res Synth Methods 2017;8:79-91.

The posterior of mu and tau is summed on a grid. In tau the integrand is even, so the midpoint rule from 0 has the
accuracy of the trapezoidal rule on a whole line (Trefethen and Weideman, SIAM Rev 2014;56:385-458); in mu the grid
spans what of the posterior exceeds `_NEGLIGIBLE` of its maximum, and its logarithm is interpolated by a cubic spline
between the points, so that their distance stays small beside the least tau. Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from reinfuse.arrays import Floats
from reinfuse.statistics.study_likelihood import ProportionCounts, RateCounts, StudyCounts, log_likelihood

Scale = Literal["proportion", "rate"]
_TAUS, _MEANS, _FINE, _COARSE = 100, 101, 4, 81
_WIDEST = 6.0
"""Scales of the half-normal, or standard deviations of mu, beyond which a prior is left out: 2e-9."""
_NEGLIGIBLE = 1e-11
_LIGHTEST = 1e-8
_POINTS = 20
_EDGE = 60.0
_LONG = 401
_Z = 0.25 * np.arange(-28.0, 29.0)
_Z_WEIGHT = np.exp(-(_Z**2) / 2) / np.exp(-(_Z**2) / 2).sum()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Mean, standard deviation and quantiles of a distribution.

    Attributes
    ----------
    lower, median, upper
        Quantiles; lower and upper leave equal tails.
    """

    mean: float
    sd: float
    lower: float
    median: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class PredictiveDistribution:
    """Joint posterior of mu and tau on a grid, and with it the distribution of a further study's parameter.

    Attributes
    ----------
    means, taus
        Grid on the scale of theta, shapes (m,) and (t,).
    weights
        Posterior probability of each grid point, shape (m, t), sum 1.
    scale
        ``proportion``: theta is a log odds; ``rate``: a log rate.
    """

    means: Floats = field(repr=False)
    taus: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    scale: Scale

    def natural(self, theta: Floats) -> Floats:
        """Return proportions or rates of values of theta."""
        return np.asarray(expit(theta) if self.scale == "proportion" else np.exp(theta))

    def cdf(self, theta: Floats) -> Floats:
        """Return the probability that a further study's theta is at most this."""
        return self._mixed(theta, lambda z, _: np.asarray(ndtr(z)))

    def density(self, theta: Floats) -> Floats:
        """Return the density of a further study's theta."""
        return self._mixed(theta, lambda z, tau: np.asarray(np.exp(-(z**2) / 2) / (np.sqrt(2 * np.pi) * tau)))

    @cached_property
    def _held(self) -> tuple[Floats, Floats, Floats]:
        """Means, taus and weights of the grid points that matter."""
        row, column = np.nonzero(self.weights > _LIGHTEST * self.weights.max())
        return self.means[row], self.taus[column], self.weights[row, column]

    def _mixed(self, theta: Floats, of_normal: Callable[[Floats, Floats], Floats]) -> Floats:
        """Return the weighted sum over the grid of a function of the standardised theta, a few points at a time."""
        theta = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        mean, tau, weight = self._held
        parts = [np.einsum("xg,g->x", of_normal((some[:, None] - mean) / tau, tau), weight)
                 for some in np.array_split(theta, 1 + len(theta) // _POINTS)]  # fmt: skip
        return np.asarray(np.concatenate(parts) / weight.sum())

    def quantile(self, share: float) -> float:
        """Return the theta below which this share of further studies lies."""
        return self._quantile(share, self.cdf)

    def log_variance(self) -> float:
        """Return the variance of a further study's theta, which is finite where that of a rate is not."""
        mean = float((self.weights.sum(axis=1) * self.means).sum())
        return float((self.weights * ((self.means - mean)[:, None] ** 2 + self.taus**2)).sum())

    def expectation(self, function: Callable[[Floats], Floats]) -> float:
        """Return the expectation of a function of a further study's theta."""
        theta = self.means[:, None, None] + self.taus[:, None] * _Z
        return float(np.einsum("mtz,z,mt->", function(theta), _Z_WEIGHT, self.weights))

    def predicted(self, *, confidence: float = 0.95) -> Summary:
        """Return mean, standard deviation and quantiles of a further study's proportion or rate."""
        mean = self.expectation(self.natural)
        square = self.expectation(lambda theta: (self.natural(theta) - mean) ** 2)
        ends = [self._quantile(p, self.cdf) for p in (0.5 - confidence / 2, 0.5, 0.5 + confidence / 2)]
        lower, median, upper = self.natural(np.array(ends)).tolist()
        return Summary(mean=mean, sd=float(np.sqrt(square)), lower=lower, median=median, upper=upper)

    def predicted_counts(self, *, n: int) -> Floats:
        """Return the probability of 0, 1, ... n events among n patients of a further study, shape (n + 1,)."""
        theta = np.linspace(self._quantile(1e-9, self.cdf), self._quantile(1 - 1e-9, self.cdf), _LONG)
        density = self.density(theta)
        every = ProportionCounts(np.arange(n + 1.0), np.full(n + 1, float(n)))
        chance = np.exp(every.log_likelihood(theta[:, None])) * density[:, None]
        return np.asarray(chance.sum(axis=0) / density.sum())

    def average(self, *, confidence: float = 0.95) -> Summary:
        """Return the same of the median study's proportion or rate, that of mu."""
        return _summary(self.means, self.weights.sum(axis=1), natural=self.natural, confidence=confidence)

    def heterogeneity(self, *, confidence: float = 0.95) -> Summary:
        """Return the same of tau."""
        share, step = self.weights.sum(axis=0), float(self.taus[1] - self.taus[0])
        mean = float((share * self.taus).sum())
        edges = np.concatenate([[0.0], self.taus + step / 2])
        ends = np.interp([0.5 - confidence / 2, 0.5, 0.5 + confidence / 2], np.append(0.0, np.cumsum(share)), edges)
        lower, median, upper = ends.tolist()
        sd = float(np.sqrt((share * (self.taus - mean) ** 2).sum()))
        return Summary(mean=mean, sd=sd, lower=lower, median=median, upper=upper)

    def updated(self, own: StudyCounts) -> PosteriorOfStudy:
        """Return the posterior of a further study's own parameter after its own counts, by Bayes' theorem on a grid.

        Parameters
        ----------
        own
            Counts of that one study.
        """
        log = log_likelihood(own, mean=self.means[:, None], tau=self.taus[None, :])
        joint = self.weights * np.exp(log - log.max())
        low, high = self._quantile(1e-9, self.cdf), self._quantile(1 - 1e-9, self.cdf)
        theta = np.linspace(low, high, _LONG)
        density = self.density(theta) * np.exp(own.log_likelihood(theta[:, None])[:, 0] - log.max())
        return PosteriorOfStudy(
            theta=theta,
            weights=density / density.sum(),
            scale=self.scale,
            shared=replace(self, weights=joint / joint.sum()),
            log_evidence=float(np.log((self.weights * np.exp(log - log.max())).sum()) + log.max()),
        )

    @staticmethod
    def _quantile(p: float, cdf: Callable[[Floats], Floats]) -> float:
        return float(brentq(lambda x: float(cdf(np.array([x]))[0]) - p, -_EDGE, _EDGE, xtol=1e-10))


@dataclass(frozen=True, kw_only=True)
class PosteriorOfStudy:
    """Posterior of one study's own parameter.

    Attributes
    ----------
    theta, weights
        Grid and probabilities.
    shared
        Posterior of mu and tau, the study's own counts included.
    log_evidence
        Log probability of its counts before they were known.
    """

    theta: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    scale: Scale
    shared: PredictiveDistribution = field(repr=False)
    log_evidence: float

    def summary(self, *, confidence: float = 0.95) -> Summary:
        """Return mean, standard deviation and quantiles of its proportion or rate."""
        return _summary(self.theta, self.weights, natural=self.shared.natural, confidence=confidence)


def _summary(theta: Floats, weights: Floats, *, natural: Callable[[Floats], Floats], confidence: float) -> Summary:
    """Summarise a density on an even grid, its distribution function the integral of a cubic spline."""
    from scipy.interpolate import CubicSpline  # slow to import

    share = weights / weights.sum()
    value = natural(theta)
    mean = float((share * value).sum())
    between = np.linspace(theta[0], theta[-1], 8 * len(theta) - 7)
    below = CubicSpline(theta, share / (theta[1] - theta[0])).antiderivative()(between)
    tails = [0.5 - confidence / 2, 0.5, 0.5 + confidence / 2]
    lower, median, upper = natural(np.interp(tails, np.maximum.accumulate(below), between)).tolist()
    sd = float(np.sqrt((share * (value - mean) ** 2).sum()))
    return Summary(mean=mean, sd=sd, lower=lower, median=median, upper=upper)


def predictive_distribution(
    studies: ProportionCounts | RateCounts, *, tau_scale: float, mean: float = 0.0, mean_sd: float = 2.0
) -> PredictiveDistribution:
    """Sum the posterior of mu and tau over a grid.

    Parameters
    ----------
    studies
        Counts of the studies.
    tau_scale
        Scale of the half-normal prior of tau, above 0.
    mean, mean_sd
        Normal prior of mu, on the scale of theta. For rates choose it for the unit of exposure.

    Raises
    ------
    ValueError
        If a scale is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.meta_analytic_predictive import predictive_distribution
    >>> from reinfuse.statistics.study_likelihood import ProportionCounts
    >>> counts = ProportionCounts(np.array([9.0, 5.0, 13.0, 4.0]), np.array([44.0, 18.0, 19.0, 13.0]))
    >>> prior = predictive_distribution(counts, tau_scale=1.0).predicted()
    >>> round(prior.mean, 3), round(prior.sd, 3)
    (0.382, 0.208)
    """
    from scipy.interpolate import CubicSpline

    if not (tau_scale > 0 and mean_sd > 0 and np.isfinite([tau_scale, mean, mean_sd]).all()):
        raise ValueError("the scales of the priors must be above 0, and all their numbers finite")

    def logs(means: Floats, taus: Floats) -> Floats:
        prior = -(((means - mean) / mean_sd) ** 2)[:, None] / 2 - (taus / tau_scale) ** 2 / 2
        return log_likelihood(studies, mean=means[:, None], tau=taus[None, :]) + prior

    taus = _WIDEST * tau_scale * (np.arange(_TAUS) + 0.5) / _TAUS
    wide = mean + _WIDEST * mean_sd * np.linspace(-1.0, 1.0, _COARSE)
    heights = logs(wide, taus[::6]).max(axis=1)
    inside = np.flatnonzero(heights > heights.max() + np.log(_NEGLIGIBLE))
    means = np.linspace(wide[max(inside[0] - 1, 0)], wide[min(inside[-1] + 1, _COARSE - 1)], _MEANS)
    log = CubicSpline(means, logs(means, taus))(between := np.linspace(means[0], means[-1], _FINE * (_MEANS - 1) + 1))
    weights = np.exp(log - log.max())
    scale: Scale = "proportion" if isinstance(studies, ProportionCounts) else "rate"
    return PredictiveDistribution(means=between, taus=taus, weights=weights / weights.sum(), scale=scale)
