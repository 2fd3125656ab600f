"""The one-sample log-rank test: a single arm against a reference survival curve that is taken as fixed.

With O observed events and E expected, the sum over patients of the reference's cumulative hazard at their follow-up,
the arm is better than the reference where (E - O) / sqrt(E) exceeds the normal quantile of 1 - alpha (one-sided).

Size of the study, for hazards in proportion delta < 1, N the event indicator and A the cumulative hazard at the end of
a patient's follow-up, G the probability of being followed so long (uniform accrual, follow-up after it, exponential
loss):

(1) v1 = E[N], v0 = E[A] = v1 / delta, v00 = E[A^2] / 2, v01 = E[N A] = delta v00, all under delta;
(2) sigma^2 = v1 - v1^2 + 2 v00 - v0^2 - 2 v01 + 2 v0 v1;
(3) n = (z_alpha sqrt(v0) + z_beta sigma)^2 / (v0 - v1)^2.

The normal approximation is rough in small studies; type I error and power of a given n are therefore sums:

(4) of k events among n patients, E is the sum of k cumulative hazards at events and n - k at censorings, whose
    distribution is their convolution (by fast Fourier transform on a fine grid);
(5) P(reject) is the sum over k of the binomial probability of k and P(E > e_k), with e_k - z sqrt(e_k) = k.

Breslow NE, Appl Stat 1975;24:383; Finkelstein DM, Muzikansky A, Schoenfeld DA, J Natl Cancer Inst 2003;95:1434-1439;
Wu J, Pharm Stat 2015;14:26-33.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from reinfuse.arrays import Floats

_GRID = 4000
_EXPECTED = 16_384
"""Points of the grid of expected numbers of events."""
_REACH = 12.0
"""Standard deviations above the mean at which that grid ends."""
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class ReferenceHazard:
    """Cumulative hazard of the reference, linear between its times; both rise from 0, shape (k,)."""

    time: Floats
    hazard: Floats

    def at(self, time: Floats) -> Floats:
        """Return the cumulative hazard at times up to the last."""
        value: Floats = np.interp(time, self.time, self.hazard)
        return value

    def when(self, hazard: Floats) -> Floats:
        """Return when the cumulative hazard reaches these values; infinity where it does not."""
        value: Floats = np.interp(hazard, self.hazard, self.time, right=np.inf)
        return value


@dataclass(frozen=True)
class FollowUp:
    """Accrual at a uniform rate, then follow-up of all, in the reference's unit of time; loss a unit of time."""

    accrual: float
    after: float
    loss: float = 0.0

    def followed(self, time: Floats) -> Floats:
        """Return the probability of being followed longer than these times, were there no events."""
        late = np.clip((self.accrual + self.after - time) / self.accrual, 0, 1) if self.accrual else time < self.after
        followed: Floats = np.where(time < self.after, 1.0, late) * np.exp(-self.loss * time)
        return followed


@dataclass(frozen=True)
class LogRankSize:
    """The size of a study.

    Attributes
    ----------
    n
        Patients.
    events_null, events_alternative
        Expected numbers of events under the reference, and under the ratio.
    power
        By the normal approximation, of this n.
    """

    n: int
    events_null: float
    events_alternative: float
    power: float


def weibull_hazard(scale: float, shape: float, *, until: float) -> ReferenceHazard:
    """Return the cumulative hazard (t / scale)^shape; shape 1 is the exponential distribution.

    Parameters
    ----------
    scale, shape
        Of the Weibull distribution.
    until
        Last time needed.
    """
    time = np.linspace(0, until, _GRID + 1)
    return ReferenceHazard(time, (time / scale) ** shape)


def hazard_of_curve(time: Floats, survival: Floats) -> ReferenceHazard:
    """Return -log S of a published curve, linear between its steps; steps to 0 are left out.

    Parameters
    ----------
    time, survival
        Shape (k,): times of the steps, rising, and the survival after each.
    """
    use = (survival > 0) & (time > 0)
    hazard = np.maximum.accumulate(-np.log(survival[use]))
    return ReferenceHazard(np.append(0.0, time[use]), np.append(0.0, hazard))


def log_rank_size(
    reference: ReferenceHazard, ratio: float, follow_up: FollowUp, *, alpha: float, power: float
) -> LogRankSize:
    """Return the number of patients for a power.

    Parameters
    ----------
    reference
        Known up to the end of follow-up.
    ratio
        Hazard ratio to the reference that is worth detecting, below 1.
    follow_up
        Accrual and follow-up.
    alpha
        One-sided.
    power
        Wanted.

    Examples
    --------
    Everybody followed to the event: n = (z sqrt(1 / delta) + z' / delta)^2 / (1 / delta - 1)^2 = 16.07.

    >>> from reinfuse.statistics import one_sample_log_rank as one
    >>> far = one.weibull_hazard(1.0, 1.0, until=60.0)
    >>> one.log_rank_size(far, 0.5, one.FollowUp(0.0, 60.0), alpha=0.05, power=0.8).n
    17
    """
    v1, v0, spread = _moments(reference, ratio, follow_up)
    expected_null = _moments(reference, 1.0, follow_up)[0]
    z, z_power = ndtri(1 - alpha), ndtri(power)
    n = int(np.ceil((z * np.sqrt(v0) + z_power * spread) ** 2 / (v0 - v1) ** 2))
    reached = float(ndtr((np.sqrt(n) * (v0 - v1) - z * np.sqrt(v0)) / spread))
    return LogRankSize(n, n * expected_null, n * v1, reached)


