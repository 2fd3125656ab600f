"""Best change of the measured disease after the index infusion, for the waterfall of best responses.

Baseline: the last size on or before the day of the infusion. Best change: the smallest size after it, up to the first
progression (that assessment included) and to a new anticancer therapy, as a percentage of the baseline
(Lugano 2014: change of the sum of the products of the diameters).
"""

from __future__ import annotations

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.raw_tables import ROW, TIME

ID = "patient_id"
COLUMN = "best_size_change"


def size_change(cohort: Cohort, base: pl.DataFrame) -> pl.DataFrame:
    """Return the best change in percent; no row where there is no baseline above 0, or no later size.

    Parameters
    ----------
    base
        Patients with `_index`, the day of the infusion, and `therapy_t`, after which assessments do not count.
    """
    responses = cohort.tables.get("responses")
    if responses is None or "size" not in responses.columns:
        return pl.DataFrame(schema={ID: pl.String, COLUMN: pl.Float64})
    own = responses.select(ID, TIME, ROW, "response", "size")
    rows = own.join(base.select(ID, "_index", "therapy_t"), on=ID, how="inner")
    rows = rows.with_columns(t=pl.col(TIME) - pl.col("_index")).sort(ID, "t", ROW)
    progression = rows.filter((pl.col("t") > 0) & (pl.col("response") == "PD")).group_by(ID).agg(_pd=pl.col("t").min())
    sized = rows.drop_nulls("size").join(progression, on=ID, how="left")
    before = sized.filter(pl.col("t") <= 0).group_by(ID, maintain_order=True).agg(_before=pl.col("size").last())
    counted = (pl.col("t") > 0) & (pl.col("t") <= pl.min_horizontal("_pd", "therapy_t").fill_null(pl.col("t")))
    after = sized.filter(counted).group_by(ID).agg(_after=pl.col("size").min())
    both = before.filter(pl.col("_before") > 0).join(after, on=ID, how="inner")
    return both.select(ID, (100 * (pl.col("_after") / pl.col("_before") - 1)).alias(COLUMN))


def has_sizes(cohort: Cohort) -> bool:
    """Tell whether a cohort's assessments hold sizes."""
    return "responses" in cohort.tables and "size" in cohort.tables["responses"].columns
