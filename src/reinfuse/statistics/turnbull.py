"""Persistence as a time that is known only to lie between two counts: Turnbull's nonparametric estimate.

Each profile tells that its cells fell below the limit after day `left` and by day `right`; without a `right` they had
not by day `left` (right-censored). The estimate puts mass on the innermost intervals alone (Turnbull, J R Stat Soc B
1976;38:290-295), found by `npmle`; a left and a right end on one day
do not overlap, as the interval is open at its left. Limits are percentiles of patients drawn anew (bootstrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.statistics.npmle import greatest, resampled_masses, rounded

METHOD = "Turnbull, bootstrap percentiles"


@dataclass(frozen=True)
class Turnbull:
    """Mass of the event on the innermost intervals.

    Attributes
    ----------
    left, right
        Ends of the intervals in days, open at the left; an infinite `right`: the event is not known to come.
    mass
        Probability on each, summing to 1.
    converged
        Whether the steps came to an end.
    """

    left: Floats = field(repr=False)
    right: Floats = field(repr=False)
    mass: Floats = field(repr=False)
    converged: bool

    def persisting(self, day: float) -> tuple[float, float]:
        """Return the least and the greatest probability that the event comes after a day.

        They differ inside an interval, where the data do not say when the event comes.
        """
        after = float(self.mass[self.left >= day].sum())
        inside = float(self.mass[(self.left < day) & (self.right > day)].sum())
        return after, after + inside

    def median(self) -> tuple[float, float] | None:
        """Return the interval in which persistence falls to one half; None if it is not reached."""
        passed = np.cumsum(self.mass)
        at = int(np.searchsorted(passed, 0.5 - 1e-9))
        if at >= len(self.mass) or not np.isfinite(self.right[at]):
            return None
        return float(self.left[at]), float(self.right[at])


def turnbull(left: Sequence[float] | Floats, right: Sequence[float | None]) -> Turnbull:
    """Estimate the distribution of interval-censored times.

    Parameters
    ----------
    left, right
        Ends of each patient's interval in days; `right` None: censored at `left`.

    Returns
    -------
    Turnbull
        Its mass; `persisting` and `median` read it.

    Raises
    ------
    ValueError
        If there is no interval, or one ends before it begins.

    Notes
    -----
    Turnbull BW, J R Stat Soc B 1976;38:290-295.

    Examples
    --------
    Cells were last seen on days 10, 20 and 28, and gone on days 28 and 60; the last patient still has them.

    >>> from reinfuse.statistics import turnbull
    >>> estimate = turnbull.turnbull([10, 20, 28], [28, 60, None])
    >>> estimate.median(), [round(x, 2) for x in estimate.persisting(40)]
    ((20.0, 28.0), [0.0, 0.5])
    """
    low = np.asarray(left, dtype=np.float64)
    high = np.array([np.inf if r is None else float(r) for r in right])
    if not len(low) or (high <= low).any():
        raise ValueError("intervals must end after they begin, and there must be one")
    ends, inside = _places(low, high)
    mass, converged = greatest(inside)
    positive = mass > 1e-12
    return Turnbull(ends[positive, 0], ends[positive, 1], mass[positive] / mass[positive].sum(), converged)


def _places(low: Floats, high: Floats) -> tuple[Floats, Bools]:
    """Return the innermost intervals, and which of them lie inside what each patient tells."""
    ends = innermost(low, high)
    return ends, (ends[:, 0] >= low[:, None]) & (ends[:, 1] <= high[:, None])


def innermost(low: Floats, high: Floats) -> Floats:
    """Return the intervals from a left end to the next right end with no left end between, shape (places, 2)."""
    # at one day right ends come first: (a, d] and (d, b] have no time in common
    marks = sorted([(r, 0) for r in set(high.tolist())] + [(v, 1) for v in set(low.tolist())])
    intervals = [(a, b) for (a, kind), (b, following) in pairwise(marks) if kind == 1 and following == 0]
    return np.array(intervals).reshape(-1, 2)


def limits(left: Floats, right: Sequence[float | None], days: Sequence[float], *, confidence: float, draws: int,
           random: np.random.Generator) -> Floats:  # fmt: skip
    """Return lower and upper limits of the probability of persisting beyond each day, shape (days, 2).

    The middle of the range that an estimate leaves open is taken in each draw. Of very many different days the draws
    see neighbours as one (`npmle.rounded`).

    Parameters
    ----------
    left, right
        As in `turnbull`.
    days
        Those of which the limits are wanted.
    confidence
        Of the percentile limits.
    draws
        Bootstrap samples of the patients.
    random
        Where they come from.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import turnbull
    >>> random = np.random.default_rng(1)
    >>> turnbull.limits([10, 20, 28], [28, 60, None], [15.0], confidence=0.95, draws=200, random=random).shape
    (1, 2)
    """
    low = np.asarray(left, dtype=np.float64)
    high = np.array([np.inf if r is None else float(r) for r in right])
    ends, inside = _places(*rounded(low, high, days))
    masses = resampled_masses(inside, draws, random=random)
    middle = [((ends[:, 0] >= d).astype(np.float64) + (ends[:, 1] > d)) / 2 for d in days]
    survival = masses @ np.column_stack(middle)
    percentiles: Floats = np.quantile(survival, (0.5 - confidence / 2, 0.5 + confidence / 2), axis=0).T
    return percentiles
