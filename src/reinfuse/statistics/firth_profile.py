"""One model's penalised likelihood: its maximum, and its profile along a coefficient.

With an outlying value or a handful of patients the penalised likelihood has several summits, and Newton's steps end on
the one nearest to where they began. So the maximum is looked for from several starts; a profile follows the nearest
summit first, and is held against the other starts where a limit or a p-value was read from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.statistics import batch_algebra, firth_batch
from reinfuse.statistics.profile_likelihood import WRONG, Peak, fall, limits

_AWAY = {True: (4.0,), False: (3.0, 10.0)}
"""How far from the estimate, and from 0, the other starts lie along each column, with up to two coefficients and with
more: standard deviations of the column."""
_FAR = (16.0, 64.0)
"""Sizes of starts far out: among the patients without an outlying value a standard deviation is a small part of the
column's, so that what is near to them is far from here."""
_ALONG = (8.0, 32.0)
"""How far out along a direction that separates, or nearly does."""
_ANYWHERE, _WIDTH = 24, 6.0
"""With more than two coefficients so many starts in any direction, from 0 about so far away; always the same."""
_MOST_ROWS = 2000
"""Beyond so many patients one start: no single one of them makes a summit."""
_GREATEST = 100.0
"""An effect of one standard deviation beyond this is no maximum, but rounding."""
_HIGHER = 1e-6
_LAST_STEP = 1e-6
"""Last step where a coefficient is held: the error of the likelihood is of the order of its square."""
_SETTLED = 1e-11
_CLIMBS = 3


class PenalisedModel(Protocol):
    """A penalised likelihood of k coefficients."""

    @property
    def X(self) -> Floats:  # noqa: N802 (a design matrix)
        """Standardised columns, shape (n, k); of a logistic model an intercept last."""

    @property
    def effects(self) -> int:
        """Coefficients that are effects of a column, first among the k."""

    @property
    def alone(self) -> bool:
        """Whether a profile follows the summit alone, since fits from more starts would take too long."""

    def fit(
        self, start: Floats, held: tuple[int, Floats] | None = None, close: float | None = None
    ) -> firth_batch.Fits:
        """Fit from each start, shape (m, k), with a coefficient held at each of m values or none.

        `close`: the longest last step, in standard deviations of a column.
        """

    def unpenalised(self, start: Floats, held: int | None) -> Floats:
        """Return where steps without the penalty end, shape (k,): far out along a direction, if that separates."""


@dataclass(frozen=True)
class ModelData:
    """A logistic model, or where there are times a Cox model, of one row a patient.

    Attributes
    ----------
    X, event, time
        Columns of shape (n, k), the rest of shape (n,).
    """

    X: Floats = field(repr=False)
    event: Floats = field(repr=False)
    time: Floats | None = field(default=None, repr=False)

    @property
    def effects(self) -> int:
        """Coefficients that are effects of a column."""
        return int(self.X.shape[1]) - (self.time is None)

    @property
    def alone(self) -> bool:
        """Whether a profile follows the summit alone."""
        return len(self.X) > _MOST_ROWS

    def fit(self, start: Floats, held: firth_batch.Held | None = None, close: float | None = None) -> firth_batch.Fits:
        """Fit from each start, shape (m, k), with a coefficient held at each of m values or none."""
        close = close or (firth_batch.EXACT if held is None else _LAST_STEP)
        each = (len(start), 1)
        if self.time is None:
            X, share, weight = self._of_kinds
            return firth_batch.logistic(X, np.tile(share, each), weights=np.tile(weight, each), held=held, start=start,
                                        close=close)  # fmt: skip
        return firth_batch.cox(self.X, np.tile(self.time, each), np.tile(self.event, each), held=held, start=start,
                               close=close)  # fmt: skip

    @cached_property
    def _of_kinds(self) -> tuple[Floats, Floats, Floats]:
        """Patients alike brought together once for all fits of the model."""
        return firth_batch.of_kinds(self.X, self.event[None], np.ones((1, len(self.event))))

    def unpenalised(self, start: Floats, held: int | None) -> Floats:
        """Return where steps without the penalty end, shape (k,)."""
        at = None if held is None else (held, start[[held]])
        if self.time is None:
            fits = firth_batch.logistic(self.X, self.event[None], held=at, start=start[None], penalised=False)
        else:
            fits = firth_batch.cox(self.X, self.time[None], self.event[None], held=at, start=start[None],
                                   penalised=False)  # fmt: skip
        return np.asarray(fits.coef[0], dtype=np.float64)


def _starts(model: PenalisedModel, best: Floats, *, held: int | None = None) -> Floats:
    """Return the estimate, 0, and points around both along each column that is free; shape (m, k)."""
    k = len(best)
    around = [np.zeros(k)]
    if len(model.X) <= _MOST_ROWS:
        axes = np.delete(np.eye(k), held, axis=0) if held is not None else np.eye(k)
        steps = [sign * size * axis for axis in axes for size in _AWAY[k <= 2] for sign in (-1, 1)]
        around += [*steps, *(best + step for step in steps), *_far(model, held)]
        around += _separating(model, best, held=held)
        if k > 2 or held is None:
            around += list(_WIDTH * np.random.default_rng(k).normal(size=(_ANYWHERE, k)))
    return np.unique([best, *around], axis=0)


def _far(model: PenalisedModel, held: int | None) -> list[Floats]:
    """Return points far out along each free column; with an intercept, such that its least or greatest value has 0."""
    k, points = model.X.shape[1], []
    for j in (j for j in range(model.effects) if j != held):
        values = model.X[:, j]
        for size in (sign * far for far in _FAR for sign in (-1, 1)):
            for pivot in (values.min(), values.max()) if model.effects < k else (0.0,):
                point = np.zeros(k)
                point[-1] = -size * pivot
                point[j] = size
                points.append(point)
    return points


