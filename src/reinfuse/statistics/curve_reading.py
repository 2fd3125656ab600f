"""What was read off a published Kaplan-Meier curve, and what it says of the numbers at risk between its steps.

Step k is at time t_k; n_k patients are at risk just before it, d_k have the event, m_k = n_k - d_k go on. Between steps
patients are censored: m_(k-1) >= n_k. A printed number at risk R at time s with t_(k-1) < s < t_k says m_(k-1) >= R >=
n_k. Where s and t_k cannot be told apart, R counts those before the step or those after it: m_(k-1) >= R >= n_(k+1),
and R is not between n_k and m_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers


@dataclass(frozen=True)
class CurveReading:
    """One arm's curve.

    Attributes
    ----------
    time, survival
        Shape (k,): rising times of the steps, and the height after each.
    error
        Standard deviation of a height that was read.
    end
        Last time of the curve.
    risk_time, risk
        Shape (r,): times and printed numbers at risk; the first is time 0 and the number of patients.
    slack
        Times that differ by no more are one time.
    marks
        Times of censoring marks; None where the figure has none, or not all.
    every_row_is_a_step
        False: points along the curve, at which there need be no event.
    events
        Printed number of events; None where there is none.
    """

    time: Floats
    survival: Floats
    error: float
    end: float
    risk_time: Floats
    risk: Integers
    slack: float = 0.0
    marks: Floats | None = None
    every_row_is_a_step: bool = True
    events: int | None = None

    @property
    def patients(self) -> int:
        """Number of patients at time 0."""
        return int(self.risk[0])

    @cached_property
    def gaps(self) -> list[Gap]:
        """The gap before each step and the one after the last: k + 1 of them."""
        return _gaps(self)


@dataclass(frozen=True)
class Gap:
    """The time before step k, or after the last one.

    Attributes
    ----------
    start, end
        Its times.
    least
        m_(k-1) is this or more.
    most
        n_k is this or less.
    inner
        Numbers at risk printed within it, with their times.
    marks
        Censoring marks in it; None where they are not known.
    """

    start: float
    end: float
    least: int
    most: int
    inner: tuple[tuple[float, int], ...]
    marks: int | None


def _gaps(reading: CurveReading) -> list[Gap]:
    edges = np.concatenate([[0.0], reading.time, [max(reading.end, reading.time[-1] if len(reading.time) else 0.0)]])
    listed, most = [], reading.patients
    for k in range(len(edges) - 1):
        start, end = float(edges[k]), float(edges[k + 1])
        last = k == len(edges) - 2
        near_start = (np.abs(reading.risk_time - start) <= reading.slack) & (k > 0)
        near_end = (np.abs(reading.risk_time - end) <= reading.slack) & (not last)
        inside = (reading.risk_time > start) & ((reading.risk_time < end) | last) & ~near_start & ~near_end
        least = max((int(r) for r in reading.risk[inside | near_end]), default=0)
        most = min([most, *(int(r) for r in reading.risk[inside | near_start])])
        inner = tuple((float(t), int(r)) for t, r in zip(reading.risk_time[inside], reading.risk[inside], strict=True))
        listed.append(Gap(start, end, least, most, inner, _marks(reading, start, end)))
    return listed


def _marks(reading: CurveReading, start: float, end: float) -> int | None:
    if reading.marks is None:
        return None
    return int(np.sum((reading.marks >= start) & (reading.marks < end))) + int(
        end >= reading.end and bool(np.any(reading.marks == end))
    )


def ambiguous(reading: CurveReading, k: int) -> tuple[int, ...]:
    """Return the numbers at risk printed at the time of step k, as far as it can be told."""
    near: Bools = np.abs(reading.risk_time - reading.time[k]) <= reading.slack
    return tuple(int(r) for r in reading.risk[near & (reading.risk_time > 0)])
