"""The baseline table: who the analysed patients are, overall and in each subgroup. It tests nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.arrays import Floats
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.baseline_variables import CATEGORIES, NUMBERS, UNITS
from reinfuse.cohort.baseline_variables import LABELS as MORE_LABELS
from reinfuse.cohort.factors import LABELS, MAX_LEVELS
from reinfuse.cohort.strata import Stratum
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.cohort.wide_format import LATER
from reinfuse.results.estimate import Estimate

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
            described.append(Variable(factor.name, factor.label.split(", per ")[0], factor.unscaled, factor.unit))
    return sorted(described, key=lambda v: v.name != "diagnosis")


def baseline(data: AnalysisSet) -> list[Estimate]:
    """Return counts, proportions, medians, quartiles, ranges, means and missing values."""
    records = []
    for population, mask in data.populations.items():
        size = int(mask.sum())
        records.append(Estimate("baseline", None, "count", population, estimate=float(size), unit="patients",
                                method=METHOD, n=size))  # fmt: skip
        for variable in variables(data):
            values = variable.values.filter(pl.Series(mask))
            records += (
                _numbers(variable, values, population=population)
                if variable.is_number
                else _levels(variable, values, population=population)
            )
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


ANALYSIS = Analysis(
    "baseline",
    records="baseline",
    section="patients",
    steps=_steps,
    what="who the patients are, in each population",
    method=("counts, proportions, medians, quartiles, ranges, means; missing values are counted; nothing is tested"),
    lacking="no factor and no baseline column",
    disclosure="counts",
)
