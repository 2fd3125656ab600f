"""Days since the index infusion: who had it, when other therapy began, and each table's rows on that scale."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.raw_tables import ROW, TIME

ID = "patient_id"
_COLUMNS = ("response", "result", "value", "compartment")


_EPOCH = date(1970, 1, 1)


def calendar(cohort: Cohort, index: int) -> tuple[date, date] | None:
    """Return the date of the first index infusion and the last date of any table; None where there are no dates."""
    infusions = cohort.tables.get("infusions")
    if infusions is None or "date" not in infusions.columns:
        return None
    first = infusions.filter(pl.col("infusion") == index)[TIME].drop_nulls().min()
    columns = [frame[c] for frame in cohort.tables.values() for c in (TIME, "last_contact", "death") if c in frame]
    last = max((int(m) for c in columns if isinstance(m := c.drop_nulls().max(), int)), default=None)
    if not isinstance(first, int) or last is None:
        return None
    return _EPOCH + timedelta(days=first), _EPOCH + timedelta(days=last)


def row_of(table: str) -> pl.Expr:
    """Return the table and the row as text, the source of what is derived from it."""
    return pl.format(table + " row {}", pl.col(ROW))


def with_index(cohort: Cohort, index: int, *, rules: Rules) -> pl.DataFrame:
    """Return patients with the index infusion, days counted from it.

    Returns
    -------
    polars.DataFrame
        `_index` (its day), `index_source`; `death_t`, `last_t`, `person` (their row); `therapy_t`, `therapy_source`:
        first new anticancer therapy, the next CAR-T infusion among them.
    """
    given = cohort.tables["infusions"].filter(pl.col("infusion") == index)
    given = given.select(ID, _index=pl.col(TIME), index_source=row_of("infusions"))
    patients = cohort.tables["patients"]
    cause = pl.col("death_cause") if "death_cause" in patients.columns else pl.lit(None, dtype=pl.String)
    people = patients.select(ID, "diagnosis", "death", "last_contact", death_cause=cause, person=row_of("patients"))
    base = given.join(people, on=ID, how="inner").with_columns(
        death_t=pl.col("death") - pl.col("_index"),
        last_t=pl.coalesce("last_contact", "death") - pl.col("_index"),
    )
    return base.join(_first_new_therapy(cohort, base, index, rules=rules), on=ID, how="left")


def since_index(cohort: Cohort, table: str, *, base: pl.DataFrame) -> pl.DataFrame:
    """Return a table's rows after the index infusion, with `t` and `therapy_t`; empty if there is no table."""
    if table not in cohort.tables:
        return base.clear().with_columns(t=pl.lit(0, dtype=pl.Int64), **{ROW: pl.lit(0), "response": pl.lit("")})
    have = cohort.tables[table]
    own = have.select(ID, TIME, ROW, *(c for c in _COLUMNS if c in have.columns))
    joined = own.join(base.select(ID, "_index", "therapy_t", "diagnosis"), on=ID, how="inner")
    return joined.with_columns(t=pl.col(TIME) - pl.col("_index")).filter(pl.col("t") > 0)


def before_therapy() -> pl.Expr:
    """Return the expression that tells whether a row is no later than a new anticancer therapy."""
    return pl.col("therapy_t").is_null() | (pl.col("t") <= pl.col("therapy_t"))


def first_row(frame: pl.DataFrame, table: str, *, prefix: str) -> pl.DataFrame:
    """Return each patient's earliest row: its `t` and its source, under a prefix."""
    first = frame.sort("t", ROW).unique(ID, keep="first", maintain_order=True)
    return first.select(ID, pl.col("t").alias(f"{prefix}_t"), row_of(table).alias(f"{prefix}_source"))


def _first_new_therapy(cohort: Cohort, base: pl.DataFrame, index: int, *, rules: Rules) -> pl.DataFrame:
    infusions = cohort.tables["infusions"].filter(pl.col("infusion") == index + 1)
    parts = [infusions.select(ID, TIME, ROW, source=row_of("infusions"))]
    if "therapies" in cohort.tables:
        therapies = cohort.tables["therapies"]
        kind = pl.col("kind") if "kind" in therapies.columns else pl.lit(None, dtype=pl.String)
        left_out = ["supportive", *(() if rules.transplant_is_new_therapy else ("allo-HCT", "auto-HCT"))]
        new = therapies.filter(~kind.fill_null("anticancer").is_in(left_out))
        parts.append(new.select(ID, TIME, ROW, source=row_of("therapies")))
    rows = pl.concat(parts).join(base.select(ID, "_index"), on=ID, how="inner")
    rows = rows.with_columns(t=pl.col(TIME) - pl.col("_index")).filter(pl.col("t") > 0)
    first = rows.sort("t", "source").unique(ID, keep="first", maintain_order=True)
    return first.select(ID, therapy_t="t", therapy_source="source")
