"""Checks that need more than one cell: within a table and between tables. Each rule is one function of `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import polars as pl

from reinfuse.cohort.listed import listed
from reinfuse.cohort.odd_ids import look_alike
from reinfuse.cohort.raw_tables import ROW, TIME
from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem, Severity, nearest
from reinfuse.tabular import limits

Tables = Mapping[str, pl.DataFrame]
Rule = Callable[[Tables], Iterator[Problem]]
_GIVEN = ("patient_id", "infusion", TIME)
_MAY_BE_EMPTY = ("last_contact", "death", "result", "value")
MRD_LIMIT = 1e-4
"""Leukaemic cells a leukocyte (iwCLL 2018)."""
_MOST_COMPARED = 10_000_000
"""Pairs of letters of ids that are compared for hints in all tables: a second or two, however large the cohort."""


def check(tables: Tables, cells: Collection[Problem] = ()) -> list[Problem]:
    """Return what every rule finds wrong with the typed tables of a cohort.

    `cells` holds the problems of single cells: a cell that was not understood is not called empty as well.
    """
    unread = {(p.table, p.row) for p in cells if (p.value is not None or p.row is None) and p.column in _MAY_BE_EMPTY}
    by_rule = ((rule, problem) for rule in RULES for problem in rule(tables))
    return [p for rule, p in by_rule
            if rule not in (ends_known, mrd_told) or not unread & {(p.table, p.row), (p.table, None)}]  # fmt: skip


def _each(frame: pl.DataFrame, table: str, column: str, *, rule: str, remedy: str,
          severity: Severity = "error") -> Iterator[Problem]:  # fmt: skip
    """Yield one problem a row of `frame`, which holds the offending rows only."""
    shown = frame[column].cast(pl.String) if column in frame.columns else pl.Series([None] * frame.height)
    each = (Problem(table=table, row=row, column=column, value=value, rule=rule, remedy=remedy, severity=severity)
            for row, value in zip(frame[ROW], shown, strict=True))  # fmt: skip
    yield from listed(each, frame.height)


def _has(tables: Tables, table: str, *columns: str) -> bool:
    return table in tables and all(c in tables[table].columns for c in columns)


def duplicate_keys(tables: Tables) -> Iterator[Problem]:
    """One row a patient; one row a patient and infusion."""
    for name, frame in tables.items():
        key = list(TABLES[name].key)
        if not key or not _has(tables, name, *key):
            continue
        full = frame.drop_nulls(key)
        twice = full.filter(pl.struct(key).is_duplicated() & ~pl.struct(key).is_first_distinct())
        what = " and ".join(key)
        yield from _each(
            twice, name, key[-1], rule=f"{what} already occurs in an earlier row", remedy="keep one of the rows"
        )


def patients_alike(tables: Tables) -> Iterator[Problem]:
    """No patient is there twice under ids that differ in case, spaces or leading zeros only."""
    if _has(tables, "patients", "patient_id"):
        yield from look_alike(tables["patients"], "patients")


def repeated_rows(tables: Tables) -> Iterator[Problem]:
    """The same row twice in a table that may hold many rows a patient."""
    for name, frame in tables.items():
        columns = [c for c in frame.columns if c != ROW]
        if TABLES[name].key or not columns:
            continue
        twice = frame.filter(~frame[columns].to_struct("row").is_first_distinct())
        yield from _each(
            twice, name, "patient_id", rule="the row repeats an earlier row", remedy="take it away", severity="warning"
        )


def known_patients(tables: Tables) -> Iterator[Problem]:
    """Every row belongs to a patient of the table `patients`."""
    if not _has(tables, "patients", "patient_id"):
        return
    identifiers = tables["patients"]["patient_id"].drop_nulls().unique().sort()
    letters = _MOST_COMPARED // max(int(identifiers.str.len_chars().sum()), 1)
    hints: dict[str, str | None] = {}
    for name, frame in tables.items():
        if name == "patients" or "patient_id" not in frame.columns:
            continue
        strange = frame.drop_nulls("patient_id").filter(~pl.col("patient_id").is_in(identifiers.implode()))
        for patient in (p for p in strange["patient_id"].unique(maintain_order=True) if p not in hints):
            letters -= len(patient)
            if letters < 0 or len(hints) >= limits.LISTED:
                break
            hints[patient] = nearest(patient, identifiers)
        rule, add = (
            "the patient is not in the table patients",
            "add the patient to the table patients, or correct the id",
        )
        remedies = {p: f"did you mean {hint!r}? {add}" for p, hint in hints.items() if hint}
        each = (Problem(table=name, row=row, column="patient_id", value=patient, rule=rule,
                        remedy=remedies.get(patient, add))
                for row, patient in strange.select(ROW, "patient_id").iter_rows())  # fmt: skip
        yield from listed(each, strange.height)


def infusion_numbers(tables: Tables) -> Iterator[Problem]:
    """Infusions of a patient are numbered 1, 2, ... without gaps."""
    if not _has(tables, "infusions", "patient_id", "infusion"):
        return
    frame = _numbered(tables["infusions"]).sort("patient_id", "infusion")
    before = pl.col("infusion").shift(1).over("patient_id").fill_null(0)
    gap = frame.filter(pl.col("infusion") > before + 1)
    remedy = "add the missing infusion, or number them 1, 2, ..."
    yield from _each(gap, "infusions", "infusion", rule="an earlier infusion of the patient is missing", remedy=remedy)


def _numbered(infusions: pl.DataFrame) -> pl.DataFrame:
    """Return the infusions of the patients all of whose infusions have a number that was understood."""
    all_numbered = pl.col("infusion").is_not_null().all().over("patient_id")
    return infusions.drop_nulls("patient_id").filter(all_numbered)


def infusion_order(tables: Tables) -> Iterator[Problem]:
    """A later infusion has a later day; in days, day 0 is the first infusion."""
    if not _has(tables, "infusions", *_GIVEN):
        return
    frame = tables["infusions"].drop_nulls(["patient_id", "infusion", TIME]).sort("patient_id", "infusion")
    late = frame.filter(pl.col(TIME) <= pl.col(TIME).shift(1).over("patient_id"))
    column = "date" if "date" in frame.columns else "day"
    yield from _each(_shown(late, column), "infusions", column, rule="the infusion is not after the previous one",
                     remedy="correct the day or the number of the infusion")  # fmt: skip
    if "day" in frame.columns:
        first = frame.filter((pl.col("infusion") == 1) & (pl.col("day") != 0))
        yield from _each(first, "infusions", "day", rule="day 0 is the first infusion, and this one is on another day",
                         remedy="count the days of this patient from the first infusion")  # fmt: skip


def _shown(frame: pl.DataFrame, column: str, *, dated: bool = True) -> pl.DataFrame:
    """Show dates as dates in a problem's value."""
    if column == "day" or not dated:
        return frame
    return frame.with_columns(pl.from_epoch(pl.col(column), time_unit="d").cast(pl.String))


