"""Files as they are: every cell a text, every row with its number, nothing interpreted yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from reinfuse.cohort.file_names import ABOUT_FILE, SHEET, WORKBOOKS
from reinfuse.cohort.folder import FOLDER, shown, sort_out
from reinfuse.cohort.listed import listed
from reinfuse.cohort.schema import TABLES
from reinfuse.cohort.sheets import choose
from reinfuse.exceptions import Problem
from reinfuse.tabular import limits
from reinfuse.tabular.cell_parsing import Dialect, clean, is_fault
from reinfuse.tabular.delimited import Delimited, read_delimited
from reinfuse.tabular.files import Unreadable, kind, read_bytes
from reinfuse.tabular.grid import Grid
from reinfuse.tabular.limits import FILE_BYTES, SETTINGS_BYTES
from reinfuse.tabular.parquet import read_parquet
from reinfuse.tabular.toml import NotToml, parse_toml
from reinfuse.tabular.workbook import read_sheets
from reinfuse.texts import fault

DERIVED = "\x1f"
"""Stands in the name of every derived column and in no name of the input: `clean` takes it out of headers."""
ROW = f"{DERIVED}row"
TIME = f"{DERIVED}time"


@dataclass(frozen=True, slots=True)
class Reading:
    """One kind of normalisation: what was understood although it was not written plainly."""

    table: str
    column: str | None
    what: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table as it stands in its file: texts only, and `_row`, the number of the data row.

    Attributes
    ----------
    above
        Number of rows above the first data row, as a spreadsheet program shows the file; None where it shows none.
    labels, index
        Of a data frame: the labels of its rows where they are numbers, and what an index of another kind is called.
    """

    name: str
    frame: pl.DataFrame
    dialect: Dialect = "point"
    above: int | None = None
    labels: Sequence[int] | None = None
    index: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What is known of where a cohort comes from (`about.toml` beside the tables).

    Attributes
    ----------
    confirmed
        Kinds of implausible values that somebody looked at when the cohort was made, and that are right.
    """

    title: str = ""
    synthetic: bool = False
    description: str = ""
    source: str = ""
    limits: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawCohort:
    """All that was found at a path. `wide`: one sheet with one row a patient."""

    name: str
    tables: Mapping[str, RawTable]
    wide: bool
    sources: Mapping[str, str]
    about: About = field(default_factory=About)
    readings: tuple[Reading, ...] = ()
    problems: tuple[Problem, ...] = ()
    path: Path | None = None


CohortInput = str | Path | RawCohort
"""Where a cohort stands, or what was read of it already."""


class Collector:
    """Gathers what reading the files brings up."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.readings: list[Reading] = []
        self.sources: dict[str, str] = {}

    def bytes_of(self, path: Path, limit: int = FILE_BYTES) -> bytes:
        """Return what a file holds, and note its SHA-256."""
        data = read_bytes(path, limit)
        self.sources[shown(path)] = hashlib.sha256(data).hexdigest()
        return data

    def refuse(self, table: str | None, rule: str, remedy: str, *, row: int | None = None, column: str | None = None,
               value: str | None = None) -> None:  # fmt: skip
        """Note a problem."""
        self.problems.append(Problem(table=table, row=row, column=column, value=value, rule=rule, remedy=remedy))


def read_raw(path: CohortInput) -> RawCohort:
    """Read a cohort folder, a workbook or a wide sheet without interpreting it.

    Parameters
    ----------
    path
        A folder of `<table>.csv` or `.parquet`, an .xlsx workbook with those sheet names, or one .csv, .xlsx or
        .parquet sheet with one row a patient. One that was read already is returned as it is.

    Returns
    -------
    RawCohort
        Its `problems` say what could not be read.
    """
    if isinstance(path, RawCohort):
        return path
    path = Path(path)
    collector = Collector()
    about = About()
    tables: list[RawTable] = []
    what = kind(path)
    try:
        if what == "folder":
            tables, about = _folder(path, collector)
        elif what == "file":
            tables = _file(path, collector)
        elif what == "none":
            collector.refuse(None, "there is no such file or folder", "name a cohort folder, a workbook or a sheet")
        else:
            collector.refuse(None, what, "name a cohort folder, a workbook or a sheet")
    except Unreadable as refused:
        collector.refuse(None, refused.rule, refused.remedy)
    wide = bool(tables) and not any(t.name in TABLES for t in tables)
    place = path.absolute() if tables else None
    return RawCohort(path.stem if what == "file" else path.name, {t.name: t for t in tables}, wide, collector.sources,
                     about, tuple(collector.readings), tuple(collector.problems), place)  # fmt: skip


