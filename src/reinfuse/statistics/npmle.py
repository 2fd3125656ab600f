"""Nonparametric maximum likelihood where each patient tells in which of several places the event was.

Conventions. `inside` is 1 where a place lies inside what a patient tells, shape (patients, places); the likelihood of a
patient is the mass inside. Places in the order of time make each row a few runs of ones: `Runs` keeps where they begin
and end, so that sums over places and over patients are differences of running sums (and a step costs patients + places,
not patients x places).

The maximum of few places is found by Newton's steps of least squares with no negative mass (Wang, J R Stat Soc B
2007;69:185-198), of many by a primal-dual interior point method (as Koenker and Mizera, J Am Stat Assoc
2014;109:674-685, for mixtures); both end where the likelihood's slope says that it is the maximum. Bootstrap draws take
EM steps together, extrapolated (Varadhan and Roland, Scand J Stat 2008;35:335-353), until the log likelihood is within
`SLACK` of its greatest: the slope bounds what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import nnls

from reinfuse.arrays import Floats, Integers
from reinfuse.runtime.parallel import in_threads

NEWTON_STEPS = 200
EXACT = 1e-9
"""Share by which the likelihood's slope may still exceed the optimum's."""
FEW_PLACES = 120
"""Up to these the maximum is found by least squares."""
SLACK = 0.1
"""What a bootstrap draw's log likelihood may lack of its greatest."""
MOST_CYCLES = 100
FEW_ROWS = 300
"""Up to so many different patients the draws take so many steps together; what is not at its greatest then, or with
more of them, is found one by one."""
MOST_EDGES = 200
"""Days to which the ends of intervals are rounded for the bootstrap, where there are more."""
_ROUNDING = 1e-13
_DUST = 1e-9
_LEAST = 1e-300


@dataclass(frozen=True)
class Runs:
    """The patients' places as runs of ones, equal patients together.

    Attributes
    ----------
    row
        Row of each patient among the different ones.
    counts
        Patients of each row.
    ends
        Minus one where a run begins, one behind its end; shape (rows, places + 1).
    """

    row: Integers = field(repr=False)
    counts: Floats = field(repr=False)
    ends: Any = field(repr=False)

    @cached_property
    def pairs(self) -> Any:
        """Products of each two ends of a row, shape ((places + 1) ** 2, rows)."""
        ends, columns = self.ends.tocoo(), self.ends.shape[1]
        both = self.ends[ends.row].tocoo()  # for each end of a row, all ends of the row
        value = both.data * ends.data[both.row]
        place = ends.col[both.row].astype(np.int64) * columns + both.col
        return sparse.csr_matrix((value, (place, ends.row[both.row])), shape=(columns**2, len(self.counts)))

    @classmethod
    def of(cls, inside: NDArray[Any]) -> Runs:
        """Return the runs of a matrix of zeros and ones."""
        rows, row, counts = np.unique(inside.astype(np.int8), axis=0, return_inverse=True, return_counts=True)
        ends = sparse.csr_matrix(-np.diff(np.pad(rows, ((0, 0), (1, 1))), axis=1).astype(np.float64))
        return cls(row.reshape(-1), counts.astype(np.float64), ends)

    def likelihood(self, mass: Floats) -> Floats:
        """Return the mass inside each row, shape (rows,) or (rows, draws), of `mass` (places,) or (places, draws)."""
        total = np.zeros((len(mass) + 1, *mass.shape[1:]))
        np.cumsum(mass, axis=0, out=total[1:])
        inside: Floats = np.maximum(self.ends @ total, _LEAST)
        return inside

    def slope(self, share: Floats) -> Floats:
        """Return the sum over the rows that hold a place, for each place, of a number a row."""
        sums: Floats = np.cumsum((self.ends.T @ share)[::-1], axis=0)[::-1][1:]
        return sums

    def curvature(self, weight: Floats) -> Floats:
        """Return the sum over the rows that hold both of two places, shape (places, places)."""
        products = np.asarray(self.pairs @ weight).reshape(self.ends.shape[1], -1)
        sums: Floats = np.cumsum(np.cumsum(products[::-1, ::-1], axis=0), axis=1)[::-1, ::-1][1:, 1:]
        return sums


def greatest(inside: NDArray[Any]) -> tuple[Floats, bool]:
    """Return the most likely mass of each place, summing to 1, and whether the steps came to an end.

    Parameters
    ----------
    inside
        Shape (patients, places).
    """
    if inside.shape[1] > FEW_PLACES:
        runs = Runs.of(inside)
        return _interior(runs, runs.counts / runs.counts.sum())
    rows, counts = np.unique(inside, axis=0, return_counts=True)
    return _least_squares(rows.astype(np.float64), counts.astype(np.float64))


def _least_squares(inside: Floats, counts: Floats) -> tuple[Floats, bool]:
    """Maximise the likelihood less n (sum of mass) ** 2 / 2, whose maximum is the same, without the sum's condition."""
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


