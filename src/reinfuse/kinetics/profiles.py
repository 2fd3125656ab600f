"""Counts of CAR-T cells as profiles: one an infusion of a patient, a subset and a unit.

A count belongs to the latest infusion given before its day; a count on the very day of an infusion was taken before
the cells were given: it is the residue of the infusion before, and no part of the new profile. Units are never mixed.
A count is below its limit of quantification where the row says so, where it is below the row's limit, or where it is 0.
A limit of 0 is none: no assay counts so few.
Several counts of one day become their geometric mean, half the limit standing for one below it, and are told; where all
are below, their limit is the geometric mean of the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.raw_tables import TIME

ID = "patient_id"


@dataclass(frozen=True)
class Profile:
    """Counts after one infusion.

    Attributes
    ----------
    patient_id, infusion, subset, unit
        What was counted.
    day
        Days since the infusion, above 0, each once, in order.
    value
        Counts; where `below`, the limit (NaN if none is known).
    below
        Counts below the limit of quantification.
    residue
        What was left of earlier infusions on the day of this one, or at most `RESIDUE_DAYS` before, and after the
        infusion before: a count; 0 below the limit; None = not measured, or a first infusion.
    until
        Day of the next infusion, or None.
    """

    patient_id: str
    infusion: int
    subset: str
    unit: str
    day: Floats = field(repr=False)
    value: Floats = field(repr=False)
    below: Bools = field(repr=False)
    residue: float | None = None
    until: float | None = None

    @property
    def counted(self) -> Bools:
        """Counts at or above the limit."""
        return ~self.below


RESIDUE_DAYS = 14.0
"""Oldest count before an infusion that still tells what was left."""


@dataclass(frozen=True)
class Profiles:
    """All profiles of a cohort, and what reading them brought up."""

    profiles: tuple[Profile, ...] = field(repr=False)
    notes: tuple[str, ...] = ()


def profiles(cohort: Cohort) -> Profiles:
    """Return the profiles of a checked cohort of dated tables.

    Returns
    -------
    Profiles
        In the order of patients, infusions, subsets and units; empty without a table ``counts``.
    """
    if cohort.wide or "counts" not in cohort.tables:
        return Profiles(())
    counts, infusions = cohort.tables["counts"], cohort.tables["infusions"]
    given = {str(key[0]): sorted(zip(rows[TIME].to_list(), rows["infusion"].to_list(), strict=True))
             for key, rows in infusions.group_by(ID)}  # fmt: skip
    table = _readable(counts)
    collected: list[Profile] = []
    notes: Counter[str] = Counter()
    for (patient, subset, unit), rows in table.sort(ID, "subset", "unit", TIME).group_by(
            ID, "subset", "unit", maintain_order=True):  # fmt: skip
        times = given.get(str(patient), [])
        collected += _of_patient(str(patient), str(subset), str(unit), rows=rows, given=times, notes=notes)
    collected.sort(key=lambda p: (p.patient_id, p.infusion, p.subset, p.unit))
    return Profiles(tuple(collected), tuple(f"{what}: {count} times" for what, count in sorted(notes.items())))


def _readable(counts: pl.DataFrame) -> pl.DataFrame:
    """Return counts with subset, limit and a flag `below`; a row without a value counts only if it is below."""
    have = set(counts.columns)
    lloq = pl.col("lloq") if "lloq" in have else pl.lit(None, dtype=pl.Float64)
    lloq = pl.when(lloq > 0).then(lloq)
    flag = pl.col("below_lloq") == "yes" if "below_lloq" in have else pl.lit(None, dtype=pl.Boolean)
    subset = pl.col("subset").fill_null("total") if "subset" in have else pl.lit("total")
    below = flag.fill_null(False) | (pl.col("value") < lloq).fill_null(False) | (pl.col("value") == 0).fill_null(False)
    frame = counts.with_columns(lloq=lloq, subset=subset, below=below)
    return frame.filter(pl.col("below") | pl.col("value").is_not_null())


def _of_patient(patient: str, subset: str, unit: str, *, rows: pl.DataFrame, given: list[tuple[int, int]],
                notes: Counter[str]) -> Iterator[Profile]:  # fmt: skip
    """Yield one profile an infusion that has counts after it."""
    day, value, below = _one_a_day(rows, notes)
    first = given[0][0] if given else np.inf
    early = int((day < first).sum())
    if early:
        notes["counts before the first infusion, left out"] += early
    unknown = int((below & np.isnan(value) & (day >= first)).sum())
    if unknown:
        notes["counts below a limit that is not given, no part of the population model"] += unknown
    for i, (start, number) in enumerate(given):
        end = given[i + 1][0] if i + 1 < len(given) else None
        after = (day > start) & (day <= end if end is not None else True)
        since = given[i - 1][0] if i else start if number == 1 else -np.inf  # before CART1 there are no cells
        before = np.flatnonzero((day <= start) & (day >= start - RESIDUE_DAYS) & (day > since))
        last = before[-1] if before.size else None
        residue = None if last is None else 0.0 if below[last] else float(value[last])
        if after.any():
            yield Profile(patient, number, subset, unit, day[after] - start, value[after], below[after], residue,
                          None if end is None else float(end - start))  # fmt: skip


def _one_a_day(rows: pl.DataFrame, notes: Counter[str]) -> tuple[Floats, Floats, Bools]:
    """Return days, counts and flags, each day once."""
    day = rows[TIME].cast(pl.Float64).to_numpy()
    below = rows["below"].to_numpy()
    limit = rows["lloq"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    value = np.where(below, limit, rows["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy())
    unique, index, size = np.unique(day, return_inverse=True, return_counts=True)
    if len(unique) == len(day):
        return day, value, below
    notes["more than one count of a subset and unit on one day, averaged"] += int((size > 1).sum())
    merged, low = np.empty(len(unique)), np.empty(len(unique), dtype=np.bool_)
    for k in range(len(unique)):
        same_day = index == k
        low[k] = below[same_day].all()
        used = value[same_day] if low[k] else np.where(below, value / 2, value)[same_day]
        used = used[~np.isnan(used)]  # a limit that is not given
        merged[k] = np.nan if not len(used) else used[0] if len(used) == 1 else np.exp(np.log(used).mean())
    return unique, merged, low
