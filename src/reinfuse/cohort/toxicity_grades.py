"""The worst grade of each kind of toxicity after the index infusion, and the row that holds it."""

from __future__ import annotations

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.raw_tables import ROW
from reinfuse.cohort.study_days import ID, row_of


def grade_name(kind: str) -> str:
    """Return the column of the worst grade of a kind of toxicity: `crs_grade`, `toxicity_infection_grade`."""
    plain = "_".join("".join(c if c.isalnum() else " " for c in kind.casefold()).split())
    return f"{plain}_grade" if plain in ("crs", "icans", "nt") else f"toxicity_{plain}_grade"


def worst_grades(cohort: Cohort, base: pl.DataFrame, index: int, *, rules: Rules) -> pl.DataFrame:
    """Return the worst grade of each kind after the index infusion, and the row that holds it."""
    out = base.select(ID)
    if "toxicities" not in cohort.tables:
        return out
    every = cohort.tables["toxicities"].drop_nulls("kind")
    names = {kind: grade_name(kind) for kind in every["kind"].unique()}
    every = every.with_columns(name=pl.col("kind").replace_strict(names, return_dtype=pl.String))
    at_index = every.filter(pl.col("infusion") == index).sort("grade", ROW, descending=[True, False])
    worst = at_index.unique([ID, "name"], keep="first", maintain_order=True)
    for name in every["name"].unique().sort():
        one = worst.filter(pl.col("name") == name)
        one = one.select(ID, pl.col("grade").alias(name), row_of("toxicities").alias(f"{name}_source"))
        out = out.join(one, on=ID, how="left")
        if rules.toxicity_absent == "none":
            no_row = pl.when(pl.col(name).is_null()).then(pl.lit("no row in toxicities"))
            out = out.with_columns(pl.coalesce(f"{name}_source", no_row).alias(f"{name}_source"),
                                   pl.col(name).fill_null(0))  # fmt: skip
    return out
