"""How many hypotheses a study tested, and how many of them its plan names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from reinfuse.cohort.strata import parts_of
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate

AGAIN = (
    "calibrated", "permutation", "sensitivity", "hierarchy", "endpoint_rules", "imputation", "influence", "stability",
    "centres",
)  # fmt: skip
"""Analyses whose p-values are of a hypothesis that another analysis tested before them."""
_CHECKS = ("proportional", "spline")
"""Analyses whose p-values check a model."""
_CURVES = ("survival", "competing", "rmst")


class Hypothesis(NamedTuple):
    """That a term is associated with an endpoint, in one kind of model."""

    analysis: str
    endpoint: str | None
    model: str | None
    statistic: str
    term: str | None
    level: str | None
    at: float | None


def hypotheses(estimates: Iterable[Estimate]) -> list[Hypothesis]:
    """Return the hypotheses that have a p-value, each once.

    A second p-value of the same association (simulated, permuted, adjusted, imputed, without a patient) is none of its
    own; neither are the ratio beside a difference of means, and a test of a number that is only a check of a model.
    """
    tests = {_of(e): None for e in estimates if e.p_value is not None and e.analysis not in (*AGAIN, *_CHECKS)}
    return list(tests)


def _of(e: Estimate) -> Hypothesis:
    statistic = "p_value" if e.analysis in ("rmst", "interaction") else e.statistic
    group = e.group if e.analysis in _CURVES else None
    return Hypothesis(e.analysis, e.endpoint, e.model, statistic, e.term or group, e.level, e.at)


def named_by(plan: Plan, hypothesis: Hypothesis) -> bool:
    """Tell whether a plan names a hypothesis: in a model, a landmark or a time-dependent analysis."""
    h = hypothesis
    if h.analysis == "interaction":
        return any(m.endpoint == h.endpoint and set(parts_of(h.term)) in map(set, m.interactions) for m in plan.models)
    if h.analysis == "association":
        return any(m.endpoint == h.endpoint and h.term in m.factors
                   and (len(set(m.factors)) > 1) is (h.model == "multivariable") for m in plan.models)  # fmt: skip
    if h.analysis == "landmark":
        return any(h.term in (m.factor, *m.adjust) and h.endpoint in m.endpoints for m in plan.landmarks)
    if h.analysis == "time_dependent":
        return any(h.term in (m.factor, *m.adjust) and h.endpoint == m.endpoint for m in plan.time_dependent)
    return False
