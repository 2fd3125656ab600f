"""What the data lack and what a rule did to patients, in words, for the report's warnings."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Design
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names
from reinfuse.cohort.raw_tables import ROW
from reinfuse.cohort.residual_disease import AGAINST, COMPARTMENT, in_other_compartments
from reinfuse.cohort.split_doses import DOSE, unexplained
from reinfuse.cohort.study_days import ID, with_index
from reinfuse.cohort.wide_format import is_grade

FIRST_ROWS = 5
BY_RULE = r"^(.+) \(\w+ row \d+\)$"
"""A source that is a rule of the plan and, in brackets, the row to which it was applied."""


def filled(frame: pl.DataFrame, *columns: str) -> bool:
    """Tell whether the columns are there and hold at least one value each."""
    return all(c in frame.columns and frame[c].null_count() < frame.height for c in columns)


def rule_notes(frame: pl.DataFrame, design: Design, *, cohort: Cohort) -> list[str]:
    """Return a sentence for each rule that moved patients and for the endpoints that are absent.

    Parameters
    ----------
    frame
        The analysed patients.
    cohort
        The cohort they are from, split doses as one infusion (`split`).
    """
    notes = [note for tell in (_response, _umrd, _times, _toxicity, _absent) for note in tell(frame, design)]
    if cohort.wide:
        return notes
    return [note for tell in (_split, _deaths, _other_compartments) for note in tell(frame, design, cohort)] + notes


def _count(n: int, of: int) -> str:
    return f"{n} of {of} patient{'s' if of != 1 else ''}"


def _rows(frame: pl.DataFrame, table: str) -> str:
    """Name the rows of a table, the first ones where there are many."""
    rows = frame[ROW].sort().to_list()
    more = f" and {len(rows) - FIRST_ROWS} more" if len(rows) > FIRST_ROWS else ""
    return f"{table} row{'s' if len(rows) > 1 else ''} {', '.join(str(r) for r in rows[:FIRST_ROWS])}{more}"


def _split(_frame: pl.DataFrame, design: Design, cohort: Cohort) -> Iterator[str]:
    of, days = cohort.tables["patients"].height, design.rules.split_dose_days
    parts = cohort.split_doses
    if parts is not None:
        yield (f"{_count(parts[ID].n_unique(), of)}: infusion planned within {days} days of the one before (split "
               f"dose); a part of it, which counts from its first part ({_rows(parts, 'infusions')})")  # fmt: skip
        whole = cohort.tables["infusions"].select(ID, DOSE, whole="infusion").join(parts, on=[ID, "whole"], how="semi")
        if unknown := whole[DOSE].null_count():
            yield f"{_count(unknown, of)}: split dose with a part whose dose is not known; the sum is missing"
    soon = unexplained(cohort, design.rules)
    if soon.height:
        yield (f"{_count(soon[ID].n_unique(), of)}: infusion within {days} days of the one before, reason not "
               f"recorded; counted as an infusion of its own ({_rows(soon, 'infusions')})")  # fmt: skip


def _deaths(frame: pl.DataFrame, design: Design, cohort: Cohort) -> Iterator[str]:
    """Deaths without a recorded progression whose cause decides between relapse and non-relapse mortality."""
    if "relapse_source" not in frame.columns:
        return
    patients = cohort.tables["patients"]
    cause = pl.col("death_cause") if "death_cause" in patients.columns else pl.lit(None, dtype=pl.String)
    silent = frame.filter(pl.col("relapse_source").str.starts_with("patients")).select(ID)
    dead = patients.join(silent, on=ID).filter(pl.col("death").is_not_null()).with_columns(cause=cause)
    of_disease = dead.filter(pl.col("cause") == "disease")
    if of_disease.height:
        relapse = design.rules.death_of_disease == "relapse"
        yield (f"{_count(of_disease.height, frame.height)}: died of disease without a recorded progression; counted as "
               f"{'relapse on the day of death' if relapse else 'non-relapse mortality'} "
               f"({_rows(of_disease, 'patients')})")  # fmt: skip
    unknown = dead.filter(pl.col("cause").is_null() | (pl.col("cause") == "unknown"))
    if unknown.height:
        yield (f"{_count(unknown.height, frame.height)}: died without a recorded progression, cause unknown or not "
               f"recorded; counted as non-relapse mortality ({_rows(unknown, 'patients')})")  # fmt: skip


def _other_compartments(_frame: pl.DataFrame, design: Design, cohort: Cohort) -> Iterator[str]:
    if "mrd" not in cohort.tables:
        return
    base = with_index(cohort, design.index_infusion, rules=design.rules)
    others = in_other_compartments(cohort, base, rules=design.rules)
    if others.height:
        low, high = design.rules.umrd_window
        names = ", ".join(others["compartment"].unique().sort())
        one = others.height == 1
        yield (f"{others.height} MRD test{'' if one else 's'} from day {low} to {high} in a compartment that the plan "
               f"does not name ({names}): {'does' if one else 'do'} not count ({_rows(others, 'mrd')})")  # fmt: skip


def _response(frame: pl.DataFrame, design: Design) -> Iterator[str]:
    if not filled(frame, "response"):
        return
    without = int(frame.select((pl.col("response").is_null() | (pl.col("response") == "NE")).sum()).item())
    if without:
        yield (f"{_count(without, frame.height)}: no evaluable assessment of response after the index infusion; "
               "counted as non-responders")  # fmt: skip
    for diagnosis, allowed in design.rules.responders_by_diagnosis.items():
        if "diagnosis" not in frame.columns:
            continue
        left = [r for r in design.rules.responders if r not in allowed]
        lost = frame.filter((pl.col("diagnosis") == diagnosis) & pl.col("response").is_in(left)).height
        if lost:
            yield f"{_count(lost, frame.height)}: best response {' or '.join(left)}, no response in {diagnosis}"


def _umrd(frame: pl.DataFrame, design: Design) -> Iterator[str]:
    if filled(frame, "umrd_day28") and (untested := frame["umrd_day28"].null_count()):
        low, high = design.rules.umrd_window
        yield (f"{_count(untested, frame.height)}: no MRD test from day {low} to {high}; left out of the proportion "
               "with undetectable MRD")  # fmt: skip
    if filled(frame, COMPARTMENT):
        yield from _compartments(frame)


def _compartments(frame: pl.DataFrame) -> Iterator[str]:
    """Say which compartments decided, and where others differ from it."""
    both = frame[COMPARTMENT].drop_nulls().str.splitn(AGAINST, 2).struct.rename_fields(["decided", "against"])
    split = both.struct.unnest()
    counts = split.group_by("decided").len().sort(pl.col("len"), "decided", descending=[True, False])
    each = [f"{name} ({n} patient{'s' if n != 1 else ''})" if not i else f"{name} ({n})"
            for i, (name, n) in enumerate(counts.iter_rows())]  # fmt: skip
    yield f"undetectable MRD at day 28 was decided in {' and '.join(each)}"
    for name, group in split.drop_nulls("against").group_by("decided", maintain_order=True):
        against = group.group_by("against").len().sort("against").iter_rows()
        yield (f"{_count(group.height, frame.height)}: compartments differ about MRD at day 28; {name[0]} decided, "
               f"against {', '.join(f'{what} ({n})' for what, n in against)}")  # fmt: skip


def _times(frame: pl.DataFrame, _design: Design) -> Iterator[str]:
    """Patients whose time ends at day 0 for want of an assessment, or with an event that a rule made of no event."""
    for endpoint in (e for e in ENDPOINTS.values() if e.kind == "time" and f"{e.name}_source" in frame.columns):
        source, event = pl.col(f"{endpoint.name}_source"), pl.col(endpoint.columns[1])
        label = endpoint.label[0].lower() + endpoint.label[1:]
        zero = int(frame.select((source.str.starts_with("infusions") & (event == "no")).sum()).item())
        if zero:
            yield f"{_count(zero, frame.height)}: no adequate assessment; censored for {label} at day 0"
        ruled = frame.filter(event == "yes").select(source.str.extract(BY_RULE)).to_series().drop_nulls()
        for rule, n in ruled.value_counts().sort("count", descending=True).iter_rows():
            yield f"{_count(n, frame.height)}: {rule}; counted as an event of {label}"


def _toxicity(frame: pl.DataFrame, _design: Design) -> Iterator[str]:
    for column in (c for c in frame.columns if is_grade(c) and f"{c}_source" in frame.columns):
        silent = int((frame[f"{column}_source"] == "no row in toxicities").sum())
        if silent:
            kind = column.removesuffix("_grade").removeprefix("toxicity_").replace("_", " ")
            kind = kind.upper() if len(kind) < 6 else kind
            yield f"{_count(silent, frame.height)}: no row for {kind} in the table of toxicities; counted as grade 0"


def _absent(frame: pl.DataFrame, _design: Design) -> Iterator[str]:
    expected = (ENDPOINTS[name] for name in names(expected=True))
    lacking = [e.label[0].lower() + e.label[1:] for e in expected if not filled(frame, e.columns[0])]
    if lacking:
        yield "omitted, not in the data: " + "; ".join(lacking)
