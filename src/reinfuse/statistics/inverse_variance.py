"""Random effects of estimates with known variances: REML, Hartung and Knapp, Q profile; log hazard ratios, log odds.

y_i ~ N(theta_i, v_i), theta_i ~ N(mu, tau^2), weights w_i = 1 / (v_i + tau^2), mu their weighted mean. tau^2 by
restricted maximum likelihood, from Fisher's scoring (Viechtbauer, J Educ Behav Stat 2005;30:261-293). The variance of
mu is q / sum w with q = sum w_i (y_i - mu)^2 / (k - 1), and Student's t of k - 1 degrees of freedom goes with it
(Hartung, Biom J 1999;41:901-916; Knapp and Hartung, Stat Med 2003;22:2693-2710). Where q < 1 that interval is narrower
than the one by sum w alone; `modified` takes q as 1 there (Röver, Knapp and Friede, BMC Med Res Methodol 2015;15:99).
Prediction: mu -+ t sqrt(se^2 + tau^2), t of k - 1 degrees of freedom, as metafor. The interval of tau^2 is that of the
Q profile (Viechtbauer, Stat Med 2007;26:37-52): the tau^2 at which Cochran's Q by those weights is a quantile of
chi-square on k - 1 degrees of freedom.

Single-arm proportions enter as empirical log odds with variance 1 / y + 1 / (n - y), half an event added to either side
of those studies that have no event or events alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, stdtrit

from reinfuse.arrays import Floats

_ROUNDS, _CLOSE, _MOST = 500, 1e-12, 1e6
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class InverseVarianceFit:
    """Mean and heterogeneity of normal effects.

    Attributes
    ----------
    mean, se
        Weighted mean, and its standard error by Hartung and Knapp.
    tau2, tau2_interval
        Variance between studies by REML, and its limits by the Q profile; the upper one is NaN where it is not reached.
    interval
        Limits of the mean by Hartung and Knapp.
    modified
        The same with a variance ratio of at least 1.
    prediction
        Limits of the effect in a further study.
    variance_ratio
        q; below 1 `modified` is the wider interval.
    heterogeneity, df, p_value
        Cochran's Q and its test.
    i_squared
        Share of the variance that is between studies, tau2 / (tau2 + typical variance within).
    weights
        Shares of the studies in the mean, shape (k,).
    at_boundary
        Whether tau2 is estimated as 0.
    """

    mean: float
    se: float
    tau2: float
    tau2_interval: Interval
    interval: Interval
    modified: Interval
    prediction: Interval
    variance_ratio: float
    heterogeneity: float
    df: int
    p_value: float
    i_squared: float
    weights: Floats
    at_boundary: bool
    confidence: float


def log_odds(*, events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the empirical log odds of each study and its variance.

    Parameters
    ----------
    events, n
        Shape (k,). Half an event is added to either side where a study has none, or events alone.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.inverse_variance import log_odds
    >>> y, v = log_odds(events=np.array([5.0, 0.0]), n=np.array([10.0, 8.0]))
    >>> y.round(3).tolist(), v.round(3).tolist()
    ([0.0, -2.833], [0.4, 2.118])
    """
    events, n = np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64)
    edge = np.where((events == 0) | (events == n), 0.5, 0.0)
    y, rest = events + edge, n - events + edge
    return np.asarray(np.log(y / rest)), np.asarray(1 / y + 1 / rest)


