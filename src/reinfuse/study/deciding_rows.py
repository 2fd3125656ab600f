"""From a step of a curve back to the rows that decided it: who had the event or was censored then, and by which row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.endpoint_derivation import RULES
from reinfuse.cohort.raw_tables import DERIVED, ROW, TIME, CohortInput
from reinfuse.cohort.split_doses import with_whole_doses
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.study.cohort_reading import examine
from reinfuse.study.curve_steps import CurveChart
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.tabular.csv_files import read_csv

_ID = "patient_id"


@dataclass(frozen=True)
class DecidingRow:
    """A row of the data: its table and number, the number that a spreadsheet shows, and its cells that are filled.

    `cells` holds column, value and, of imported data, the place in the centre's own file with what stands there.
    """

    table: str
    row: int
    cells: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class DecidedPatient:
    """A patient whose time ends at a step.

    Attributes
    ----------
    days, event
        The time that was analysed, and whether it ended with the event; else it is censored.
    arithmetic
        How the days follow from the two rows; "" where a rule of the plan decides more than a difference of days.
    rows
        That of time zero, and the one that decided.
    """

    patient: str
    days: float
    event: bool
    arithmetic: str
    rows: tuple[DecidingRow, ...]


@dataclass(frozen=True)
class DecidingRows:
    """Who decided a step, the rule of the endpoint, and a sentence where the rows do not add up to the step."""

    patients: tuple[DecidedPatient, ...]
    rule: str
    mismatch: str = ""


def deciding_rows(results: Path, cohort: CohortInput, plan: PlanOrPath, chart: CurveChart, *, level: str,
                  day: float, origins: Path | None = None) -> DecidingRows:  # fmt: skip
    """Return who had an event or was censored on a day, with the rows that decided it.

    Parameters
    ----------
    results, cohort, plan
        A folder of results, and what it was made of.
    level
        Of the chart's factor; "" of all patients.
    day
        Of a step.
    origins
        Of imported data: the file that says where each cell stands in the centre's own (`provenance.csv`).

    Raises
    ------
    CohortRefused, PlanRefused
        If the data cannot be read, or are not those that were analysed.
    """
    chosen_plan = plan_of(plan)
    accepted, problems = examine(cohort, chosen_plan)
    if accepted is None:
        raise CohortRefused(problems)
    if dict(accepted.sources) != dict(chart.inputs):
        rule, remedy = "the data are not those that were analysed", "run the analysis again"
        raise CohortRefused([Problem(rule=rule, remedy=remedy)])
    patients = read_csv(results / "patients.csv", as_texts=True)
    days, event = f"{chart.endpoint}_days", f"{chart.endpoint}_event"
    rule = RULES[chart.endpoint](chosen_plan.rules) if chart.endpoint in RULES and not accepted.wide else ""
    if not {days, event} <= set(patients.columns) or (level and chart.factor not in patients.columns):
        return DecidingRows((), rule, "This endpoint is read from columns that the plan names; patients.csv does not "
                            "say which row decided it.")  # fmt: skip
    chosen = patients.filter(pl.col(days).cast(pl.Float64) == day)
    if level:
        chosen = chosen.filter(pl.col(chart.factor) == level)
    whole = with_whole_doses(accepted, chosen_plan.rules)
    rows = _Rows(whole, chosen_plan.index_infusion, _provenance(origins))
    people = tuple(rows.of(record, chart.endpoint) for record in chosen.iter_rows(named=True))
    step = chart.step([c.level for c in chart.curves].index(level), day)
    counted = (sum(p.event for p in people), sum(not p.event for p in people))
    wrong = step is None or counted != (step.events, step.censored)
    return DecidingRows(people, rule, "patients.csv and curves.csv do not agree on this step." if wrong else "")


class _Rows:
    """Finds rows of one cohort."""

    def __init__(self, cohort: Cohort, index: int, origins: Mapping[tuple[str, int], Mapping[str, str]]) -> None:
        self.cohort, self.index, self.origins = cohort, index, origins

    def of(self, record: Mapping[str, Any], endpoint: str) -> DecidedPatient:
        """Return a patient of patients.csv with the rows that decided an endpoint."""
        days, event = float(record[f"{endpoint}_days"]), record[f"{endpoint}_event"] == "yes"
        decided = _place(record.get(f"{endpoint}_source") or record.get("source") or "")
        if self.cohort.wide:
            rows = tuple(self._row(*decided)) if decided else ()
            return DecidedPatient(record[_ID], days, event, "", rows)
        zero = self._zero(record[_ID])
        arithmetic = ""
        if zero and decided:
            begin, end = self._time("infusions", zero[1], event), self._time(*decided, event)
            since = float(record.get("response_day") or 0) if endpoint == "dor" else 0.0
            if begin is not None and end is not None and end - begin - since == days:
                arithmetic = self._difference(begin, end, since)
        places = dict.fromkeys(p for p in (zero, decided) if p)
        return DecidedPatient(record[_ID], days, event, arithmetic, tuple(r for p in places for r in self._row(*p)))

    def _zero(self, patient: str) -> tuple[str, int] | None:
        given = self.cohort.tables["infusions"].filter((pl.col(_ID) == patient) & (pl.col("infusion") == self.index))
        return ("infusions", int(given[ROW][0])) if given.height else None

    def _time(self, table: str, row: int, event: bool) -> int | None:
        frame = self.cohort.tables[table].filter(pl.col(ROW) == row)
        if not frame.height:
            return None
        if table != "patients":
            value = frame[TIME][0]
        else:
            value = frame["death"][0] if event else frame["last_contact"][0]
            value = frame["death"][0] if value is None else value
        return None if value is None else int(value)

    def _difference(self, begin: int, end: int, since: float) -> str:
        minus = f" − {since:g} to the first response" if since else ""
        dated = any("date" in t.frame.columns for t in self.cohort.raw.tables.values())
        names = [(date(1970, 1, 1) + timedelta(days=d)).isoformat() if dated else f"day {d}" for d in (end, begin)]
        return f"{names[0]} − {names[1]}{minus} = {end - begin - since:g} days"

    def _row(self, table: str, row: int) -> Iterator[DecidingRow]:
        raw = self.cohort.raw.tables.get(table)
        if raw is None:
            return
        for record in raw.frame.filter(pl.col(ROW) == row).iter_rows(named=True):
            origin = self.origins.get((table, row), {})
            cells = tuple((c, str(v), origin.get(c, "")) for c, v in record.items()
                          if DERIVED not in c and v not in (None, ""))  # fmt: skip
            yield DecidingRow(table, row + (raw.above or 0), cells)


def _place(source: str) -> tuple[str, int] | None:
    """Return table and row of what patients.csv says decided: `responses row 5`, also within a rule's words."""
    words = source.replace("(", " ").replace(")", " ").split()
    places = [(words[k - 1], int(words[k + 1])) for k, w in enumerate(words[:-1])
              if w == "row" and k and words[k + 1].isdigit()]  # fmt: skip
    return places[-1] if places else None


def _provenance(path: Path | None) -> Mapping[tuple[str, int], Mapping[str, str]]:
    """Return of imported data, by table and row, the place of each column's cell in the centre's own file."""
    if path is None or not path.is_file():
        return {}
    origins: dict[tuple[str, int], dict[str, str]] = {}
    for one in read_csv(path, as_texts=True).iter_rows(named=True):
        raw = f": {one['raw']}" if one["raw"] else ""
        origins.setdefault((one["table"], int(one["row"])), {})[one["column"]] = f"{one['source']}{raw}"
    return origins
