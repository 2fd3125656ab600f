"""Bayesian single-arm designs of a binary outcome with a prior that is a mixture of Beta distributions.

Success after n patients is P(p > p0 | x, n) > threshold; at an interim look the predictive probability of success is
the beta-binomial sum over the responses of the patients still to come. Type I error, power, early stopping and the
expected number of patients are sums over all paths, without simulation.

Steps. (1) The posterior is again a mixture (`conjugate_mixture`). (2) x_min(n) is the least x of
success. (3) The number of responses is carried from look to look by convolution with the binomial; at each look the
paths that stop are taken out.

Lee JJ, Liu DD, Clin Trials 2008;5:93-106 (predictive probability); Schmidli H et al, Biometrics 2014;70:1023-1032
(robust mixture priors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from reinfuse.arrays import Bools
from reinfuse.statistics.conjugate_mixture import BetaMixture

_ROUNDING = 1e-12


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


def least_successes(prior: BetaMixture, n: int, *, p0: float, threshold: float) -> int:
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
    >>> uniform = beta_rules.BetaMixture(np.ones(1), np.ones(1), np.ones(1))
    >>> beta_rules.least_successes(uniform, 1, p0=0.5, threshold=0.7)
    1
    >>> beta_rules.least_successes(uniform, 1, p0=0.5, threshold=0.8)
    2
    """
    return next((x for x in range(n + 1) if _above(prior, x, n, p0=p0) > threshold), n + 1)


def _above(prior: BetaMixture, x: int, n: int, *, p0: float) -> float:
    """Return P(p > p0) after x responses in n patients."""
    return 1 - float(prior.posterior(events=x, n=n).cdf(np.array(p0)))


def predictive_probability(prior: BetaMixture, x: int, n: int, *, total: int, needed: int) -> float:
    """Return the probability of at least `needed` responses in `total` patients after x in n."""
    chance = prior.posterior(events=x, n=n).predictive(n=total - n)
    return float(chance[max(0, needed - x) :].sum()) if needed - x <= total - n else 0.0


def single_arm_rule(prior: BetaMixture, looks: Sequence[int], *, p0: float, threshold: float,
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
