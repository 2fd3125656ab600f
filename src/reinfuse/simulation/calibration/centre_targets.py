"""A centre's own group results, from a CSV file in the form of `published.csv`: one row a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.simulation.calibration.reference_study import COUNTED, LONG, YEAR
from reinfuse.simulation.calibration.summary_statistics import FIRST, SECOND
from reinfuse.simulation.calibration.targets import Kind, Role, Target
from reinfuse.simulation.model.parameters import DISEASES, Disease
from reinfuse.tabular.cell_parsing import read_number
from reinfuse.tabular.delimited import Delimited, read_delimited
from reinfuse.tabular.files import Unreadable, read_bytes
from reinfuse.texts import fault

TABLE = "targets"
_LIMITS = ("low", "high")
COLUMNS = ("target", "role", "disease", "infusions", "quantity", "day", "kind", "value", "events", "n", "error",
           *_LIMITS, "unit", "source", "note")  # fmt: skip
REQUIRED = ("target", "infusions", "quantity", "n")
ROLES: tuple[Role, Role] = ("calibrated", "held out")
_MOST_ROWS, _MOST_PATIENTS, _LONGEST = 200, 100_000, 200
_NORMAL = 1.959964
Days = tuple[float, float] | tuple[()]
_NO_DAY: Days = ()


@dataclass(frozen=True)
class GivenQuantity:
    """How a group result is given: as a proportion or a positive number, after which infusion, on which days."""

    kind: Kind
    after: tuple[int, ...]
    days: Days = _NO_DAY
    counted: bool = False


QUANTITIES: Mapping[str, GivenQuantity] = {
    "response": GivenQuantity("proportion", (1, 2)),
    "cr": GivenQuantity("proportion", (1, 2)),
    "umrd": GivenQuantity("proportion", (1,)),
    "free": GivenQuantity("proportion", (1,), (28.0, LONG)),
    "cr_free": GivenQuantity("proportion", (1,), (28.0, LONG)),
    "responders_free": GivenQuantity("proportion", (1, 2), (28.0, YEAR)),
    "antigen_negative": GivenQuantity("proportion", (1,)),
    "response_relapsed": GivenQuantity("proportion", (2,)),
    "cr_relapsed": GivenQuantity("proportion", (2,)),
    "response_refractory": GivenQuantity("proportion", (2,)),
    "cr_refractory": GivenQuantity("proportion", (2,)),
    "peak_day": GivenQuantity("log", (1,)),
    "count": GivenQuantity("log", (1,), (0.0, LONG), counted=True),
    "count_ratio": GivenQuantity("log", (1,), (0.0, LONG), counted=True),
    "peak_ratio": GivenQuantity("log", (1,)),
    "decline": GivenQuantity("log", (1,)),
    "pfs_median": GivenQuantity("log", (2,)),
    "os_median": GivenQuantity("log", (2,)),
    "peak_of_first": GivenQuantity("log", (2,)),
}
"""What a centre may give, by the names of `summary_statistics`."""


def read_centre_targets(path: Path) -> tuple[Target, ...]:
    """Return a centre's group results as targets.

    Raises
    ------
    PlanRefused
        With every problem of the file.
    """
    try:
        delimited = read_delimited(read_bytes(path))
    except Unreadable as error:
        raise PlanRefused([Problem(table=TABLE, value=str(path), rule=error.rule, remedy=error.remedy)]) from None
    header = [h.strip() for h in delimited.grid.header]
    problems = list(_of_file(delimited, header))
    if problems:
        raise PlanRefused(problems)
    rows = [_Row(number, {h: c.strip() for h, c in zip(header, cells, strict=True)}, problems)
            for number, cells in delimited.grid.rows]  # fmt: skip
    targets = [t for row in rows if (t := row.target()) is not None]
    problems += _of_all(targets, len(rows))
    if problems:
        raise PlanRefused(problems)
    return tuple(targets)


def _of_file(delimited: Delimited, header: list[str]) -> Iterator[Problem]:
    for name in dict.fromkeys(h for h in header if header.count(h) > 1):
        yield Problem(table=TABLE, column=name, rule="is the name of several columns", remedy="keep one")
    for name in header:
        if name not in COLUMNS:
            near = nearest(name, COLUMNS)
            remedy = f"did you mean {near!r}?" if near else f"use: {', '.join(COLUMNS)}"
            yield Problem(table=TABLE, column=name, rule=f"{name!r} is not known here", remedy=remedy)
    for name in REQUIRED:
        if name not in header:
            yield Problem(table=TABLE, column=name, rule="is missing", remedy="add the column")
    for row, count in delimited.uneven:
        yield Problem(table=TABLE, row=row, rule=f"has {count} cells, the header {len(header)}",
                      remedy="put a text with commas into quotation marks")  # fmt: skip
    if len(delimited.grid.rows) > _MOST_ROWS:
        yield Problem(table=TABLE, rule=f"holds more than {_MOST_ROWS} results", remedy="give fewer")


def _of_all(targets: list[Target], rows: int) -> Iterator[Problem]:
    names = [t.name for t in targets]
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        yield Problem(table=TABLE, column="target", value=name, rule="is the name of several rows", remedy="rename one")
    if len(targets) == rows and not any(t.role == "calibrated" for t in targets):
        yield Problem(
            table=TABLE, column="role", rule="no row has a result to calibrate to", remedy="leave roles empty"
        )


@dataclass(frozen=True)
class _Row:
    """One row; what is wrong with it goes to `problems`."""

    number: int
    cells: Mapping[str, str]
    problems: list[Problem]

    def target(self) -> Target | None:
        """Return the row as a target, None if something is wrong with it."""
        before = len(self.problems)
        name = self._text("target")
        if not name:
            self._wrong("target", "is missing", "name the result")
        role = self._one_of("role", ROLES) or "calibrated"
        disease = self._one_of("disease", DISEASES)
        infusions = self._one_of("infusions", (*FIRST, *SECOND), needed=True)
        quantity = self._one_of("quantity", tuple(QUANTITIES), needed=True)
        source, unit, note = self._text("source") or "the centre", self._text("unit"), self._text("note")
        if quantity is None or infusions is None:
            return None
        given = QUANTITIES[quantity]
        if (1 if infusions in FIRST else 2) not in given.after:
            self._wrong("quantity", f"is not read after {infusions}", "see docs/virtual.md")
        if (kind := self._one_of("kind", ("proportion", "log"))) and kind != given.kind:
            self._wrong("kind", f"is not that of {quantity}", f"{given.kind}, or leave it empty")
        day = self._day(given)
        value, n, error = self._counts() if given.kind == "proportion" else self._positive()
        if len(self.problems) > before:
            return None
        of = cast("Disease | None", disease)
        return Target(name, cast("Role", role), of, infusions, quantity, day, given.kind, value, n, error, source,
                      unit, note)  # fmt: skip

    def _text(self, column: str) -> str:
        text = self.cells.get(column, "")
        if why := fault(text, _LONGEST):
            self._wrong(column, *why)
        return text

    def _one_of(self, column: str, options: tuple[str, ...], *, needed: bool = False) -> str | None:
        text = self.cells.get(column, "")
        if text in options:
            return text
        if text or needed:
            near = nearest(text, options)
            rule = "is missing" if not text else "cannot be simulated"
            self._wrong(column, rule, f"did you mean {near!r}?" if near else f"one of: {'; '.join(options)}")
        return None

    def _day(self, given: GivenQuantity) -> float | None:
        if not given.days:
            if self.cells.get("day"):
                self._wrong("day", "is not read for this quantity", "leave it empty")
            return None
        day = self._number("day", *given.days)
        if day is not None and given.counted and day not in COUNTED:
            self._wrong("day", "is no day on which cells are counted", f"one of {', '.join(f'{d:g}' for d in COUNTED)}")
        return day

    def _counts(self) -> tuple[float, int, float]:
        n = self._whole("n", 1)
        self._empty("error", *_LIMITS, instead="events and n, or value and n")
        if self.cells.get("events"):
            self._empty("value", instead="either events or value")
            events = self._whole("events", 0)
            if events is not None and n is not None and events > n:
                self._wrong("events", "are more than n", "correct one of them")
            return (events or 0) / (n or 1), n or 1, 0.0
        value = self._number("value", 0.0, 1.0)
        return value or 0.0, n or 1, 0.0

    def _positive(self) -> tuple[float, int, float]:
        value, n = self._number("value", 1e-6, 1e9), self._whole("n", 1)
        self._empty("events", instead="value")
        if self.cells.get("error"):
            self._empty(*_LIMITS, instead="either error or the limits")
            return value or 1.0, n or 1, self._number("error", 1e-3, 10.0) or 1.0
        low, high = (self._number(c, 1e-6, 1e9) for c in _LIMITS)
        if value is None or low is None or high is None:
            return value or 1.0, n or 1, 1.0
        if not low <= value <= high or low == high:
            self._wrong("value", "does not lie between low and high", "give the 95 % limits around it")
            return value, n or 1, 1.0
        return value, n or 1, float(np.log(high / low)) / (2 * _NORMAL)

    def _number(self, column: str, least: float, most: float) -> float | None:
        text = self.cells.get(column, "")
        value = read_number(text).value if text else None
        if not isinstance(value, float | int) or not least <= value <= most:
            rule = f"is no number from {least:g} to {most:g}" if text else "is missing"
            self._wrong(column, rule, f"give a number from {least:g} to {most:g}")
            return None
        return float(value)

    def _whole(self, column: str, least: int) -> int | None:
        value = self._number(column, least, _MOST_PATIENTS)
        if value is not None and value != int(value):
            self._wrong(column, "is no whole number", "give a number of patients")
            return None
        return None if value is None else int(value)

    def _empty(self, *columns: str, instead: str) -> None:
        for column in columns:
            if self.cells.get(column):
                self._wrong(column, "is not read here", f"give {instead}")

    def _wrong(self, column: str, rule: str, remedy: str) -> None:
        value = self.cells.get(column) or None
        self.problems.append(Problem(table=TABLE, row=self.number, column=column, value=value, rule=rule,
                                     remedy=remedy))  # fmt: skip
