"""What a plan says of estimands: `[estimands]`. Which rules of derivation are set side by side with its own."""

from __future__ import annotations

from typing import get_args

from pydantic import Field, field_validator

from reinfuse.cohort.declarations import Declaration
from reinfuse.cohort.rule_variants import Compared
from reinfuse.cohort.schema import DAYS


class EstimandOptions(Declaration):
    """Rules by which endpoints are derived beside the plan's own; `[rules]` holds those of the plan.

    Attributes
    ----------
    compare
        The kinds of rules that are varied, one at a time.
    missed_visits_days
        An event more than so many days after the last adequate assessment came after missed visits; where
        `rules.max_gap_days` says how many, it does.
    """

    compare: tuple[Compared, ...] = get_args(Compared)
    missed_visits_days: int = Field(default=180, gt=0, le=DAYS[1])

    @field_validator("compare")
    @classmethod
    def _once(cls, compare: tuple[Compared, ...]) -> tuple[Compared, ...]:
        if twice := sorted({c for c in compare if compare.count(c) > 1}):
            raise ValueError(f"names {', '.join(twice)} twice")
        return compare
