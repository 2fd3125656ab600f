"""What is wrong or odd in the data, as a person mends it: each kind of problem once, with its rows and their texts.

The source never changes: what a person decides is a line of the ledger (`study.corrections`), and the review is made
anew of data, map and ledger.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reinfuse.cohort.raw_tables import ROW, RawCohort, read_raw
from reinfuse.exceptions import Problem, Severity
from reinfuse.messages import grouped
from reinfuse.sources.corrections import Correction, last_decisions, read_ledger
from reinfuse.sources.imported import Imported
from reinfuse.study.corrections import corrected_cohort

_AT_VALUE = re.compile(r" \([a-z]+(?:\.\w+)? = .*\)\Z", re.DOTALL)
"""Ends the rule of a problem of a source: where in the cohort its cell stands, and as what. The cell is shown."""
_BESIDE = 6
"""Cells of a row that are shown beside the one that is wrong."""


@dataclass(frozen=True, slots=True)
class ProblemCell:
    """One problem, where it stands, and what was decided of it.

    Attributes
    ----------
    row
        What the ledger calls the row; empty: the problem is of a whole column or table.
    shown_row
        As the person sees it.
    text
        What stands in the cell, whole; None: there is no cell that can be corrected.
    beside
        Header and text of some other cells of the row.
    left
        Why it was left as it is; None where nobody said so.
    """

    problem: Problem
    row: str
    shown_row: str
    column: str
    text: str | None
    beside: tuple[tuple[str, str], ...]
    left: str | None


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one kind: table, column, rule and severity are the same."""

    severity: Severity
    table: str
    column: str
    rule: str
    remedies: tuple[str, ...]
    cells: tuple[ProblemCell, ...]


@dataclass(frozen=True)
class DataReview:
    """Data with what was decided of them.

    Attributes
    ----------
    accepted
        Whether they can be analysed.
    groups
        Errors first, then what has most rows; warnings that were left are in `left`.
    ledger
        Every decision, in order.
    rows
        Table of the cohort -> rows; empty where it is none yet.
    remarks
        What was done or left out when it was imported.
    """

    accepted: bool
    groups: tuple[ProblemGroup, ...]
    left: tuple[ProblemGroup, ...]
    ledger: tuple[Correction, ...]
    rows: Mapping[str, int]
    remarks: tuple[str, ...] = ()

    @property
    def standing(self) -> set[int]:
        """Numbers of the decisions that can be taken back."""
        return last_decisions(self.ledger)

    def count(self, severity: Severity) -> int:
        """Return how many problems there are."""
        return sum(len(g.cells) for g in self.groups if g.severity == severity)


Cells = Callable[[str, str], Mapping[str, str]]
"""From a table's name and what the ledger calls a row to the row's texts by header."""


def review_data(path: Path, *, map_path: Path | None = None, corrections: Path | None = None) -> DataReview:
    """Return what is wrong with data.

    Parameters
    ----------
    path
        A cohort; with `map_path`, a source.
    corrections
        Ledger of what was decided.

    Raises
    ------
    MapRefused, SourceRefused, CohortRefused
        If nothing is there to be checked.
    """
    ledger = () if corrections is None else read_ledger(corrections)
    if map_path is None:
        return _of_cohort(path, corrections, ledger=ledger)
    from reinfuse.study.sources import check_source

    checked = check_source(path, map_path, corrections=corrections)
    groups, left = _grouped(checked.problems, _source_cells(checked.imported), ledger)
    rows = {} if checked.cohort is None else {n: len(t.rows) for n, t in checked.imported.tables.items()}
    return DataReview(checked.cohort is not None, groups, left, ledger, rows, checked.imported.remarks)


def _of_cohort(path: Path, corrections: Path | None, *, ledger: Sequence[Correction]) -> DataReview:
    from reinfuse.study.cohorts import check

    raw = read_raw(corrected_cohort(path, corrections))
    checked = check(raw)
    groups, left = _grouped(checked.problems, _raw_cells(raw), ledger)
    rows = {name: t.frame.height for name, t in raw.tables.items()} if checked.accepted else {}
    return DataReview(checked.accepted, groups, left, tuple(ledger), rows)


def _source_cells(imported: Imported) -> Cells:
    def cells(table: str, row: str) -> Mapping[str, str]:
        source = imported.source.table(table)
        if source is None:
            return {}
        texts = next((r.texts for r in source.rows if r.place.removeprefix("row ") == row), ())
        return dict(zip((c.header for c in source.columns), texts, strict=False))

    return cells


def _raw_cells(raw: RawCohort) -> Cells:
    def cells(table: str, row: str) -> Mapping[str, str]:
        if table not in raw.tables or not row.isdecimal():
            return {}
        frame = raw.tables[table].frame
        matching = frame.filter(frame[ROW] == int(row)).drop(ROW).to_dicts()
        return {h: t or "" for h, t in matching[0].items()} if matching else {}

    return cells


def _grouped(problems: Iterable[Problem], cells: Cells,
             ledger: Sequence[Correction]) -> tuple[tuple[ProblemGroup, ...], tuple[ProblemGroup, ...]]:  # fmt: skip
    """Return problems by kind: those to be decided, worst first, and warnings that were left."""
    standing = [ledger[number] for number in sorted(last_decisions(ledger))]
    reasons = {one.place: one.reason for one in standing if not one.changes and one.row}
    of_whole = {(one.table, one.column, one.old): one.reason for one in standing if not one.row}
    open_groups: list[ProblemGroup] = []
    left_groups: list[ProblemGroup] = []
    for kind in grouped(replace(p, rule=_AT_VALUE.sub("", p.rule)) for p in problems):
        ones = [_cell(p, cells, reasons=reasons, of_whole=of_whole) for p in kind]
        for groups, some in (
            (open_groups, [c for c in ones if c.left is None]),
            (left_groups, [c for c in ones if c.left is not None]),
        ):
            if some:
                first = some[0].problem
                remedies = tuple(dict.fromkeys(c.problem.remedy for c in some))
                groups.append(ProblemGroup(first.severity, first.table or "", some[0].column, first.rule, remedies,
                                           tuple(some)))  # fmt: skip
    open_groups.sort(key=lambda g: (g.severity != "error", -len(g.cells)))
    return tuple(open_groups), tuple(left_groups)


def _cell(problem: Problem, cells: Cells, *, reasons: Mapping[tuple[str, str, str], str],
          of_whole: Mapping[tuple[str, str, str], str]) -> ProblemCell:  # fmt: skip
    table, column = problem.table or "", problem.header or problem.column or ""
    row = "" if problem.row is None else str(problem.row)
    texts = cells(table, row) if row else {}
    here = next((h for h in texts if h == column or h.casefold().strip() == column.casefold()), None)
    beside = tuple((h, t) for h, t in texts.items() if h != here and t.strip())[:_BESIDE]
    left = reasons.get((table, row, here or column)) if row else of_whole.get((table, column, problem.rule))
    shown_row = row if problem.sheet_row is None else str(problem.sheet_row)
    return ProblemCell(problem, row, shown_row, here or column, None if here is None else texts[here], beside,
                       left if problem.severity == "warning" else None)  # fmt: skip
