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
    s = stretches
    moved = s.target != CENSORED
    times, place = np.unique(s.stop[moved], return_inverse=True)
    patients = int(s.patient.max()) + 1
    p, influence = np.eye(states)[0], np.zeros((patients, states))
    probability, variance = np.zeros((len(times), states)), np.zeros((len(times), states))
    at_risk = np.zeros((len(times), states))
    moves = [np.flatnonzero(moved)[place == i] for i in range(len(times))]
    for i, (t, rows) in enumerate(zip(times, moves, strict=True)):
        here = np.flatnonzero((s.start < t) & (t <= s.stop))
        at_risk[i] = np.bincount(s.origin[here], minlength=states)
        dA = np.zeros((states, states))
        np.add.at(dA, (s.origin[rows], s.target[rows]), 1.0)
        dA /= np.maximum(at_risk[i], 1.0)[:, None]
        dA -= np.diag(dA.sum(axis=1))
        share = p / np.maximum(at_risk[i], 1.0)
        influence = influence + influence @ dA
        own, origin = s.patient[here], s.origin[here]
        influence[own] -= share[origin][:, None] * dA[origin]
        who, left, entered = s.patient[rows], s.origin[rows], s.target[rows]
        np.add.at(influence, (who, entered), share[left])
        np.add.at(influence, (who, left), -share[left])
        p = p + p @ dA
        probability[i], variance[i] = p, (influence**2).sum(axis=0)
    error = np.sqrt(variance)
    lower, upper = _limits(probability, error, confidence)
    counts = np.zeros((states, states), dtype=np.int64)
    np.add.at(counts, (s.origin[moved], s.target[moved]), 1)
    return Occupation(times, np.clip(probability, 0.0, 1.0), error, lower, upper, at_risk, counts)


def _limits(probability: Floats, error: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return limits on the log-log scale; NaN where a probability is 0 or 1, or has no error."""
    inside = (probability > 1e-12) & (probability < 1 - 1e-12) & (error > 0)
    p = np.where(inside, probability, 0.5)
    lower, upper = log_log_limits(p, error / (p * -np.log(p)), confidence)
    return np.where(inside, lower, np.nan), np.where(inside, upper, np.nan)
