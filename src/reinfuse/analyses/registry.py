"""Every analysis, in the order in which a study takes them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import reinfuse.analyses
from reinfuse.analyses.base import Analysis, Inputs, Step
from reinfuse.plan.switches import Switch

ORDER: tuple[tuple[str, ...], ...] = (
    ("flow",),
    ("baseline",),
    ("response", "survival", "cumulative_incidence"),
    ("best_responses",),
    ("toxicity",),
    ("association", "category_tests"),
    ("interactions",),
    ("splines",),
    ("simulated_inference",),
    ("permutation",),
    ("model_averaging", "bootstrap_stability"),
    ("optimism",),
    ("leave_one_out",),
    ("proportional_hazards",),
    ("bayesian",),
    ("sensitivity",),
    ("hierarchy",),
    ("endpoint_rules",),
    ("multiple_imputation",),
    ("competing_risks",),
    ("landmark",),
    ("time_dependent",),
    ("standardization",),
    ("paired",),
    ("power",),
    ("exposure",),
    ("persistence",),
    ("exposure_factors",),
    ("persistence_factors",),
    ("exposure_outcome",),
    ("mediation",),
    ("population_model",),
    ("joint_model",),
)
"""Modules, as their records follow each other; those of one row take turns, endpoint by endpoint.

A module that is not in it stands after the last one of its section.
"""


@cache
def modules() -> dict[str, Analysis]:
    """Return module -> analysis, of every module of this room that declares one, in order."""
    names = [m.name for m in iter_modules(reinfuse.analyses.__path__)]
    candidates = {name: getattr(import_module(f"reinfuse.analyses.{name}"), "ANALYSIS", None) for name in names}
    declared = {name: a for name, a in candidates.items() if isinstance(a, Analysis)}
    return {name: declared[name] for row in _rows(declared) for name in row}


def _rows(declared: dict[str, Analysis]) -> list[tuple[str, ...]]:
    """Return the rows of `ORDER`, with those added that are not in it."""
    rows = list(ORDER)
    for name in sorted(set(declared) - {n for row in ORDER for n in row}):
        own = declared[name].section
        same = [i for i, row in enumerate(rows) if any(declared[n].section == own for n in row)]
        rows.insert(same[-1] + 1 if same else len(rows), (name,))
    return rows


def analyses() -> tuple[Analysis, ...]:
    """Return every analysis, in order."""
    return tuple(modules().values())


def switches() -> list[Switch]:
    """Return the settings of a plan that analyses bring along."""
    return [a.own_switch for a in analyses() if a.own_switch is not None]


def analysis_of(step: str) -> Analysis:
    """Return the analysis that a step belongs to."""
    return {a.name: a for a in analyses()}[step.partition(", ")[0]]


def records_of(*disclosure: str) -> frozenset[str]:
    """Return the values of the field `analysis` of which `share` keeps what it says."""
    return frozenset(a.records for a in analyses() if a.disclosure in disclosure)


def steps(inputs: Inputs, *, section: str | None = None) -> Iterator[Step]:
    """Yield the steps of every analysis that the plan does not switch off, in order.

    Parameters
    ----------
    section
        Of the report; default: of all.
    """
    places = {end.name: i for i, end in enumerate(inputs.data.endpoints)}
    declared = modules()
    for row in _rows(declared):
        wanted = [declared[n] for n in row if section in (None, declared[n].section)]
        todo = [step for a in wanted if a.wanted_by(inputs.plan) and not a.off(inputs.plan) for step in a.steps(inputs)]
        yield from sorted(todo, key=lambda s: places.get(s.endpoint or "", -1)) if len(row) > 1 else todo
