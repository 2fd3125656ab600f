"""What was imported as a cohort: checked by the cohort's own rules, told in the source's words, written as a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import polars as pl

from reinfuse.cohort.cohort import Cohort, examine
from reinfuse.cohort.file_names import ABOUT_FILE
from reinfuse.cohort.raw_tables import ROW, About, RawCohort, RawTable
from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.output import Destination
from reinfuse.sources.assembling import problem_at
from reinfuse.sources.cdisc.trial_plan import PLAN_FILE, trial_plan
from reinfuse.sources.imported import Imported, ImportedTable
from reinfuse.sources.map_text import map_text
from reinfuse.sources.source_map import WIDE_SHEET
from reinfuse.tabular.csv_files import write_csv
from reinfuse.tabular.toml import toml_text

PROVENANCE = "provenance.csv"
MAP_FILE = "map.toml"
NOTHING_BESIDE: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class Checked:
    """What was imported, and what the cohort's own check says of it.

    Attributes
    ----------
    cohort
        None where a problem is an error.
    problems
        In the source's words: sheet, row as the spreadsheet program numbers it, header.
    """

    imported: Imported
    cohort: Cohort | None
    problems: tuple[Problem, ...]


def check(imported: Imported, path: Path | None = None) -> Checked:
    """Check what was imported as a cohort.

    Parameters
    ----------
    path
        Where the source stands.

    Returns
    -------
    Checked
        Where the map leaves something open, with those problems alone: the tables are not whole.
    """
    if any(p.severity == "error" for p in imported.problems):
        return Checked(imported, None, imported.problems)
    declared = {c for t in TABLES.values() for c in (*t.names, *(a.name for a in t.also))}
    own = tuple({c for t in imported.tables.values() for c in t.columns} - declared)
    cohort, problems = examine(raw_cohort(imported, path), used=own)
    in_words = (_in_the_words_of_the_source(p, imported) for p in problems)
    return Checked(imported, cohort, (*imported.problems, *in_words))


def checked_cohort(imported: Imported, path: Path | None = None) -> Checked:
    """Check what was imported, and refuse what is no cohort.

    Raises
    ------
    SourceRefused
        With every problem.
    """
    checked = check(imported, path)
    if checked.cohort is None:
        raise SourceRefused(checked.problems)
    return checked


def raw_cohort(imported: Imported, path: Path | None = None) -> RawCohort:
    """Return what was imported as a cohort that is not yet interpreted, as if its folder had been read."""
    tables = {name: RawTable(name, _frame(table)) for name, table in imported.tables.items()}
    wide = set(tables) == {WIDE_SHEET}
    digest = hashlib.sha256(map_text(imported.map).encode()).hexdigest()
    sources = {**imported.source.files, MAP_FILE: digest}
    return RawCohort(Path(imported.source.name).stem, tables, wide, sources, _about(imported), path=path)


def write_cohort(checked: Checked, place: Destination, *, beside: Mapping[str, bytes] = NOTHING_BESIDE) -> Path:
    """Write a cohort folder: tables, `about.toml`, the map and `provenance.csv`, complete or not at all.

    Parameters
    ----------
    beside
        Name -> content of files of the source's own that go with it: the ledger of corrections.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    imported = checked.imported

    def fill(folder: Path) -> None:
        for name, table in imported.tables.items():
            write_csv(_frame(table).drop(ROW), folder / f"{name}.csv")
        (folder / ABOUT_FILE).write_text(_about_text(_about(imported)), encoding="utf-8")
        (folder / MAP_FILE).write_text(map_text(imported.map), encoding="utf-8")
        write_csv(provenance(imported), folder / PROVENANCE)
        for name, content in beside.items():
            (folder / name).write_bytes(content)
        if plan := trial_plan(imported):
            (folder / PLAN_FILE).write_text(plan, encoding="utf-8")

    return place.write(fill)


def provenance(imported: Imported) -> pl.DataFrame:
    """Return where each cell of the cohort comes from: table, row, column, source, raw text and rule.

    Cells that are empty in the source and in the cohort are not listed.
    """
    lines = [
        (name, number, column, cell.origin.place(cell.row), cell.raw, cell.rule or "as it stands")
        for name, table in imported.tables.items() for number, row in enumerate(table.rows, 1)
        for column, cell in zip(table.columns, row, strict=True) if cell.text or cell.raw
    ]  # fmt: skip
    kinds = {n: pl.Int64 if n == "row" else pl.String for n in ("table", "row", "column", "source", "raw", "rule")}
    return pl.DataFrame(lines, schema=kinds, orient="row")


def _frame(table: ImportedTable) -> pl.DataFrame:
    """Return the texts of a table; required columns that no line fills are empty."""
    texts = {c: [row[j].text for row in table.rows] for j, c in enumerate(table.columns)}
    lacking = [c for c in _may_be_empty(table.name) if c not in texts]
    columns = {ROW: range(1, len(table.rows) + 1), **texts, **{c: [""] * len(table.rows) for c in lacking}}
    kinds = {c: pl.Int64 if c == ROW else pl.String for c in columns}
    return pl.DataFrame(columns, schema=kinds)


def _may_be_empty(table: str) -> Iterator[str]:
    """Yield required columns of a table whose cells may all be empty."""
    if table in TABLES:
        yield from (c.name for c in TABLES[table].columns if c.required and not c.filled)


def _about(imported: Imported) -> About:
    files = ", ".join(f"{name} (SHA-256 {digest})" for name, digest in imported.source.files.items())
    return About(title=f"Imported from {imported.source.name}", source=files or imported.source.name,
                 description="Imported with a confirmed map; provenance.csv gives the place and the rule of each cell.",
                 limits=imported.remarks, confirmed=imported.map.confirmed)  # fmt: skip


def _about_text(about: About) -> str:
    lines = [f"{key} = {toml_text(getattr(about, key))}" for key in ("title", "description", "source")]
    lines += ["limits = [", *(f"  {toml_text(limit)}," for limit in about.limits), "]"]
    if about.confirmed:
        lines.append(f"confirmed = [{', '.join(map(toml_text, about.confirmed))}]")
    return "\n".join([*lines, ""])


def _in_the_words_of_the_source(problem: Problem, imported: Imported) -> Problem:
    """Return a problem of a cohort's table at its place in the source; of a whole table or column, as it is."""
    remedy = problem.remedy.replace("in the plan", "in [source] of the map") if "confirmed = " in problem.remedy else ""
    problem = replace(problem, remedy=remedy or problem.remedy)
    table = imported.tables.get(problem.table or "")
    if table is None or problem.row is None or not 1 <= problem.row <= len(table.rows):
        return problem
    row = table.rows[problem.row - 1]
    cell = row[table.columns.index(problem.column)] if problem.column in table.columns else row[0]
    shown = _at(problem.column, problem.value, table=table.name)
    in_source = problem_at(cell, f"{problem.rule} ({shown})", remedy=problem.remedy)
    return replace(in_source, severity=problem.severity, value=in_source.value or problem.value)


def _at(column: str | None, value: str | None, *, table: str) -> str:
    where = f"{table}.{column}" if column else table
    return f"{where} = {value}" if value else where
