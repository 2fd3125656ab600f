"""What the data lack and what a rule did to patients, in words, for the report's warnings."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reinfuse.cohort.declared import LABELS
from reinfuse.cohort.design import Design
from reinfuse.cohort.wide import is_grade


def filled(frame: pl.DataFrame, *columns: str) -> bool:
    """Tell whether the columns are there and hold at least one value each."""
    return all(c in frame.columns and frame[c].null_count() < frame.height for c in columns)


def rule_notes(frame: pl.DataFrame, design: Design) -> list[str]:
    """Return a sentence for each rule that moved patients and for the endpoints that are absent."""
    return [note for tell in (_response, _umrd, _pfs, _toxicity, _absent) for note in tell(frame, design)]


def _count(n: int, of: int) -> str:
    return f"{n} of {of} patient{'s' if of != 1 else ''}"


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


def _pfs(frame: pl.DataFrame, design: Design) -> Iterator[str]:
    if "pfs_source" not in frame.columns or "pfs_event" not in frame.columns:
        return
    zero = int((frame["pfs_source"].str.starts_with("infusions") & (frame["pfs_event"] == "no")).sum())
    if zero:
        yield f"{_count(zero, frame.height)}: no adequate assessment; censored for progression-free survival at day 0"


def _toxicity(frame: pl.DataFrame, design: Design) -> Iterator[str]:
    for column in (c for c in frame.columns if is_grade(c) and f"{c}_source" in frame.columns):
        silent = int((frame[f"{column}_source"] == "no row in toxicities").sum())
        if silent:
            kind = column.removesuffix("_grade").removeprefix("toxicity_").replace("_", " ")
            kind = kind.upper() if len(kind) < 6 else kind
            yield f"{_count(silent, frame.height)}: no row for {kind} in the table of toxicities; counted as grade 0"


def _absent(frame: pl.DataFrame, design: Design) -> Iterator[str]:
    needs = {"response": "response", "umrd_day28": "umrd_day28", "pfs": "pfs_days", "os": "os_days"}
    lacking = [
        LABELS[name][0].lower() + LABELS[name][1:] for name, column in needs.items() if not filled(frame, column)
    ]
    if lacking:
        yield "left out, because the data do not hold it: " + "; ".join(lacking)
