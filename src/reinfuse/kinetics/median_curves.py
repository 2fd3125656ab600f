"""Median curves of groups of profiles, on the scale on which counts are drawn: the logarithm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.profiles import Profile

FEWEST = 5
"""Profiles that must be followed on a day for a median of that day."""
LEAST_SHARE = 0.5
"""Share of the profiles that must still be followed: those who do well are followed longest, and their counts are not
those of all."""


@dataclass(frozen=True)
class MedianCurve:
    """Median and quartiles of the counts by day; NaN where fewer than `FEWEST`, or than half, are followed.

    Attributes
    ----------
    day, median, low, high
        Days since the infusion and counts.
    followed
        Profiles behind each.
    """

    day: Floats = field(repr=False)
    median: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    followed: Floats = field(repr=False)

    @property
    def last_day(self) -> float | None:
        """The last day with a median; None where there is none."""
        drawn = self.day[np.isfinite(self.median)]
        return float(drawn[-1]) if drawn.size else None


def median_curve(profiles: Sequence[Profile], days: Sequence[float]) -> MedianCurve | None:
    """Return the median curve of profiles in one unit; None of no profile.

    Each profile is read between its counts along a straight line of their logarithms, from its first to its last count;
    a count below the limit as half the limit, or as left out where no limit is known.
    """
    if not profiles:
        return None
    grid = np.asarray(days, dtype=np.float64)
    logs = np.array([_on(p, grid) for p in profiles])
    followed = (~np.isnan(logs)).sum(axis=0).astype(np.float64)
    low, median, high = (np.full(len(grid), np.nan) for _ in range(3))
    enough = (followed >= FEWEST) & (followed >= LEAST_SHARE * len(profiles))
    if enough.any():
        low[enough], median[enough], high[enough] = np.exp(np.nanquantile(logs[:, enough], (0.25, 0.5, 0.75), axis=0))
    return MedianCurve(grid, median, low, high, followed)


def _on(profile: Profile, grid: Floats) -> Floats:
    """Return the log count on each day of a grid; NaN outside the counts."""
    value = np.where(profile.below, profile.value / 2, profile.value)
    positive = np.isfinite(value) & (value > 0)
    if not positive.any():
        return np.full(len(grid), np.nan)
    day, logs = profile.day[positive], np.log(value[positive])
    log_counts: Floats = np.interp(grid, day, logs, left=np.nan, right=np.nan)
    return log_counts
