"""The plan's hierarchy: the primary family at a family-wise level, the secondary hypotheses at a false discovery rate.

A hypothesis is that a factor, or a level of it, is associated with an endpoint. It is tested in the plan's model of
the endpoint that holds the factor, or where there is none by the factor alone, with that model's own p-value (the
penalised likelihood ratio). It is primary where endpoint and factor are, exploratory where either is, else secondary.
A hypothesis that the plan names and that could not be tested counts in its family with a p-value of 1: what is planned,
not what turned out to be possible, decides how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Step
from reinfuse.analyses.sensitivity import BENJAMINI_HOCHBERG, adjusted
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.statistics.multiple_testing import fixed_sequence, holm

PRIMARY, SECONDARY = "primary", "secondary"
ADJUSTMENTS = {"Holm": holm, "fixed sequence": fixed_sequence, BENJAMINI_HOCHBERG: adjusted}


class RankedHypothesis(NamedTuple):
    """A hypothesis of the plan: its rank, and the model in which it is tested."""

    rank: str
    endpoint: str
    factor: str
    model: str


def ranked(plan: Plan) -> Iterator[RankedHypothesis]:
    """Yield the primary and secondary hypotheses of a plan, in its order."""
    primary, secondary = plan.hierarchy.primary, plan.hierarchy.secondary
    for endpoint in (*primary.endpoints, *secondary.endpoints):
        models = [m for m in plan.models if m.endpoint == endpoint]
        first = primary.factors or tuple(dict.fromkeys(f for m in models for f in m.factors))
        first = tuple(f for f in first if f not in (*secondary.factors, *plan.hierarchy.exploratory.factors))
        for factor in (*first, *secondary.factors):
            is_primary = endpoint in primary.endpoints and factor in first
            sizes = [len(set(m.factors)) for m in models if factor in m.factors]
            model = "multivariable" if any(size > 1 for size in sizes) else "univariable"
            yield RankedHypothesis(PRIMARY if is_primary else SECONDARY, endpoint, factor, model)


def adjusted_tests(plan: Plan, estimates: Sequence[Estimate]) -> list[Estimate]:
    """Return the adjusted p-value of each primary and secondary hypothesis; `group` says which it is."""
    effects = [e for e in estimates if e.analysis == "association"]
    records: list[Estimate] = []
    for rank, method in ((PRIMARY, plan.hierarchy.method), (SECONDARY, BENJAMINI_HOCHBERG)):
        own = [e for h in ranked(plan) if h.rank == rank for e in _effects_of(h, effects)]
        p = ADJUSTMENTS[method](np.array([1.0 if e.p_value is None else e.p_value for e in own], dtype=np.float64))
        words = f"{method} over {len(own)} hypothes{'is' if len(own) == 1 else 'es'}"
        for e, q in zip(own, p, strict=True):
            value = None if e.p_value is None else float(q)
            records.append(
                replace(e, analysis="hierarchy", statistic="p_adjusted", group=rank, estimate=value, p_value=value,
                        lower=None, upper=None, confidence=None, unit=None, method=words)
            )  # fmt: skip
    return records


def _effects_of(hypothesis: RankedHypothesis, effects: Sequence[Estimate]) -> list[Estimate]:
    """Return the effects that a hypothesis is about, one a level; one without a number where the data hold none."""
    _, endpoint, factor, model = hypothesis
    own = [e for e in effects if (e.endpoint, e.term, e.model) == (endpoint, factor, model)]
    note = f"{NOT_ESTIMABLE}: these data lack the endpoint or a factor of its model"
    own = list({e.level: e for e in own}.values())  # of several models of an endpoint the last, as key findings tell
    return own or [Estimate("association", endpoint, "p_value", model=model, term=factor, note=note)]


def _steps(inputs: Inputs) -> Iterator[Step]:
    yield Step("hierarchy", lambda estimates: (adjusted_tests(inputs.plan, estimates), {}))


ANALYSIS = Analysis(
    "hierarchy",
    records="hierarchy",
    section="sure",
    steps=_steps,
    what="adjusted p-values of the primary family and of the secondary hypotheses that the plan's `[hierarchy]` names",
    method=(
        "primary: Holm (Scand J Stat 1979;6:65) or a fixed sequence (J Stat Plan Inference 2001;99:25); secondary: "
        "Benjamini-Hochberg; a hypothesis of the plan that could not be tested counts with a p-value of 1"
    ),
    lacking="no primary or secondary hypothesis",
    applies=lambda plan: bool(plan.hierarchy),
    last=True,
)
