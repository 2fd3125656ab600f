"""Factors: what was known of a patient when the index infusion was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.cohort.baseline_columns import unfit_values
from reinfuse.cohort.declarations import BUILT_IN_FACTORS, Factor
from reinfuse.cohort.level_groups import grouped
from reinfuse.cohort.raw_tables import DERIVED
from reinfuse.cohort.strata import Stratum
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.exceptions import Problem, nearest
from reinfuse.tabular import cell_parsing as values
from reinfuse.texts import LONGEST_NAME

LABELS = {
    "cart1_cy_flu": "Cy-Flu before CART1", "cart2_cy_flu": "Cy-Flu before CART2",
    "dose_increase": "CART2 dose higher than CART1 dose", "log2_dose_ratio": "CART2 / CART1 dose, per doubling",
    "interval_days": "Interval from CART1 to CART2", "age_years": "Age", "prior_lines": "Prior lines of therapy",
    "bulky": "Bulky disease", "diagnosis": "Diagnosis", "sex": "Sex",
}  # fmt: skip
UNITS = {"interval_days": "days", "age_years": "years", "prior_lines": "line"}
MAX_LEVELS = 20
TOO_MANY_LEVELS = (
    "give rare values one name in the table (such as other), or give a plan whose factors, models, subgroups and "
    "confounders leave it out"
)


@dataclass(frozen=True)
class FactorColumn:
    """A factor and its values, one a patient.

    Attributes
    ----------
    kind
        ``binary``: yes/no; ``category``; ``number`` (already divided by `per`, or on the log2 scale).
    levels
        Of a binary or category factor, the reference first.
    values
        Strings or floats, null = missing, in the order of the patients.
    per
        What one unit of a number stands for.
    known_at
        Day from which it is known; None: at baseline.
    """

    name: str
    label: str
    kind: Literal["binary", "category", "number"]
    values: pl.Series = field(repr=False)
    levels: tuple[str, ...] = ()
    per: float = 1.0
    unit: str = ""
    source: str | None = None
    known_at: float | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the factor's effects: itself, or `name=level` for each level but the reference."""
        if self.kind == "category":
            return tuple(Stratum(self.name, level) for level in self.levels[1:])
        return (self.name,)

    @property
    def unscaled(self) -> pl.Series:
        """The values before they were divided by `per`."""
        return self.values * self.per if self.kind == "number" else self.values

    @cached_property
    def columns(self) -> Floats:
        """The design columns, one a term; a missing value is NaN in each."""
        if self.kind == "number":
            return self.values.cast(pl.Float64).fill_null(float("nan")).to_numpy()[:, None].astype(np.float64)
        texts = np.array([v if v is not None else "" for v in self.values.to_list()], dtype=np.str_)
        missing = self.values.is_null().to_numpy()
        coded = [np.where(missing, np.nan, (texts == level).astype(np.float64)) for level in self.levels[1:]]
        return np.column_stack(coded) if coded else np.empty((len(self.values), 0))


def build(factors: Sequence[Factor], frame: pl.DataFrame,
          *, dialect: values.Dialect = "point") -> tuple[list[FactorColumn], list[str], list[Problem]]:  # fmt: skip
    """Make the plan's factors from the analysed patients.

    Parameters
    ----------
    factors, frame
        The plan's factors and the analysed patients.
    dialect
        How numbers in columns that are not declared may be written.

    Returns
    -------
    factors, left_out, problems
        Factors made; names of built-in ones that the data lack; what is wrong with declared ones.
    """
    columns, left_out, problems = [], [], []
    for factor in factors:
        if factor.column is None:
            series = _built_in(factor.name, frame)
            if series is None:
                left_out.append(factor.name)
                continue
        elif factor.column in frame.columns:
            series = frame[factor.column]
        else:
            near = nearest(factor.column, [c for c in frame.columns if DERIVED not in c])
            remedy = f"did you mean {near!r}?" if near else "correct the plan or add the column"
            rule = f"factor {factor.name} needs a column that is not there"
            problems.append(Problem(table="plan", column=factor.column, rule=rule, remedy=remedy))
            continue
        series, unknown = grouped(factor, series)
        column, wrong = _shape(factor, series.alias(factor.name), dialect=dialect)
        problems += [*unknown, *wrong]
        if column is not None:
            columns.append(replace(column, known_at=factor.known_at))
    return columns, left_out, problems


def _yes_no(expr: pl.Expr) -> pl.Expr:
    return pl.when(expr).then(pl.lit("yes")).when(~expr).then(pl.lit("no"))


def _built_in(name: str, frame: pl.DataFrame) -> pl.Series | None:
    """Return a built-in factor, from its sources where they are there, else from a column of its name."""
    have = set(frame.columns)
    first, second = "cart1_dose_cells_per_kg", "cart2_dose_cells_per_kg"
    expr = None
    if name in ("cart1_cy_flu", "cart2_cy_flu"):
        source = name.replace("cy_flu", "lymphodepletion") + CLASS_SUFFIX
        expr = _yes_no(pl.col(source) == "Cy-Flu") if source in have else None
    elif name == "dose_increase" and {first, second} <= have:
        expr = _yes_no(pl.col(second) > pl.col(first))
    elif name == "log2_dose_ratio" and {first, second} <= have:
        expr = (pl.col(second) / pl.col(first)).log(2)
    if expr is not None:
        return frame.select(expr.alias(name))[name]
    return frame[name] if name in have and frame[name].null_count() < frame.height else None


