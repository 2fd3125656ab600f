"""Files as they are: every cell a text, every row with its number, nothing interpreted yet."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from reinfuse.cohort.schema import TABLES
from reinfuse.cohort.values import Dialect, as_text, clean
from reinfuse.cohort.workbook import Unreadable, read_sheets
from reinfuse.errors import Problem
from reinfuse.texts import fault
from reinfuse.toml import NotToml, parse_toml

ROW = "_row"
TIME = "_time"
ABOUT_FILE = "about.toml"
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
EXPLANATIONS = "explanations"


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
    """One table as it stands in its file: texts only, and `_row`, the number of the data row."""

    name: str
    frame: pl.DataFrame
    dialect: Dialect = "point"


@dataclass(frozen=True, slots=True)
class About:
    """What is known of where a cohort comes from (`about.toml` beside the tables)."""

    title: str = ""
    synthetic: bool = False
    description: str = ""
    source: str = ""
    limits: tuple[str, ...] = ()


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


class _Collector:
    """Gathers what reading the files brings up."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.readings: list[Reading] = []
        self.sources: dict[str, str] = {}

    def bytes_of(self, table: str | None, path: Path) -> bytes | None:
        try:
            data = path.read_bytes()
        except OSError:
            self.refuse(table, "the file cannot be read", "look whether it is a file that you may open")
            return None
        self.sources[path.name] = hashlib.sha256(data).hexdigest()
        return data

    def refuse(self, table: str | None, rule: str, remedy: str, row: int | None = None, column: str | None = None,
               value: str | None = None) -> None:  # fmt: skip
        self.problems.append(Problem(table, row, column, value, rule, remedy))


def read_raw(path: str | Path) -> RawCohort:
    """Read a cohort folder, a workbook or a wide sheet without interpreting it.

    Parameters
    ----------
    path
        A folder of `<table>.csv` or `.parquet`, an .xlsx workbook with those sheet names, or one .csv, .xlsx or
        .parquet sheet with one row a patient.

    Returns
    -------
    RawCohort
        Its `problems` say what could not be read.
    """
    path = Path(path)
    found = _Collector()
    about = About()
    tables: list[RawTable] = []
    if path.is_dir():
        tables = _folder(path, found)
        about = _about(path / ABOUT_FILE, found)
    elif path.is_file():
        tables = _file(path, found)
    else:
        found.refuse(None, "there is no such file or folder", "name a cohort folder, a workbook or a sheet")
    wide = bool(tables) and not any(t.name in TABLES for t in tables)
    place = path.absolute() if tables else None
    return RawCohort(path.stem if path.is_file() else path.name, {t.name: t for t in tables}, wide, found.sources,
                     about, tuple(found.readings), tuple(found.problems), place)  # fmt: skip


def _about(path: Path, found: _Collector) -> About:
    if not path.is_file():
        return About()
    data = found.bytes_of(ABOUT_FILE, path)
    try:
        told = parse_toml(data or b"")
    except NotToml as why:
        found.refuse(ABOUT_FILE, str(why), "mend it or take it away")
        return About()
    limits = told.get("limits", [])
    texts = {k: told.get(k, "") for k in ("title", "description", "source")}
    whole = [*texts.items(), *(("limits", text) for text in (limits if isinstance(limits, list) else [None]))]
    for key, text in whole:
        wrong = fault(clean(text)) if isinstance(text, str) else ("is not a text", "write it in quotation marks")
        if wrong:
            found.refuse(ABOUT_FILE, f"{key} {wrong[0]}", wrong[1], column=key)
            return About()
    return About(synthetic=told.get("synthetic") is True, limits=tuple(clean(x) for x in limits),
                 **{k: clean(text) for k, text in texts.items()})  # fmt: skip


def _folder(path: Path, found: _Collector) -> list[RawTable]:
    """Read the tables of a folder, or the one wide sheet (`sheet.csv`) of a folder without tables."""
    tables: dict[str, RawTable] = {}
    readable = [f for f in sorted(path.iterdir()) if f.suffix.casefold() in (".csv", ".parquet")]
    known = [f for f in readable if f.stem.strip().casefold() in TABLES]
    for file in known or [f for f in readable if f.stem == "sheet"]:
        name, ending = file.stem.strip().casefold(), file.suffix.casefold()
        if name in tables:
            found.refuse(name, "is there in two files", "keep one of the two files")
            continue
        raw = _csv(name, file, found) if ending == ".csv" else _parquet(name, file, found)
        if raw is not None:
            tables[name] = raw
    return list(tables.values())


def _file(path: Path, found: _Collector) -> list[RawTable]:
    ending = path.suffix.casefold()
    if ending in (".xlsx", ".xlsm"):
        return _workbook(path, found)
    if ending in (".csv", ".tsv", ".txt"):
        raw = _csv("sheet", path, found)
    elif ending == ".parquet":
        raw = _parquet("sheet", path, found)
    else:
        found.refuse(None, f"files ending in {ending or 'nothing'} are not read", "save it as .xlsx, .csv or .parquet")
        return []
    return [raw] if raw is not None else []


def _decode(name: str, data: bytes, found: _Collector) -> str | None:
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            break
        if encoding == "cp1252":
            found.readings.append(Reading(name, None, "file in Windows-1252 instead of UTF-8", 1))
        return text
    found.refuse(name, "is not a text file", "save it as CSV (UTF-8)")
    return None


