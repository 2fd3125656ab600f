"""Endpoints of one index infusion, derived from dated tables by the plan's rules.

Conventions. Time zero is the day of the index infusion; `t` is days since. An assessment counts from t > 0 up to the
first new anticancer therapy (the next CAR-T infusion is one), made before it if on its very day. Only PFS and DOR can
go on through it, where the plan says so. `NE`: no adequate assessment. `<endpoint>_source`: table and row that decided.

Sources: PFS, FDA guidance on clinical trial endpoints (2018); best response, iwCLL 2018, Lugano 2014, NCCN; EFS,
ELN 2022, after FDA guidance on acute myeloid leukemia (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, BuiltInEndpoint
from reinfuse.cohort.raw_tables import ROW, TIME
from reinfuse.cohort.residual_disease import COMPARTMENT, umrd
from reinfuse.cohort.responders import counted, is_responder
from reinfuse.cohort.response_depth import with_depth
from reinfuse.cohort.schema import RESPONSES
from reinfuse.cohort.split_doses import with_whole_doses
from reinfuse.cohort.study_days import ID, before_therapy, first_row, row_of, since_index, with_index
from reinfuse.cohort.toxicity_grades import worst_grades
from reinfuse.cohort.tumour_size import COLUMN as SIZE_CHANGE
from reinfuse.cohort.tumour_size import has_sizes, size_change


def derive(cohort: Cohort, index: int, *, rules: Rules, whole: bool = True) -> pl.DataFrame:
    """Derive every endpoint of the patients who had the index infusion.

    Parameters
    ----------
    cohort
        A checked cohort of dated tables.
    index
        Number of the index infusion; a planned split dose has none of its own (`split`).
    rules
        The plan's rules.
    whole
        False: without MRD in its window, transplants, sizes and grades, on which no response or time depends.

    Returns
    -------
    polars.DataFrame
        One row a patient, endpoints under the wide sheet's standard names, times in days, events ``yes``/``no``.
    """
    cohort = with_whole_doses(cohort, rules)
    base = with_index(cohort, index, rules=rules)
    assessed = since_index(cohort, "responses", base=base)
    frame = base.join(_best_response(assessed, rules), on=ID, how="left")
    frame = frame.join(_first_progression(assessed), on=ID, how="left")
    in_response = _progression_free(frame, assessed, rules, "dor", until_therapy=rules.censor_dor_at_new_therapy)
    frame = frame.join(in_response, on=ID, how="left")
    through = _progression_free(frame, assessed, rules, "pfs", until_therapy=rules.censor_at_new_therapy)
    frame = frame.join(through, on=ID, how="left")
    if rules.efs != "none":
        frame = _efs(frame, rules)
    frame = _os_ttnt(frame)
    frame = _relapse_nrm(frame, rules)
    if rules.depth != "none":
        frame = with_depth(frame, cohort, base, assessed=assessed, rules=rules)
    frame = _dor(frame)
    if not whole:
        return _tidy(frame, cohort)
    if "mrd" in cohort.tables:
        frame = frame.join(umrd(cohort, base, rules=rules), on=ID, how="left")
    frame = frame.join(_first_transplant(cohort, base), on=ID, how="left")
    frame = frame.join(size_change(cohort, base), on=ID, how="left")
    return _tidy(frame.join(worst_grades(cohort, base, index, rules=rules), on=ID, how="left"), cohort)


def is_derived(endpoint: BuiltInEndpoint, rules: Rules) -> bool:
    """Tell whether the plan has an endpoint derived."""
    return endpoint.switch is None or getattr(rules, endpoint.switch) != "none"


def _first_transplant(cohort: Cohort, base: pl.DataFrame) -> pl.DataFrame:
    """Return the day of the first allogeneic transplant after the index infusion."""
    therapies = cohort.tables.get("therapies")
    if therapies is None or "kind" not in therapies.columns:
        return pl.DataFrame(schema={ID: pl.String, "transplant_day": pl.Int64})
    given = (
        therapies.filter(pl.col("kind") == "allo-HCT")
        .select(ID, TIME)
        .join(base.select(ID, "_index"), on=ID, how="inner")
    )
    after = given.with_columns(t=pl.col(TIME) - pl.col("_index")).filter(pl.col("t") > 0)
    return after.group_by(ID).agg(transplant_day=pl.col("t").min())


def words(flags: pl.Expr) -> pl.Expr:
    """Return yes, no or null for true, false or null."""
    return pl.when(flags).then(pl.lit("yes")).when(~flags).then(pl.lit("no"))


def _best_response(assessed: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return best response before progression and new therapy, its row, days of first assessment and response."""
    rank = pl.col("response").replace_strict(dict(zip(RESPONSES, range(len(RESPONSES)), strict=True)), default=None)
    adequate = assessed.filter(before_therapy() & (pl.col("response") != "NE"))
    visit = adequate.group_by(ID).agg(**{FIRST_ASSESSED: pl.col("t").min()})
    rows = counted(assessed).with_columns(rank=rank.cast(pl.Int64))
    early = (pl.col("response") == "SD") & (pl.col("t") < rules.sd_min_days)
    response = pl.when(early).then(pl.lit("NE")).otherwise("response")
    ranked = rows.with_columns(response=response, rank=pl.when(early).then(RESPONSES.index("NE")).otherwise("rank"))
    best = ranked.sort("rank", "t", ROW).unique(ID, keep="first", maintain_order=True)
    good = rows.filter(is_responder(rules))
    first = good.group_by(ID).agg(response_t=pl.col("t").min())
    best = best.select(ID, "response", response_source=row_of("responses"))
    return best.join(first, on=ID, how="left").join(visit, on=ID, how="left")