def _shape(factor: Factor, series: pl.Series,
           *, dialect: values.Dialect) -> tuple[FactorColumn | None, list[Problem]]:  # fmt: skip
    """Cut, scale or categorise one column as its declaration says."""
    label = factor.label or LABELS.get(factor.name, factor.name.replace("_", " "))
    if factor.column is not None and (why := unfit_values(series, numbers=True)):
        rule = f"factor {factor.name} {why}"
        return None, [Problem(table="plan", column=factor.column, rule=rule, remedy="take the factor out of the plan")]
    wants_number = factor.above is not None or factor.scale is not None or factor.per is not None
    number, bad = numbers(series, dialect)
    if wants_number and bad:
        rule = f"factor {factor.name} needs numbers, and {bad} values are not numbers"
        return None, [Problem(table="plan", column=factor.column, rule=rule, remedy="correct the column or the factor")]
    if bad and factor.reference is None and (good := len(number) - number.null_count()):
        rule = f"factor {factor.name} holds {good} numbers and {bad} non-numeric values"
        remedy = "correct the column, or name a reference in the plan to compare its values as categories"
        return None, [Problem(table="plan", column=factor.column, rule=rule, remedy=remedy)]
    if factor.above is not None:
        cut = _yes_no_series(number > factor.above)
        shown = factor.label or f"{label} above {factor.above:g}"
        return FactorColumn(factor.name, shown, "binary", cut, ("no", "yes"), source=factor.column), []
    if factor.scale == "log2" and any(v <= 0 for v in _floats(number.drop_nulls())):
        rule = f"factor {factor.name} has values of 0 or less, which have no logarithm"
        return None, [
            Problem(table="plan", column=factor.column, rule=rule, remedy="leave out the scale, or cut with above")
        ]
    if not bad and factor.reference is None and not _only_yes_no(series):
        return _number(factor, label, number), []
    return _category(factor, label, series=series)


def _yes_no_series(truth: pl.Series) -> pl.Series:
    return pl.select(_yes_no(pl.lit(truth))).to_series()


def _floats(series: pl.Series) -> list[float]:
    return series.to_list()


def _number(factor: Factor, label: str, number: pl.Series) -> FactorColumn:
    unit, per = UNITS.get(factor.name, ""), factor.per or 1.0
    if factor.scale == "log2":
        number, label = number.log(2.0), f"{label}, per {'doubling' if per == 1 else f'{2**per:g}-fold'}"
    elif factor.per is not None or unit:
        several = {"line": "lines"}.get(unit, unit or "units")
        label = f"{label}, per {unit.removesuffix('s') or 'unit'}" if per == 1 else f"{label}, per {per:g} {several}"
    return FactorColumn(factor.name, label, "number", number / per, (), per, unit, factor.column)


def _only_yes_no(series: pl.Series) -> bool:
    texts = {str(v).casefold() for v in series.drop_nulls().unique()}
    return bool(texts) and texts <= {"yes", "no", "true", "false", "y", "n"}


def _category(factor: Factor, label: str, *, series: pl.Series) -> tuple[FactorColumn | None, list[Problem]]:
    texts = [None if v is None else str(v) for v in series.to_list()]
    if _only_yes_no(series) and factor.reference in (None, "no", "yes"):
        words = [None if t is None else str(values.read_yes_no(t).value) for t in texts]
        reference = factor.reference or "no"
        pair = (reference, "yes" if reference == "no" else "no")
        kind: Literal["binary", "category"] = "binary" if reference == "no" else "category"
        return FactorColumn(factor.name, label, kind, pl.Series(words, dtype=pl.String), pair,
                            source=factor.column), []  # fmt: skip
    counts = Counter(t for t in texts if t is not None)
    problem, remedy = None, ""
    if len(counts) > MAX_LEVELS:
        problem = f"factor {factor.name} has {len(counts)} different values, more than {MAX_LEVELS}"
        remedy = TOO_MANY_LEVELS
    elif factor.column is not None and (why := unfit_values(pl.Series(texts, dtype=pl.String))):
        problem = f"factor {factor.name} {why}"
        remedy = "choose another column, or cut it with above"
    elif factor.reference is not None and factor.reference not in counts:
        problem = f"factor {factor.name} has no value {factor.reference!r}, its reference"
        remedy = "correct the reference; values: " + ", ".join(sorted(counts))
    elif longest := next((t for t in sorted(counts) if len(t) > LONGEST_NAME), None):
        problem = f"factor {factor.name} has a value of {len(longest):,} characters, more than {LONGEST_NAME}"
        remedy = "shorten it, or take the factor out of the plan"
    if problem:
        return None, [Problem(table="plan", column=factor.column or factor.name, rule=problem, remedy=remedy)]
    levels = tuple(sorted(counts, key=lambda t: (t != factor.reference, -counts[t], t)))
    levels = (*levels[:1], *sorted(levels[1:]))
    return FactorColumn(factor.name, label, "category", pl.Series(texts, dtype=pl.String), levels,
                        source=factor.column), []  # fmt: skip


def numbers(series: pl.Series, dialect: values.Dialect) -> tuple[pl.Series, int]:
    """Return the column as numbers and how many values are none."""
    if series.dtype.is_numeric():
        return series.cast(pl.Float64), 0
    texts = [None if v is None else str(v) for v in series.to_list()]
    mark = values.decimal_mark([t for t in texts if t is not None], dialect)
    read = {t: values.read_number(t, mark) for t in set(texts) if t is not None}
    bad = sum(1 for t in texts if t is not None and read[t].rule)
    numbers = [None if t is None else read[t].value for t in texts]
    return pl.Series(series.name, numbers, dtype=pl.Float64), bad


__all__ = ["BUILT_IN_FACTORS", "LABELS", "FactorColumn", "build"]
