"""Simulated outcomes of the same patients: factors as observed, effects as told.

Binary: each patient's outcome is drawn from the model's probability. Time to event: times are drawn from the model's
hazard, the baseline being Breslow's estimate, spread evenly between event times; an event time that several patients
share stays one time. A censored patient keeps the time of censoring; of the others it is drawn from the Kaplan-Meier
curve of censoring after their event, in patients of the same stratum, so that censoring may depend on the factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers


def binary(X: Floats, coef: Floats, uniform: Floats) -> Floats:
    """Return outcomes, 1 or 0, shape (draws, n).

    Parameters
    ----------
    X, coef
        Design with its intercept, shape (n, k), and effects, shape (k,).
    uniform
        Numbers from 0 to 1, shape (draws, n).
    """
    p = 1 / (1 + np.exp(-np.clip(X @ coef, -700, 700)))
    return (uniform < p).astype(np.float64)


@dataclass(frozen=True)
class Baseline:
    """A cumulative baseline hazard at the event times, and how many events each has.

    Attributes
    ----------
    time, hazard
        Beginning with 0, 0.
    tied
        Times that several events share.
    """

    time: Floats
    hazard: Floats
    tied: Bools

    @classmethod
    def breslow(cls, X: Floats, coef: Floats, time: Floats, *, event: Floats, entry: Floats | None = None) -> Self:
        """Estimate it; hazard of a patient whose linear predictor is 0."""
        risk = np.exp(X @ coef)
        at, count = np.unique(time[event == 1], return_counts=True)
        present = time[None, :] >= at[:, None]
        if entry is not None:
            present &= entry[None, :] < at[:, None]
        steps = count / (present @ risk)
        return cls(np.append(0.0, at), np.append(0.0, np.cumsum(steps)), np.append(False, count > 1))

    def times(self, hazard: Floats) -> Floats:
        """Return when the cumulative hazard reaches these values, infinite if it does not."""
        reached = np.interp(hazard, self.hazard, self.time)
        k = np.minimum(np.searchsorted(self.hazard, hazard), len(self.time) - 1)
        reached = np.where(self.tied[k], self.time[k], reached)
        return np.where(hazard > self.hazard[-1], np.inf, reached)


@dataclass(frozen=True)
class Censoring:
    """Censoring times for each patient in each draw, shape (draws, n); infinite where nothing would have censored."""

    times: Floats

    @classmethod
    def drawn(cls, time: Floats, event: Floats, strata: Integers, uniform: Floats) -> Self:
        """Draw them; the last time of all ends every follow-up."""
        times = np.tile(np.where(event == 0, time, np.inf), (len(uniform), 1))
        for stratum in np.unique(strata):
            here = strata == stratum
            ends, left = _censoring_curve(time[here], event[here])
            events = np.flatnonzero(here & (event == 1))
            if not len(ends) or not len(events):
                continue
            already = np.append(1.0, left)[np.searchsorted(ends, time[events], side="left")]
            index = np.searchsorted(-left, -uniform[:, events] * already)
            times[:, events] = np.append(ends, np.inf)[index]
        return cls(np.minimum(times, time.max()))


def _censoring_curve(time: Floats, event: Floats) -> tuple[Floats, Floats]:
    """Return the times of censoring and the Kaplan-Meier share of patients whose censoring is later."""
    ends, count = np.unique(time[event == 0], return_counts=True)
    at_risk = (time[None, :] >= ends[:, None]).sum(axis=1) - (
        (time[None, :] == ends[:, None]) & (event == 1)[None, :]
    ).sum(axis=1)
    return ends, np.cumprod(1 - count / at_risk)


def survival(X: Floats, coef: Floats, baseline: Baseline, *, censoring: Censoring,
             exponential: Floats) -> tuple[Floats, Floats]:  # fmt: skip
    """Return times and events, each of shape (draws, n), with an event where both come on one day."""
    time = baseline.times(exponential / np.exp(X @ coef))
    return np.minimum(time, censoring.times), (time <= censoring.times).astype(np.float64)
