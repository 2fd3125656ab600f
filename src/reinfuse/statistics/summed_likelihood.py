"""Firth's penalised likelihood where it is known by its sums alone: steps to the maximum and to the profile limits.

A search is a generator: it yields the coefficients at which it wants the likelihood and is sent it there, so that all
searches of a study can be answered together, in one exchange. With A = I^-1, l* = l + log|I| / 2:

(1) score U*_r = U_r + tr(A T_r) / 2 (Firth, Biometrika 1993;80:27-38);
(2) curvature J_rs = I_rs - [tr(A Q_rs) - tr(A T_s A T_r)] / 2, its derivative with the sign changed; where J is not
    positive definite, I takes its place;
(3) steps J^-1 U* over the coefficients that are not held; far from the end several lengths are tried at once;
(4) limits: with one coefficient at v, the others would gain U*_o' J_oo^-1 U*_o / 2, and the profile likelihood has the
    slope U*_v - J_vo J_oo^-1 U*_o; v moves by Newton's step on the root of the fall, the others along (Venzon and
    Moolgavkar, Appl Stat 1988;37:87-94).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.statistics.batch_algebra import inverted
from reinfuse.statistics.likelihood_sums import LikelihoodSums, full

_LONGEST_STEP = 5.0
_LAST_STEP = 2e-6
"""In standard deviations of a column: the step after it would be of the order of its square."""
_SETTLED = 1e-10
"""The same where steps do not end so fast."""
_LITTLE = 0.1
_GREATEST = 100.0
_FALL = 1e-9
_STEPS = 60
_HALVINGS = 15
_LENGTHS = np.array([1.0, 0.5, 0.2, 0.05])
NEAR = 0.1
_FARTHEST = 400.0
_CLOSE = 1e-8
_WIDER = 1.5


@dataclass(frozen=True)
class Point:
    """The penalised log-likelihood at one point, with score (k,), curvature and inverse information (k, k)."""

    at: Floats
    value: float
    score: Floats = field(repr=False)
    curvature: Floats = field(repr=False)
    information: Floats = field(repr=False)
    variance: Floats = field(repr=False)


Search = Generator[Floats, list[Point], "Point | None"]
"""Yields coefficients (m, k), is sent the points there, and returns what it was after; None where no steps end."""


def points_of(at: Floats, sums: LikelihoodSums) -> list[Point]:
    """Return the penalised likelihood at points (m, k), given the sums of all patients there."""
    k = at.shape[1]
    score, information, third, fourth = (full(c, k, d) for d, c in enumerate(sums.cumulants, 1))
    variance, half_log_det = inverted(information, None)
    with np.errstate(all="ignore"):
        score = score + np.einsum("mab,mabr->mr", variance, third) / 2
        turned = np.einsum("mab,mbcr->macr", variance, third)
        bent = np.einsum("mab,mabrs->mrs", variance, fourth) - np.einsum("macs,mcar->mrs", turned, turned)
    values = sums.value + half_log_det
    return [Point(at[i], float(values[i]), score[i], information[i] - bent[i] / 2, information[i], variance[i])
            for i in range(len(at))]  # fmt: skip


def _inverse(point: Point, free: Integers) -> tuple[Floats, bool]:
    """Return the inverse of the curvature of some coefficients (True), else of their information."""
    for matrix in (point.curvature, point.information):
        part = matrix[np.ix_(free, free)]
        if np.isfinite(part).all() and (not len(free) or np.linalg.eigvalsh(part)[0] > 0):
            inverse, half_log_det = inverted(part[None].copy(), None)
            if np.isfinite(half_log_det[0]):
                return np.asarray(inverse[0], dtype=np.float64), matrix is point.curvature
    return np.zeros((len(free), len(free))), False


def climb(start: Floats, spread: Floats, held: int | None = None, *, near: float = NEAR) -> Search:
    """Search the maximum from a start, one coefficient held where it is or none.

    Parameters
    ----------
    spread
        Standard deviation of each column, shape (k,).
    near
        Steps up to so many standard deviations are trusted; of longer ones several lengths are tried at once.

    Returns
    -------
    Point
        The maximum, moved by the last small step; None where the steps do not end, or end at no maximum.
    """
    free = np.array([j for j in range(len(start)) if j != held], dtype=np.int64)
    (here,) = yield start[None]
    for _ in range(_STEPS if np.isfinite(here.value) else 0):
        step, quadratic = _uphill(here, free, spread=spread)
        if np.abs(step * spread).max(initial=0.0) < (_LAST_STEP if quadratic else _SETTLED):
            at = here.at + step
            gain = float(here.score[free] @ step[free]) / 2
            return replace(here, at=at, value=here.value + gain) if (np.abs(at * spread) < _GREATEST).all() else None
        here = yield from _higher(here, step, spread, near=near)
    return None


def _higher(here: Point, step: Floats, spread: Floats, *, near: float = NEAR) -> Generator[Floats, list[Point], Point]:
    """Go along a step, as far as the penalised likelihood is highest."""
    for _ in range(_HALVINGS):
        lengths = _LENGTHS if np.abs(step * spread).max(initial=0.0) > near else _LENGTHS[:1]
        points = yield here.at + np.outer(lengths, step)
        best = max(points, key=lambda p: p.value if np.isfinite(p.value) else -np.inf)
        if best.value >= here.value - _FALL:
            return best
        step = step * (lengths[-1] / 4)
    return here


def _uphill(point: Point, free: Integers, *, spread: Floats) -> tuple[Floats, bool]:
    """Return a step, none of its coefficients too long, and whether the next is of the order of its square."""
    step = np.zeros(len(spread))
    inverse, quadratic = _inverse(point, free)
    step[free] = inverse @ point.score[free]
    longest = np.abs(step * spread).max(initial=0.0)
    return (step, quadratic) if longest <= _LONGEST_STEP else (step * (_LONGEST_STEP / longest), False)


@dataclass
class _Bracket:
    """Distances from the estimate between which a limit lies."""

    near: float = 0.0
    far: float = np.inf

    def take(self, distance: float, excess: float) -> None:
        """Note whether the fall at a distance is too small or too large."""
        if excess < 0:
            self.near = max(self.near, distance)
        else:
            self.far = min(self.far, distance)

    def within(self, distance: float) -> float:
        """Return a distance that lies between both."""
        if self.near < distance < self.far:
            return distance
        return (self.near + self.far) / 2 if np.isfinite(self.far) else _WIDER * self.near


def limit(top: Point, j: int, *, side: int, quantile: float, spread: Floats) -> Search:
    """Search the value of coefficient j on one side of the maximum at which 2 (l*_max - l*_profile) is a quantile.

    Parameters
    ----------
    side
        -1 or 1.

    Returns
    -------
    Point
        The maximum with coefficient j at the limit; None where the profile does not fall so far, or no steps end.
    """
    others = np.array([i for i in range(len(spread)) if i != j], dtype=np.int64)
    root = float(np.sqrt(quantile))
    distance = float(np.sqrt(quantile * max(top.variance[j, j], 1e-12)))
    bracket = _Bracket()
    at = _along(top, j, others, by=side * distance)
    for _ in range(_STEPS):
        here = yield from _settle(at, others, spread)
        if here is None:
            return None
        profile = _Profile.of(here, j, others)
        depth = float(np.sqrt(max(2 * (top.value - profile.value), 0.0)))
        slope = -side * profile.slope / max(depth, 1e-3)
        move = (root - depth) / slope if slope > 0 else (_WIDER - 1) * distance
        if slope > 0 and profile.gain < _CLOSE and abs(move) * spread[j] < _LAST_STEP:
            return replace(here, at=_along(here, j, others, by=side * move), value=profile.value)
        bracket.take(distance, depth - root)
        if bracket.near > _FARTHEST / spread[j]:
            return None
        wanted = bracket.within(min(max(distance + move, distance / 3), 3 * distance))
        at = _along(here, j, others, by=side * (wanted - distance), longest=_LONGEST_STEP / spread)
        distance = wanted
    return None


def _settle(at: Floats, others: Integers, spread: Floats) -> Generator[Floats, list[Point], Point | None]:
    """Move the other coefficients until little is to be gained by them."""
    (here,) = yield at[None]
    for _ in range(_STEPS if np.isfinite(here.value) else 0):
        step, _ = _uphill(here, others, spread=spread)
        if float(here.score[others] @ step[others]) / 2 < _LITTLE:
            return here
        here = yield from _higher(here, step, spread)
    return None


@dataclass(frozen=True)
class _Profile:
    """The profile likelihood as foreseen from a point near it, and what is still to be gained by the others."""

    value: float
    slope: float
    gain: float

    @classmethod
    def of(cls, point: Point, j: int, others: Integers) -> _Profile:
        """Return it along coefficient j."""
        step = _inverse(point, others)[0] @ point.score[others]
        gain = float(point.score[others] @ step) / 2
        slope = float(point.score[j] - point.curvature[j, others] @ step)
        return cls(point.value + gain, slope, gain)


def _along(point: Point, j: int, others: Integers, *, by: float, longest: Floats | None = None) -> Floats:
    """Return coefficients with one moved, and the others by what that and their own scores ask for."""
    inverse, _ = _inverse(point, others)
    move = inverse @ (point.score[others] - point.curvature[others, j] * by)
    if longest is not None and len(others):
        move = move / max(float((np.abs(move) / longest[others]).max()), 1.0)
    at = point.at.copy()
    at[j] += by
    at[others] += move
    return at
