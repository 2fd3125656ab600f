"""A cohort folder: which file is which table, and what is to be told of every other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reinfuse.cohort import file_names
from reinfuse.cohort.file_names import ABOUT_FILE, READ, SHEET, WORKBOOKS
from reinfuse.cohort.schema import TABLES
from reinfuse.cohort.sheets import is_explanation
from reinfuse.exceptions import Problem
from reinfuse.tabular import files
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.limits import FILES, WORKBOOKS_IN_FOLDER
from reinfuse.tabular.workbook import Elements, read_sheets

FOLDER = "folder"
_TABLES = ", ".join(TABLES)


@dataclass(frozen=True, slots=True)
class Folder:
    """What stands in a folder.

    Attributes
    ----------
    tables
        Table, or ``sheet``, and its file.
    about
        The file that tells where the cohort comes from.
    documents
        Number of files and folders that are no tables by their kind.
    """

    tables: Mapping[str, Path]
    about: Path | None
    documents: int
    problems: tuple[Problem, ...]


def sort_out(folder: Path) -> Folder:
    """Give every entry of a folder its place.

    Raises
    ------
    Unreadable
        If the folder cannot be listed, or holds too many entries.
    """
    entries = _entries(folder)
    about = next((e for e in entries if e.name.casefold() == ABOUT_FILE), None)
    entries = [e for e in entries if not file_names.beside(e.name)]
    named = [(name, e) for e in entries if (name := _named(e))]
    tables = {name: e for name, e in reversed(named) if name != SHEET or {n for n, _ in named} == {SHEET}}
    problems = list(_twice(named, tables))
    documents, workbooks = 0, _Workbooks()
    for entry in (e for e in entries if _named(e) is None):
        problem = _stranger(entry, workbooks)
        problems += [problem] if problem else []
        documents += problem is None and not _is_template(entry)
    return Folder(dict(sorted(tables.items())), about, documents, tuple(problems))


def _entries(folder: Path) -> list[Path]:
    try:
        listed = []
        for entry in folder.iterdir():
            listed.append(entry)
            if len(listed) > FILES:
                rule = f"holds more than {FILES:,} files, the limit"
                raise Unreadable(rule, "name a folder that holds one cohort only")
    except OSError:
        raise Unreadable("the folder cannot be read", "check that you may open the folder") from None
    return sorted(listed)


def _named(entry: Path) -> str | None:
    """Return the table that a file is by name and ending."""
    if entry.suffix.casefold() not in READ:
        return None
    return SHEET if entry.stem.strip().casefold() == SHEET else file_names.table_named(entry.stem)


def _twice(named: Iterable[tuple[str, Path]], tables: Mapping[str, Path]) -> Iterator[Problem]:
    for name, entry in named:
        if tables.get(name) == entry:
            continue
        if name == SHEET and SHEET not in tables:
            rule = "a wide sheet and the tables of a cohort are both present; only one can be read"
            yield Problem(
                table=FOLDER, value=shown(entry), rule=rule, remedy="keep the sheet or the tables in this folder"
            )
        else:
            yield Problem(
                table=name, value=shown(entry), rule="is there in two files", remedy="keep one of the two files"
            )


def _stranger(entry: Path, workbooks: _Workbooks) -> Problem | None:
    """Tell what is wrong with a file that is no table; None of a document or an empty template."""
    name = shown(entry)
    if file_names.is_document(entry.name):
        return None
    if near := file_names.near_table(entry.name):
        rule = f"is read from {near}.csv or {near}.parquet, and a file of nearly this name is not read"
        remedy = f"save it as {near}.csv, put its rows there, or take it out of the folder"
        return Problem(table=near, value=name, rule=rule, remedy=remedy)
    if file_names.near_sheet(entry.name) and not entry.is_dir():
        rule = "a file is named nearly as a wide sheet is, and is not read"
        return Problem(
            table=FOLDER, value=name, rule=rule, remedy="name it sheet.csv, name the file itself, or take it out"
        )
    if entry.suffix.casefold() in WORKBOOKS:
        return workbooks.look(entry)
    return _unread(name) if file_names.is_data(entry.name) else None


def _unread(name: str) -> Problem:
    rule = "file not read: its name is not that of a table"
    remedy = f"nothing, if it is none of {_TABLES}; a wide sheet is read if you name the file itself"
    return Problem(table=FOLDER, value=name, rule=rule, remedy=remedy, severity="warning")


class _Workbooks:
    """Looks into the workbooks of a folder, as many as the limits allow."""

    def __init__(self) -> None:
        self._elements, self._count = Elements(), 0

    def look(self, entry: Path) -> Problem | None:
        """Tell of a workbook in a folder: its tables would be missed; an empty template is left alone."""
        self._count += 1
        if self._count > WORKBOOKS_IN_FOLDER:
            return _unread(shown(entry))
        try:
            sheets = read_sheets(files.read_bytes(entry), self._elements)
        except Unreadable:
            return _unread(shown(entry))
        filled = [s for s in sheets if s.grid.rows and not is_explanation(s.title)]
        near = list(dict.fromkeys(n for s in filled if (n := file_names.near_table(s.title))))
        if near:
            rule = f"a workbook in the folder is not read, and has sheets for {', '.join(near)}"
            remedy = "name the workbook itself, or save its sheets as CSV; then take it out of the folder"
            return Problem(table=FOLDER, value=shown(entry), rule=rule, remedy=remedy)
        return _unread(shown(entry)) if filled else None


def _is_template(entry: Path) -> bool:
    return entry.suffix.casefold() in WORKBOOKS


def shown(path: Path) -> str:
    """Return a file's name as it can be printed anywhere."""
    return "".join(c if c.isprintable() else "?" for c in path.name)
