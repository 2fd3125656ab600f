"""Aalen-Johansen estimates of the probability of being in each of several states.

Conventions. A stretch is a patient's time in one state: at risk of leaving it after `start`, up to and with `stop`. At
each time of a transition the row of probabilities p is multiplied by I + dA, dA_jk the transitions from j to k over the
patients at risk in j, the diagonal minus the rest of its row (Aalen and Johansen, Scand J Stat 1978;5:141-150). The
variance is the infinitesimal jackknife: the sum over patients of U_i^2, where the influence U_i of patient i goes from
U_i to U_i (I + dA) + p dA_i, and dA_i is the derivative of dA by the weight of patient i (R's ``survfit`` for several
states; Therneau, The survival package, 2023). Limits are on the log-log scale.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.statistics.nonparametric import log_log_limits

CENSORED = -1


@dataclass(frozen=True)
class Stretches:
    """Times in states, one row each; the stretches of one patient follow each other without a gap.

    Attributes
    ----------
    patient
        A number for each patient, shape (rows,), from 0 on.
    origin, target
        The state, from 0 on, and the one entered at `stop`; `CENSORED` where none was.
    start, stop
        Days; start < stop. The first stretch of a patient starts before day 0, so that day 0 is in it.
    """

    patient: Integers
    origin: Integers
    target: Integers
    start: Floats
    stop: Floats


@dataclass(frozen=True)
class Occupation:
    """Probabilities of being in each state just after each time of a transition.

    Attributes
    ----------
    time
        Shape (times,).
    probability, error, lower, upper
        Shape (times, states); a limit is NaN where the probability is 0 or 1.
    at_risk
        Patients in each state just before each time, shape (times, states).
    counts
        Transitions from row to column, shape (states, states).
    """

    time: Floats
    probability: Floats = field(repr=False)
    error: Floats = field(repr=False)
    lower: Floats = field(repr=False)
    upper: Floats = field(repr=False)
    at_risk: Floats = field(repr=False)
    counts: Integers = field(repr=False)


def occupation(stretches: Stretches, states: int, *, confidence: float = 0.95) -> Occupation:
    """Estimate the probabilities of states 0 to `states` - 1; everyone begins in state 0.

    Examples
    --------
    Three patients: the first dies from state 0, the second goes to state 1 and dies, the third is censored in state 1.

    >>> import numpy as np
    >>> from reinfuse.statistics.multistate import Stretches, occupation
    >>> patient, origin = np.array([0, 1, 1, 2, 2]), np.array([0, 0, 1, 0, 1])
    >>> target = np.array([2, 1, 2, 1, -1])
    >>> start, stop = np.array([-1.0, -1.0, 2.0, -1.0, 3.0]), np.array([1.0, 2.0, 4.0, 3.0, 5.0])
    >>> occupation(Stretches(patient, origin, target, start, stop), 3).probability.round(3).tolist()[-1]
    [0.0, 0.333, 0.667]
    """
    s, moved = stretches, stretches.target != CENSORED
    times = np.unique(s.stop[moved])
    at_risk = _at_risk(s, times, states)
    among = _Influence(s, states)
    p = np.eye(states)[0]
    probability, variance = np.zeros((len(times), states)), np.zeros((len(times), states))
    by_time = np.flatnonzero(moved)[np.argsort(s.stop[moved], kind="stable")]
    ends = np.searchsorted(s.stop[by_time], times, side="right")
    for i, (t, rows) in enumerate(zip(times, np.split(by_time, ends)[:-1], strict=True)):
        dA = np.zeros((states, states))
        np.add.at(dA, (s.origin[rows], s.target[rows]), 1.0)
        dA /= np.maximum(at_risk[i], 1.0)[:, None]
        dA -= np.diag(dA.sum(axis=1))
        variance[i] = among.after(t, rows, dA, p / np.maximum(at_risk[i], 1.0))
        p = p + p @ dA
        probability[i] = p
    error = np.sqrt(variance)
    lower, upper = _limits(probability, error, confidence)
    counts = np.zeros((states, states), dtype=np.int64)
    np.add.at(counts, (s.origin[moved], s.target[moved]), 1)
    return Occupation(times, np.clip(probability, 0.0, 1.0), error, lower, upper, at_risk, counts)


def _at_risk(s: Stretches, times: Floats, states: int) -> Floats:
    """Return the patients in each state just before each time, shape (times, states)."""
    each = [s.origin == k for k in range(states)]
    came, left = ([np.searchsorted(np.sort(day[own]), times) for own in each] for day in (s.start, s.stop))
    return np.column_stack(came).astype(np.float64) - np.column_stack(left)


class _Influence:
    """The influence of each patient, kept for single patients only while they differ and can still move.

    Patients in their first stretch have one influence in common. Of those whose last stretch has ended it only moves
    along with the probabilities: a root of the sum of their squares is enough, and 100,000 patients take seconds.
    """

    def __init__(self, s: Stretches, states: int) -> None:
        order = np.lexsort((s.start, s.patient))
        same = s.patient[order][1:] == s.patient[order][:-1]
        self._s, self._unit = s, np.eye(states)
        self._next = np.full(len(order), -1)
        self._next[order[:-1][same]] = order[1:][same]
        self._first = np.ones(len(order), dtype=np.bool_)
        self._first[order[1:][same]] = False
        lost = np.flatnonzero((s.target == CENSORED) & (self._next < 0))
        self._lost = lost[np.argsort(s.stop[lost], kind="stable")]
        self._passed = 0
        self._waiting, self._common = int(self._first.sum()), np.zeros(states)
        self._own, self._now = np.zeros((len(order), states)), np.zeros(len(order), dtype=np.bool_)
        self._ended: Floats = np.zeros((0, states))

    def after(self, t: float, rows: Integers, dA: Floats, share: Floats) -> Floats:
        """Return the variance of the probabilities just after a time at which the stretches in these rows end."""
        s, first = self._s, self._first
        self._lose(t)
        step, each = np.eye(len(dA)) + dA, share[:, None] * dA
        self._ended = self._ended @ step
        self._common = self._common @ step - each[0]
        here = np.flatnonzero(self._now)
        self._own[here] = self._own[here] @ step - each[s.origin[here]]
        v = np.where(first[rows][:, None], self._common, self._own[rows])
        v = v + share[s.origin[rows]][:, None] * (self._unit[s.target[rows]] - self._unit[s.origin[rows]])
        self._waiting -= int(first[rows].sum())
        self._now[rows] = False
        on = self._next[rows] >= 0
        self._own[self._next[rows][on]] = v[on]
        self._now[self._next[rows][on]] = True
        self._end(v[~on])
        alone = (self._own[np.flatnonzero(self._now)] ** 2).sum(axis=0)
        variance: Floats = alone + self._waiting * self._common**2 + (self._ended**2).sum(axis=0)
        return variance

    def _lose(self, t: float) -> None:
        """Take those whose last stretch ended without a transition before a time out of those at risk."""
        until = int(np.searchsorted(self._s.stop[self._lost], t))
        rows = self._lost[self._passed : until]
        alone, together = rows[~self._first[rows]], int(self._first[rows].sum())
        self._end(np.vstack([self._own[alone], np.sqrt(together) * self._common]))
        self._waiting -= together
        self._now[alone] = False
        self._passed = until

    def _end(self, v: Floats) -> None:
        """Put rows to those that ended: their squares and products with each other are kept, in as few rows."""
        every = np.vstack([self._ended, v])
        self._ended = np.asarray(np.linalg.qr(every, mode="r")) if len(every) > every.shape[1] else every


def _limits(probability: Floats, error: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return limits on the log-log scale; NaN where a probability is 0 or 1, or has no error."""
    inside = (probability > 1e-12) & (probability < 1 - 1e-12) & (error > 0)
    p = np.where(inside, probability, 0.5)
    lower, upper = log_log_limits(p, error / (p * -np.log(p)), confidence)
    return np.where(inside, lower, np.nan), np.where(inside, upper, np.nan)
