"""Endpoints of one index infusion, derived from dated tables by the plan's rules.

Conventions. Time zero is the day of the index infusion; `t` is days since. An assessment counts from t > 0 up to
the *horizon*: the first new anticancer therapy or the next CAR-T infusion, whichever is first; an assessment on the
very day of the horizon is taken as made before it. `NE` is no adequate assessment. Every endpoint comes with a
`<endpoint>_source` column: the table and row that decided it.

Sources: PFS, FDA guidance on clinical trial endpoints (2018); best response, iwCLL 2018, Lugano 2014, NCCN.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.design import Rules
from reinfuse.cohort.raw import ROW, TIME
from reinfuse.cohort.schema import RESPONSES
from reinfuse.cohort.sizes import COLUMN as SIZE_CHANGE
from reinfuse.cohort.sizes import has_sizes, size_change

ID = "patient_id"
_NOT_THERE = {ID: pl.String, "t": pl.Int64, "source": pl.String}


def derive(cohort: Cohort, index: int, rules: Rules) -> pl.DataFrame:
    """Derive every endpoint of the patients who had the index infusion.

    Parameters
    ----------
    cohort
        A checked cohort of dated tables.
    index
        Number of the index infusion.
    rules
        The plan's rules.

    Returns
    -------
    polars.DataFrame
        One row a patient, endpoints under the wide sheet's standard names, times in days, events ``yes``/``no``.
    """
    base = _base(cohort, index)
    therapy = _first_new_therapy(cohort, base, index, rules)
    base = base.join(therapy, on=ID, how="left")
    horizon = pl.col("therapy_t") if rules.censor_at_new_therapy else pl.lit(None, dtype=pl.Int64)
    base = base.with_columns(_horizon=horizon)
    assessed = _since_index(cohort, "responses", base)
    frame = base.join(_best_response(assessed, rules), on=ID, how="left")
    frame = frame.join(_first_progression(assessed), on=ID, how="left")
    frame = _pfs(frame, assessed, rules)
    frame = _os_ttnt(frame)
    frame = _relapse_nrm(frame)
    frame = _dor(frame)
    frame = frame.join(_umrd(cohort, base, rules), on=ID, how="left")
    frame = frame.join(_first_transplant(cohort, base), on=ID, how="left")
    frame = frame.join(size_change(cohort, base), on=ID, how="left")
    return _tidy(frame.join(_toxicities(cohort, base, index, rules), on=ID, how="left"), cohort)


def _first_transplant(cohort: Cohort, base: pl.DataFrame) -> pl.DataFrame:
    """Return the day of the first allogeneic transplant after the index infusion."""
    therapies = cohort.tables.get("therapies")
    if therapies is None or "kind" not in therapies.columns:
        return pl.DataFrame(schema={ID: pl.String, "transplant_day": pl.Int64})
    given = therapies.filter(pl.col("kind") == "allo-HCT").join(base.select(ID, "_index"), on=ID, how="inner")
    after = given.with_columns(t=pl.col(TIME) - pl.col("_index")).filter(pl.col("t") > 0)
    return after.group_by(ID).agg(transplant_day=pl.col("t").min())


def words(flags: pl.Expr) -> pl.Expr:
    """Return yes, no or null for true, false or null."""
    return pl.when(flags).then(pl.lit("yes")).when(~flags).then(pl.lit("no"))


def responder_set(rules: Rules, diagnosis: str | None) -> tuple[str, ...]:
    """Return the best responses that count as response in a diagnosis."""
    return rules.responders_by_diagnosis.get(diagnosis or "", rules.responders)


def is_responder(rules: Rules, response: str = "response", diagnosis: str = "diagnosis") -> pl.Expr:
    """Return the expression that tells whether a best response counts as response in its diagnosis."""
    expr = pl.col(response).is_in(list(rules.responders))
    for name, responses in rules.responders_by_diagnosis.items():
        mine = pl.col(response).is_in(list(responses))
        expr = pl.when(pl.col(diagnosis) == name).then(mine).otherwise(expr)
    return expr.fill_null(False)


def _row(table: str) -> pl.Expr:
    return pl.format(table + " row {}", pl.col(ROW))


def _base(cohort: Cohort, index: int) -> pl.DataFrame:
    """Return patients with the index infusion: its day, death and last contact counted from it."""
    given = cohort.tables["infusions"].filter(pl.col("infusion") == index)
    given = given.select(ID, _index=pl.col(TIME), index_source=_row("infusions"))
    people = cohort.tables["patients"].select(ID, "diagnosis", "death", "last_contact", person=_row("patients"))
    return given.join(people, on=ID, how="inner").with_columns(
        death_t=pl.col("death") - pl.col("_index"),
        last_t=pl.coalesce("last_contact", "death") - pl.col("_index"),
    )


def _since_index(cohort: Cohort, table: str, base: pl.DataFrame) -> pl.DataFrame:
    """Return a table's rows after the index infusion, with `t` and the horizon; empty if there is no table."""
    if table not in cohort.tables:
        return base.clear().with_columns(t=pl.lit(0, dtype=pl.Int64), **{ROW: pl.lit(0), "response": pl.lit("")})
    have = cohort.tables[table]
    own = have.select(ID, TIME, ROW, *(c for c in ("response", "result", "value") if c in have.columns))
    joined = own.join(base.select(ID, "_index", "_horizon", "diagnosis"), on=ID, how="inner")
    return joined.with_columns(t=pl.col(TIME) - pl.col("_index")).filter(pl.col("t") > 0)


