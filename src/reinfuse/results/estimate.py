"""The one record of every number that a report shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import polars as pl

from reinfuse.cohort.strata import Combination, Stratum

NOT_REACHED = "not reached"
NOT_ESTIMABLE = "not estimable"
SUPPRESSED = "suppressed: "
SO_THAT = "suppressed: so that no smaller number can be derived"
ROUNDED = "rounded so that no single patient's value is shown, limits outwards"
LIMIT_NOT_SHOWN = {"lower": "lower limit not shown", "upper": "upper limit not shown"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate, under the names of the contract.

    Attributes
    ----------
    estimate, lower, upper
        Numbers; None where not reached or not estimable, and `note` says which. Never inf or NaN.
    p_value
        From the same method as the interval.
    n, events
        Patients and events behind the number; of a proportion, denominator and numerator.
    infusion
        1, 2, ... of a number that belongs to one infusion.
    term, level
        The factor that a number belongs to and, where it belongs to one level, that level: `diagnosis` and `CLL`. A
        stratum that is given as `term` is taken apart.
    """

    analysis: str
    endpoint: str | None
    statistic: str
    population: str = "all"
    group: str | None = None
    model: str | None = None
    term: str | None = None
    at: float | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence: float | None = None
    p_value: float | None = None
    unit: str | None = None
    method: str | None = None
    n: int | None = None
    events: int | None = None
    note: str | None = None
    infusion: int | None = None
    level: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.term, Stratum):
            object.__setattr__(self, "level", self.term.level)
            object.__setattr__(self, "term", self.term.factor)
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"an estimate's {name} must be finite or None")

    @property
    def stratum(self) -> str | None:
        """The term with its level, as labels name it; the term alone where the number belongs to no level."""
        return self.term if self.term is None or self.level is None else Stratum(self.term, self.level)

    def as_dict(self) -> dict[str, object]:
        """Return the record in the contract's order."""
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def of(cls, record: Mapping[str, Any], texts: Mapping[str, str]) -> Self:
        """Read a record that `as_dict` wrote, given the texts of groups, populations and combinations with their parts.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is not such a record.
        """
        values = {name: record[name] for name in FIELDS}
        values |= {name: texts.get(values[name], values[name]) for name in ("population", "group")}
        several = texts.get(values["term"])
        return cls(**values | {"term": several} if isinstance(several, Combination) else values)


FIELDS = (
    "analysis", "endpoint", "population", "group", "model", "term", "statistic", "at", "estimate", "lower", "upper",
    "confidence", "p_value", "unit", "method", "n", "events", "note", "level", "infusion",
)  # fmt: skip
_NUMBERS = ("at", "estimate", "lower", "upper", "confidence", "p_value")
assert set(FIELDS) == {f.name for f in fields(Estimate)}


def frame(estimates: Sequence[Estimate]) -> pl.DataFrame:
    """Return records as a frame, one row a record (`estimates.csv`)."""
    kinds = {**dict.fromkeys(("n", "events", "infusion"), pl.Int64), **dict.fromkeys(_NUMBERS, pl.Float64)}
    schema = {name: kinds.get(name, pl.String) for name in FIELDS}
    return pl.DataFrame([e.as_dict() for e in estimates], schema=schema, orient="row")


def finite(value: float | None) -> float | None:
    """Return the value as a plain float, or None where it is missing, infinite or NaN."""
    return None if value is None or not math.isfinite(value) else float(value)


def joined(notes: Sequence[str | None]) -> str | None:
    """Return the notes that say something, in one text."""
    texts = [n for n in notes if n]
    return "; ".join(texts) if texts else None