def _separating(model: PenalisedModel, best: Floats, *, held: int | None) -> list[Floats]:
    """Return points along the direction in which the likelihood without the penalty grows, several columns together."""
    end = model.unpenalised(best, held)
    length = float(np.abs(np.delete(end, [] if held is None else [held])).max(initial=0.0))
    if not np.isfinite(length) or length == 0:
        return []
    return [end / length * size for size in _ALONG]


@dataclass(frozen=True)
class Summit:
    """The maximum: coefficients of shape (k,), the value and the inverse of the information there."""

    coef: Floats
    value: float
    variance: Floats

    def peak(self, j: int, quantile: float) -> Peak:
        """Return it as seen along one coefficient."""
        return Peak(float(self.coef[j]), self.value, float(np.sqrt(quantile * max(self.variance[j, j], 1e-12))))


def summit(model: PenalisedModel, start: Floats | None = None) -> Summit | None:
    """Return where the penalised likelihood is greatest; None where no steps end.

    Parameters
    ----------
    start
        A point to begin from besides the others, shape (k,).
    """
    fits = model.fit(_starts(model, np.zeros(model.X.shape[1]) if start is None else start))
    good = fits.converged & (np.abs(fits.coef).max(axis=1) < _GREATEST)
    if not good.any():
        return None
    best = int(np.where(good, fits.value, -np.inf).argmax())
    top = model.fit(fits.coef[[best]], close=_SETTLED)  # so that the same patients in another order give the same
    variance, _ = batch_algebra.inverted(top.information, None)
    return Summit(top.coef[0], float(top.value[0]), variance[0])


@dataclass(frozen=True)
class Along:
    """Limits and the fall at 0 along one coefficient; the highest point met on the way, if above the maximum."""

    lower: float
    upper: float
    fall: float
    higher: Floats | None = field(default=None, repr=False)


def along(model: PenalisedModel, top: Summit, j: int, *, quantile: float) -> Along:
    """Return profile limits of coefficient j and twice the fall of the profile likelihood at 0; NaN where none."""
    peak = top.peak(j, quantile)
    near = _Profile(model, top.coef[None], j)
    alone = len(top.coef) == 1 or model.alone
    every = near if alone else _Profile(model, _starts(model, top.coef, held=j), j)
    ends = limits(near.values, peak, quantile=quantile)
    *falls, at_none = fall(every.values, peak, np.append(np.where(np.isfinite(ends), ends, 0.0), 0.0))
    if every is not near and not (np.abs(np.array(falls) - quantile) < WRONG).all():  # another summit is higher there
        ends = limits(every.values, peak, quantile=quantile)
    best = max((near, every), key=lambda p: p.value)
    higher = best.at if best.value > top.value + _HIGHER else None
    return Along(float(ends[0]), float(ends[1]), float(at_none) if at_none > -WRONG else float("nan"), higher)


class _Profile:
    """The profile likelihood along one coefficient, and the highest point of it.

    From several starts it is the greatest; from one it follows that summit, each value from the nearest before.
    """

    def __init__(self, model: PenalisedModel, starts: Floats, j: int) -> None:
        self.model, self.starts, self.j = model, starts, j
        self.value, self.at = -np.inf, starts[0]
        self.path = starts[:1]

    def values(self, held: Floats) -> Floats:
        """Return the greatest log-likelihood with the coefficient held at each value; NaN where no steps end."""
        m, starts = len(held), len(self.starts)
        begin = np.tile(self.starts, (m, 1))
        if starts == 1:
            begin = self.path[np.abs(self.path[:, self.j] - held[:, None]).argmin(axis=1)]
        fits = self.model.fit(begin, (self.j, np.repeat(held, starts)))
        self.path = np.vstack([self.path, fits.coef[fits.converged]]) if starts == 1 else self.path
        value = np.where(fits.converged, fits.value, -np.inf)
        best = int(value.argmax())
        if value[best] > self.value:
            self.value, self.at = float(value[best]), fits.coef[best]
        greatest = value.reshape(m, starts).max(axis=1)
        return np.where(np.isfinite(greatest), greatest, np.nan)


def profiled(
    model: PenalisedModel, quantile: float, *, columns: Sequence[int] | None = None
) -> tuple[Summit, list[Along]] | None:
    """Return the maximum and what lies along each coefficient of a column; None where there is no maximum.

    Parameters
    ----------
    columns
        Those whose profile is wanted; default: all.
    """
    top, wanted = summit(model), range(model.effects) if columns is None else columns
    if top is None:
        return None
    profiles = [along(model, top, j, quantile=quantile) for j in wanted]
    for _ in range(_CLIMBS):
        higher = next((a.higher for a in profiles if a.higher is not None), None)
        again = None if higher is None else summit(model, higher)
        if again is None or again.value <= top.value + _HIGHER:
            break
        top = again
        profiles = [along(model, top, j, quantile=quantile) for j in wanted]
    return top, profiles


def fall_of_several(model: ModelData, top: Summit, *, columns: Sequence[int]) -> float:
    """Return twice the fall of the penalised likelihood where these coefficients are 0 together; NaN where no fit."""
    starts = _starts(model, top.coef)
    held = (tuple(columns), np.zeros((len(starts), len(columns))))
    fits = model.fit(starts, held)
    if not fits.converged.any():
        return float("nan")
    drop = 2 * (top.value - float(fits.value[fits.converged].max()))
    return max(drop, 0.0) if drop > -WRONG else float("nan")
