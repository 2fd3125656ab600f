"""The settings of a plan that a person chooses, as a form holds them: made explicit, and written over a plan's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reinfuse.cohort.declarations import NEEDS_SECOND
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study.plan_lock import plan_text, settings_of

__all__ = ["NEEDS_SECOND", "PlanChoices", "choices_of", "is_plain", "with_choices"]


@dataclass(frozen=True, kw_only=True)
class PlanChoices:
    """What a person chooses.

    Attributes
    ----------
    factors
        Name -> its settings as a plan has them, in order.
    models
        Endpoint -> names of the factors of its multivariable model.
    subgroups
        Names of factors and columns of which each level is analysed on its own.
    """

    title: str
    index_infusion: int
    confidence: float
    factors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)
    subgroups: Sequence[str] = ()


def choices_of(text: str) -> PlanChoices:
    """Return what a plan's text chooses, the defaults made explicit.

    Of several models of one endpoint, the last one is returned: `is_plain` tells.

    Raises
    ------
    PlanRefused
        With everything that is wrong with it.
    """
    plan = Plan.of(settings_of(text))
    factors = {f.name: {"name": f.name, **f.model_dump(mode="json", exclude_defaults=True)} for f in plan.factors}
    models = {m.endpoint: m.factors for m in plan.models}
    return PlanChoices(title=plan.title, index_infusion=plan.index_infusion, confidence=plan.confidence,
                       factors=factors, models=models, subgroups=plan.subgroups)  # fmt: skip


def is_plain(text: str) -> bool:
    """Tell whether each endpoint has one model at most, so that a form can show them."""
    endpoints = [m.endpoint for m in Plan.of(settings_of(text)).models]
    return len(endpoints) == len(set(endpoints))


def with_choices(text: str, choices: PlanChoices, *, models_too: bool = True) -> str:
    """Return a plan's text with what a person chose; all other settings are as they are, comments are left out.

    Raises
    ------
    PlanRefused
        With everything that is wrong with it.
    """
    names = set(choices.factors)
    models = [{"endpoint": e, "factors": chosen} for e, of in choices.models.items()
              if (chosen := [f for f in of if f in names])]  # fmt: skip
    own = {"title": choices.title, "index_infusion": choices.index_infusion, "confidence": choices.confidence,
           "subgroups": list(choices.subgroups), "factors": [dict(f) for f in choices.factors.values()],
           **({"models": models} if models_too else {})}  # fmt: skip
    return plan_text({**own, **{k: v for k, v in settings_of(text).items() if k not in own}})
