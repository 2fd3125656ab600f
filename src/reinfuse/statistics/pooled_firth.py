"""Firth's models of patients who stay where they are: estimates from sums of each centre, exchange by exchange.

A fit is a generator: it yields the points at which the sums are wanted, shape (m, k), is sent the sums of all centres
there, and returns a `PooledFit`. The first point is 0, which tells how far the columns spread; then the maximum, that
with each effect held at 0, and at last all limits are searched, those of a stage together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtrc, chdtri

from reinfuse.arrays import Floats
from reinfuse.statistics.firth import FirthFit, Kind
from reinfuse.statistics.likelihood_sums import LikelihoodSums, full
from reinfuse.statistics.summed_likelihood import NEAR, Point, Search, climb, limit, points_of

_COLLINEAR = 1e-10
_AWAY = 4.0
_NEAR_OF_MANY = 2.0
"""Of many patients longer steps are trusted, in standard deviations of a column."""
_PATIENCE = 3
"""Exchanges that a start which is still below a maximum is waited for."""
CONSTANT, COLLINEAR = "constant within every centre", "collinear"
Fitting = Generator[Floats, LikelihoodSums, "PooledFit"]


@dataclass(frozen=True)
class PooledFit:
    """A model of all centres.

    Attributes
    ----------
    fit
        Effects; `infinite` is not told by sums and is False.
    reasons
        Column -> why it has no estimate.
    summit
        The maximum, in the columns that have one; None where there is none.
    columns
        Those columns.
    """

    fit: FirthFit
    reasons: dict[int, str]
    summit: Point | None = field(repr=False)
    columns: tuple[int, ...]


def pooled_fit(
    kind: Kind, k: int, *, confidence: float = 0.95, tests: bool = True, alone: bool = False, events: int = 1
) -> Fitting:
    """Fit a model of k coefficients; of a logistic model the last is the intercept.

    Parameters
    ----------
    kind
        ``logistic`` or ``cox``.
    k
        Coefficients.
    confidence
        Of the profile limits.
    tests
        Whether p-values and limits are wanted too.
    alone
        Begin at 0 alone: of many patients no single one makes a summit.
    events
        Of how many events a Cox model is, where it begins alone: its columns' spread is that of one.

    Yields
    ------
    Floats
        Points, shape (m, k).

    Returns
    -------
    PooledFit
        Effects on the log scale, one a column but the intercept.

    Notes
    -----
    Heinze and Schemper, Stat Med 2002;21:2409-2419 (logistic), Biometrics 2001;57:114-119 (Cox, Breslow ties).

    Examples
    --------
    Two centres; in one all with the factor respond. What each answers is a sum over its own patients:

    >>> import numpy as np
    >>> from reinfuse.statistics.likelihood_sums import LikelihoodSums, logistic_sums
    >>> from reinfuse.statistics.pooled_firth import pooled_fit
    >>> X = np.column_stack([[0.0, 0.0, 1.0, 1.0], np.ones(4)])
    >>> responses = [np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0, 0.0])]
    >>> fitting = pooled_fit("logistic", 2)
    >>> points = next(fitting)
    >>> try:
    ...     while True:
    ...         answers = [logistic_sums(X, response, points=points) for response in responses]
    ...         points = fitting.send(LikelihoodSums.total(answers))
    ... except StopIteration as end:
    ...     pooled = end.value
    >>> round(float(np.exp(pooled.fit.coef[0])), 2)
    5.44
    """
    effects = k - 1 if kind == "logistic" else k
    first = yield np.zeros((1, k))
    information = full(first.cumulants[1], k, 2)[0]
    reasons = _without_estimate(information, effects)
    columns = tuple(j for j in range(k) if j not in reasons)
    usable = sum(j < effects for j in columns)
    means, spread = _location(information, columns, effects=usable)
    if usable == len(columns) and alone:
        spread = spread / np.sqrt(events)
    begin = points_of(np.zeros((1, len(columns))), first.of_columns(columns, k))
    model = _Model(k, columns, usable, spread, means, float(chdtri(1, 1 - confidence)), alone, begin)
    none = np.full(effects, np.nan)
    empty = FirthFit(none, none, none, none, np.zeros(effects, dtype=np.bool_), False)
    if not usable:
        return PooledFit(empty, reasons, None, columns)
    searches = yield from model.summit(tests=tests)
    if searches is None:
        return PooledFit(empty, reasons, None, columns)
    top, nulls = searches
    ends = (yield from model.limits(top)) if tests else [None] * (2 * usable)
    coef, lower, upper, p = none.copy(), none.copy(), none.copy(), none.copy()
    for i, j in enumerate(columns[:usable]):
        coef[j] = top.at[i]
        lower[j], upper[j] = (np.nan if end is None else end.at[i] for end in ends[2 * i : 2 * i + 2])
        null = nulls[i] if tests else None
        if null is not None:
            p[j] = chdtrc(1, max(0.0, 2 * (top.value - null.value)))
    return PooledFit(FirthFit(coef, lower, upper, p, empty.infinite, True), reasons, top, columns)


@dataclass(frozen=True)
class _Model:
    """The columns of a model that have an estimate, and how far each spreads."""

    k: int
    columns: tuple[int, ...]
    effects: int
    spread: Floats
    means: Floats
    quantile: float
    alone: bool
    begin: Sequence[Point] = field(repr=False)

    def summit(self, *, tests: bool) -> Generator[Floats, LikelihoodSums, tuple[Point, list[Point | None]] | None]:
        """Search the maximum, and that without each effect, from several starts at once."""
        held = [None, *(range(self.effects) if tests else ())]
        near = _NEAR_OF_MANY if self.alone else NEAR
        climbs = [[climb(start, self.spread, j, near=near) for start in self._starts(j)] for j in held]
        top, *nulls = yield from self._together(climbs, [lambda p: p.value] * len(held))
        return None if top is None else (top, nulls)

    def limits(self, top: Point) -> Generator[Floats, LikelihoodSums, list[Point | None]]:
        """Search both limits of each effect, along the summit of the maximum."""
        searches = [[limit(top, j, side=side, quantile=self.quantile, spread=self.spread)]
                    for j in range(self.effects) for side in (-1, 1)]  # fmt: skip
        ends = yield from self._together(searches, [lambda p: p.value] * len(searches))
        return ends

    def _starts(self, held: int | None) -> list[Floats]:
        """Return 0 and points on both sides of it along each effect, a patient with mean values staying where he is."""
        starts = [np.zeros(len(self.columns))]
        for j in (j for j in range(self.effects) if j != held and not self.alone):
            axis = np.eye(len(self.columns))[j]
            if self.effects < len(self.columns):
                axis[-1] = -self.means[j]
            starts += [size / self.spread[j] * axis for size in (-_AWAY, _AWAY)]
        return starts

    def _together(
        self, groups: Sequence[Sequence[Search]], ranks: Sequence[Callable[[Point], float]]
    ) -> Generator[Floats, LikelihoodSums, list[Point | None]]:
        """Let searches go on side by side, each exchange's points in one batch, and return the best of each group.

        Parameters
        ----------
        ranks
            What is to be greatest in a group. Once each has an end, who is still below it is not waited for long.
        """
        best: list[Point | None] = [None] * len(groups)
        wanted = {(g, i): next(search) for g, group in enumerate(groups) for i, search in enumerate(group)}
        patience = _PATIENCE
        while wanted:
            points = yield from self._points([*wanted.values()])
            behind = set()
            for (g, i), own in zip(list(wanted), points, strict=True):
                try:
                    wanted[g, i] = groups[g][i].send(own)
                except StopIteration as end:
                    del wanted[g, i]
                    best[g] = max((p for p in (best[g], end.value) if p is not None), key=ranks[g], default=None)
                else:
                    here, end_point = max(map(ranks[g], own)), best[g]
                    if end_point is not None and here <= ranks[g](end_point):
                        behind.add((g, i))
            patience -= all(end is not None for end in best)
            if patience <= 0:
                wanted = {key: at for key, at in wanted.items() if key not in behind}
        return best

    def _points(self, wanted: Sequence[Floats]) -> Generator[Floats, LikelihoodSums, list[list[Point]]]:
        """Return the points that each search wants."""
        batch, place = np.unique(np.concatenate(wanted), axis=0, return_inverse=True)
        points = {i: self.begin[0] for i in range(len(batch)) if not batch[i].any()}  # 0 was asked for at first
        further = [i for i in range(len(batch)) if i not in points]
        if further:
            whole = np.zeros((len(further), self.k))
            whole[:, self.columns] = batch[further]
            sums = yield whole
            points |= dict(zip(further, points_of(batch[further], sums.of_columns(self.columns, self.k)), strict=True))
        at = iter(place.ravel().tolist())
        return [[points[next(at)] for _ in own] for own in wanted]


def _without_estimate(information: Floats, effects: int) -> dict[int, str]:
    """Return the effects that these patients cannot tell, by the information at 0."""
    k = len(information)
    sizes = np.sqrt(np.maximum(np.diag(information), 0.0))
    rest = information
    if effects < k and information[-1, -1] > 0:  # what the intercept leaves
        rest = information - np.outer(information[:, -1], information[-1]) / information[-1, -1]
    left = np.sqrt(np.maximum(np.diag(rest)[:effects], 0.0))
    reasons = {j: CONSTANT for j in range(effects) if left[j] <= 1e-7 * max(sizes[j], 1e-300)}
    varying = [j for j in range(effects) if j not in reasons]
    if len(varying) > 1:
        part = rest[np.ix_(varying, varying)] / np.outer(left[varying], left[varying])
        values, directions = np.linalg.eigh(part)
        for row in directions.T[values < _COLLINEAR]:
            reasons |= {varying[i]: COLLINEAR for i in np.flatnonzero(np.abs(row) > 1e-6)}
    return reasons


def _location(information: Floats, columns: Sequence[int], *, effects: int) -> tuple[Floats, Floats]:
    """Return mean (of a model with an intercept) and about the standard deviation of each column; of an intercept 1."""
    part = information[np.ix_(columns, columns)]
    if effects == len(columns):
        return np.zeros(effects), np.sqrt(np.diag(part))
    means = part[:-1, -1] / part[-1, -1]
    return means, np.append(np.sqrt(np.diag(part)[:-1] / part[-1, -1] - means**2), 1.0)
