"""The course after the index infusion as states: stretches of time in one state, from dated tables.

States and what leads to them. *No response yet*: everyone from day 0. *In response*: the first best-response assessment
that counts as response, before progression and before another therapy; it lasts until something else happens.
*Relapse or progression*: an assessment of PD, out of any state but a next therapy, in which it is a part of that
therapy's course. *Transplant*: allogeneic or autologous. *Next therapy*: any other anticancer therapy, and the next
CAR-T infusion. *Dead*: from any cause, absorbing. A state lasts until the next of these events; what happens on one day
is one step, to the last state in this order (assessments are taken as made before a therapy, death comes last).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.raw_tables import TIME
from reinfuse.cohort.responders import is_responder
from reinfuse.cohort.split_doses import with_whole_doses
from reinfuse.cohort.study_days import ID, before_therapy, since_index, with_index

NO_RESPONSE, RESPONSE, RELAPSE, TRANSPLANT, THERAPY, DEAD = range(6)
STATES = ("No response yet", "In response", "Relapse or progression", "Transplant", "Next therapy", "Dead")
"""Their names, in the order of their numbers: on one day the last one counts."""
_INTO: dict[int, frozenset[int]] = {
    RESPONSE: frozenset({NO_RESPONSE}),
    RELAPSE: frozenset({NO_RESPONSE, RESPONSE, TRANSPLANT}),
    TRANSPLANT: frozenset({NO_RESPONSE, RESPONSE, RELAPSE, THERAPY}),
    THERAPY: frozenset({NO_RESPONSE, RESPONSE, RELAPSE, TRANSPLANT}),
    DEAD: frozenset({NO_RESPONSE, RESPONSE, RELAPSE, TRANSPLANT, THERAPY}),
}
"""State -> the states out of which it is entered."""
_TRANSPLANTS = ("allo-HCT", "auto-HCT")
BEFORE = -1.0
"""Where the first stretch starts, so that day 0 is in it."""
SCHEMA = {ID: pl.String, "origin": pl.Int64, "target": pl.Int64, "start": pl.Float64, "stop": pl.Float64}


def lacking(cohort: Cohort) -> str | None:
    """Return why a cohort tells no states; None where it does."""
    if cohort.wide:
        return "the cohort is one sheet with times already derived: states need dated tables"
    return None if "responses" in cohort.tables else "the cohort has no table of responses"


def stretches(cohort: Cohort, index: int, *, rules: Rules) -> pl.DataFrame:
    """Return each patient's stretches, one row each; `target` is null where follow-up ends.

    Parameters
    ----------
    cohort
        A checked cohort of dated tables.
    index
        Number of the index infusion.
    """
    cohort = with_whole_doses(cohort, rules)
    base = with_index(cohort, index, rules=rules)
    assessed = since_index(cohort, "responses", base=base)
    counted = assessed.filter(before_therapy())
    progressed = assessed.filter(pl.col("response") == "PD")
    first = progressed.group_by(ID).agg(first_pd=pl.col("t").min())
    good = counted.filter(is_responder(rules)).join(first, on=ID, how="left")
    good = good.filter(pl.col("first_pd").is_null() | (pl.col("t") < pl.col("first_pd")))
    parts = [_of(good, RESPONSE), _of(progressed, RELAPSE), *_therapies(cohort, base, index)]
    died = base.filter(pl.col("death_t").is_not_null()).with_columns(t=pl.col("death_t"))
    steps = pl.concat([*parts, _of(died, DEAD)]).sort(ID, "t", "state")
    each = steps.group_by(ID, maintain_order=True).agg("t", "state")
    days = {patient: list(zip(t, state, strict=True)) for patient, t, state in each.iter_rows()}
    ends = base.select(ID, end=pl.coalesce("death_t", "last_t").cast(pl.Float64)).sort(ID)
    rows = [row for patient, end in ends.iter_rows() for row in _course(patient, end, days.get(patient, []))]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _of(rows: pl.DataFrame, state: int) -> pl.DataFrame:
    return rows.select(ID, pl.col("t").cast(pl.Float64), state=pl.lit(state, pl.Int64))


def _therapies(cohort: Cohort, base: pl.DataFrame, index: int) -> Iterator[pl.DataFrame]:
    """Yield the next infusions, and other therapies and transplants."""
    later = cohort.tables["infusions"].filter(pl.col("infusion") > index).select(ID, TIME)
    frames = [(later, THERAPY)]
    if "therapies" in cohort.tables:
        therapies = cohort.tables["therapies"]
        kind = (pl.col("kind") if "kind" in therapies.columns else pl.lit(None, dtype=pl.String)).fill_null(
            "anticancer"
        )
        frames.append((therapies.filter(kind.is_in(_TRANSPLANTS)).select(ID, TIME), TRANSPLANT))
        frames.append((therapies.filter(~kind.is_in(["supportive", *_TRANSPLANTS])).select(ID, TIME), THERAPY))
    for frame, state in frames:
        timed = frame.join(base.select(ID, "_index"), on=ID, how="inner").with_columns(
            t=pl.col(TIME) - pl.col("_index")
        )
        yield _of(timed.filter(pl.col("t") > 0), state)


def _course(patient: str, end: float, steps: Iterable[tuple[float, int]]) -> Iterator[tuple[object, ...]]:
    """Yield the stretches of one patient, given days and states in order."""
    state, start = NO_RESPONSE, BEFORE
    by_day: dict[float, list[int]] = {}
    for day, into in steps:
        by_day.setdefault(day, []).append(into)
    for day, entered in by_day.items():
        after = state
        for into in entered:
            after = into if after in _INTO[into] else after
        if after != state and start < day <= end:
            yield patient, state, after, start, day
            state, start = after, day
    if state != DEAD and start < end:
        yield patient, state, None, start, end
