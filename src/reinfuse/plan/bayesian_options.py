"""What a plan asks of Bayesian models: the prior of effects, and the margin that an effect should exceed."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from reinfuse.cohort.declarations import Declaration
from reinfuse.statistics.bayesian_effects import Family


class BayesianOptions(Declaration):
    """Prior and margin of the Bayesian models.

    Attributes
    ----------
    prior
        Of each log odds or log hazard ratio: ``normal``, ``student_t`` (7 degrees of freedom) or ``cauchy``, about 0.
    scale
        Its standard deviation, or scale.
    margin
        A ratio; how probable a greater one is, and one below its inverse, is told.
    """

    prior: Family = "normal"
    scale: float = Field(default=1.0, gt=0, le=10)
    margin: float = Field(default=1.5, gt=1, le=100)


def bayesian_setting(value: Any) -> bool | dict[str, Any]:
    """Return a setting of the plan: true, false, or a table of prior, scale and margin."""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return BayesianOptions(**value).model_dump()
    raise ValueError("is neither true nor false nor a table of prior, scale and margin")
