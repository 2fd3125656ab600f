"""How CAR-T counts are summed up: the rules of the non-compartmental analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Before = Literal["zero", "missing", "half"]
Between = Literal["missing", "zero", "half"]
After = Literal["half", "zero", "missing"]
AREA_DAYS = (28.0,)
"""Days up to which areas are always taken."""


@dataclass(frozen=True)
class BelowRules:
    """What a count below the limit of quantification stands for, by where it stands.

    Attributes
    ----------
    before
        Before the first count above the limit.
    between
        Between two of them.
    after
        After the last one; the first such count, for areas to a day. Later ones are 0.
    """

    before: Before = "zero"
    between: Between = "missing"
    after: After = "half"


@dataclass(frozen=True)
class NcaRules:
    """How profiles are summed up.

    Attributes
    ----------
    area_days
        Days up to which areas are taken.
    above
        Level for the time above it, in the profile's unit; None: not asked.
    least_r2, least_span
        Adjusted R2 and span in half-lives below which a half-life is not given.
    """

    below: BelowRules = BelowRules()
    area_days: tuple[float, ...] = AREA_DAYS
    above: float | None = None
    least_r2: float = 0.8
    least_span: float = 1.0
