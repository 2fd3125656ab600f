"""Undetectable MRD about day 28: which test of which compartment decides."""

from __future__ import annotations

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.raw_tables import ROW
from reinfuse.cohort.study_days import ID, before_therapy, row_of, since_index

NOT_RECORDED = "not recorded"
AGAINST = ", against "
COMPARTMENT = "umrd_day28_compartment"
"""The compartment that decided, and those that differ from it: `marrow, against blood`."""


def umrd(cohort: Cohort, base: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    """Return the result that counts as that of day 28, its day, row and compartment.

    Of the tests in the window, those of the plan's first compartment that was tested; of these, those nearest to
    day 28; detectable wins where they differ.
    """
    named = pl.col("compartment").is_in(list(rules.umrd_compartments))
    tests = _in_window(cohort, base, rules=rules).filter(before_therapy() & named)
    order = {name: place for place, name in enumerate(rules.umrd_compartments)}
    place = pl.col("compartment").replace_strict(order, default=None, return_dtype=pl.Int64)
    away = (pl.col("t") - rules.umrd_day).abs()
    tests = tests.sort(place, away, "umrd_day28", "t", ROW)
    each = tests.unique([ID, "compartment"], keep="first", maintain_order=True)
    differ = pl.col("compartment").filter(pl.col("umrd_day28") != pl.col("umrd_day28").first())
    against = each.group_by(ID, maintain_order=True).agg(against=differ.str.join(" and "))
    chosen = each.unique(ID, keep="first", maintain_order=True).join(against, on=ID)
    others = pl.concat_str("compartment", pl.lit(AGAINST), "against")
    compartments = pl.when(pl.col("against") == "").then("compartment").otherwise(others)
    return chosen.select(
        ID, "umrd_day28", umrd_day28_day="t", umrd_day28_source=row_of("mrd"), **{COMPARTMENT: compartments}
    )  # fmt: skip


def in_other_compartments(cohort: Cohort, base: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    """Return the tests in the window that do not count because the plan does not name their compartment."""
    return _in_window(cohort, base, rules=rules).filter(~pl.col("compartment").is_in(list(rules.umrd_compartments)))


def _in_window(cohort: Cohort, base: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    tests = _tests(cohort, base, rules=rules).rename({"undetectable": "umrd_day28"})
    return tests.filter(pl.col("t").is_between(*rules.umrd_window))


def tests_of(cohort: Cohort, base: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    """Return the tests of compartments that the plan names: `t`, `compartment`, and whether MRD was `undetectable`."""
    return _tests(cohort, base, rules=rules).filter(pl.col("compartment").is_in(list(rules.umrd_compartments)))


def _tests(cohort: Cohort, base: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    tests = since_index(cohort, "mrd", base=base)
    have = tests.columns
    value = pl.col("value") if "value" in have else pl.lit(None, dtype=pl.Float64)
    result = pl.col("result") if "result" in have else pl.lit(None, dtype=pl.String)
    compartment = pl.col("compartment") if "compartment" in have else pl.lit(None, dtype=pl.String)
    tests = tests.with_columns(undetectable=pl.coalesce(result == "undetectable", value < rules.umrd_threshold),
                               compartment=compartment.fill_null(NOT_RECORDED))  # fmt: skip
    return tests.filter(pl.col("undetectable").is_not_null())
