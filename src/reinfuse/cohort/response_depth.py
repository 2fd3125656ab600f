"""How deep and how lasting a response was: confirmed, its first day, duration of CR, undetectable MRD at any time.

Derived where the plan says so (`depth`). Confirmed: responding assessments at least `confirmation_days` apart, with no
progression and no new therapy before the second. Duration of CR: as duration of response, from the first complete
response. Undetectable MRD at any time: on a day, of several compartments the first that the plan names decides, and
detectable takes precedence; it lasts until a later day with detectable MRD, progression, relapse or death.
"""

from __future__ import annotations

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.raw_tables import ROW
from reinfuse.cohort.residual_disease import tests_of
from reinfuse.cohort.responders import counted, is_complete, is_responder
from reinfuse.cohort.study_days import ID, before_therapy, row_of


def with_depth(frame: pl.DataFrame, cohort: Cohort, base: pl.DataFrame, *, assessed: pl.DataFrame,
               rules: Rules) -> pl.DataFrame:  # fmt: skip
    """Add the endpoints of depth to the derived ones.

    Parameters
    ----------
    frame
        One row a patient: `response_t`, and `dor_days`, `dor_event`, `dor_source` counted from the index infusion.
    base
        From `with_index`.
    assessed
        The assessments of response, with `t`.
    """
    frame = frame.join(_responses(assessed, rules), on=ID, how="left")
    responded, complete = pl.col("response_t").is_not_null(), pl.col("cr_t").is_not_null()
    row = pl.coalesce("confirmed_source", "response_source")
    since = pl.max_horizontal(pl.col("dor_days") - pl.col("cr_t"), 0)
    frame = frame.with_columns(
        confirmed_response=pl.col("confirmed_source").is_not_null(), confirmed_response_source=row,
        response_time_days="response_t", response_time_event=pl.when(responded).then(True),
        response_time_source="first_response_source",
        docr_days=pl.when(complete).then(since), docr_event=pl.when(complete).then("dor_event"),
        docr_source=pl.when(complete).then("dor_source"),
    )  # fmt: skip
    return (
        frame if "mrd" not in cohort.tables else frame.join(_umrd(frame, cohort, base, rules=rules), on=ID, how="left")
    )


def _responses(assessed: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return the row of the first response and of the assessment that confirmed it, and the day of the first CR."""
    good = counted(assessed).filter(is_responder(rules)).sort("t", ROW)
    first = pl.col("t").min().over(ID)
    later = good.filter(pl.col("t") - first >= rules.confirmation_days).unique(ID, keep="first", maintain_order=True)
    each = good.unique(ID, keep="first", maintain_order=True).select(ID, first_response_source=row_of("responses"))
    complete = good.filter(is_complete(rules)).group_by(ID).agg(cr_t=pl.col("t").min())
    each = each.join(later.select(ID, confirmed_source=row_of("responses")), on=ID, how="left")
    return each.join(complete, on=ID, how="left")


def _umrd(frame: pl.DataFrame, cohort: Cohort, base: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    """Return whether MRD was ever undetectable, of who was tested, and how long it was."""
    tests = tests_of(cohort, base, rules=rules)
    tests = tests if not rules.censor_dor_at_new_therapy else tests.filter(before_therapy())
    order = {name: place for place, name in enumerate(rules.umrd_compartments)}
    place = pl.col("compartment").replace_strict(order, default=None, return_dtype=pl.Int64)
    days = tests.sort("t", place, "undetectable", ROW).unique([ID, "t"], keep="first", maintain_order=True)
    counting = days.filter(before_therapy())
    below = counting.filter(pl.col("undetectable")).unique(ID, keep="first", maintain_order=True)
    below = below.select(ID, umrd_t="t", below_source=row_of("mrd"))
    tested = counting.unique(ID, keep="first", maintain_order=True).select(ID, tested_source=row_of("mrd"))
    after = days.join(below, on=ID).filter(pl.col("t") > pl.col("umrd_t"))
    lost = after.filter(~pl.col("undetectable")).unique(ID, keep="first", maintain_order=True)
    last = days.join(below, on=ID).group_by(ID).agg(last_test_t=pl.col("t").max(), last_row=row_of("mrd").last())
    rows = tested.join(below, on=ID, how="left").join(last, on=ID, how="left")
    rows = rows.join(lost.select(ID, lost_t="t", lost_source=row_of("mrd")), on=ID, how="left")
    rows = rows.join(frame.select(ID, "dor_days", "dor_event", "dor_source"), on=ID, how="inner")
    ended = pl.when(pl.col("dor_event")).then("dor_days")
    had = pl.col("umrd_t").is_not_null()
    by_test = pl.col("lost_t").is_not_null() & (ended.is_null() | (pl.col("lost_t") <= ended))
    end = pl.when(by_test).then("lost_t").when(pl.col("dor_event")).then("dor_days").otherwise("last_test_t")
    source = pl.when(by_test).then("lost_source").when(pl.col("dor_event")).then("dor_source").otherwise("last_row")
    return rows.select(
        ID, umrd_best=had, umrd_best_source=pl.coalesce("below_source", "tested_source"),
        umrd_duration_days=pl.when(had).then(pl.max_horizontal(end - pl.col("umrd_t"), 0)),
        umrd_duration_event=pl.when(had).then(by_test | pl.col("dor_event")),
        umrd_duration_source=pl.when(had).then(source),
    )  # fmt: skip
