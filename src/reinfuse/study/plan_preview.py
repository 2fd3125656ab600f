"""What a plan would analyse in a cohort, before any outcome is looked at by any factor: totals, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from reinfuse.cohort.analysis_set import ID
from reinfuse.cohort.baseline_columns import is_identifier, is_post_baseline
from reinfuse.cohort.baseline_variables import LABELS, is_baseline_variable
from reinfuse.cohort.declarations import BUILT_IN_FACTORS, MODELLED, NEEDS_SECOND, Factor
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn, build
from reinfuse.cohort.raw_tables import DERIVED, CohortInput
from reinfuse.cohort.schema import WIDE
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.report.text.labels import without_unit
from reinfuse.study.cohort_reading import examine
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study


@dataclass(frozen=True)
class EndpointTotals:
    """An endpoint in all patients.

    Attributes
    ----------
    patients, events
        In whom it is known, and how many of them had it.
    is_modelled
        Whether a model of a plan may be of it.
    """

    name: str
    label: str
    kind: Literal["binary", "time"]
    patients: int
    events: int
    is_modelled: bool


@dataclass(frozen=True)
class FactorTotals:
    """A factor in all patients, without any outcome.

    Attributes
    ----------
    column
        Of a factor that is not built in: where its values stand.
    missing
        Patients in whom it is missing.
    levels
        Of a category or yes/no: each level with its patients, the reference first.
    middle
        Of a number: median, least and greatest value.
    terms
        Effects that a model with it estimates.
    """

    name: str
    label: str
    column: str | None
    missing: int
    levels: tuple[tuple[str, int], ...]
    middle: tuple[float, float, float] | None
    terms: int


@dataclass(frozen=True)
class ModelTotals:
    """A model of the plan: the events of its endpoint in all patients, and the effects that it estimates."""

    endpoint: str
    events: int
    terms: int

    @property
    def events_per_term(self) -> float:
        """Events for each effect."""
        return self.events / self.terms if self.terms else float(self.events)


@dataclass(frozen=True)
class PlanPreview:
    """What a plan would analyse.

    Attributes
    ----------
    patients, excluded
        Who is analysed, and who is not.
    candidates
        Built-in factors and columns that the plan does not use, and could.
    notes
        What the data lack, or what a rule did.
    """

    patients: int
    excluded: int
    endpoints: tuple[EndpointTotals, ...]
    factors: tuple[FactorTotals, ...]
    candidates: tuple[FactorTotals, ...]
    models: tuple[ModelTotals, ...]
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]


def preview(cohort: CohortInput, plan: PlanOrPath = None) -> PlanPreview:
    """Return what a plan would analyse in a cohort.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    """
    chosen = plan_of(plan)
    accepted, problems = examine(cohort, chosen)
    if accepted is None:
        raise CohortRefused(problems)
    study = Study(accepted, chosen)
    data = study.data
    endpoints = tuple(_totals(e, chosen) for e in data.endpoints)
    events = {e.name: e.events for e in endpoints}
    terms = {f.name: len(f.terms) for f in data.factors}
    models = tuple(ModelTotals(m.endpoint, events[m.endpoint], sum(terms.get(f, 0) for f in m.factors))
                   for m in chosen.models if m.endpoint in events)  # fmt: skip
    excluded = data.flow.filter(pl.col("status") == "excluded").height
    return PlanPreview(data.frame.height, excluded, endpoints, tuple(_factor(f) for f in data.factors),
                       tuple(_candidates(data.frame, chosen)), models, data.notes,
                       accepted.warnings)  # fmt: skip


def _totals(endpoint: EndpointColumn, plan: Plan) -> EndpointTotals:
    of_known = endpoint.event[endpoint.known]
    modelled = endpoint.name in MODELLED or endpoint.name in {e.name for e in plan.endpoints}
    return EndpointTotals(endpoint.name, endpoint.label, endpoint.kind, len(of_known), int(np.nansum(of_known)),
                          modelled)  # fmt: skip


def _factor(factor: FactorColumn) -> FactorTotals:
    values = factor.unscaled
    counts = values.cast(pl.String).value_counts() if factor.kind != "number" else None
    levels: tuple[tuple[str, int], ...] = ()
    if counts is not None:
        numbers = dict(counts.iter_rows())
        levels = tuple((level, int(numbers.get(level, 0))) for level in factor.levels)
    some = values.drop_nulls().cast(pl.Float64).to_numpy() if factor.kind == "number" else np.empty(0)
    middle = (float(np.median(some)), float(some.min()), float(some.max())) if some.size else None
    label = factor.label if factor.label.endswith("doubling") else without_unit(factor.label)  # its values are log2
    return FactorTotals(factor.name, label, factor.source, values.null_count(), levels, middle,
                        len(factor.terms))  # fmt: skip


def _candidates(frame: pl.DataFrame, plan: Plan) -> Iterator[FactorTotals]:
    """Yield built-in factors and baseline columns that could be factors, and are none yet."""
    used = {f.name for f in plan.all_factors}
    absent = NEEDS_SECOND if plan.index_infusion == 1 else frozenset()
    possible = [Factor(name=name) for name in BUILT_IN_FACTORS if name not in used | absent]
    taken = {f.column for f in plan.factors} | used | {*BUILT_IN_FACTORS}
    taken |= {c for e in plan.endpoints for c in (e.time, e.event, e.competing, e.value, e.entry)}
    possible += [
        Factor(name=_named(c), column=c, label=LABELS.get(c))
        for c in frame.columns
        if c not in taken and _is_candidate(c)
    ]
    for factor in possible:
        built, _, problems = build([factor], frame)
        if built and not problems and len({*built[0].values.drop_nulls()}) > 1:
            yield _factor(built[0])


def _is_candidate(column: str) -> bool:
    if column == ID or DERIVED in column or is_identifier(column) or is_post_baseline(column):
        return False
    return column not in WIDE.names or is_baseline_variable(column)


def _named(column: str) -> str:
    """Return a name by which a plan can call a column."""
    return re.sub(r"\W", "_", f"{'' if column[:1].isalpha() else 'x'}{column}", flags=re.ASCII)[:60]
