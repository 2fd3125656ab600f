"""Other ways to borrow, and how far own data and borrowed prior disagree.

power prior   the other studies' likelihood to a power a0 from 0 to 1: Beta(a + a0 y0, b + a0 (n0 - y0))
              (Ibrahim and Chen, Stat Sci 2000;15:46-60).
commensurate  theta ~ N(theta0, sigma^2) around the log odds theta0 of the other studies pooled, sigma half-normal:
              how alike they are is learnt from the own data (Hobbs et al., Biometrics 2011;67:1047-1056).
conflict      the prior predictive probability of a number of events that is at most as probable as the one observed
              (Box, J R Stat Soc A 1980;143:383-430).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

from reinfuse.arrays import Floats
from reinfuse.statistics.conjugate_mixture import BetaMixture
from reinfuse.statistics.meta_analytic_predictive import PredictiveDistribution
from reinfuse.statistics.study_likelihood import ProportionCounts

_LOGITS = np.linspace(-40.0, 40.0, 8001)
_MEANS, _TAUS, _WIDEST = 241, 120, 6.0


def power_prior(*, events: float, n: float, discount: float, a: float = 0.5, b: float = 0.5) -> BetaMixture:
    """Return the prior that counts each patient of the other studies as a part of one.

    Parameters
    ----------
    events, n
        Of the other studies together.
    discount
        a0, from 0 (nothing is borrowed) to 1 (pooled).
    a, b
        Prior before the other studies.

    Raises
    ------
    ValueError
        If the discount lies outside 0 and 1, or events outside 0 and n.

    Examples
    --------
    >>> from reinfuse.statistics.borrowing import power_prior
    >>> [round(power_prior(events=3, n=9, discount=d).posterior(events=4, n=12).mean, 5) for d in (0, 0.5, 1)]
    [0.34615, 0.34286, 0.34091]
    """
    if not 0 <= discount <= 1 or not 0 <= events <= n:
        raise ValueError("the discount must lie between 0 and 1, and the events between 0 and n")
    return BetaMixture(np.ones(1), np.array([a + discount * events]), np.array([b + discount * (n - events)]))


def commensurate_prior(
    studies: ProportionCounts, *, sd_scale: float, mean: float = 0.0, mean_sd: float = 2.0
) -> PredictiveDistribution:
    """Return the distribution of the own log odds around that of the other studies, taken as one sample.

    Parameters
    ----------
    studies
        Counts of the other studies.
    sd_scale
        Scale of the half-normal prior of the standard deviation around theta0, above 0.
    mean, mean_sd
        Normal prior of theta0.

    Raises
    ------
    ValueError
        If a scale is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.borrowing import commensurate_prior
    >>> from reinfuse.statistics.study_likelihood import ProportionCounts
    >>> prior = commensurate_prior(ProportionCounts(np.array([31.0]), np.array([94.0])), sd_scale=0.5)
    >>> round(prior.predicted().median, 2)
    0.33
    """
    if not (sd_scale > 0 and mean_sd > 0):
        raise ValueError("the scales of the priors must be above 0")
    pooled = ProportionCounts(np.array([studies.events.sum()]), np.array([studies.n.sum()]))
    wide = mean + _WIDEST * mean_sd * np.linspace(-1.0, 1.0, 20 * _MEANS)

    def log(means: Floats) -> Floats:
        return np.asarray(pooled.log_likelihood(means[:, None])[:, 0] - ((means - mean) / mean_sd) ** 2 / 2)

    heights = log(wide)
    inside = np.flatnonzero(heights > heights.max() - 25.0)
    means = np.linspace(wide[max(inside[0] - 1, 0)], wide[min(inside[-1] + 1, len(wide) - 1)], _MEANS)
    taus = _WIDEST * sd_scale * (np.arange(_TAUS) + 0.5) / _TAUS
    weights = np.exp(log(means) - heights.max())[:, None] * np.exp(-((taus / sd_scale) ** 2) / 2)
    return PredictiveDistribution(means=means, taus=taus, weights=weights / weights.sum(), scale="proportion")


def prior_data_conflict(*, predictive: Floats, events: int) -> float:
    """Return Box's prior predictive p-value.

    Parameters
    ----------
    predictive
        Probability of each number of events before they were known, shape (n + 1,).
    events
        The number observed.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.borrowing import prior_data_conflict
    >>> prior_data_conflict(predictive=np.array([0.1, 0.2, 0.4, 0.3]), events=1)
    0.3
    """
    predictive = np.asarray(predictive, dtype=np.float64)
    at_most = predictive <= predictive[events] * (1 + 1e-7)
    return min(1.0, round(float(predictive[at_most].sum()), 15))


def probability_greater(first: BetaMixture, second: BetaMixture) -> float:
    """Return the probability that the first proportion is greater than the second, the two being independent.

    Parameters
    ----------
    first, second
        Their distributions.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.borrowing import probability_greater
    >>> from reinfuse.statistics.conjugate_mixture import BetaMixture
    >>> one = np.ones(1)
    >>> round(probability_greater(BetaMixture(one, 2 * one, one), BetaMixture(one, one, one)), 6)
    0.666667
    """
    p = 1 / (1 + np.exp(-_LOGITS))
    log_p, log_q = -np.logaddexp(0.0, -_LOGITS), -np.logaddexp(0.0, _LOGITS)
    density = np.exp(first.a * log_p[:, None] + first.b * log_q[:, None] - betaln(first.a, first.b)) @ first.weights
    return float((density * second.cdf(p)).sum() * (_LOGITS[1] - _LOGITS[0]))
