"""Binomial-normal mixed model of single-arm proportions: maximum likelihood, likelihood-ratio test, intervals.

Study i has y_i ~ Binomial(n_i, expit(theta_i)), theta_i ~ N(mu, tau^2) (Stijnen, Hamza and Ozdemir, Stat Med
2010;29:3046-3067). No continuity correction is needed, and studies with no event, or with events alone, count as they
are. expit(mu) is the proportion of the median study. Heterogeneity is tested by the likelihood ratio of k proportions,
one a study, against one common proportion, on k - 1 degrees of freedom.

Intervals of mu:

- profile: the m at which the profile likelihood has fallen by less than half the chi-square quantile;
- wald: by the observed information, as R's metafor prints it;
- scaled: mu -+ t sqrt(q) se, t of k - 1 degrees of freedom, q = sum u_i^2 / I_i / (k - 1), with u_i the slope of study
  i's likelihood by mu at the maximum and I_i its expectation E u_i^2;
- common: that of one common proportion (tau = 0), by its likelihood ratio;
- interval: the wider limits of scaled and common: this is reported.

q is to this model what the variance ratio of Hartung (Biom J 1999;41:901-916) and of Knapp and Hartung (Stat Med
2003;22:2693-2710) is to normal effects: the variance is taken from the studies' own spread, since three to eight
studies hardly tell tau. Where studies agree more closely than chance, q is small and the scaled interval narrower than
if all patients were one sample, which no number of studies can justify: therefore the common interval is its floor.
Coverage of each: `benchmarks/evidence`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri, ndtri, stdtrit, xlogy

from reinfuse.arrays import Floats
from reinfuse.statistics.profile_likelihood import Peak, limits
from reinfuse.statistics.study_likelihood import ProportionCounts, log_likelihood, marginal_likelihood

MOST_TAU = 10.0
"""A standard deviation of log odds beyond which heterogeneity counts as not estimable."""
NO_EVENT, EVENTS_ALONE = "no study has an event", "every patient of every study has the event"
ONE_STUDY = "one study: heterogeneity cannot be estimated"
TOO_HETEROGENEOUS = "heterogeneity has no finite estimate: some studies have no event and others events alone"
FLOORED = "the studies agree more closely than expected by chance: the interval is that of one common proportion"
_GRID = np.linspace(0.0, np.sqrt(MOST_TAU), 26) ** 2
_ZOOM = np.linspace(-1.0, 1.0, 9)
_ZOOMS = 6
_STEP = 1e-4
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class BinomialNormalFit:
    """Maximum likelihood of mu and tau on the scale of log odds.

    Attributes
    ----------
    mean, se
        Log odds of the median study, and its standard error from the observed information. NaN where not estimable.
    tau
        Standard deviation of the studies' log odds; 0 at the boundary.
    log_likelihood
        At the maximum.
    interval, scaled, common, profile, wald
        Lower and upper limit of the mean by each interval; NaN: there is none.
    variance_ratio
        q; below 1 the studies agree more closely than their model expects.
    prediction
        Limits of the log odds of a further study, mean -+ z sqrt(se^2 + tau^2), as metafor prints them. They take tau
        for known, and hold too few studies where there are few (`benchmarks/evidence`).
    heterogeneity, df, p_value
        Likelihood-ratio test of a common proportion.
    at_boundary
        Whether tau is estimated as 0. Prediction and Wald interval are then the same, though heterogeneity is not
        excluded.
    studies
        k.
    confidence
        Of the intervals.
    reason
        Why there is no estimate, or a part of it is missing.
    """

    mean: float
    se: float
    tau: float
    log_likelihood: float
    interval: Interval
    scaled: Interval
    common: Interval
    profile: Interval
    wald: Interval
    prediction: Interval
    variance_ratio: float
    heterogeneity: float
    df: int
    p_value: float
    at_boundary: bool
    studies: int
    confidence: float
    reason: str | None = None


def fit_binomial_normal(*, events: Floats, n: Floats, confidence: float = 0.95) -> BinomialNormalFit:
    """Fit the model.

    Parameters
    ----------
    events, n
        Patients with the event and patients observed, shape (k,), one a study.
    confidence
        Of all intervals.

    Returns
    -------
    BinomialNormalFit
        With a `reason`, and NaN, where the data have no finite estimate: no study has an event, or none lacks it.

    Raises
    ------
    ValueError
        If events or n are no counts.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.binomial_normal import fit_binomial_normal
    >>> fit = fit_binomial_normal(events=np.array([9.0, 5.0, 13.0, 4.0]), n=np.array([44.0, 18.0, 19.0, 13.0]))
    >>> round(fit.mean, 4), round(fit.tau**2, 4)
    (-0.6239, 0.5108)
    """
    counts = ProportionCounts(events, n)
    k = counts.size
    if counts.events.sum() in (0, counts.n.sum()):
        return _without_estimate(k, NO_EVENT if counts.events.sum() == 0 else EVENTS_ALONE, confidence)
    mean, tau = _maximum(counts)
    if tau > 0.99 * MOST_TAU:
        return _without_estimate(k, TOO_HETEROGENEOUS, confidence, heterogeneity=_heterogeneity(counts))
    se = _standard_error(counts, mean, tau=tau)
    q = np.nan if k == 1 else _variance_ratio(counts, mean, tau=tau)
    z, t = ndtri(0.5 + confidence / 2), stdtrit(max(k - 1, 1), 0.5 + confidence / 2)
    scaled, common = _around(mean, t * np.sqrt(q) * se), _common(counts, confidence)
    value = log_likelihood(counts, mean=np.array(mean), tau=np.array(tau))
    ratio = _heterogeneity(counts)
    return BinomialNormalFit(
        mean=mean, se=se, tau=tau, log_likelihood=float(value), scaled=scaled, common=common,
        interval=(min(scaled[0], common[0]), max(scaled[1], common[1])) if np.isfinite(q) else (np.nan, np.nan),
        profile=_profile(counts, mean, se=se, confidence=confidence),
        wald=_around(mean, z * se), prediction=_around(mean, z * np.hypot(se, tau)), variance_ratio=q,
        heterogeneity=ratio, df=k - 1, p_value=float(chdtrc(k - 1, ratio)) if k > 1 else np.nan,
        at_boundary=tau == 0, studies=k, confidence=confidence, reason=ONE_STUDY if k == 1 else None,
    )  # fmt: skip


def _without_estimate(
    k: int, reason: str, confidence: float, *, heterogeneity: float = float("nan")
) -> BinomialNormalFit:
    none = (np.nan, np.nan)
    p = float(chdtrc(k - 1, heterogeneity)) if k > 1 else float("nan")
    return BinomialNormalFit(mean=np.nan, se=np.nan, tau=np.nan, log_likelihood=np.nan, interval=none, scaled=none,
                             common=none, profile=none, wald=none, prediction=none, variance_ratio=np.nan,
                             heterogeneity=heterogeneity, df=k - 1, p_value=p, at_boundary=False, studies=k,
                             confidence=confidence, reason=reason)  # fmt: skip


def _around(mean: float, half: float) -> Interval:
    return float(mean - half), float(mean + half)


def _best_tau(counts: ProportionCounts, means: Floats) -> tuple[Floats, Floats]:
    """Return, for each mean, the tau that maximises the likelihood and its value, by a grid made finer."""
    taus = np.broadcast_to(_GRID, (*means.shape, len(_GRID)))
    for zoom in range(_ZOOMS + 1):
        values = log_likelihood(counts, mean=means[:, None], tau=taus)
        place = values.argmax(axis=-1)[:, None]
        best = np.take_along_axis(taus, place, axis=-1)
        value = np.take_along_axis(values, place, axis=-1)
        if zoom < _ZOOMS:
            ends = (np.take_along_axis(taus, np.maximum(place - 1, 0), axis=-1),
                    np.take_along_axis(taus, np.minimum(place + 1, taus.shape[-1] - 1), axis=-1))  # fmt: skip
            below, above = best - ends[0], ends[1] - best
            taus = best + np.where(_ZOOM < 0, below, above) * _ZOOM
    return best[:, 0], value[:, 0]


def _maximum(counts: ProportionCounts) -> tuple[float, float]:
    """Return mu and tau of the greatest likelihood: by profiling, then by Newton's steps on the slopes."""
    crude = counts.crude
    means = np.linspace(crude.min(), crude.max(), 25) if np.ptp(crude) > 0 else crude[:1]
    for _ in range(4):
        taus, values = _best_tau(counts, means)
        place = int(values.argmax())
        mean, tau = float(means[place]), float(taus[place])
        width = np.ptp(means) / max(len(means) - 1, 1) + 1e-3
        means = mean + width * np.linspace(-1.0, 1.0, 9)
    if tau < _STEP * 10:
        common = float(np.log(counts.events.sum() / (counts.n.sum() - counts.events.sum())))
        values = log_likelihood(counts, mean=np.array([common, mean]), tau=np.array([0.0, tau]))
        if values[0] >= values[1] - 1e-9:
            return common, 0.0
    if tau > 0.99 * MOST_TAU:
        return mean, tau
    for _ in range(20):
        slopes = _slopes(counts, np.array([mean, tau]))
        step = np.linalg.solve(_hessian(counts, mean, tau=tau), slopes)
        mean, tau = mean - float(step[0]), max(tau - float(step[1]), _STEP)
        if np.abs(step).max() < 1e-9:
            break
    return mean, tau