def log_ratio(*, ratio: Floats, lower: Floats, upper: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return log ratios and variances of printed hazard or odds ratios, or medians, with their intervals.

    Parameters
    ----------
    ratio, lower, upper
        As printed, all above 0, shape (k,). The variance is taken from the width of the interval on the log scale,
        which is exact where it was made by a normal approximation there.
    confidence
        Of the printed intervals.

    Raises
    ------
    ValueError
        If a limit is not above 0, or does not contain its ratio.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.inverse_variance import log_ratio
    >>> y, v = log_ratio(ratio=np.array([0.49]), lower=np.array([0.36]), upper=np.array([0.68]))
    >>> y.round(4).tolist(), v.round(4).tolist()
    ([-0.7133], [0.0263])
    """
    ratio, lower, upper = (np.asarray(x, dtype=np.float64) for x in (ratio, lower, upper))
    if not ((lower > 0) & (lower <= ratio) & (ratio <= upper) & (lower < upper) & np.isfinite(upper)).all():
        raise ValueError("each ratio must lie within its own limits, all above 0")
    z = stdtrit(np.inf, 0.5 + confidence / 2)
    return np.asarray(np.log(ratio)), np.asarray((np.log(upper / lower) / (2 * z)) ** 2)


def fit_inverse_variance(*, effects: Floats, variances: Floats, confidence: float = 0.95) -> InverseVarianceFit:
    """Fit the random-effects model.

    Parameters
    ----------
    effects, variances
        Shape (k,), k >= 2; variances above 0 and taken as known.
    confidence
        Of all intervals.

    Raises
    ------
    ValueError
        If there are fewer than two studies, or a variance is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.inverse_variance import fit_inverse_variance, log_odds
    >>> effects, variances = log_odds(events=np.array([9.0, 5.0, 13.0, 4.0]), n=np.array([44.0, 18.0, 19.0, 13.0]))
    >>> fit = fit_inverse_variance(effects=effects, variances=variances)
    >>> round(fit.mean, 4), round(fit.se, 4), round(fit.tau2, 4)
    (-0.6027, 0.4751, 0.6858)
    """
    y, v = np.asarray(effects, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if y.shape != v.shape or y.ndim != 1 or len(y) < 2:
        raise ValueError("two studies at least are needed, each with an effect and its variance")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ValueError("each study needs a finite effect and a variance above 0")
    df = len(y) - 1
    tau2 = _reml(y, v)
    mean, q, w = _weighted(y, v, tau2)
    plain = 1 / np.sqrt(w.sum())
    se, t = float(np.sqrt(q) * plain), float(stdtrit(df, 0.5 + confidence / 2))
    heterogeneity = float(_weighted(y, v, 0.0)[1] * df)
    within = df / (np.sum(1 / v) - np.sum(1 / v**2) / np.sum(1 / v))
    return InverseVarianceFit(
        mean=mean, se=se, tau2=tau2, tau2_interval=_q_profile(y, v, confidence=confidence),
        interval=_around(mean, t * se), modified=_around(mean, t * plain * max(1.0, float(np.sqrt(q)))),
        prediction=_around(mean, t * np.hypot(se, np.sqrt(tau2))), variance_ratio=q, heterogeneity=heterogeneity,
        df=df, p_value=float(chdtrc(df, heterogeneity)), i_squared=float(tau2 / (tau2 + within)), weights=w / w.sum(),
        at_boundary=tau2 == 0, confidence=confidence,
    )  # fmt: skip


def _around(mean: float, half: float) -> Interval:
    return float(mean - half), float(mean + half)


def _weighted(y: Floats, v: Floats, tau2: float) -> tuple[float, float, Floats]:
    """Return the weighted mean, q, and the weights."""
    w = 1 / (v + tau2)
    mean = float((w * y).sum() / w.sum())
    return mean, float((w * (y - mean) ** 2).sum() / (len(y) - 1)), w


def _reml(y: Floats, v: Floats) -> float:
    """Return the variance between studies that maximises the restricted likelihood, by Fisher's scoring, halved."""
    mean = y.mean()
    tau2 = max(0.0, float(((y - mean) ** 2).sum() / (len(y) - 1) - v.mean()))
    for _ in range(_ROUNDS):
        center, _, w = _weighted(y, v, tau2)
        total, square = w.sum(), (w**2).sum()
        slope = (w**2 * (y - center) ** 2).sum() - total + square / total
        information = square - 2 * (w**3).sum() / total + (square / total) ** 2
        step = float(slope / information)
        new = max(0.0, tau2 + step)
        if abs(new - tau2) < _CLOSE * (1 + tau2):
            return new
        tau2 = new
    return tau2


def _q_profile(y: Floats, v: Floats, *, confidence: float) -> Interval:
    """Return the limits of the variance between studies."""
    df = len(y) - 1

    def excess(tau2: float, quantile: float) -> float:
        return _weighted(y, v, tau2)[1] * df - quantile

    ends = []
    for share in (0.5 - confidence / 2, 0.5 + confidence / 2):
        quantile = float(chdtri(df, share))  # the share is that above it
        if excess(0.0, quantile) <= 0:
            ends.append(0.0)
        elif excess(_MOST, quantile) > 0:
            ends.append(float("nan"))
        else:
            ends.append(float(brentq(excess, 0.0, _MOST, args=(quantile,), xtol=1e-12)))
    return ends[0], ends[1]


@dataclass(frozen=True, kw_only=True)
class SubgroupDifference:
    """Test of equal means of subgroups.

    Attributes
    ----------
    statistic, df, p_value
        Weighted sum of squares of the subgroups' means, each by its own model, and its chi-square test.
    """

    statistic: float
    df: int
    p_value: float


def compare_subgroups(*, means: Floats, variances: Floats) -> SubgroupDifference:
    """Test whether subgroups have the same mean.

    Parameters
    ----------
    means, variances
        Of the subgroups, none sharing a patient, shape (groups,), two at least.

    Raises
    ------
    ValueError
        If there are fewer than two subgroups, or a variance is not above 0.

    Notes
    -----
    Borenstein, Hedges, Higgins and Rothstein, Introduction to Meta-Analysis, 2009, chapter 19.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.inverse_variance import compare_subgroups
    >>> test = compare_subgroups(means=np.array([0.0, 1.0]), variances=np.array([0.25, 0.25]))
    >>> test.statistic, test.df
    (2.0, 1)
    """
    means, variances = np.asarray(means, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if len(means) < 2 or means.shape != variances.shape or not (variances > 0).all():
        raise ValueError("two subgroups at least are needed, each with a mean and its variance")
    w = 1 / variances
    statistic = float((w * (means - (w * means).sum() / w.sum()) ** 2).sum())
    return SubgroupDifference(statistic=statistic, df=len(means) - 1, p_value=float(chdtrc(len(means) - 1, statistic)))
