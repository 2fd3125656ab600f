"""Profiles and factors as the arrays that the population model works on.

Patients stand in order of their number of infusions, most first: the patients with a second infusion are then the first
rows, and infusion j of each is block j of the profiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.profiles import Profile

Padded = tuple[Floats, Floats, Floats]
"""Day, log value and presence (1 or 0), each of shape (profiles, most counts of one)."""
STEP = 4
"""Arrays are padded to a multiple of this many counts: cohorts of like size share compiled code."""


@dataclass(frozen=True)
class Layout:
    """What the population model is fitted to.

    Attributes
    ----------
    profiles
        In the order of the arrays.
    blocks
        Profiles in each block: patients with a first, a second, ... infusion here.
    seen, below
        Counts above, and below, the limit.
    names, X
        Factors, and their centred values, shape (profiles, factors); 0 where missing.
    centre
        What each factor was centred at.
    missing
        Profiles without a value of each factor.
    unit
        Of the counts.
    left_out
        Counts below a limit that is not known: they cannot be used.
    """

    profiles: tuple[Profile, ...] = field(repr=False)
    blocks: tuple[int, ...]
    above: Padded = field(repr=False)
    below: Padded = field(repr=False)
    names: tuple[str, ...]
    X: Floats = field(repr=False)
    centre: Floats = field(repr=False)
    missing: tuple[int, ...]
    unit: str
    left_out: int

    @property
    def patients(self) -> int:
        """Number of patients."""
        return self.blocks[0]


def layout(profiles: Sequence[Profile], factors: Mapping[str, Sequence[float] | Floats]) -> Layout:
    """Arrange profiles of one unit and subset.

    Parameters
    ----------
    profiles
        At least one.
    factors
        Name -> value of each profile, NaN where missing. Factors that do not vary are left out.

    Raises
    ------
    ValueError
        If there is no profile, or they mix units.
    """
    units = {p.unit for p in profiles}
    if len(units) != 1:
        raise ValueError("profiles must have one unit, and there must be one")
    order, blocks = _order(profiles)
    chosen = tuple(profiles[i] for i in order)
    values = {n: np.asarray(v, dtype=np.float64)[order] for n, v in factors.items()}
    names = tuple(n for n, v in values.items() if len(set(v[~np.isnan(v)].tolist())) > 1)
    X = np.column_stack([values[n] for n in names]) if names else np.empty((len(chosen), 0))
    centre = np.nanmean(X, axis=0) if names else np.empty(0)
    lost = np.isnan(X)
    measured = [p.counted | np.isfinite(p.value) for p in chosen]
    return Layout(chosen, blocks, _padded(chosen, [p.counted for p in chosen]),
                  _padded(chosen, [p.below & k for p, k in zip(chosen, measured, strict=True)]), names,
                  np.where(lost, 0.0, X - centre), centre, tuple(int(n) for n in lost.sum(axis=0)), units.pop(),
                  int(sum((~k).sum() for k in measured)))  # fmt: skip


def _order(profiles: Sequence[Profile]) -> tuple[list[int], tuple[int, ...]]:
    of: dict[str, list[int]] = {}
    for i in sorted(range(len(profiles)), key=lambda i: profiles[i].infusion):
        of.setdefault(profiles[i].patient_id, []).append(i)
    patients = sorted(of.values(), key=lambda own: (-len(own), profiles[own[0]].patient_id))
    blocks = [[own[j] for own in patients if len(own) > j] for j in range(len(patients[0]))]
    return [i for block in blocks for i in block], tuple(len(b) for b in blocks)


def _padded(profiles: Sequence[Profile], masks: Sequence[np.ndarray]) -> Padded:
    most = max(1, max(int(m.sum()) for m in masks))
    most = -(-most // STEP) * STEP
    day, value, present = (np.zeros((len(profiles), most)) for _ in range(3))
    for i, (p, mask) in enumerate(zip(profiles, masks, strict=True)):
        n = int(mask.sum())
        day[i, :n], value[i, :n], present[i, :n] = p.day[mask], np.log(p.value[mask]), 1.0
    return day, value, present
