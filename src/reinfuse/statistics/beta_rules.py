"""Bayesian single-arm designs of a binary outcome with a prior that is a mixture of Beta distributions.

Success after n patients is P(p > p0 | x, n) > threshold; at an interim look the predictive probability of success is
the beta-binomial sum over the responses of the patients still to come. Type I error, power, early stopping and the
expected number of patients are sums over all paths, without simulation.

Steps. (1) The posterior of component j is Beta(a_j + x, b_j + n - x), its weight w_j B(a_j + x, b_j + n - x) /
B(a_j, b_j), scaled to 1. (2) x_min(n) is the least x of success. (3) The number of responses is carried from look to
look by convolution with the binomial; at each look the paths that stop are taken out.

Lee JJ, Liu DD, Clin Trials 2008;5:93-106 (predictive probability); Schmidli H et al, Biometrics 2014;70:1023-1032
(robust mixture priors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln
from scipy.stats import beta, binom

from reinfuse.arrays import Bools, Floats

_ROUNDING = 1e-12


@dataclass(frozen=True)
class BetaPrior:
    """A mixture of Beta distributions: weights, and both shapes, of shape (k,)."""

    weight: Floats
    a: Floats
    b: Floats

    def mean(self) -> float:
        """Return the prior mean."""
        return float(np.sum(self.weight * self.a / (self.a + self.b)))

    def moment_size(self) -> float:
        """Return the effective sample size by moments: a + b of the single Beta of equal mean and variance."""
        mean, total = self.mean(), self.a + self.b
        second = float(np.sum(self.weight * self.a * (self.a + 1) / (total * (total + 1))))
        return mean * (1 - mean) / (second - mean**2) - 1

    def robust(self, weight: float) -> BetaPrior:
        """Return the mixture with a uniform component of this weight, the others scaled down."""
        return BetaPrior(np.append((1 - weight) * self.weight, weight), np.append(self.a, 1.0), np.append(self.b, 1.0))

    def posterior(self, x: int, n: int) -> BetaPrior:
        """Return the posterior after x responses in n patients."""
        log = np.log(self.weight) + betaln(self.a + x, self.b + n - x) - betaln(self.a, self.b)
        weight = np.exp(log - log.max())
        return BetaPrior(weight / weight.sum(), self.a + x, self.b + n - x)

    def above(self, p0: float) -> float:
        """Return P(p > p0)."""
        return float(np.sum(self.weight * beta.sf(p0, self.a, self.b)))

    def predictive(self, n: int) -> Floats:
        """Return the beta-binomial probabilities of 0 ... n responses in n further patients."""
        x = np.arange(n + 1)[:, None]
        choose = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
        log = choose + betaln(self.a + x, self.b + n - x) - betaln(self.a, self.b)
        probability: Floats = np.exp(log) @ self.weight
        return probability


@dataclass(frozen=True)
class SingleArmRule:
    """Decision rules of a Bayesian single-arm study.

    Attributes
    ----------
    looks
        Numbers of patients at which it is decided; the last is the study's n.
    futile
        Stop at a look with this number of responses or fewer, one a look; -1: never. At the last look: no success.
    success
        Stop at a look with this number of responses or more; n + 1: never. At the last look: success.
    """

    looks: tuple[int, ...]
    futile: tuple[int, ...]
    success: tuple[int, ...]


@dataclass(frozen=True)
class OperatingCharacteristics:
    """Exact operating characteristics at one true rate.

    Attributes
    ----------
    rate
        True response rate.
    success
        Probability of success.
    futile_early, success_early
        Probability of stopping before the last look, for futility and for success.
    expected
        Expected number of patients.
    """

    rate: float
    success: float
    futile_early: float
    success_early: float
    expected: float


def least_successes(prior: BetaPrior, n: int, *, p0: float, threshold: float) -> int:
    """Return the least number of responses in n with P(p > p0) > threshold; n + 1 where none is enough.

    Parameters
    ----------
    prior
        Of the response rate.
    n
        Patients.
    p0
        Rate to be exceeded.
    threshold
        Posterior probability to be exceeded.

    Examples
    --------
    One patient, uniform prior: P(p > 0.5) is 3/4 after a response.

    >>> import numpy as np
    >>> from reinfuse.statistics import beta_rules
    >>> uniform = beta_rules.BetaPrior(np.ones(1), np.ones(1), np.ones(1))
    >>> beta_rules.least_successes(uniform, 1, p0=0.5, threshold=0.7)
    1
    >>> beta_rules.least_successes(uniform, 1, p0=0.5, threshold=0.8)
    2
    """
    return next((x for x in range(n + 1) if prior.posterior(x, n).above(p0) > threshold), n + 1)


def predictive_probability(prior: BetaPrior, x: int, n: int, *, total: int, needed: int) -> float:
    """Return the probability of at least `needed` responses in `total` patients after x in n."""
    chance = prior.posterior(x, n).predictive(total - n)
    return float(chance[max(0, needed - x) :].sum()) if needed - x <= total - n else 0.0


def single_arm_rule(prior: BetaPrior, looks: Sequence[int], *, p0: float, threshold: float,
                    futility: float = 0.0, efficacy: float = 1.0) -> SingleArmRule:  # fmt: skip
    """Return the rules of a study that is watched by predictive probability.

    Parameters
    ----------
    prior
        Of the response rate.
    looks
        Numbers of patients, rising; the last is the study's n.
    p0, threshold
        Success at the end is P(p > p0) > threshold.
    futility, efficacy
        Stop at a look where the predictive probability of success is below the first or above the second.
    """
    total = looks[-1]
    needed = least_successes(prior, total, p0=p0, threshold=threshold)
    futile, success = [], []
    for n in looks[:-1]:
        chance = np.array([predictive_probability(prior, x, n, total=total, needed=needed) for x in range(n + 1)])
        futile.append(int(np.count_nonzero(chance < futility - _ROUNDING)) - 1)
        above = np.flatnonzero(chance > efficacy + _ROUNDING)
        success.append(int(above[0]) if len(above) else n + 1)
    return SingleArmRule(tuple(looks), (*futile, needed - 1), (*success, needed))


def operating_characteristics(rule: SingleArmRule, rate: float) -> OperatingCharacteristics:
    """Return the exact operating characteristics of a rule at a true rate."""
    state, before = np.ones(1), 0
    futile_early = success_early = success = expected = 0.0
    for k, n in enumerate(rule.looks):
        state = np.convolve(state, binom.pmf(np.arange(n - before + 1), n - before, rate))
        x, before = np.arange(n + 1), n
        won: Bools = x >= rule.success[k]
        lost: Bools = x <= rule.futile[k]
        last = n == rule.looks[-1]
        success += float(state[won].sum())
        expected += n * float(state.sum() if last else state[won | lost].sum())
        if not last:
            success_early += float(state[won].sum())
            futile_early += float(state[lost & ~won].sum())
        state = np.where(won | lost, 0.0, state)
    return OperatingCharacteristics(rate, success, futile_early, success_early, expected)