def _first(frame: pl.DataFrame, table: str, prefix: str) -> pl.DataFrame:
    """Return each patient's earliest row: its `t` and its source, under a prefix."""
    first = frame.sort("t", ROW).unique(ID, keep="first", maintain_order=True)
    return first.select(ID, pl.col("t").alias(f"{prefix}_t"), _row(table).alias(f"{prefix}_source"))


def _first_new_therapy(cohort: Cohort, base: pl.DataFrame, index: int, rules: Rules) -> pl.DataFrame:
    """Return the first new anticancer therapy; the next CAR-T infusion is one."""
    infusions = cohort.tables["infusions"].filter(pl.col("infusion") == index + 1)
    parts = [infusions.select(ID, TIME, ROW, source=_row("infusions"))]
    if "therapies" in cohort.tables:
        therapies = cohort.tables["therapies"]
        kind = pl.col("kind") if "kind" in therapies.columns else pl.lit(None, dtype=pl.String)
        left_out = ["supportive", *(() if rules.transplant_is_new_therapy else ("allo-HCT", "auto-HCT"))]
        new = therapies.filter(~kind.fill_null("anticancer").is_in(left_out))
        parts.append(new.select(ID, TIME, ROW, source=_row("therapies")))
    rows = pl.concat(parts).join(base.select(ID, "_index"), on=ID, how="inner")
    rows = rows.with_columns(t=pl.col(TIME) - pl.col("_index")).filter(pl.col("t") > 0)
    first = rows.sort("t", "source").unique(ID, keep="first", maintain_order=True)
    return first.select(ID, therapy_t="t", therapy_source="source")


def _before_horizon() -> pl.Expr:
    return pl.col("_horizon").is_null() | (pl.col("t") <= pl.col("_horizon"))


