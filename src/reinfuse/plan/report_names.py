"""The names that `[report]` of a plan uses: of factors, endpoints, variables and figures, as far as a plan knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reinfuse.cohort.baseline_columns import unfit_name
from reinfuse.cohort.baseline_variables import CATEGORIES, NUMBERS, is_baseline_variable
from reinfuse.cohort.declarations import BUILT_IN_FACTORS, LANDMARK_FACTORS, Factor
from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.exceptions import nearest
from reinfuse.plan.figure_options import FigureOptions
from reinfuse.plan.report_options import ReportOptions, Table1


def unknown_in_report(options: ReportOptions, factors: Sequence[Factor], *, endpoints: Sequence[str],
                      subgroups: Sequence[str], outcomes: Mapping[str, str]) -> list[str]:  # fmt: skip
    """Return what is wrong with names, for a plan that has these factors, own endpoints and subgroups.

    Parameters
    ----------
    outcomes
        Columns that the plan reads outcomes from, as `unfit_name` takes them.
    """
    own = [f.name for f in factors]
    valid = [*own, *endpoints, *subgroups, *(options.table1.variables or ()), *BUILT_IN_FACTORS, *ENDPOINTS]
    valid += [*LANDMARK_FACTORS, *CATEGORIES, *NUMBERS]
    wrong = [_unknown(f"report.{setting}: {name!r} is no factor, endpoint or baseline variable", name, valid)
             for setting, name in options.names.items()
             if name not in valid and not is_baseline_variable(name)]  # fmt: skip
    at_baseline = [f.name for f in factors if f.known_at is None]
    wrong += _of_table1(options.table1, at_baseline, outcomes=outcomes)
    every = [*own, *BUILT_IN_FACTORS, *subgroups]
    return [*wrong, *_of_figures(options.figure_style, [*ENDPOINTS, *endpoints], factors=every)]


def _of_table1(table1: Table1, factors: Sequence[str], *, outcomes: Mapping[str, str]) -> Iterator[str]:
    if table1.by is not None and table1.by not in factors:
        rule = f"report.table1.by: {table1.by!r} is no factor of the plan that is known at baseline"
        yield _unknown(rule, table1.by, factors)
    unfit = (unfit_name(name, outcomes) for name in table1.variables or () if name not in factors)
    yield from (f"report.table1.variables: {why}" for why in unfit if why)


def _of_figures(options: FigureOptions, endpoints: Sequence[str], *, factors: Sequence[str]) -> Iterator[str]:
    """Yield settings of one figure under a name that no figure of curves has."""
    valid = ["incidence", *(f"km_{e}{by}" for e in endpoints for by in ("", *(f"_by_{f}" for f in factors)))]
    for name in options.only:
        if name not in valid:
            yield _unknown(f"report.figure_style.only.{name}: no figure of curves has this name", name, valid)


def _unknown(rule: str, name: str, valid: Sequence[str]) -> str:
    near = nearest(name, valid)
    return rule + (f", did you mean {near}?" if near else "")