def _csv(name: str, path: Path, found: _Collector) -> RawTable | None:
    data = found.bytes_of(name, path)
    text = None if data is None else _decode(name, data, found)
    if text is None:
        return None
    head = re.sub(r'"[^"]*"', "", re.split(r"[\r\n]", text.lstrip())[0])
    separator = max(",;\t|", key=head.count)
    if separator != ",":
        found.readings.append(Reading(name, None, f"columns separated by {separator!r} instead of a comma", 1))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        found.refuse(name, "is not valid CSV", "look for an unclosed quotation mark and save it as CSV again")
        return None
    return _table(name, rows, found, "point" if separator == "," else "either")


def _parquet(name: str, path: Path, found: _Collector) -> RawTable | None:
    data = found.bytes_of(name, path)
    if data is None:
        return None
    try:
        frame = pl.read_parquet(io.BytesIO(data))
        columns = [_texts(s) for s in frame.get_columns()]
    except (Exception, pl.exceptions.PanicException):  # a damaged file makes the reader raise, or stop, anywhere
        found.refuse(name, "is not a Parquet file that can be read", "write it again with plain columns")
        return None
    rows = [list(frame.columns), *map(list, zip(*columns, strict=True))]
    return _table(name, rows, found)


def _texts(series: pl.Series) -> list[str]:
    if series.dtype.is_nested() or series.dtype == pl.Object:
        raise pl.exceptions.SchemaError("nested column")
    return [as_text(v) for v in series.to_list()]


def _workbook(path: Path, found: _Collector) -> list[RawTable]:
    data = found.bytes_of(None, path)
    if data is None:
        return []
    try:
        sheets, unstored = read_sheets(data)
    except Unreadable:
        found.refuse(None, "is not a workbook that can be read", "save it again as .xlsx, without a password")
        return []
    lost = {(title, i) for title, i, _ in unstored}
    filled = {t: rows for t, rows in sheets.items() if any(any(r) or (t, i) in lost for i, r in enumerate(rows))}
    known = {title: rows for title, rows in filled.items() if title.strip().casefold() in TABLES}
    if not known and len(filled) != 1:
        rule = f"has {len(filled)} filled sheets, none named as a table of a cohort"
        found.refuse(None, rule, "name them patients, infusions, ..., or keep one wide sheet")
        return []
    names = {title: title.strip().casefold() if known else "sheet" for title in known or filled}
    for title in filled:
        if known and title not in known and title.strip().casefold() != EXPLANATIONS:
            found.readings.append(Reading(title, None, "sheet that is no table of a cohort, not read", 1))
    for name in sorted({n for n in names.values() if list(names.values()).count(n) > 1}):
        found.refuse(name, "is there in two sheets", "keep one of the two sheets")
    for title, i, j in unstored:
        if title in names:
            column = sheets[title][0][j] or None
            remedy = "open the workbook in a spreadsheet program and save it, or write the value"
            found.refuse(names[title], "holds a formula without a stored result", remedy, i or None, column)
    raw = [_table(name, filled[title], found) for title, name in names.items()]
    return [t for t in raw if t is not None]


def _table(name: str, rows: Sequence[Sequence[str]], found: _Collector, dialect: Dialect = "point") -> RawTable | None:
    """Make a table of texts from rows, the first of which is the header."""
    if not rows or not any(clean(h) for h in rows[0]):
        found.refuse(name, "is empty", "give it a header and at least one row")
        return None
    header = [clean(h) for h in rows[0]]
    body = [(i, row) for i, row in enumerate(rows[1:], 1) if any(clean(c) for c in row)]
    blank = len(rows) - 1 - len(body)
    if blank:
        found.readings.append(Reading(name, None, "empty rows left out", blank))
    for i, row in body:
        if (len(row) != len(header) and any(clean(c) for c in row[len(header) :])) or len(row) < len(header):
            rule = f"has {len(row)} cells where the header has {len(header)}"
            found.refuse(name, rule, "a separator is missing or too many: quote texts that hold one", row=i)
    kept = [j for j, h in enumerate(header) if h or any(clean(r[j]) for _, r in body if j < len(r))]
    for j in kept:
        if not header[j]:
            found.refuse(name, f"column {j + 1} has cells but no name", "give the column a name")
    _refuse_names(name, [header[j] for j in kept], found)
    names = {header[j] or f"_unnamed_{j + 1}": j for j in kept if header[j] not in (ROW, TIME)}
    columns = {n: [r[j] if j < len(r) else "" for _, r in body] for n, j in names.items()}
    numbers = {ROW: [i for i, _ in body]}
    types = {ROW: pl.Int64, **dict.fromkeys(columns, pl.String)}
    return RawTable(name, pl.DataFrame({**numbers, **columns}, schema_overrides=types), dialect)


def _refuse_names(name: str, header: Iterable[str], found: _Collector) -> None:
    seen: set[str] = set()
    for title in header:
        if title and title in seen:
            found.refuse(name, "the column is there twice", "keep one of the two columns", column=title)
        if title in (ROW, TIME):
            found.refuse(name, "the column has a name that the program uses itself", "rename it", column=title)
        seen.add(title)