def _moments(reference: ReferenceHazard, ratio: float, follow_up: FollowUp) -> tuple[float, float, float]:
    """Return v1, v0 and sigma of steps (1) and (2)."""
    time, hazard = _time_grid(reference, follow_up)
    middle, rise = (hazard[1:] + hazard[:-1]) / 2, np.diff(hazard)
    weight = follow_up.followed((time[1:] + time[:-1]) / 2) * np.exp(-ratio * middle) * rise
    v0, v00 = float(weight.sum()), float((middle * weight).sum())
    v1, v01 = ratio * v0, ratio * v00
    return v1, v0, float(np.sqrt(v1 - v1**2 + 2 * v00 - v0**2 - 2 * v01 + 2 * v0 * v1))


def _time_grid(reference: ReferenceHazard, follow_up: FollowUp) -> tuple[Floats, Floats]:
    """Return times up to the end of the study, steps of the reference among them, and the cumulative hazard there."""
    end = min(follow_up.accrual + follow_up.after, float(reference.time[-1]))
    inner = reference.time[reference.time < end]
    time = np.unique(np.concatenate([np.linspace(0, end, _GRID + 1), inner, [follow_up.after]]).clip(0, end))
    return time, reference.at(time)


def fewest_expected(observed: int, *, alpha: float) -> float:
    """Return the expected number of events that must be exceeded with so many observed: E - z sqrt(E) = O.

    Examples
    --------
    >>> from reinfuse.statistics import one_sample_log_rank as one
    >>> round(one.fewest_expected(0, alpha=0.05), 3)
    2.706

    Parameters
    ----------
    observed
        Events.
    alpha
        One-sided.
    """
    z = float(ndtri(1 - alpha))
    return float((z + (z**2 + 4 * observed) ** 0.5) ** 2 / 4)


def probability_of_rejection(
    reference: ReferenceHazard, ratio: float, follow_up: FollowUp, *, n: int, alpha: float
) -> float:
    """Return the probability that the arm is found better: the type I error at ratio 1, else the power.

    The sum of steps (4) and (5), without the normal approximation and without simulation.

    Parameters
    ----------
    reference, ratio, follow_up, alpha
        As in `log_rank_size`.
    n
        Patients.

    Examples
    --------
    One patient, followed to the event: better where the hazard at the event exceeds 4.48.

    >>> import math
    >>> from reinfuse.statistics import one_sample_log_rank as one
    >>> far = one.weibull_hazard(1.0, 1.0, until=40.0)
    >>> chance = one.probability_of_rejection(far, 1.0, one.FollowUp(0.0, 40.0), n=1, alpha=0.05)
    >>> abs(chance - math.exp(-one.fewest_expected(1, alpha=0.05))) < 1e-4
    True
    """
    time, hazard = _time_grid(reference, follow_up)
    survival, followed = np.exp(-ratio * hazard), follow_up.followed(time)
    followed[-1] = 0.0
    event = (followed[1:] + followed[:-1]) / 2 * -np.diff(survival)
    censored = (survival[1:] + survival[:-1]) / 2 * -np.diff(followed)
    middle = (hazard[1:] + hazard[:-1]) / 2
    mean, square = float(middle @ (event + censored)), float(middle**2 @ (event + censored))
    step = (n * mean + _REACH * np.sqrt(n * square) + float(hazard[-1])) / _EXPECTED
    p = float(event.sum())
    waves = [np.fft.rfft(_on_grid(middle / step, mass) / max(share, 1e-300))
             for mass, share in ((event, p), (censored, 1 - p))]  # fmt: skip
    total = 0.0
    for k in range(n + 1):
        weight = float(binom.pmf(k, n, p))
        if weight > _NEGLIGIBLE:
            chance = np.fft.irfft(waves[0] ** k * waves[1] ** (n - k), _EXPECTED)
            edge = fewest_expected(k, alpha=alpha) / step + 0.5  # a point stands for half a step to either side
            whole = int(np.ceil(edge))
            total += weight * float(chance[whole:].sum() + (whole - edge) * chance[min(whole, _EXPECTED) - 1])
    return total


def _on_grid(place: Floats, mass: Floats) -> Floats:
    """Return masses at whole places, each divided between two so that its mean stays."""
    low = np.floor(place).astype(np.int64)
    part = place - low
    both = np.bincount(low, mass * (1 - part), _EXPECTED) + np.bincount(low + 1, mass * part, _EXPECTED)
    return both.astype(np.float64)
