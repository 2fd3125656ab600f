"""The baseline table: who the analysed patients are, overall and in each subgroup. It tests nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.group_comparison import Groups, differences, test
from reinfuse.arrays import Floats
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.baseline_variables import CATEGORIES, NUMBERS, UNITS
from reinfuse.cohort.baseline_variables import LABELS as MORE_LABELS
from reinfuse.cohort.declarations import Factor
from reinfuse.cohort.factors import LABELS, MAX_LEVELS, FactorColumn, build
from reinfuse.cohort.strata import Stratum
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.cohort.wide_format import LATER
from reinfuse.plan.report_options import Table1
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

METHOD = "description"
QUANTILES = "quantile, linear interpolation"


@dataclass(frozen=True)
class Variable:
    """One row, or block of rows, of the baseline table."""

    name: str
    label: str
    values: pl.Series
    unit: str = ""

    @property
    def is_number(self) -> bool:
        """Tell whether quantiles rather than counts are shown."""
        return self.values.dtype.is_numeric()


def variables(data: AnalysisSet) -> list[Variable]:
    """Return what the baseline table describes: declared baseline columns, then the plan's other factors."""
    frame = data.frame
    have = [c for c in frame.columns if frame[c].null_count() < frame.height]
    described = [Variable(c, LABELS.get(c, MORE_LABELS.get(c, c)), frame[c]) for c in CATEGORIES if c in have]
    described = [v for v in described if v.values.n_unique() <= MAX_LEVELS]
    described += [Variable(c, LABELS[c], frame[c].cast(pl.Float64), UNITS[c]) for c in NUMBERS if c in have]
    for column in (c for c in have if c.startswith("cart") and c.endswith("lymphodepletion" + CLASS_SUFFIX)):
        number = column.removeprefix("cart").split("_")[0]
        described.append(Variable(f"cart{number}_regimen", f"Lymphodepletion before CART{number}", frame[column]))
    for column in (c for c in have if LATER.fullmatch(c) and c.endswith("dose_cells_per_kg")):
        number = column.removeprefix("cart").split("_")[0]
        described.append(Variable(column, f"CART{number} dose", frame[column], "cells/kg"))
    named = {v.name for v in described} | {"cart1_cy_flu", "cart2_cy_flu", "log2_dose_ratio"}
    for factor in data.factors:
        if factor.name not in named:
            described.append(_of_factor(factor, factor.name))
    return sorted(described, key=lambda v: v.name != "diagnosis")


def chosen(data: AnalysisSet, table1: Table1) -> tuple[list[Variable], list[str]]:
    """Return what the table of patients shows, in its order, and names of variables that these data lack.

    The factor whose levels are the table's columns is none of its rows.
    """
    described = {v.name: v for v in variables(data)}
    if table1.variables is None:
        return [v for v in described.values() if v.name != table1.by], []
    asked_for = {name: described.get(name) or _other(name, data) for name in table1.variables if name != table1.by}
    return [v for v in asked_for.values() if v], [name for name, v in asked_for.items() if v is None]


def lacking(data: AnalysisSet, table1: Table1) -> list[str]:
    """Return names of variables that a plan's table of patients asks for and these data lack."""
    return [] if table1.variables is None else chosen(data, table1)[1]


def _of_factor(factor: FactorColumn, name: str) -> Variable:
    return Variable(name, factor.label.split(", per ")[0], factor.unscaled, factor.unit)


def _other(name: str, data: AnalysisSet) -> Variable | None:
    """Return a factor, or a column of the data, that no table of patients describes by itself."""
    factor = data.factor(name)
    if factor is None and name in data.frame.columns:
        columns, _, _ = build((Factor(name="column", column=name, label=name.replace("_", " ")),), data.frame)
        factor = columns[0] if columns else None
    return None if factor is None else _of_factor(factor, name)


def further(data: AnalysisSet, table1: Table1, *, random: Callable[..., np.random.Generator]) -> list[Estimate]:
    """Return what a plan's table of patients needs beyond `baseline`: variables, deviations, groups, their comparison.

    Parameters
    ----------
    random
        Gives the random numbers of a test, from words.
    """
    shown, known = chosen(data, table1)[0], {v.name for v in variables(data)}
    records: list[Estimate] = []
    for population, mask in data.populations.items():
        for variable in shown:
            values = variable.values.filter(pl.Series(mask))
            if variable.name not in known:
                records += _described(variable, values, population=population)
            records += _deviation(variable, values, population=population, table1=table1)
    factor = data.factor(table1.by or "")
    if factor is None:
        return records
    if factor.name not in known:
        own = Variable(factor.name, factor.label, factor.values)
        records.append(_missing(own, factor.values, population="all"))
    groups = Groups(factor.name, factor.levels, factor.values)
    return [*records, *_by_groups(shown, groups, table1=table1, random=random)]


