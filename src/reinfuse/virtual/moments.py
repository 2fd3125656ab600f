"""Means over virtual patients of many populations, with intervals over both.

The ensemble's members differ (variance tau2 between them), patients within a member differ (variance s2). The
interval is that of
the value in a population like those of the ensemble, tau2 + s2/n: DerSimonian and Laird's moments (Control Clin Trials
1986;7:177-188) tell tau2 from the noise of few patients a member.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm

from reinfuse.virtual.equations import Floats

CONFIDENCE = 0.95
METHOD = "mean over virtual patients; 95% interval over populations of the ensemble and patients, by moments"


@dataclass(frozen=True)
class Moments:
    """A mean over members and patients: its value, variance between members, and that of the mean from the patients'
    number."""

    mean: float
    between: float
    sampling: float
    n: int

    @property
    def sd(self) -> float:
        """Standard deviation over both."""
        return float(np.sqrt(self.between + self.sampling))

    def limits(self, share: bool = False) -> tuple[float, float] | None:
        """Return the limits: of a beta distribution for a share, else of a normal one; None where it cannot be said."""
        if not np.isfinite(self.mean) or not np.isfinite(self.sd):
            return None
        ends = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        if share:
            found = self._of_share(ends)
        elif self.sd == 0:
            return None
        else:
            found = self.mean + self.sd * norm.ppf(ends)
        return float(found[0]), float(found[1])

    def _of_share(self, ends: Floats) -> Floats:
        mean = (self.mean * self.n + 0.5) / (self.n + 1)
        variance = max(self.sd**2, mean * (1 - mean) / (self.n + 1))
        size = max(mean * (1 - mean) / variance - 1, 0.05)
        made: Floats = beta.ppf(ends, mean * size, (1 - mean) * size)
        return made

    @property
    def above(self) -> float:
        """Probability that the value is above 0."""
        if self.sd == 0 or not np.isfinite(self.sd):
            return float("nan")
        return float(norm.cdf(self.mean / self.sd))


def moments(n: Floats, total: Floats, square: Floats) -> Moments:
    """Return the moments from sums of each member: patients, values, squares; shape (members,)."""
    there = n > 0
    n, total, square = n[there], total[there], square[there]
    size = n.sum()
    if size < 2:
        return Moments(float(total.sum() / size) if size else float("nan"), float("nan"), float("nan"), int(size))
    mean = total.sum() / size
    free = size - len(n)
    within = float(np.maximum(square - total**2 / n, 0.0).sum() / free) if free > 0 else float("nan")
    if free <= 0:
        within = float(max(square.sum() / size - mean**2, 0.0))
    return Moments(float(mean), _between(n, total / n, np.full(len(n), within) / n), within / size, int(size))


def difference(one: tuple[Floats, Floats, Floats], other: tuple[Floats, Floats, Floats]) -> Moments:
    """Return the moments of the difference of two means of different patients in the same members; sums as in
    `moments`."""
    both = (one[0] > 1) & (other[0] > 1)
    a, b = (moments(*(part[both] for part in sums)) for sums in (one, other))
    if not both.any() or not np.isfinite(a.sampling + b.sampling):
        return Moments(a.mean - b.mean, float("nan"), float("nan"), 0)
    noise = a.sampling * a.n / one[0][both] + b.sampling * b.n / other[0][both]
    each = one[1][both] / one[0][both] - other[1][both] / other[0][both]
    weight = 1 / noise if np.all(noise > 0) else np.ones(len(each))
    mean = moments(*one).mean - moments(*other).mean
    return Moments(mean, _between(weight, each, noise), a.sampling + b.sampling, a.n + b.n)


def _between(weight: Floats, each: Floats, noise: Floats) -> float:
    """Return the variance between members beyond the noise of each."""
    total = weight.sum()
    spread = float(np.sum(weight * (each - np.sum(weight * each) / total) ** 2))
    expected = float(np.sum(weight * noise) - np.sum(weight**2 * noise) / total)
    room = float(total - np.sum(weight**2) / total)
    return max(0.0, (spread - expected) / room) if room > 0 else 0.0
