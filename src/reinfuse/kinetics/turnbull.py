"""Persistence as a time that is known only to lie between two counts: Turnbull's nonparametric estimate.

Each profile tells that its cells fell below the limit after day `left` and by day `right`; without a `right` they had
not by day `left` (right-censored). The estimate puts mass on the innermost intervals alone (Turnbull, J R Stat Soc B
1976;38:290-295), found where it is self-consistent (`greatest`); a left and a right end on one day
do not overlap, as the interval is open at its left. Limits are percentiles of patients drawn anew (bootstrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from reinfuse.kinetics.profiles import Floats

MOST_STEPS = 20_000
NEWTON_STEPS = 200
EXACT = 1e-9
"""Share by which the likelihood's slope may still exceed the optimum's."""
_ROUNDING = 1e-13
COARSE = 1e-5
"""Tolerance of the bootstrap's estimates."""
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

    Raises
    ------
    ValueError
        If there is no interval, or one ends before it begins.
    """
    low = np.asarray(left, dtype=np.float64)
    high = np.array([np.inf if r is None else float(r) for r in right])
    if not len(low) or (high <= low).any():
        raise ValueError("intervals must end after they begin, and there must be one")
    ends = _innermost(low, high)
    inside = (ends[:, 0] >= low[:, None]) & (ends[:, 1] <= high[:, None])
    rows, counts = np.unique(inside, axis=0, return_counts=True)
    mass, converged = greatest(rows.astype(np.float64), counts.astype(np.float64))
    kept = mass > 1e-12
    return Turnbull(ends[kept, 0], ends[kept, 1], mass[kept] / mass[kept].sum(), converged)


def _innermost(low: Floats, high: Floats) -> Floats:
    """Return the intervals from a left end to the next right end with no left end between."""
    # at one day right ends come first: (a, d] and (d, b] have no time in common
    marks = sorted([(r, 0) for r in set(high.tolist())] + [(v, 1) for v in set(low.tolist())])
    found = []
    for (a, kind), (b, following) in pairwise(marks):
        if kind == 1 and following == 0:
            found.append((a, b))
    return np.array(found)


def greatest(inside: Floats, counts: Floats) -> tuple[Floats, bool]:
    """Return the most likely mass, and whether it was found (constrained Newton, Wang, J R Stat Soc B 2007;69:185).

    The likelihood less n (sum of mass) ** 2 / 2 has the same maximum, and no need of the condition that the sum is 1.
    """
    n = counts.sum()
    mass = np.full(inside.shape[1], 1 / inside.shape[1])
    root = np.sqrt(counts)

    def value(at: Floats) -> float:
        each = inside @ at
        return float(counts @ np.log(each) - n * at.sum() ** 2 / 2) if each.min() > 0 else -np.inf

    for _ in range(NEWTON_STEPS):
        relative = inside / (inside @ mass)[:, None]
        if (counts @ relative).max() < n * (1 + EXACT):
            return mass / mass.sum(), True
        target = nnls(np.vstack([root[:, None] * relative, np.full(len(mass), np.sqrt(n))]), np.append(2 * root, 0.0))[
            0
        ]
        share, now = 1.0, value(mass)
        while share > 1e-12 and value(mass + share * (target - mass)) < now - _ROUNDING * abs(now):
            share /= 2
        mass = mass + share * (target - mass)
    return mass / mass.sum(), False


def limits(left: Floats, right: Sequence[float | None], days: Sequence[float], confidence: float, draws: int,
           random: np.random.Generator) -> NDArray[np.float64]:  # fmt: skip
    """Return lower and upper limits of the probability of persisting beyond each day, shape (days, 2).

    The middle of the range that an estimate leaves open is taken in each draw.
    """
    low = np.asarray(left, dtype=np.float64)
    high = np.array([np.inf if r is None else float(r) for r in right])
    ends = _innermost(low, high)
    inside = (ends[:, 0] >= low[:, None]) & (ends[:, 1] <= high[:, None])
    masses = resampled_masses(inside.astype(np.float64), draws, random)
    middle = [((ends[:, 0] >= d).astype(np.float64) + (ends[:, 1] > d)) / 2 for d in days]
    found = masses @ np.column_stack(middle)
    made: NDArray[np.float64] = np.quantile(found, (0.5 - confidence / 2, 0.5 + confidence / 2), axis=0).T
    return made


def resampled_masses(inside: Floats, draws: int, random: np.random.Generator) -> Floats:
    """Return the masses of patients drawn anew, shape (draws, places); all draws take their steps together.

    Parameters
    ----------
    inside
        1 where a place lies inside what a patient tells, shape (patients, places). Where mass can lie for fewer
        patients contains such a place of all of them, so that no place has to be looked for anew.
    """
    n = len(inside)
    weights = random.multinomial(n, np.full(n, 1 / n), size=draws) / n
    mass = np.full((draws, inside.shape[1]), 1 / inside.shape[1])
    going = np.arange(draws)
    for _ in range(MOST_STEPS):
        now = mass[going]
        moved = now * ((weights[going] / np.maximum(now @ inside.T, 1e-300)) @ inside)
        mass[going] = moved
        going = going[np.abs(moved - now).max(axis=1) > COARSE]
        if not going.size:
            break
    return mass