def _about(path: Path, collector: Collector) -> About:
    try:
        settings = parse_toml(collector.bytes_of(path, SETTINGS_BYTES))
    except Unreadable as refused:
        collector.refuse(ABOUT_FILE, refused.rule, refused.remedy)
        return About()
    except NotToml as why:
        collector.refuse(ABOUT_FILE, str(why), "correct or remove it")
        return About()
    lists = {k: settings.get(k, []) for k in ("limits", "confirmed")}
    texts = {k: settings.get(k, "") for k in ("title", "description", "source")}
    inner = ((k, text) for k, own in lists.items() for text in (own if isinstance(own, list) else [None]))
    whole = [*texts.items(), *inner]
    for key, text in whole:
        wrong = fault(clean(text)) if isinstance(text, str) else ("is not a text", "write it in quotation marks")
        if wrong:
            collector.refuse(ABOUT_FILE, f"{key} {wrong[0]}", wrong[1], column=key)
            return About()
    limits, confirmed = (tuple(clean(x) for x in own) for own in lists.values())
    return About(synthetic=settings.get("synthetic") is True, limits=limits, confirmed=confirmed,
                 **{k: clean(text) for k, text in texts.items()})  # fmt: skip


def _folder(path: Path, collector: Collector) -> tuple[list[RawTable], About]:
    """Read the tables of a folder, or the one wide sheet (`sheet.csv`) of a folder without tables."""
    folder = sort_out(path)
    collector.problems += folder.problems
    if folder.documents:
        collector.readings.append(Reading(FOLDER, None, "files that are not tables, not read", folder.documents))
    raw = [_one(name, file, collector=collector) for name, file in folder.tables.items()]
    return [t for t in raw if t is not None], _about(folder.about, collector) if folder.about else About()


def _file(path: Path, collector: Collector) -> list[RawTable]:
    ending = path.suffix.casefold()
    if ending in WORKBOOKS:
        return _workbook(path, collector)
    if ending not in (".csv", ".tsv", ".txt", ".parquet"):
        collector.refuse(
            None, f"files ending in {ending or 'nothing'} are not read", "save it as .xlsx, .csv or .parquet"
        )
        return []
    raw = _one(SHEET, path, collector=collector)
    return [raw] if raw is not None else []


def _one(name: str, path: Path, *, collector: Collector) -> RawTable | None:
    """Read the table of one file."""
    try:
        data = collector.bytes_of(path)
        if path.suffix.casefold() == ".parquet":
            return table_of(name, read_parquet(data), collector, above=None)
        read = read_delimited(data)
    except Unreadable as refused:
        collector.refuse(name, refused.rule, refused.remedy)
        return None
    collector.readings += [Reading(name, None, note, 1) for note in read.notes]
    raw = table_of(name, read.grid, collector, dialect=read.dialect)
    if raw:
        collector.problems += listed(_uneven(name, read), len(read.uneven))
    return raw


def _uneven(name: str, read: Delimited) -> Iterator[Problem]:
    remedy = "a separator is missing or extra: quote texts that contain one"
    for row, count in read.uneven:
        rule = f"has {count} cells where the header has {len(read.grid.columns)}"
        yield Problem(table=name, row=row, rule=rule, remedy=remedy)


def _workbook(path: Path, collector: Collector) -> list[RawTable]:
    chosen = choose(read_sheets(collector.bytes_of(path)))
    collector.problems += chosen.problems
    raw = [table_of(name, sheet.grid, collector) for name, sheet in chosen.tables.items()]
    return [t for t in raw if t is not None]


def table_of(name: str, grid: Grid, collector: Collector, *, dialect: Dialect = "point",
           above: int | None = 1) -> RawTable | None:  # fmt: skip
    """Make a table of texts from the cells of a sheet."""
    header = [clean(h) for h in grid.header]
    if not any(header):
        rule, remedy = "is empty", "give it a header and at least one row"
        if grid.rows:
            rule, remedy = "has no names of columns in its first row", "remove the rows above the header"
        collector.refuse(name, rule, remedy)
        return None
    if name in (SHEET, "patients") and len(grid.rows) > limits.PATIENTS:
        collector.refuse(name, *limits.TOO_MANY_PATIENTS)
        return None
    if grid.blank:
        collector.readings.append(Reading(name, None, "empty rows left out", grid.blank))
    filled_columns = [j for j, h in enumerate(header) if h or any(clean(row[j]) for _, row in grid.rows)]
    for j in (j for j in filled_columns if not header[j]):
        where = f"column {grid.columns[j] + 1}"
        filled = next(i for i, row in grid.rows if clean(row[j]))
        collector.refuse(
            name, f"{where} has cells but no name", f"give the column a name; row {filled} holds its first cell"
        )
    _refuse_names(name, [header[j] for j in filled_columns], collector=collector)
    names = {header[j] or f"{DERIVED}unnamed {grid.columns[j] + 1}": j for j in filled_columns}
    columns = {n: [row[j] for _, row in grid.rows] for n, j in names.items()}
    types = {ROW: pl.Int64, **dict.fromkeys(columns, pl.String)}
    numbers = {ROW: [i for i, _ in grid.rows]}
    return RawTable(name, pl.DataFrame({**numbers, **columns}, schema_overrides=types), dialect, above)


def _refuse_names(name: str, header: Iterable[str], *, collector: Collector) -> None:
    titles: set[str] = set()
    for title in header:
        if title and title in titles:
            collector.refuse(name, "the column occurs twice", "keep one of the two columns", column=title)
        if is_fault(title):
            rule = "the column name is a spreadsheet error"
            collector.refuse(name, rule, "correct the formula or enter the name", column=title)
        titles.add(title)