def _first_progression(assessed: pl.DataFrame) -> pl.DataFrame:
    """Return the first PD up to a new therapy, and the first at all."""
    bad = assessed.filter(pl.col("response") == "PD")
    counted = first_row(bad.filter(before_therapy()), "responses", prefix="pd")
    ever = first_row(bad, "responses", prefix="pd_ever")
    return counted.join(ever, on=ID, how="full", coalesce=True)


def _progression_free(frame: pl.DataFrame, assessed: pl.DataFrame, rules: Rules, name: str, *,
                      until_therapy: bool) -> pl.DataFrame:  # fmt: skip
    """Progression, relapse or death, else censored at the last adequate assessment, or at day 0 if there is none.

    Parameters
    ----------
    until_therapy
        Whether a new anticancer therapy ends it; else it goes on through it.
    """
    death = pl.col("death_t")
    if until_therapy:
        assessed = assessed.filter(before_therapy())
        death = pl.when(pl.col("therapy_t").is_null() | (death <= pl.col("therapy_t"))).then(death)
    pd = "pd" if until_therapy else "pd_ever"
    frame = frame.with_columns(event_t=pl.min_horizontal(f"{pd}_t", death))
    adequate = assessed.filter(pl.col("response") != "NE").join(frame.select(ID, "event_t"), on=ID, how="inner")
    adequate = adequate.filter(pl.col("event_t").is_null() | (pl.col("t") < pl.col("event_t")))
    latest = adequate.sort("t", ROW, descending=[True, False]).unique(ID, keep="first", maintain_order=True)
    frame = frame.join(latest.select(ID, adequate_t="t", adequate_source=row_of("responses")), on=ID, how="left")
    last = pl.col("adequate_t").fill_null(0)
    gap = pl.lit(False) if rules.max_gap_days is None else (pl.col("event_t") - last) > rules.max_gap_days
    event = pl.col("event_t").is_not_null() & ~gap
    progressed = pl.col(f"{pd}_t").is_not_null() & (pl.col(f"{pd}_t") == pl.col("event_t"))
    cause = pl.when(progressed).then(f"{pd}_source").otherwise("person")
    source = pl.when(event).then(cause).otherwise(pl.coalesce("adequate_source", "index_source"))
    days = pl.when(event).then("event_t").otherwise(last)
    return frame.select(ID, days.alias(f"{name}_days"), event.alias(f"{name}_event"), source.alias(f"{name}_source"))