def after_the_end(tables: Tables) -> Iterator[Problem]:
    """Nothing happens after death, nor after last contact."""
    if not _has(tables, "patients", "patient_id", "last_contact", "death"):
        return
    patients = tables["patients"].filter(pl.col("patient_id").is_first_distinct())
    dated = "date" in tables.get("infusions", pl.DataFrame()).columns
    late = _shown(patients.filter(pl.col("last_contact") > pl.col("death")), "last_contact", dated=dated)
    yield from _each(
        late, "patients", "last_contact", rule="last contact is after death", remedy="correct one of the two"
    )
    ends = patients.select("patient_id", "death", _end=pl.coalesce("death", "last_contact"))
    for name, frame in tables.items():
        if name == "patients" or not _has(tables, name, "patient_id", TIME):
            continue
        column = "date" if "date" in frame.columns else "day"
        times = frame.drop_nulls(["patient_id", TIME]).select(ROW, "patient_id", column, TIME)
        joined = times.join(ends, on="patient_id", how="inner")
        over = _shown(joined.filter(pl.col(TIME) > pl.col("_end")), column)
        for died, what in ((True, "death"), (False, "last contact")):
            rows = over.filter(pl.col("death").is_not_null() == died)
            yield from _each(rows, name, column, rule=f"is after the patient's {what}", remedy="correct one of the two")


def ends_known(tables: Tables) -> Iterator[Problem]:
    """Each patient has a last contact or a death; a cause of death needs a death."""
    if not _has(tables, "patients", "last_contact", "death"):
        return
    patients = tables["patients"]
    neither = patients.filter(pl.col("last_contact").is_null() & pl.col("death").is_null())
    yield from _each(
        neither, "patients", "last_contact", rule="neither last contact nor death is known", remedy="fill one"
    )
    if "death_cause" in patients.columns:
        alive = patients.filter(pl.col("death_cause").is_not_null() & pl.col("death").is_null())
        yield from _each(
            alive,
            "patients",
            "death_cause",
            rule="has a cause of death but no death",
            remedy="fill the death, or empty the cause",
        )


