"""A number that is a factor of a study of several centres: its unit, and the values that are possible in it."""

from __future__ import annotations

from math import log2
from typing import Self

from pydantic import model_validator

from reinfuse.cohort.declarations import Declaration, Text

BUILT_IN_UNITS = {
    "age_years": ("years", 0.0, 120.0), "prior_lines": ("lines", 0.0, 50.0), "interval_days": ("days", 0.0, 20000.0),
    "log2_dose_ratio": ("doublings", -30.0, 30.0),
}  # fmt: skip


class Measurement(Declaration):
    """A number that is a factor: its unit, and the values that are possible in it."""

    unit: Text
    lowest: float
    highest: float

    @property
    def middle(self) -> float:
        """What is taken off before a model, so that columns are of like size in every centre."""
        return (self.lowest + self.highest) / 2

    @property
    def quarter(self) -> float:
        """What they are divided by."""
        return (self.highest - self.lowest) / 4

    @property
    def doublings(self) -> Measurement:
        """The same on the scale of logarithms to base 2."""
        return Measurement(unit=f"log2 {self.unit}", lowest=log2(self.lowest), highest=log2(self.highest))

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError("lowest is not below highest")
        return self


def built_in(factor: str) -> Measurement | None:
    """Return unit and possible values of a built-in number; None of another factor."""
    declared = BUILT_IN_UNITS.get(factor)
    return declared and Measurement(unit=declared[0], lowest=declared[1], highest=declared[2])
