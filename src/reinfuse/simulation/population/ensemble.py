"""The ensemble: virtual populations that the published group results allow, bundled with the package."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member

_FILE = "ensemble.csv"
_FEWEST, _PATIENTS = 100, 100
"""Members that a trial has at least, and patients of each where it has more."""
DISCREPANCY = 0.25
"""Of an ensemble for which none was estimated."""


@dataclass(frozen=True)
class Ensemble:
    """Members of the posterior, all of equal weight.

    Attributes
    ----------
    z
        Points of `parameter_space`, shape (members, unknowns): 0 is the prior's median, 1 its standard deviation.
    intercept
        Log odds of CRS of grade 3 or more where peak and tumour score 0 (`outcomes`), shape (members,).
    discrepancy
        Of the model from published results: standard deviation on their scale (log odds, logarithm), of each member.
    """

    z: Floats
    intercept: Floats
    discrepancy: Floats | float = DISCREPANCY

    def __len__(self) -> int:
        return len(self.z)

    @cached_property
    def member(self) -> Member:
        """All members."""
        return members(self.z)

    def of_patients(self, first: int, count: int) -> tuple[Member, np.ndarray]:
        """Return the members of patients `first` to `first + count - 1`, and which they are: patient i lives in
        member i mod members."""
        which = np.arange(first, first + count) % len(self)
        return self.member[which], which

    def for_patients(self, patients: int) -> Ensemble:
        """Return as many members as have about a hundred patients each, a hundred members at least: fewer patients in
        more members would not tell the variance between populations from that between patients."""
        most = max(_FEWEST, patients // _PATIENTS)
        if len(self) <= most:
            return self
        which = np.linspace(0, len(self) - 1, most).astype(np.int64)
        return Ensemble(self.z[which], self.intercept[which], np.broadcast_to(self.discrepancy, len(self))[which])

    def one(self, k: int) -> Member:
        """Return one member."""
        return self.member[k]

    def frame(self) -> pl.DataFrame:
        """Return the ensemble as a table."""
        columns = {name: np.round(self.z[:, k], 4) for k, name in enumerate(UNKNOWNS)}
        own = np.broadcast_to(np.round(self.discrepancy, 4), len(self))
        return pl.DataFrame({"crs_intercept": np.round(self.intercept, 4), "discrepancy": own, **columns})


def read(frame: pl.DataFrame) -> Ensemble:
    """Return the ensemble of a table that `Ensemble.frame` made."""
    z = frame.select(UNKNOWNS).to_numpy().astype(np.float64)
    return Ensemble(z, frame["crs_intercept"].to_numpy(), frame["discrepancy"].to_numpy())


def bundled() -> Ensemble:
    """Return the ensemble that comes with the package (made by `benchmarks/virtual/calibration.py`)."""
    return read(pl.read_csv(files("reinfuse.simulation").joinpath(_FILE).read_bytes()))
