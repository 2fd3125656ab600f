"""Planned split doses: an infusion given in parts is one infusion, wherever it is looked at.

A part is an infusion whose `reason` is planned, given within the plan's `split_dose_days` of the infusion (or part)
before it. The whole has the day, lymphodepletion and baseline columns of its first part, the sum of the doses (missing
where a part's dose is), and the toxicities of all parts. Infusions that follow are numbered anew, so that CART2 is the
second infusion that was no part of the first.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.raw_tables import DERIVED, ROW, TIME

ID = "patient_id"
DOSE = "dose_cells_per_kg"
_PART, _WHOLE, _SUM = (f"{DERIVED}{name}" for name in ("part", "whole", "sum"))


def with_whole_doses(cohort: Cohort, rules: Rules) -> Cohort:
    """Return the cohort with every split dose as one infusion, and its further parts in `split_doses`.

    Returns
    -------
    Cohort
        The same one where there is none; done again, it changes nothing.
    """
    infusions = cohort.tables.get("infusions")
    if infusions is None or "reason" not in infusions.columns:
        return cohort
    planned = (pl.col("reason") == "planned").fill_null(False)
    ordered = infusions.sort(ID, "infusion").with_columns((planned & _soon(rules)).alias(_PART))
    if not ordered[_PART].any():
        return cohort
    ordered = ordered.with_columns((~pl.col(_PART)).cum_sum().over(ID).cast(infusions["infusion"].dtype).alias(_WHOLE))
    all_given = pl.col(DOSE).null_count() == 0
    doses = ordered.group_by(ID, _WHOLE).agg(pl.when(all_given).then(pl.col(DOSE).sum()).alias(_SUM))
    whole = ordered.filter(~pl.col(_PART)).join(doses, on=[ID, _WHOLE], how="left", maintain_order="left")
    whole = whole.with_columns(infusion=_WHOLE, **{DOSE: pl.col(_SUM)}).select(infusions.columns).sort(ROW)
    tables = {**cohort.tables, "infusions": whole}
    if "toxicities" in tables:
        tables["toxicities"] = _renumbered(tables["toxicities"], ordered)
    parts = ordered.filter(_PART).select(ID, TIME, ROW, "infusion", whole=_WHOLE)
    return replace(cohort, tables=tables, split_doses=parts)


def unexplained(cohort: Cohort, rules: Rules) -> pl.DataFrame:
    """Return the infusions that came as soon after another as a split dose would, but for no recorded reason."""
    infusions = cohort.tables["infusions"].sort(ID, "infusion")
    reason = pl.col("reason") if "reason" in infusions.columns else pl.lit(None, dtype=pl.String)
    return infusions.filter(reason.is_null() & _soon(rules))


def _soon(rules: Rules) -> pl.Expr:
    gap = pl.col(TIME) - pl.col(TIME).shift(1).over(ID)
    return (gap <= rules.split_dose_days).fill_null(False)


def _renumbered(toxicities: pl.DataFrame, ordered: pl.DataFrame) -> pl.DataFrame:
    """Return toxicities under the number of the whole infusion."""
    numbers = ordered.select(ID, "infusion", _WHOLE)
    joined = toxicities.join(numbers, on=[ID, "infusion"], how="left", maintain_order="left")
    return joined.with_columns(infusion=pl.coalesce(_WHOLE, "infusion")).drop(_WHOLE)
