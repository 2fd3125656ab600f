"""The checked cohort: `examine` types and checks what was read, and tells every problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from reinfuse.cohort.near_columns import plain_name
from reinfuse.cohort.plausibility import implausible
from reinfuse.cohort.raw_frames import NAME, in_words_of_frames, raw_frames
from reinfuse.cohort.raw_tables import TIME, About, RawCohort, RawTable, Reading
from reinfuse.cohort.schema import TABLES
from reinfuse.cohort.typed_table import Typed, interpret
from reinfuse.cohort.validation import check
from reinfuse.cohort.wide_format import interpret_wide
from reinfuse.exceptions import CohortRefused, Problem

if TYPE_CHECKING:
    from reinfuse.tabular.frames import AnyFrame

NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Cohort:
    """A checked cohort: typed tables and what reading them brought up.

    Attributes
    ----------
    name
        Name of the folder or file.
    wide
        True: `tables` holds one table, ``sheet``, with one row a patient and times already derived.
    tables
        Typed frames; `_row` is the number of the data row, `_time` the day (since 1970 for dates).
    extra
        By table, the columns that are not declared ones.
    readings
        What was normalised on reading.
    warnings
        Problems that do not refuse the cohort.
    sources
        File name -> SHA-256.
    raw, read_with
        The texts, and the column map and the wanted columns with which they were read.
    split_doses
        Further parts of infusions that were given in parts (`split`): `_time`, `_row`, `infusion` as numbered in the
        input, and the number of the `whole`; None: none, or not looked for yet.
    """

    name: str
    wide: bool
    tables: Mapping[str, pl.DataFrame] = field(repr=False)
    extra: Mapping[str, tuple[str, ...]]
    readings: tuple[Reading, ...] = field(repr=False)
    warnings: tuple[Problem, ...]
    sources: Mapping[str, str]
    about: About
    raw: RawCohort = field(repr=False)
    read_with: tuple[dict[str, str], tuple[str, ...]] = field(repr=False)
    split_doses: pl.DataFrame | None = field(default=None, repr=False)

    @classmethod
    def from_frames(
        cls, *, patients: AnyFrame, infusions: AnyFrame, responses: AnyFrame | None = None,
        mrd: AnyFrame | None = None, counts: AnyFrame | None = None, toxicities: AnyFrame | None = None,
        therapies: AnyFrame | None = None, name: str = NAME, confirmed: Sequence[str] = (),
    ) -> Cohort:  # fmt: skip
        """Make a cohort from data frames: pandas, polars, pyarrow, or of any library that narwhals reads.

        Parameters
        ----------
        patients, infusions, responses, mrd, counts, toxicities, therapies
            The tables, with the columns of docs/input.md. NaN, NaT and None are missing; an index is not read.
        name
            What the report calls the cohort.
        confirmed
            Kinds of implausible values (`totals`, `doses`, `times`, `events`) that somebody looked at and that are
            right.

        Raises
        ------
        CohortRefused
            With every problem at once: table, row (1 = the first), column.
        """
        frames = {"patients": patients, "infusions": infusions, "responses": responses, "mrd": mrd, "counts": counts,
                  "toxicities": toxicities, "therapies": therapies}  # fmt: skip
        wanted = {table: f for table, f in frames.items() if f is not None or TABLES[table].required}
        cohort, problems = examine(raw_frames(wanted, name=name), confirmed=confirmed)
        if cohort is None:
            raise CohortRefused(problems)
        return cohort

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {frame.height}" for name, frame in self.tables.items())
        return f"<Cohort {self.name}: {rows} rows; {len(self.warnings)} warnings>"


def examine(raw: RawCohort, columns: Mapping[str, str] = NO_COLUMNS,
            *, used: Sequence[str] = (),
            confirmed: Sequence[str] = ()) -> tuple[Cohort | None, tuple[Problem, ...]]:  # fmt: skip
    """Type and check a raw cohort; the cohort is None if a problem is an error."""
    if raw.wide:
        typed = {"sheet": interpret_wide(raw.tables["sheet"], columns, used=used)}
        unreadable: list[Problem] = []
    else:
        typed, unreadable = _dated_tables(raw, used)
    cells = [p for t in typed.values() for p in t.problems]
    tables = {name: t.frame for name, t in typed.items()}
    between = [] if raw.wide else check(tables, cells)
    between += implausible(tables, confirmed=(*confirmed, *raw.about.confirmed))
    problems = [in_the_users_words(p, raw, columns=columns) for p in (*raw.problems, *unreadable, *cells, *between)]
    ordered = tuple(sorted(problems, key=lambda p: (p.severity, p.table or "", p.row or 0, p.column or "", p.rule)))
    if any(p.severity == "error" for p in ordered):
        return None, ordered
    readings = (*raw.readings, *(r for t in typed.values() for r in t.readings))
    extra = {name: t.extra for name, t in typed.items() if t.extra}
    read_with = (dict(columns), tuple(used))
    return Cohort(raw.name, raw.wide, tables, extra, readings, ordered, raw.sources, raw.about, raw, read_with), ordered


def in_the_users_words(problem: Problem, raw: RawCohort, *, columns: Mapping[str, str] = NO_COLUMNS) -> Problem:
    """Return a problem with the row of the user's sheet, and the column's own name where it is read as another."""
    table = raw.tables.get(problem.table or "")
    if table is None:
        return problem
    row = None if problem.row is None or table.above is None else problem.row + table.above
    problem = in_words_of_frames(problem, table)
    header, names = None, table.frame.columns
    if problem.column is not None and problem.column not in names:
        own = plain_name(columns.get(problem.column, problem.column))
        header = next((n for n in names if plain_name(n) == own), None)
    return replace(problem, sheet_row=row, header=header)


def _dated_tables(raw: RawCohort, used: Sequence[str]) -> tuple[dict[str, Typed], list[Problem]]:
    unread = {p.table for p in raw.problems if p.severity == "error"}
    problems = [
        Problem(table=name, rule="the table is missing", remedy=f"add {name}.csv or a sheet {name}: {table.meaning}")
        for name, table in TABLES.items() if table.required and name not in raw.tables and name not in unread
    ]  # fmt: skip
    if not raw.tables:
        return {}, [] if unread & {None, "sheet"} else problems
    modes = {name: mode for name, t in raw.tables.items() if (mode := _mode(t)) and name != "patients"}
    dated = modes.get("infusions", next(iter(modes.values()), "day")) == "date"
    wrong = [name for name, mode in modes.items() if (mode == "date") != dated]
    problems += [
        Problem(table=name, column=modes[name], rule="the cohort is dated both by date and by day",
                remedy=f"use {'date' if dated else 'day'} as the table infusions does") for name in wrong
    ]  # fmt: skip
    typed = {name: interpret(t, TABLES[name], dated=dated, used=used) for name, t in raw.tables.items()}
    return {name: _with_time(name, t) for name, t in typed.items()}, problems


def _mode(raw: RawTable) -> str | None:
    """Tell whether a table is timed by `date` or by `day`."""
    names = {plain_name(c) for c in raw.frame.columns}
    return next((mode for mode in ("date", "day") if mode in names), None)


def _with_time(name: str, typed: Typed) -> Typed:
    column = next((c for c in ("date", "day") if c in typed.frame.columns), None)
    if name == "patients" or column is None:
        return typed
    return Typed(typed.frame.with_columns(pl.col(column).alias(TIME)), typed.extra, typed.readings, typed.problems)