def _interior(runs: Runs, weight: Floats, *, exact: float = EXACT / 1000) -> tuple[Floats, bool]:
    """Maximise the likelihood less n (sum of mass), whose maximum is the same; `dual` is 1 less the slope there."""
    places = runs.ends.shape[1] - 1
    mass, dual = np.full(places, 1 / places), np.ones(places)
    converged = False
    for _ in range(NEWTON_STEPS):
        f = runs.likelihood(mass)
        slope = runs.slope(weight / f)
        gap = float(mass @ dual) / places
        converged = bool(slope.max() < 1 + max(exact, EXACT) and places * gap < exact)
        if converged:
            break
        goal = gap / 10
        system = runs.curvature(weight / f**2) + np.diag(dual / mass)
        step = _solved(system, slope - 1 + goal / mass)
        change = goal / mass - dual - dual / mass * step
        mass = mass + _reach(mass, step) * step
        dual = dual + _reach(dual, change) * change
    mass = np.where(mass < _DUST, 0.0, mass)
    return mass / mass.sum(), converged


def _solved(system: Floats, right: Floats) -> Floats:
    """Solve a symmetric system, scaled to a diagonal of ones; rounding may have taken its definiteness."""
    scale = 1 / np.sqrt(np.diag(system))
    scaled, ridge = system * scale * scale[:, None], 0.0
    while True:
        try:
            factor = cho_factor(scaled + ridge * np.eye(len(scaled)), check_finite=False)
            return np.asarray(scale * cho_solve(factor, scale * right, check_finite=False), dtype=np.float64)
        except LinAlgError:
            ridge = max(10 * ridge, _ROUNDING)


def _reach(at: Floats, step: Floats) -> float:
    """Return the share of a step that leaves all numbers positive, at most 1."""
    down = step < 0
    return min(1.0, 0.995 * float((-at[down] / step[down]).min())) if down.any() else 1.0


def resampled_masses(inside: NDArray[Any], draws: int, *, random: np.random.Generator) -> Floats:
    """Return the masses of patients drawn anew, shape (draws, places); all draws take their steps together.

    Parameters
    ----------
    inside
        Shape (patients, places). Where mass can lie for fewer patients contains such a place of all of them, so that
        no place has to be looked for anew.
    """
    n, places = inside.shape
    runs = Runs.of(inside)
    rows = sparse.csr_matrix((np.ones(n), (runs.row, np.arange(n))), shape=(len(runs.counts), n))
    weight = rows @ random.multinomial(n, np.full(n, 1 / n), size=draws).T / n
    mass = np.full((places, draws), 1 / places)
    going, now = np.arange(draws), mass.copy()
    for _ in range(MOST_CYCLES if len(runs.counts) <= FEW_ROWS else 0):
        slope = runs.slope(weight[:, going] / runs.likelihood(now))
        mass[:, going] = now
        unfinished = n * (slope.max(axis=0) - 1) > SLACK
        going, now, slope = going[unfinished], now[:, unfinished], slope[:, unfinished]
        if not going.size:
            break
        now = _extrapolated(runs, weight[:, going], now, slope=slope)
    ends = in_threads(lambda i: _interior(runs, weight[:, i], exact=SLACK / n / 2)[0], going.tolist())
    for draw, end in zip(going, ends, strict=True):
        mass[:, draw] = end
    return mass.T


def _extrapolated(runs: Runs, weight: Floats, now: Floats, *, slope: Floats) -> Floats:
    """Return where two EM steps lead if they are gone on with, or where they end if the likelihood is less there."""
    once = now * slope
    twice = once * runs.slope(weight / runs.likelihood(once))
    first = once - now
    bend = twice - once - first
    length = np.maximum(np.sqrt((first**2).sum(axis=0) / np.maximum((bend**2).sum(axis=0), _LEAST)), 1.0)
    far = np.maximum(now + 2 * length * first + length**2 * bend, twice / 100)
    far /= far.sum(axis=0)
    value = [(weight * np.log(runs.likelihood(at))).sum(axis=0) for at in (far, twice)]
    return np.where(value[0] >= value[1], far, twice)


def rounded(low: Floats, high: Floats, fixed: Sequence[float], *, most: int | None = None) -> tuple[Floats, Floats]:
    """Return intervals whose ends stand on few enough days: left ends on the day before, right ends on the day after.

    Of `most` (default: `MOST_EDGES`) or fewer different days none is changed. No end moves past one of the days to be
    kept; NaN stays.
    """
    ends = np.concatenate([low, high])
    days = np.unique(ends[np.isfinite(ends)])
    most = most or MOST_EDGES
    if len(days) <= most:
        return low, high
    spread = np.quantile(ends[np.isfinite(ends)], np.linspace(0, 1, most), method="nearest")
    edges = np.unique(np.concatenate([spread, np.clip(fixed, days[0], days[-1]), [np.inf]]))
    after = edges[np.minimum(np.searchsorted(edges, high, "left"), len(edges) - 1)]
    return edges[np.searchsorted(edges, low, "right") - 1], np.where(np.isnan(high), high, after)
