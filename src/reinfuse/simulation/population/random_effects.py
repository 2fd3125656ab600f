"""Means over virtual patients of many populations, with intervals over both.

The ensemble's members differ (variance tau2 between them), patients within a member differ. The interval is that of the
value in one more population like those of the ensemble (a prediction interval: Higgins, Thompson & Spiegelhalter, J R
Stat Soc A 2009;172:137-159): its variance is tau2 (1 + 1/k) with k members, and that of the mean from the patients'
number. Moments (DerSimonian & Kacker, Contemp Clin Trials 2007;28:105-114) tell tau2 from the noise of few patients a
member. The noise is that of each member's own patients: where a rate and the number of patients go together, a pooled
variance takes differences between populations for noise. Members are weighted as if tau2 were the noise of a member of
average size, so that neither the large nor the smallest ones decide (semi-weighting: Cochran, Biometrics
1954;10:101-129).

tau2 is not known exactly. The variance of members' means, tau2 + noise, follows a scaled chi-squared distribution (with
fewer degrees of freedom where their tails are heavy: O'Neill, Am Stat 2014;68:282-296), which gives tau2 a confidence
distribution, and the interval is that of the mixture over it (Nagashima, Noma & Furukawa, Stat Methods Med
2019;28:1689-1702). What of that distribution lies below 0 counts as 0 there; here nine tenths of it, and a tenth
is spread over what lies above, without which tau2 of a tenth to a half of the noise is covered too rarely
(`benchmarks/virtual/two_stage.py`: 93.6 to 97.6 % of new populations with 100 members where tau2 is 0.03 of the noise
or more; below, the interval holds nearly all). A quantity that cannot pass a bound has an interval that does not: beta
distributions on its range take the place of normal ones, of the same means and variances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, gammainc, gammaincinv, ndtr

from reinfuse.arrays import Floats

CONFIDENCE = 0.95
METHOD = "mean over virtual patients; 95% prediction interval over populations of the ensemble and patients, by moments"
Bounds = tuple[float, float]
SHARE: Bounds = (0.0, 1.0)
DIFFERENCE: Bounds = (-1.0, 1.0)
"""Of two shares."""
_ENDS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
_NODES, _MASSES = np.polynomial.legendre.leggauss(32)
_NODES, _MASSES = (_NODES + 1) / 2, _MASSES / 2
_LEAST_SIZE, _ROUNDING = 0.05, 1e-9
_SPREAD = 0.1
"""How much of the confidence in a variance below 0 is spread over those above."""


@dataclass(frozen=True)
class Moments:
    """A mean over members and patients: its value, variance between members, and that of the mean from the patients'
    number.

    Attributes
    ----------
    noise, free
        Variance of a member's mean from its patients' number, on average; degrees of freedom of the variance of the
        members' means, `observed`.
    """

    mean: float
    between: float
    sampling: float
    n: int
    observed: float = 0.0
    noise: float = 0.0
    free: float = 0.0

    @cached_property
    def variances(self) -> tuple[Floats, Floats]:
        """Variances of the value in one more population, around the mean, and how probable each is."""
        if self.free <= 0 or self.observed <= 0:
            return np.full(1, self.between + self.sampling), np.ones(1)
        half = self.free / 2  # a chi-squared number is twice a gamma one
        above = float(gammainc(half, half * self.observed / self.noise)) if self.noise > 0 else 1.0
        with np.errstate(divide="ignore"):
            total = half * self.observed / gammaincinv(half, np.concatenate([_NODES, _NODES * above]))
        between = np.where(np.isfinite(total), np.maximum(total - self.noise, 0.0), 0.0)
        weight = np.concatenate([_MASSES * (1 - _SPREAD), _MASSES * _SPREAD])
        return between * (1 + 1 / (self.free + 1)) + self.sampling, weight

    @property
    def sd(self) -> float:
        """Standard deviation over populations and patients."""
        return float(np.sqrt(self.between + self.sampling))

    def limits(self, bounds: Bounds | None = None) -> tuple[float, float] | None:
        """Return the limits, within the bounds of the quantity if it has any; None where they cannot be told. The mean
        always lies within them.

        Shares (bounds 0 and 1) of n patients vary as those of n + 1 with half an event more, so that none of n, or all,
        still has an interval; its limit on that side is 0, or 1. So have differences of shares (bounds -1 and 1) where
        nobody differs: the variance is that of one patient of n who does, at least.
        """
        if not np.isfinite(self.mean) or not np.isfinite(self.sd):
            return None
        if self.sd == 0 and bounds not in (SHARE, DIFFERENCE):
            return None
        below, (least, most) = self._below(bounds), self._reach(bounds)
        low, high = (brentq(lambda x, p=p: below(x) - p, least, most, xtol=1e-6 * (most - least)) for p in _ENDS)
        if bounds is not None:
            low, high = (least if self.mean <= least else low), (most if self.mean >= most else high)
        return min(low, self.mean), max(high, self.mean)

    def above(self, bounds: Bounds | None = None) -> float:
        """Return the probability that the value is above 0; NaN where it cannot be told."""
        if self.sd == 0 or not np.isfinite(self.sd):
            return float("nan")
        return 1 - self._below(bounds)(0.0)

    def _reach(self, bounds: Bounds | None) -> Bounds:
        """Return the bounds, or where an unbounded quantity is sure to lie."""
        far = 40 * float(np.sqrt(self.variances[0].max()))
        return bounds or (self.mean - far, self.mean + far)

    def _below(self, bounds: Bounds | None) -> Callable[[float], float]:
        """Return the distribution function."""
        variances, weight = self.variances
        if bounds is None:
            root = np.sqrt(np.maximum(variances, 1e-300))
            return lambda x: float(weight @ ndtr((x - self.mean) / root))
        span = bounds[1] - bounds[0]
        mean, variance = (self.mean - bounds[0]) / span, variances / span**2
        if bounds == SHARE:
            mean = (mean * self.n + 0.5) / (self.n + 1)
            variance = np.maximum(variance, mean * (1 - mean) / (self.n + 1))
        if bounds == DIFFERENCE:
            variance = np.maximum(variance, 1 / (self.n + 2) ** 2)
        mean = min(max(mean, 1e-9), 1 - 1e-9)
        size = np.maximum(mean * (1 - mean) / np.maximum(variance, 1e-300) - 1, _LEAST_SIZE)
        a, b = mean * size, (1 - mean) * size
        return lambda x: float(weight @ betainc(a, b, min(max((x - bounds[0]) / span, 0.0), 1.0)))


def moments(n: Floats, total: Floats, square: Floats) -> Moments:
    """Return the moments from sums of each member: patients, values, squares; shape (members,)."""
    some = n > 0
    n, total, square = n[some], total[some], square[some]
    size = n.sum()
    if size < 2:
        return Moments(float(total.sum() / size) if size else float("nan"), float("nan"), float("nan"), int(size))
    mean, within = total.sum() / size, _within(n, total, square=square)
    own = _variances(n, total, square, pooled=within) / n
    return Moments(float(mean), *_between(n, total / n, within / n, own=own, sampling=within / size, n=int(size)))


def difference(one: tuple[Floats, Floats, Floats], other: tuple[Floats, Floats, Floats],
               both: tuple[Floats, Floats, Floats, Floats]) -> Moments:  # fmt: skip
    """Return the moments of the difference of two means, of patients who may be in both groups.

    A patient who is in both groups meets both with the same parameters and random numbers: the covariance of the two
    values within members is taken out of the noise of each member's difference. What then is left of the differences'
    variance lies between members.

    Parameters
    ----------
    one, other
        Sums of each member as in `moments`.
    both
        Sums over the patients of each member who are in both groups: their number, their values in one and in the
        other, the products of the two; shape (members,).
    """
    a, b = moments(*one), moments(*other)
    some = (one[0] > 0) & (other[0] > 0)
    if not some.any() or not np.isfinite(a.sampling + b.sampling):
        return Moments(a.mean - b.mean, float("nan"), float("nan"), 0)
    n, m = one[0][some], other[0][some]
    means, shared = (one[1][some] / n, other[1][some] / m), tuple(part[some] for part in both)
    together, covariances = _covariance(n, m, means, both=shared)
    noise = a.sampling * a.n / n + b.sampling * b.n / m - 2 * together * shared[0] / (n * m)
    sampling = a.sampling + b.sampling - 2 * together * shared[0].sum() / (a.n * b.n)
    own = -2 * covariances * shared[0] / (n * m)
    for group, whole in ((one, a), (other, b)):
        size, total, square = (part[some] for part in group)
        own += _variances(size, total, square, pooled=whole.sampling * whole.n) / size
    each, count = means[0] - means[1], a.n + b.n - int(both[0].sum())
    return Moments(a.mean - b.mean, *_between(n * m / (n + m), each, np.maximum(noise, 0.0), own=own,
                                              sampling=max(sampling, 0.0), n=count))  # fmt: skip


def _within(n: Floats, total: Floats, *, square: Floats) -> float:
    """Return the variance between patients of a member, pooled."""
    free = n.sum() - len(n)
    if free > 0:
        return float(np.maximum(square - total**2 / n, 0.0).sum() / free)
    return float(max(square.sum() / n.sum() - (total.sum() / n.sum()) ** 2, 0.0))


def _variances(n: Floats, total: Floats, square: Floats, *, pooled: float) -> Floats:
    """Return the variance between the patients of each member; the pooled one where a member has a single patient."""
    return np.where(n > 1, np.maximum(square - total**2 / n, 0.0) / np.maximum(n - 1, 1), pooled)


def _covariance(n: Floats, m: Floats, means: tuple[Floats, Floats], *,
                both: tuple[Floats, ...]) -> tuple[float, Floats]:  # fmt: skip
    """Return the covariance of both values in a patient of a member, around each group's own means: pooled, and of
    each member (the pooled one where its patients tell none)."""
    k, x, y, product = both
    sums = product - means[0] * y - means[1] * x + k * means[0] * means[1]
    free = np.maximum(k * (1 - 1 / n - 1 / m + k / (n * m)), 0.0)
    whole = float(free.sum())
    pooled = float(sums.sum() / whole) if whole > 0 else 0.0
    return pooled, np.where(free > _ROUNDING, sums / np.maximum(free, _ROUNDING), pooled)


def _between(size: Floats, each: Floats, noise: Floats, *, own: Floats, sampling: float,
             n: int) -> tuple[float, float, int, float, float, float]:  # fmt: skip
    """Return the fields of `Moments` after the mean, from the means of members.

    Parameters
    ----------
    size
        Patients of each member (of a difference: n m/(n + m)).
    noise, own
        Variance of each member's mean from its patients' number, by the pooled variance and by that of its own
        patients. The first, which varies less, gives the degrees of freedom.
    """
    weight = size / (size + size.mean())
    total = weight.sum()
    spread = float(np.sum(weight * (each - np.sum(weight * each) / total) ** 2))
    expected = float(np.sum(weight * own) - np.sum(weight**2 * own) / total)
    room = float(total - np.sum(weight**2) / total)
    if room <= 0:
        return 0.0, sampling, n, 0.0, 0.0, 0.0
    between = max(0.0, (spread - expected) / room)
    parts = weight * (between + noise)
    free = float(parts.sum() ** 2 / np.sum(parts**2)) - 1 if parts.any() else 0.0
    if free > 0 and spread > 0:  # the variance of a variance: 2/free, and what heavy tails add
        off = each - np.sum(weight * each) / total
        excess = float(np.sum(weight * off**4) / total / (spread / total) ** 2) - 3
        free = 2 / (2 / free + max(excess, 0.0) / len(each))
    return between, sampling, n, spread / room, max(expected / room, 0.0), free