def _by_groups(shown: list[Variable], groups: Groups, *, table1: Table1,
               random: Callable[..., np.random.Generator]) -> Iterator[Estimate]:  # fmt: skip
    for level in groups.levels:
        here = (groups.of == level).fill_null(False)
        size = int(here.sum())
        records = [Estimate("baseline", None, "count", estimate=float(size), unit="patients", method=METHOD, n=size)]
        for variable in shown:
            values = variable.values.filter(here)
            records += _described(variable, values, population="all")
            records += _deviation(variable, values, population="all", table1=table1)
        yield from (replace(record, group=Stratum(groups.factor, level)) for record in records)
    for variable in shown:
        if table1.smd:
            yield from differences(variable.name, variable.values, groups=groups)
        if table1.p:
            words = ("baseline", groups.factor, variable.name)
            yield test(variable.name, variable.values, groups=groups, random=random(*words))


def _described(variable: Variable, values: pl.Series, *, population: str) -> Iterator[Estimate]:
    describe = _numbers if variable.is_number else _levels
    yield from describe(variable, values, population=population)


def _deviation(variable: Variable, values: pl.Series, *, population: str, table1: Table1) -> Iterator[Estimate]:
    """Yield the standard deviation of a number that is summed up by its mean."""
    if not variable.is_number or table1.summary(variable.name) != "mean (SD)":
        return
    observed: Floats = values.drop_nulls().to_numpy().astype(np.float64)
    n = len(observed)
    yield Estimate("baseline", None, "sd", population, term=variable.name,
                   estimate=float(observed.std(ddof=1)) if n > 1 else None, unit=variable.unit or None,
                   method="standard deviation", n=n,
                   note=None if n > 1 else f"{NOT_ESTIMABLE}: fewer than 2 patients")  # fmt: skip


def baseline(data: AnalysisSet) -> list[Estimate]:
    """Return counts, proportions, medians, quartiles, ranges, means and missing values."""
    records = []
    for population, mask in data.populations.items():
        size = int(mask.sum())
        records.append(Estimate("baseline", None, "count", population, estimate=float(size), unit="patients",
                                method=METHOD, n=size))  # fmt: skip
        for variable in variables(data):
            values = variable.values.filter(pl.Series(mask))
            records += _described(variable, values, population=population)
    return records


def _levels(variable: Variable, values: pl.Series, *, population: str) -> Iterator[Estimate]:
    observed = values.drop_nulls()
    for level in sorted({str(v) for v in variable.values.drop_nulls()}):
        x = int((observed == level).sum())
        share = x / len(observed) if len(observed) else None
        note = None if len(observed) else "no patient with a value"
        for statistic, value, unit in (("count", float(x), "patients"), ("proportion", share, "fraction")):
            yield Estimate("baseline", None, statistic, population, term=Stratum(variable.name, level), estimate=value,
                           unit=unit, method=METHOD, n=len(observed), events=x, note=note)  # fmt: skip
    yield _missing(variable, values, population=population)


def _missing(variable: Variable, values: pl.Series, *, population: str) -> Estimate:
    return Estimate("baseline", None, "missing", population, term=variable.name, estimate=float(values.null_count()),
                    unit="patients", method=METHOD, n=len(values))  # fmt: skip


def _numbers(variable: Variable, values: pl.Series, *, population: str) -> Iterator[Estimate]:
    observed: Floats = values.drop_nulls().to_numpy().astype(np.float64)
    n = len(observed)
    for statistic, share in (("median", 0.5), ("iqr_low", 0.25), ("iqr_high", 0.75), ("min", 0.0), ("max", 1.0)):
        value = float(np.quantile(observed, share)) if n else None
        yield Estimate("baseline", None, statistic, population, term=variable.name, estimate=value,
                       unit=variable.unit or None, method=QUANTILES, n=n,
                       note=None if n else "no patient with a value")  # fmt: skip
    yield Estimate("baseline", None, "mean", population, term=variable.name,
                   estimate=float(observed.mean()) if n else None,
                   unit=variable.unit or None, method="mean", n=n,
                   note=None if n else "no patient with a value")  # fmt: skip
    yield _missing(variable, values, population=population)


def _steps(inputs: Inputs) -> Iterator[Step]:
    yield without_curves("baseline", partial(baseline, inputs.data))
    table1 = inputs.plan.report.table1
    if table1.adds_records:
        work = partial(further, inputs.data, table1, random=inputs.random)
        yield without_curves("baseline, the plan's table of patients", work)


ANALYSIS = Analysis(
    "baseline",
    records="baseline",
    section="patients",
    steps=_steps,
    first=True,
    what="who the patients are, in each population",
    method=(
        "counts, proportions, medians, quartiles, ranges, means; missing values are counted; nothing is tested, "
        "unless the plan's `[report.table1]` asks for it: by its groups standardised differences (Austin, Stat Med "
        "2009;28:3083; Yang and Dalton, SAS Global Forum 2012), Fisher's exact, Wilcoxon or Kruskal-Wallis test"
    ),
    lacking="no factor and no baseline column",
    disclosure="counts",
)