def _best_response(assessed: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return best response before progression and horizon, its row, and the day of the first response."""
    rank = pl.col("response").replace_strict(dict(zip(RESPONSES, range(len(RESPONSES)), strict=True)), default=None)
    counted = assessed.filter(_before_horizon()).with_columns(rank=rank.cast(pl.Int64))
    progression = pl.col("t").filter(pl.col("response") == "PD").min().over(ID)
    counted = counted.filter(progression.is_null() | (pl.col("t") < progression) | (pl.col("response") == "PD"))
    best = counted.sort("rank", "t", ROW).unique(ID, keep="first", maintain_order=True)
    good = counted.filter(is_responder(rules))
    first = good.group_by(ID).agg(response_t=pl.col("t").min())
    return best.select(ID, "response", response_source=_row("responses")).join(first, on=ID, how="left")


def _first_progression(assessed: pl.DataFrame) -> pl.DataFrame:
    """Return the first PD up to the horizon, the first at all, and the last adequate assessment."""
    bad = assessed.filter(pl.col("response") == "PD")
    counted = _first(bad.filter(_before_horizon()), "responses", "pd")
    ever = _first(bad, "responses", "pd_ever")
    return counted.join(ever, on=ID, how="full", coalesce=True)


def _last_adequate(frame: pl.DataFrame, assessed: pl.DataFrame) -> pl.DataFrame:
    """Return the last adequate assessment up to the horizon and before the event."""
    adequate = assessed.filter((pl.col("response") != "NE") & _before_horizon())
    adequate = adequate.join(frame.select(ID, "event_t"), on=ID, how="inner")
    adequate = adequate.filter(pl.col("event_t").is_null() | (pl.col("t") < pl.col("event_t")))
    last = adequate.sort("t", ROW, descending=[True, False]).unique(ID, keep="first", maintain_order=True)
    return last.select(ID, adequate_t="t", adequate_source=_row("responses"))


def _pfs(frame: pl.DataFrame, assessed: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Progression, relapse or death, else censored at the last adequate assessment, or at day 0 if there is none."""
    death = pl.when(pl.col("_horizon").is_null() | (pl.col("death_t") <= pl.col("_horizon"))).then("death_t")
    frame = frame.with_columns(event_t=pl.min_horizontal("pd_t", death))
    frame = frame.join(_last_adequate(frame, assessed), on=ID, how="left")
    last = pl.col("adequate_t").fill_null(0)
    gap = pl.lit(False) if rules.max_gap_days is None else (pl.col("event_t") - last) > rules.max_gap_days
    event = pl.col("event_t").is_not_null() & ~gap
    progressed = pl.col("pd_t").is_not_null() & (pl.col("pd_t") == pl.col("event_t"))
    cause = pl.when(progressed).then("pd_source").otherwise("person")
    return frame.with_columns(
        pfs_days=pl.when(event).then("event_t").otherwise(last),
        pfs_event=event,
        pfs_source=pl.when(event).then(cause).otherwise(pl.coalesce("adequate_source", "index_source")),
    )


def _os_ttnt(frame: pl.DataFrame) -> pl.DataFrame:
    """Survival: death, else last contact. Time to next treatment: new therapy or death, else last contact."""
    died = pl.col("death_t").is_not_null()
    treated = pl.col("therapy_t").is_not_null()
    return frame.with_columns(
        os_days=pl.coalesce("death_t", "last_t"), os_event=died, os_source="person",
        ttnt_days=pl.coalesce(pl.min_horizontal("therapy_t", "death_t"), "last_t"), ttnt_event=treated | died,
        ttnt_source=pl.when(treated).then("therapy_source").otherwise("person"),
    )  # fmt: skip


def _relapse_nrm(frame: pl.DataFrame) -> pl.DataFrame:
    """Relapse or progression, and death without it: each competes with the other; else last contact."""
    relapsed = pl.col("pd_ever_t").is_not_null()
    time = pl.coalesce("pd_ever_t", "death_t", "last_t")
    source = pl.when(relapsed).then("pd_ever_source").otherwise("person")
    died = ~relapsed & pl.col("death_t").is_not_null()
    return frame.with_columns(relapse_days=time, relapse_event=relapsed, relapse_source=source,
                              nrm_days=time, nrm_event=died, nrm_source=source)  # fmt: skip


def _dor(frame: pl.DataFrame) -> pl.DataFrame:
    """Duration of response, responders only: from the first response, as PFS."""
    responded = pl.col("response_t").is_not_null()
    return frame.with_columns(
        dor_days=pl.when(responded).then(pl.max_horizontal(pl.col("pfs_days") - pl.col("response_t"), 0)),
        dor_event=pl.when(responded).then("pfs_event"), dor_source=pl.when(responded).then("pfs_source"),
    )  # fmt: skip


def _umrd(cohort: Cohort, base: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Of the tests in the window, those nearest to day 28; detectable wins where they differ."""
    empty = pl.DataFrame(schema={ID: pl.String, "umrd_day28": pl.Boolean, "umrd_day28_day": pl.Int64,
                                 "umrd_day28_source": pl.String})  # fmt: skip
    if "mrd" not in cohort.tables:
        return empty
    tests = _since_index(cohort, "mrd", base)
    value = pl.col("value") if "value" in tests.columns else pl.lit(None, dtype=pl.Float64)
    result = pl.col("result") if "result" in tests.columns else pl.lit(None, dtype=pl.String)
    undetectable = pl.coalesce(result == "undetectable", value < rules.umrd_threshold)
    low, high = rules.umrd_window
    tests = tests.with_columns(umrd_day28=undetectable).filter(
        pl.col("t").is_between(low, high) & _before_horizon() & pl.col("umrd_day28").is_not_null()
    )
    away = (pl.col("t") - rules.umrd_day).abs()
    chosen = tests.sort(away, "umrd_day28", "t", ROW).unique(ID, keep="first", maintain_order=True)
    return chosen.select(ID, "umrd_day28", umrd_day28_day="t", umrd_day28_source=_row("mrd"))


def grade_name(kind: str) -> str:
    """Return the column of the worst grade of a kind of toxicity: `crs_grade`, `toxicity_infection_grade`."""
    plain = "_".join("".join(c if c.isalnum() else " " for c in kind.casefold()).split())
    return f"{plain}_grade" if plain in ("crs", "icans", "nt") else f"toxicity_{plain}_grade"


def _toxicities(cohort: Cohort, base: pl.DataFrame, index: int, rules: Rules) -> pl.DataFrame:
    """Worst grade of each kind after the index infusion, and the row that holds it."""
    out = base.select(ID)
    if "toxicities" not in cohort.tables:
        return out
    every = cohort.tables["toxicities"].drop_nulls("kind")
    names = {kind: grade_name(kind) for kind in every["kind"].unique()}
    every = every.with_columns(name=pl.col("kind").replace_strict(names, return_dtype=pl.String))
    mine = every.filter(pl.col("infusion") == index).sort("grade", ROW, descending=[True, False])
    worst = mine.unique([ID, "name"], keep="first", maintain_order=True)
    for name in every["name"].unique().sort():
        one = worst.filter(pl.col("name") == name)
        one = one.select(ID, pl.col("grade").alias(name), _row("toxicities").alias(f"{name}_source"))
        out = out.join(one, on=ID, how="left")
        if rules.toxicity_absent == "none":
            said = pl.when(pl.col(name).is_null()).then(pl.lit("no row in toxicities"))
            out = out.with_columns(pl.coalesce(f"{name}_source", said).alias(f"{name}_source"),
                                   pl.col(name).fill_null(0))  # fmt: skip
    return out


LEARNT_ON = {"response_day": "responses", "umrd_day28_day": "mrd", "transplant_day": "therapies"}
"""Days on which something was learnt after the index infusion, and the table that tells."""
_ENDPOINTS: Sequence[str] = ("response", "umrd_day28", "pfs", "os", "dor", "ttnt", "relapse", "nrm")


def _tidy(frame: pl.DataFrame, cohort: Cohort) -> pl.DataFrame:
    """Keep the standard columns, in order; an endpoint whose table is absent is left out."""
    absent = {e for e, table in (("response", "responses"), ("pfs", "responses"), ("dor", "responses"),
                                 ("relapse", "responses"), ("nrm", "responses"), ("umrd_day28", "mrd"))
              if table not in cohort.tables}  # fmt: skip
    kept = [e for e in _ENDPOINTS if e not in absent]
    timed = [c for e in kept if e not in ("response", "umrd_day28") for c in (f"{e}_days", f"{e}_event")]
    plain = [e for e in kept if e in ("response", "umrd_day28")]
    grades = [c for c in frame.columns if c.endswith("_grade")]
    sources = [f"{c}_source" for c in (*kept, *grades)]
    said = frame.with_columns(words(pl.col(pl.Boolean)).name.keep())
    when = [c for c, table in LEARNT_ON.items() if table in cohort.tables]
    when += [SIZE_CHANGE] if has_sizes(cohort) else []
    days = [pl.col(c).cast(pl.Float64) for c in (*timed, *when) if not c.endswith("_event")]
    said = said.rename({"response_t": "response_day"})
    return said.select(ID, *plain, *grades, *timed, *when, *sources).with_columns(days)
