"""Endpoints as columns of the analysed patients, and those that a plan declares from columns of the input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from reinfuse.arrays import Bools, Floats
from reinfuse.cohort import factors
from reinfuse.cohort.declarations import Endpoint
from reinfuse.cohort.raw_tables import DERIVED, ROW
from reinfuse.cohort.schema import DAYS
from reinfuse.exceptions import Problem, nearest
from reinfuse.tabular import cell_parsing

DAYS_A_MONTH = 30.4375
UNIT_DAYS = {"days": 1.0, "months": DAYS_A_MONTH, "years": 365.25}


@dataclass(frozen=True)
class EndpointColumn:
    """One endpoint of the analysed patients, in their order.

    Attributes
    ----------
    kind
        ``binary``: `event` is 1, 0 or NaN (not evaluated). ``time``: `time` in days and `event` 1 or 0, NaN = missing.
    competing
        For a time with a competing event: 1 where that event came first.
    entry
        Days from which each patient was under observation; None = all from day 0.
    """

    name: str
    label: str
    kind: Literal["binary", "time"]
    event: Floats = field(repr=False)
    time: Floats | None = field(default=None, repr=False)
    competing: Floats | None = field(default=None, repr=False)
    entry: Floats | None = field(default=None, repr=False)

    @property
    def known(self) -> Bools:
        """Patients for whom the endpoint is known."""
        complete = ~np.isnan(self.event)
        if self.time is not None:
            complete &= ~np.isnan(self.time)
        return complete if self.entry is None else complete & ~np.isnan(self.entry)


def from_columns(
    declared: Endpoint, frame: pl.DataFrame, *, dialect: cell_parsing.Dialect = "point"
) -> tuple[EndpointColumn | None, list[Problem]]:
    """Make an endpoint from the columns that the plan names."""
    problems: list[Problem] = []
    for column in (declared.time, declared.entry, declared.event, declared.competing, declared.value):
        if column is not None and column not in frame.columns:
            near = nearest(column, [c for c in frame.columns if DERIVED not in c])
            remedy = f"did you mean {near!r}?" if near else "correct the plan"
            rule = f"endpoint {declared.name} needs a column that is not there"
            problems.append(Problem(table="plan", column=column, rule=rule, remedy=remedy))
    if problems:
        return None, problems
    label = declared.label or declared.name.replace("_", " ")
    if declared.value is not None:
        event, problems = _event(declared.name, frame, declared.value, meant=declared.event_value)
        return EndpointColumn(declared.name, label, "binary", event), problems
    days, wrong = _days(declared, str(declared.time), frame, dialect=dialect)
    entry, more = (None, []) if declared.entry is None else _days(declared, declared.entry, frame, dialect=dialect)
    problems += wrong + more
    if entry is not None and not problems and np.any(entry >= days):
        rule = f"endpoint {declared.name} needs an entry before the time in every row"
        problems.append(
            Problem(table="plan", column=declared.entry, rule=rule, remedy="correct the column or the plan")
        )
    event, more = _event(declared.name, frame, str(declared.event), meant=declared.event_value)
    competing = None
    if declared.competing is not None:
        competing, other = _event(declared.name, frame, declared.competing, meant=declared.competing_value)
        competing = np.where(event == 1, 0.0, competing)
        more = more + other
    return EndpointColumn(declared.name, label, "time", event, days, competing, entry), problems + more


def _days(declared: Endpoint, column: str, frame: pl.DataFrame,
          *, dialect: cell_parsing.Dialect) -> tuple[Floats, list[Problem]]:  # fmt: skip
    """Return a column of times in days, NaN where empty."""
    time, wrong = factors.numbers(frame[column], dialect)
    days: Floats = time.fill_null(float("nan")).to_numpy().astype(np.float64) * UNIT_DAYS[declared.unit]
    if not wrong and not np.any((days < 0) | (days > DAYS[1])):
        return days, []
    rule = f"endpoint {declared.name} needs times of 0 to {DAYS[1]:g} days in every row that has one"
    return days, [Problem(table="plan", column=column, rule=rule, remedy="correct the column or the plan")]


def _event(name: str, frame: pl.DataFrame, column: str, *, meant: str | None) -> tuple[Floats, list[Problem]]:
    """Return 1 where a column says that the event happened, 0 where not, NaN where it is empty."""
    texts = [None if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in frame[column].to_list()]
    if meant is not None:
        same = {t: _plain(t) == _plain(meant) for t in texts if t is not None}
        if not any(same.values()):
            rule = f"endpoint {name}: no row has the value {meant!r}"
            return np.full(len(texts), np.nan), [
                Problem(table="plan", column=column, rule=rule, remedy="correct the plan")
            ]
        events = {t: float(yes) for t, yes in same.items() if yes or t.casefold() != cell_parsing.UNKNOWN}
        return np.array([events.get(t, np.nan) if t is not None else np.nan for t in texts]), []
    read = {t: cell_parsing.read_yes_no(t) for t in set(texts) if t is not None}
    problems = [
        Problem(table="sheet", row=row, column=column, value=t, rule=f"endpoint {name}: {column} {read[t].rule}",
                remedy="use 1 and 0, or say in the plan which value means the event (event_value)")
        for row, t in zip(frame[ROW] if ROW in frame.columns else [None] * len(texts), texts, strict=True)
        if t is not None and read[t].rule
    ]  # fmt: skip
    flags = [None if t is None else read[t].value for t in texts]
    return np.array([np.nan if f is None else float(f == "yes") for f in flags]), problems


def _plain(text: str) -> str:
    """Return a text without case, and a plain number without zeros at its end: `Dead` is `dead`, `1.0` is `1`."""
    number = cell_parsing.read_number(cell_parsing.clean(text), ".")
    return f"{number.value:g}" if number.how is None and number.rule is None else cell_parsing.clean(text).casefold()