def _efs(frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """No response by a day of the plan, on day 0 or on the first day on which that was certain; else as PFS.

    It was certain on the day of progression or death; on that of a new therapy of a patient who had been assessed, as
    no later response counts; or, of a patient who had been assessed and was followed up to it, on the plan's day. Of
    others it is not known whether they responded: no event is made of it.
    """
    by = rules.efs_day
    responded = (pl.col("response_t") <= by).fill_null(False)
    assessed = (pl.col(FIRST_ASSESSED) <= by).fill_null(False)
    ended = pl.col("pfs_event") & (pl.col("pfs_days") <= by)
    treated = assessed & (pl.col("therapy_t") <= by).fill_null(False)
    followed = assessed & (pl.coalesce("death_t", "last_t") >= by)
    failed = ~responded & (ended | treated | followed)
    certain = pl.min_horizontal(pl.when(ended).then("pfs_days"), pl.when(treated).then("therapy_t"), pl.lit(by))
    by_event = ended & (pl.col("pfs_days") == certain)
    by_therapy = treated & (pl.col("therapy_t") == certain)
    row = pl.when(by_event).then("pfs_source").when(by_therapy).then("therapy_source").otherwise("response_source")
    ruled = pl.format(f"no response by day {by} ({{}})", row)
    if rules.efs == "day of failure":
        ruled = pl.when(by_event).then(row).otherwise(ruled)
    day = pl.lit(0) if rules.efs == "index day" else certain
    return frame.with_columns(
        efs_days=pl.when(failed).then(day).otherwise("pfs_days"), efs_event=failed | pl.col("pfs_event"),
        efs_source=pl.when(failed).then(ruled).otherwise("pfs_source"),
    )  # fmt: skip


def _os_ttnt(frame: pl.DataFrame) -> pl.DataFrame:
    """Survival: death, else last contact. Time to next treatment: new therapy or death, else last contact."""
    died = pl.col("death_t").is_not_null()
    treated = pl.col("therapy_t").is_not_null()
    return frame.with_columns(
        os_days=pl.coalesce("death_t", "last_t"), os_event=died, os_source="person",
        ttnt_days=pl.coalesce(pl.min_horizontal("therapy_t", "death_t"), "last_t"), ttnt_event=treated | died,
        ttnt_source=pl.when(treated).then("therapy_source").otherwise("person"),
    )  # fmt: skip


def _relapse_nrm(frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Relapse or progression, and death without it: each competes with the other; else last contact.

    Death of disease without a recorded progression is relapse on that day, unless the plan says otherwise.
    """
    recorded, died = pl.col("pd_ever_t").is_not_null(), pl.col("death_t").is_not_null()
    of_disease = died & (pl.col("death_cause") == "disease").fill_null(False)
    relapsed = recorded | of_disease if rules.death_of_disease == "relapse" else recorded
    time = pl.coalesce("pd_ever_t", "death_t", "last_t")
    source = pl.when(recorded).then("pd_ever_source").otherwise("person")
    return frame.with_columns(relapse_days=time, relapse_event=relapsed, relapse_source=source,
                              nrm_days=time, nrm_event=~relapsed & died, nrm_source=source)  # fmt: skip


def _dor(frame: pl.DataFrame) -> pl.DataFrame:
    """Duration of response, responders only: from the first response to progression or death before a new therapy."""
    responded = pl.col("response_t").is_not_null()
    return frame.with_columns(
        dor_days=pl.when(responded).then(pl.max_horizontal(pl.col("dor_days") - pl.col("response_t"), 0)),
        dor_event=pl.when(responded).then("dor_event"), dor_source=pl.when(responded).then("dor_source"),
    )  # fmt: skip


FIRST_ASSESSED = "first_assessment_day"
LEARNT_ON = {FIRST_ASSESSED: "responses", "response_day": "responses", "umrd_day28_day": "mrd", COMPARTMENT: "mrd",
             "transplant_day": "therapies"}  # fmt: skip
"""What becomes known after the index infusion beside the endpoints, mostly days, and the table that tells."""


def _tidy(frame: pl.DataFrame, cohort: Cohort) -> pl.DataFrame:
    """Keep the standard columns, in order; an endpoint whose table is absent is left out."""
    ends = [e for e in ENDPOINTS.values() if e.columns and e.columns[0] in frame.columns and e.table in cohort.tables]
    timed = [c for e in ends if e.kind == "time" for c in e.columns]
    plain = [c for e in ends if e.kind == "binary" for c in e.columns]
    grades = [c for c in frame.columns if c.endswith("_grade")]
    sources = [f"{c}_source" for c in (*(e.name for e in ends), *grades)]
    worded = frame.with_columns(words(pl.col(pl.Boolean)).name.keep()).rename({"response_t": "response_day"})
    when = [c for c, table in LEARNT_ON.items() if table in cohort.tables]
    when += [SIZE_CHANGE] if has_sizes(cohort) else []
    when = [c for c in when if c in worded.columns]
    days = [pl.col(c).cast(pl.Float64) for c in (*timed, *when) if not c.endswith(("_event", COMPARTMENT))]
    return worded.select(ID, *plain, *grades, *timed, *when, *sources).with_columns(days)


def _response_rule(rules: Rules) -> str:
    special = "".join(f"; in {d}: {', '.join(r)}" for d, r in rules.responders_by_diagnosis.items())
    return f"best response {', '.join(rules.responders)}{special}; not assessed = non-responder"


def _umrd_rule(rules: Rules) -> str:
    low, high = rules.umrd_window
    return (
        f"test nearest to day {rules.umrd_day} from day {low} to {high}, up to a new anticancer therapy; of several "
        f"compartments the first of: {', '.join(rules.umrd_compartments)}; detectable takes precedence; "
        f"a value below {rules.umrd_threshold:g} is undetectable; no test = excluded"
    )


def _pfs_rule(rules: Rules) -> str:
    censored = "last adequate assessment" + (" before a new anticancer therapy" if rules.censor_at_new_therapy else "")
    gap = f"; an event more than {rules.max_gap_days} days after it is not counted" if rules.max_gap_days else ""
    through = "" if rules.censor_at_new_therapy else "; follow-up continues through a new anticancer therapy"
    return f"to progression, relapse or death; censored at the {censored}{gap}{through}"


def _efs_rule(rules: Rules) -> str:
    day = "on day 0" if rules.efs == "index day" else (
        "on that of progression, death or, in who had been assessed, a new anticancer therapy, "
        f"else on day {rules.efs_day}"
    )  # fmt: skip
    return (
        f"no response by day {rules.efs_day}, {day}; after a response by then to progression, relapse or death; "
        "censored as progression-free survival; who was not assessed by then, or not followed up to it, has no event "
        "but progression, relapse or death"
    )


def _dor_rule(rules: Rules) -> str:
    until = "" if rules.censor_at_new_therapy else ", but at a new anticancer therapy too"
    if not rules.censor_dor_at_new_therapy:
        until = ", but never at a new anticancer therapy" if rules.censor_at_new_therapy else ""
    return (
        "responders, from the first response to progression, relapse or death; censored as progression-free "
        f"survival{until}"
    )


def _relapse_nrm_rule(rules: Rules) -> str:
    died = "relapse on that day" if rules.death_of_disease == "relapse" else "non-relapse mortality"
    return (
        "first progression at any time; death without it; competing events; death of disease without a "
        f"recorded progression is {died}; censored at last contact"
    )


RULES: Mapping[str, Callable[[Rules], str]] = {
    "response": _response_rule,
    "cr": lambda rules: "best response " + " or ".join(rules.complete),
    "umrd_day28": _umrd_rule,
    "pfs": _pfs_rule,
    "efs": _efs_rule,
    "os": lambda _: "to death; censored at last contact",
    "dor": _dor_rule,
    "confirmed_response": lambda rules: (
        f"response at assessments at least {rules.confirmation_days} days apart, no progression or new anticancer "
        "therapy before the second; all others count as without"
    ),
    "response_time": lambda _: "responders, from the index infusion to the first response",
    "docr": lambda _: "from the first complete response, as duration of response",
    "umrd_best": lambda rules: (
        "undetectable on any day up to a new anticancer therapy; on a day the first of: "
        f"{', '.join(rules.umrd_compartments)}; detectable takes precedence; no test = excluded"
    ),
    "umrd_duration": lambda _: (
        "from the first undetectable test to detectable MRD, progression, relapse or death; censored at the last test, "
        "at a new anticancer therapy as duration of response"
    ),
    "ttnt": lambda _: "to a new anticancer therapy or death; censored at last contact",
    "relapse": _relapse_nrm_rule,
    "nrm": _relapse_nrm_rule,
}
"""How each endpoint is derived, in a sentence for the report."""


def endpoint_rules(rules: Rules, names: Iterable[str] = tuple(ENDPOINTS),
                   *, own_labels: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Yield label and rule of the endpoints that a plan derives; those of one rule, which compete, together.

    `own_labels` holds those of endpoints that are not called as they are declared, by name.
    """
    own = own_labels or {}
    labels: dict[str, list[str]] = {}
    for endpoint in (ENDPOINTS[name] for name in names):
        if is_derived(endpoint, rules):
            labels.setdefault(RULES[endpoint.name](rules), []).append(own.get(endpoint.name, endpoint.label))
    for rule, of in labels.items():
        yield ", ".join([of[0], *(label[0].lower() + label[1:] for label in of[1:])]), rule
