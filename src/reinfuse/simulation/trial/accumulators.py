"""Sums over virtual patients: of one size however many they are, and the same in whatever order they are added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from reinfuse.arrays import Floats, Integers

WEEK = 7.0
_LOW, _HIGH, _WIDTH = -5.0, 5.0, 0.02
BINS = round((_HIGH - _LOW) / _WIDTH)
"""Bins of log10 counts; the last of the low ones holds all that is less."""
Counts = Integers


@dataclass(frozen=True)
class Tally:
    """Sums of the patients of each arm and member.

    Attributes
    ----------
    given
        Patients who had the studied infusion; shape (members, arms); `met` all who met the arm.
    total, square
        Sums of each quantity and of its square over them; (members, arms, quantities).
    both, gain, gain_square
        Patients who had it in this arm and in the reference; sums of the difference of each quantity, and of its
        square.
    shared, product
        Sums over these patients of each quantity in this arm, and of its product with that in the reference.
    free, detectable
        Patients without progression, and with CAR-T cells, at the start of each week; (members, arms, weeks).
    courses, peaks
        Counts of patients by log10 CAR-T cells on each counted day, (arms, days, bins), and at the peak, (arms, bins).
    """

    met: Floats
    given: Floats
    total: Floats
    square: Floats
    both: Floats
    gain: Floats
    gain_square: Floats
    shared: Floats
    product: Floats
    free: Floats
    detectable: Floats
    courses: Counts
    peaks: Counts

    def __add__(self, other: Self) -> Tally:
        """Return the sums over both groups of patients."""
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def added(parts: Iterable[Tally]) -> Tally:
    """Return the sums over all parts."""
    parts = iter(parts)
    first = next(parts)
    for part in parts:
        first = first + part
    return first


def stacked(arms: Sequence[Tally]) -> Tally:
    """Return the tally of several arms, from those of single arms without that axis."""
    axis = {f.name: 0 if f.name in ("courses", "peaks") else 1 for f in fields(Tally)}
    return Tally(**{name: np.stack([getattr(a, name) for a in arms], axis=k) for name, k in axis.items()})


def by_member(values: Floats, which: Integers, *, members: int) -> Floats:
    """Return sums of the columns of `values` (patients, ...) over the patients of each member."""
    sums = np.zeros((members, *values.shape[1:]))
    np.add.at(sums, which, values)
    return sums


def binned(counts: Floats) -> Counts:
    """Return how many counts lie in each bin; counts (patients, ...) give (..., bins). NaN are not counted."""
    flat = counts.reshape(len(counts), int(np.prod(counts.shape[1:])))
    with np.errstate(divide="ignore", invalid="ignore"):
        bins = np.clip(np.floor((np.log10(np.maximum(flat, 0)) - _LOW) / _WIDTH), 0, BINS - 1)
    histogram = np.zeros((flat.shape[1], BINS), dtype=np.int64)
    for k in range(flat.shape[1]):
        finite = np.isfinite(flat[:, k])
        histogram[k] = np.bincount(bins[finite, k].astype(np.int64), minlength=BINS)
    return histogram.reshape(*counts.shape[1:], BINS)


def quantile(bins: Counts, share: float) -> float:
    """Return a quantile of binned counts (middle of its bin, within 2.5 %); 0 in the lowest bin, NaN if there is
    none."""
    total = bins.sum()
    if not total:
        return float("nan")
    k = int(np.searchsorted(np.cumsum(bins), share * total))
    return 0.0 if k == 0 else float(10 ** (_LOW + (k + 0.5) * _WIDTH))