def _slopes(counts: ProportionCounts, at: Floats) -> Floats:
    """Return the derivatives of the log likelihood by mu and tau, at points of shape (..., 2)."""
    part = marginal_likelihood(counts, mean=at[..., 0], tau=np.abs(at[..., 1]))
    by_tau = part.by_tau.sum(axis=-1) * np.sign(at[..., 1])  # the likelihood is even in tau
    return np.stack([part.by_mean.sum(axis=-1), by_tau], axis=-1)


def _hessian(counts: ProportionCounts, mean: float, *, tau: float) -> Floats:
    """Return second derivatives by mu and tau, by central differences of the slopes."""
    steps = _STEP * np.eye(2)
    both = _slopes(counts, np.array([mean, tau]) + np.stack([steps, -steps]))
    second = (both[0] - both[1]) / (2 * _STEP)
    return np.asarray((second + second.T) / 2)


def _standard_error(counts: ProportionCounts, mean: float, *, tau: float) -> float:
    """Return the standard error of the mean from the observed information of mean and tau."""
    if tau == 0:
        return float(1 / np.sqrt(counts.information(np.array([mean] * counts.size)).sum()))
    variance = np.linalg.inv(-_hessian(counts, mean, tau=tau))[0, 0]
    return float(np.sqrt(variance)) if variance > 0 else np.nan