def toxicities_of_infusions(tables: Tables) -> Iterator[Problem]:
    """A toxicity belongs to an infusion that was given, and does not come before it."""
    if not _has(tables, "toxicities", "patient_id", "infusion") or not _has(tables, "infusions", *_GIVEN):
        return
    numbered = _numbered(tables["infusions"])
    given = numbered.select("patient_id", "infusion", _given=pl.col(TIME)).unique(["patient_id", "infusion"])
    vague = tables["infusions"].filter(pl.col("infusion").is_null())["patient_id"].drop_nulls()
    times = [c for c in ("date", "day", TIME) if c in tables["toxicities"].columns]
    frame = tables["toxicities"].drop_nulls(["patient_id", "infusion"]).select(ROW, "patient_id", "infusion", *times)
    joined = frame.join(given.with_columns(_known=True), on=["patient_id", "infusion"], how="left")
    identifiers = (
        tables["patients"]["patient_id"].drop_nulls() if _has(tables, "patients", "patient_id") else pl.Series([""])
    )
    of_a_patient = pl.col("patient_id").is_in(identifiers.implode()) & ~pl.col("patient_id").is_in(vague.implode())
    strange = joined.filter(pl.col("_known").is_null() & of_a_patient)
    yield from _each(strange, "toxicities", "infusion", rule="the patient had no infusion of this number",
                     remedy="correct the number, or add the infusion")  # fmt: skip
    if TIME in frame.columns:
        column = "date" if "date" in frame.columns else "day"
        early = _shown(joined.filter(pl.col(TIME) < pl.col("_given")), column)
        yield from _each(
            early, "toxicities", column, rule="the toxicity is before its infusion", remedy="correct one of the two"
        )


def toxicity_kinds(tables: Tables) -> Iterator[Problem]:
    """There are no more kinds of toxicity than a report can hold."""
    if _has(tables, "toxicities", "kind") and tables["toxicities"]["kind"].n_unique() > limits.KINDS:
        yield Problem(table="toxicities", column="kind", rule=limits.TOO_MANY_KINDS[0], remedy=limits.TOO_MANY_KINDS[1])


def mrd_told(tables: Tables) -> Iterator[Problem]:
    """An MRD test has a result or a value."""
    if "mrd" not in tables:
        return
    frame = tables["mrd"]
    have = [pl.col(c).is_null() for c in ("result", "value") if c in frame.columns]
    if not have:
        yield Problem(
            table="mrd", column="result", rule="has neither a result nor a value column", remedy="add one of them"
        )
        return
    yield from _each(
        frame.filter(pl.all_horizontal(have)),
        "mrd",
        "result",
        rule="has neither a result nor a value",
        remedy="fill one of them, or remove the row",
    )


def mrd_agrees(tables: Tables) -> Iterator[Problem]:
    """A test called undetectable has no value of 1 in 10,000 or more."""
    if not _has(tables, "mrd", "result", "value"):
        return
    differ = tables["mrd"].filter((pl.col("result") == "undetectable") & (pl.col("value") >= MRD_LIMIT))
    yield from _each(differ, "mrd", "value", rule="the value is detectable and the result undetectable",
                     remedy="correct one of the two; until then the result counts", severity="warning")  # fmt: skip


def responses_agree(tables: Tables) -> Iterator[Problem]:
    """Two assessments of one day tell the same response."""
    if not _has(tables, "responses", "patient_id", TIME, "response"):
        return
    frame = tables["responses"].drop_nulls(["patient_id", TIME, "response"]).filter(pl.col("response") != "NE")
    differ = frame.filter(pl.col("response").n_unique().over("patient_id", TIME) > 1)
    others = pl.col("response").is_in(["SD", "PD"]).not_().any().over("patient_id", TIME)
    stable = differ.filter(~others & (pl.col("response") == "SD"))
    rule, leave = "a progression of the same day counts before it", "leave it if it stands for no response (NR)"
    yield from _each(stable, "responses", "response", rule=rule, remedy=leave, severity="warning")
    differ = differ.filter(others)
    remedy = "keep the right one; until then progression counts before response, and response before stable disease"
    yield from _each(
        differ, "responses", "response", rule="another assessment of the day differs", remedy=remedy, severity="warning"
    )


def someone_there(tables: Tables) -> Iterator[Problem]:
    """A cohort has patients."""
    if "patients" in tables and tables["patients"].is_empty():
        yield Problem(table="patients", rule="holds no patient", remedy="add at least one row")


RULES: tuple[Rule, ...] = (
    someone_there, duplicate_keys, patients_alike, repeated_rows, known_patients, infusion_numbers, infusion_order,
    ends_known, after_the_end, toxicities_of_infusions, toxicity_kinds, mrd_told, mrd_agrees, responses_agree,
)  # fmt: skip
