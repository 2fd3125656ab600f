"""A wide sheet: one row a patient, standard names or the plan's column map, times already derived."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.listed import listed
from reinfuse.cohort.near_columns import plain_name
from reinfuse.cohort.odd_ids import alone, look_alike
from reinfuse.cohort.raw_tables import ROW, RawTable, Reading
from reinfuse.cohort.schema import WIDE, TableSchema, grade_column
from reinfuse.cohort.typed_table import Typed, interpret
from reinfuse.exceptions import Problem, nearest
from reinfuse.tabular import limits
from reinfuse.tabular.cell_parsing import clean, is_missing

MAP_COMMAND = "reinfuse map FILE --out map.toml"
GRADE_SUFFIX = "_grade"
TOXICITY_PREFIX = "toxicity_"
_ID = re.compile(
    r"(?:the)?(?:patients?|pat|pt|pts|subjects?|subj|case|record|person|study|trial)?(?:id|no|nr|number|nummer|code)"
    r"|patients?|subject|u?subjid|mrn|upn|pid|paziente|patientennummer|numeropaciente"
)
"""Names, without anything but letters and digits, of columns that name patients in other sheets."""
LATER = re.compile(r"cart\d+_(lymphodepletion|dose_cells_per_kg)")
"""Regimen and dose of any infusion."""


def wide_table(names: Sequence[str]) -> TableSchema:
    """Return the declaration of a wide sheet with these columns.

    `toxicity_<kind>_grade` are grades too, `cart3_lymphodepletion` is a regimen, `cart3_dose_cells_per_kg` a dose.
    """
    more = [
        grade_column(n, n[len(TOXICITY_PREFIX) : -len(GRADE_SUFFIX)].replace("_", " "))
        for n in names if n.startswith(TOXICITY_PREFIX) and n.endswith(GRADE_SUFFIX)
    ]  # fmt: skip
    later = [n for n in names if LATER.fullmatch(n) and n not in WIDE.names]
    more += [replace(c, name=n) for n in later for c in WIDE.columns if c.name == LATER.sub(r"cart2_\1", n)]
    return replace(WIDE, columns=(*WIDE.columns, *more))


def is_grade(column: str) -> bool:
    """Tell whether a column holds the worst grade of a kind of toxicity."""
    standard = ("crs_grade", "icans_grade", "nt_grade")
    return column in standard or (column.startswith(TOXICITY_PREFIX) and column.endswith(GRADE_SUFFIX))


def interpret_wide(raw: RawTable, columns: Mapping[str, str], *, used: Sequence[str] = ()) -> Typed:
    """Type a wide sheet.

    Parameters
    ----------
    raw
        Texts.
    columns
        Standard name -> its name in the sheet. Where the sheet already has the standard name and not the mapped
        one, the standard name is used.
    used
        Undeclared columns that the plan uses.
    """
    raw, readings, problems = _map(raw, columns)
    raw, more, rows = _with_ids(raw)
    table, coded = _without_codes(wide_table(raw.frame.columns), raw)
    problems += [*rows, *coded]
    if sum(map(is_grade, raw.frame.columns)) > limits.KINDS:
        problems.append(Problem(table=raw.name, rule=limits.TOO_MANY_KINDS[0], remedy=limits.TOO_MANY_KINDS[1]))
    mapped = {plain_name(name) for name in columns.values()}
    used = (*used, *(c for c in raw.frame.columns if plain_name(c) in mapped))
    typed = interpret(raw, table, used=used, own=True)
    problems += [*_pairs(typed), *_rules(typed.frame)]
    return replace(typed, readings=(*readings, *more, *typed.readings), problems=(*typed.problems, *problems))


def _without_codes(table: TableSchema, raw: RawTable) -> tuple[TableSchema, list[Problem]]:
    """Leave a `sex` of numbers alone: which number means what is not guessed, and a plan may use it as it stands."""
    if "sex" not in raw.frame.columns:
        return table, []
    texts = {clean(t) for t in raw.frame["sex"].to_list()}
    codes = {t for t in texts if not is_missing(t)}
    if not codes or not all(t.isdigit() for t in codes):
        return table, []
    remedy = "write F and M, or use the column as it stands"
    problem = Problem(
        table=raw.name,
        column="sex",
        rule="holds numbers, which are kept as they stand",
        remedy=remedy,
        severity="warning",
    )
    return replace(table, columns=tuple(c for c in table.columns if c.name != "sex")), [problem]


def _map(raw: RawTable, columns: Mapping[str, str]) -> tuple[RawTable, list[Reading], list[Problem]]:
    frame, readings, problems = raw.frame, [], []
    plain = {plain_name(c): c for c in frame.columns}
    for standard, name in columns.items():
        source = name if name in frame.columns else plain.get(plain_name(name))
        if source is None or source not in frame.columns:
            if standard not in frame.columns:
                near = nearest(name, frame.columns)
                remedy = f"did you mean {near!r}?" if near else "correct the plan's [columns]"
                rule = f"the plan reads {standard} from a column that is not there"
                problems.append(Problem(table=raw.name, column=name, rule=rule, remedy=remedy))
            continue
        if source == standard:
            continue
        if standard in frame.columns:
            rule = f"the plan reads {standard} from {name!r}, but the sheet has a column {standard} too"
            problems.append(Problem(table=raw.name, column=standard, rule=rule, remedy="rename or map one of the two"))
            continue
        if plain_name(source) == plain_name(standard):
            frame = frame.rename({source: standard})
        else:
            frame = frame.with_columns(frame[source].alias(standard))
        readings.append(Reading(raw.name, standard, "column named by the plan", 1, (f"{source} → {standard}",)))
    return replace(raw, frame=frame), readings, problems


def _with_ids(raw: RawTable) -> tuple[RawTable, list[Reading], list[Problem]]:
    """Name patients by their row where no column does; not where another column says that rows are of one patient."""
    if any(plain_name(c) == "patientid" for c in raw.frame.columns):
        return raw, [], []
    problems = [p for c in raw.frame.columns if _ID.fullmatch(plain_name(c)) and (p := _several_rows(raw, c))]
    ids = raw.frame.select(pl.format("row {}", pl.col(ROW)).alias("patient_id"))["patient_id"]
    reading = Reading(raw.name, "patient_id", "no such column: patients are named by their row", raw.frame.height)
    return replace(raw, frame=raw.frame.with_columns(ids)), [reading], problems


def _several_rows(raw: RawTable, column: str) -> Problem | None:
    """Return what is wrong where a column that names patients, by its own name, has several rows of one."""
    ids = raw.frame[column].str.strip_chars()
    counts = ids.filter(ids != "").value_counts(sort=True)
    if counts.height < 2 or counts["count"][0] < 2:
        return None
    rule = f"has several rows of one patient, by {column!r}: {counts['count'].sum()} rows of {counts.height} patients"
    remedy = f"keep one row per patient, named patient_id; a sheet with several is read by a map: `{MAP_COMMAND}`"
    return Problem(table=raw.name, column=column, rule=rule, remedy=remedy)


def _pairs(typed: Typed) -> Iterator[Problem]:
    """A time needs its event flag, in the header and in each row."""
    frame, unread = typed.frame, {(p.row, p.column) for p in typed.problems}
    for time, event in (e.columns for e in ENDPOINTS.values() if e.kind == "time"):
        have = [c for c in (time, event) if c in frame.columns]
        if len(have) == 1:
            other = event if have == [time] else time
            yield Problem(
                table="sheet", column=other, rule=f"{have[0]} is there without {other}", remedy=f"add {other}"
            )
        if len(have) < 2:
            continue
        for full, empty in ((time, event), (event, time)):
            half = frame.filter(pl.col(full).is_not_null() & pl.col(empty).is_null())
            rows = [] if (None, empty) in unread else [r for r in half[ROW] if (r, empty) not in unread]
            rule = f"{empty} is missing where {full} is given"
            each = (Problem(table="sheet", row=row, column=empty, rule=rule, remedy="fill both, or empty both")
                    for row in rows)  # fmt: skip
            yield from listed(each, len(rows))


def _rules(frame: pl.DataFrame) -> Iterator[Problem]:
    if frame.is_empty():
        yield Problem(table="sheet", rule="holds no patient", remedy="add at least one row")
    blank = frame.filter(pl.col("patient_id").is_in(["", "NA", "N/A", "nan"]) | pl.col("patient_id").is_null())
    rule, remedy = "patient_id is missing", "give the patient an id"
    each = (Problem(table="sheet", row=row, column="patient_id", rule=rule, remedy=remedy) for row in blank[ROW])
    yield from listed(each, blank.height)
    ids = frame.drop_nulls("patient_id")
    twice = ids.filter(~pl.col("patient_id").is_first_distinct()).select(ROW, "patient_id")
    rule = "patient_id already occurs in an earlier row"
    remedy = (
        f"keep one row per patient: {ids.height} rows are of {ids['patient_id'].n_unique()} patients; "
        f"a sheet with several rows of a patient is read by a map: `{MAP_COMMAND}`"
    )
    each = (Problem(table="sheet", row=row, column="patient_id", value=patient, rule=rule, remedy=remedy)
            for row, patient in twice.iter_rows())  # fmt: skip
    yield from listed(each, twice.height)
    yield from look_alike(frame, "sheet")
    yield from alone(frame)