def _profile(counts: ProportionCounts, mean: float, *, se: float, confidence: float) -> Interval:
    """Return the limits of the profile likelihood."""
    chi = float(chdtri(1, 1 - confidence))
    value = float(_best_tau(counts, np.array([mean]))[1][0])
    ends = limits(lambda m: _best_tau(counts, m)[1], Peak(mean, value, np.sqrt(chi) * se), quantile=chi)
    return float(ends[0]), float(ends[1])


def _common(counts: ProportionCounts, confidence: float) -> Interval:
    """Return the likelihood-ratio limits of one common log odds."""
    y, n = float(counts.events.sum()), float(counts.n.sum())
    one = ProportionCounts(np.array([y]), np.array([n]))
    mean, chi = float(np.log(y / (n - y))), float(chdtri(1, 1 - confidence))
    value = float(one.log_likelihood(np.array([mean]))[0])
    peak = Peak(mean, value, float(np.sqrt(chi * n / (y * (n - y)))))
    ends = limits(lambda m: one.log_likelihood(m[:, None])[:, 0], peak, quantile=chi)
    return float(ends[0]), float(ends[1])


def _variance_ratio(counts: ProportionCounts, mean: float, *, tau: float) -> float:
    """Return q: the mean of the studies' squared slopes, each over its expectation at the maximum."""
    at = {"mean": np.array(mean), "tau": np.array(tau)}
    u = marginal_likelihood(counts, **at).by_mean
    sizes, place = np.unique(counts.n, return_inverse=True)
    information = []
    for size in sizes:
        every = np.arange(size + 1)
        part = marginal_likelihood(ProportionCounts(every, np.full(len(every), size)), **at)
        information.append(float((np.exp(part.log) * part.by_mean**2).sum()))
    return float((u**2 / np.array(information)[place]).sum() / (counts.size - 1))


def _heterogeneity(counts: ProportionCounts) -> float:
    """Return twice the log likelihood ratio of a proportion a study against a common one."""
    y, n = counts.events, counts.n
    share = y / n
    common = y.sum() / n.sum()
    own = xlogy(y, share) + xlogy(n - y, 1 - share)
    return max(0.0, 2 * float((own - xlogy(y, common) - xlogy(n - y, 1 - common)).sum()))
