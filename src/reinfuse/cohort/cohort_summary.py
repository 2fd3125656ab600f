"""What a report must know of the analysed patients beside its numbers: names and labels, no patient's value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.raw_tables import About


@dataclass(frozen=True)
class DescribedEndpoint:
    """An endpoint; `competing` where another event competes with it."""

    name: str
    label: str
    kind: Literal["binary", "time"]
    competing: bool = False


@dataclass(frozen=True)
class DescribedFactor:
    """A factor; of a category the reference level first."""

    name: str
    label: str
    kind: Literal["binary", "category", "number"]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Described:
    """The analysed patients in words.

    Attributes
    ----------
    populations
        ``all`` first.
    patients
        How many were analysed.
    wide
        True where the input was one sheet with times already derived.
    """

    endpoints: tuple[DescribedEndpoint, ...] = field(repr=False)
    factors: tuple[DescribedFactor, ...] = field(repr=False)
    populations: tuple[str, ...]
    patients: int
    wide: bool
    about: About = field(repr=False)

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON values."""
        values: dict[str, object] = _ADAPTER.dump_python(self, mode="json")
        return values

    @classmethod
    def of(cls, values: object) -> Described:
        """Read it from JSON values."""
        return _ADAPTER.validate_python(values)


_ADAPTER = TypeAdapter(Described)


def described(cohort: Cohort, data: AnalysisSet) -> Described:
    """Describe analysed patients."""
    endpoints = tuple(DescribedEndpoint(e.name, e.label, e.kind, e.competing is not None) for e in data.endpoints)
    factors = tuple(DescribedFactor(f.name, f.label, f.kind, f.levels) for f in data.factors)
    return Described(endpoints, factors, tuple(data.populations), data.frame.height, cohort.wide, cohort.about)
