"""A folder of published studies: a TOML file for each, `figures.csv`, and `notices.csv` where there are notices.

Read like a cohort: everything that is wrong is told at once, each with its file, row, column, value, rule and remedy.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.notices import Notice
from reinfuse.evidence.register import Register
from reinfuse.evidence.rules import faults_of_figures, faults_of_studies
from reinfuse.evidence.screening import SCREENING, ScreeningRow
from reinfuse.evidence.studies import RegisteredStudy
from reinfuse.exceptions import Problem, RegisterRefused, nearest
from reinfuse.tabular.delimited import read_delimited
from reinfuse.tabular.files import Unreadable, kind, read_bytes
from reinfuse.tabular.limits import SETTINGS_BYTES
from reinfuse.tabular.toml import NotToml, parse_toml
from reinfuse.texts import fault

T = TypeVar("T")
FIGURES, NOTICES = "figures.csv", "notices.csv"
LISTED = ("diseases", "differs_in")
"""Columns of figures that hold several texts, separated by semicolons."""
_BESIDE = {"name", "figures", "notices", "row"}
"""Fields that no file gives."""
_MOST_STUDIES = 1000
_FLAWS = {
    "missing": ("is missing", "add it"),
    "literal_error": ("is none of {expected}", "use one of them"),
    "int_parsing": ("is no whole number", "give a whole number"),
    "int_from_float": ("is no whole number", "give a whole number"),
    "int_type": ("is no whole number", "give a whole number"),
    "float_parsing": ("is no number", "give a number with a point, or leave it empty"),
    "finite_number": ("is no number", "give a number with a point, or leave it empty"),
    "string_type": ("is no text", "put it into quotation marks"),
    "tuple_type": ("is no list", "put it into square brackets"),
}
_NO_DATE = ("is no date", "write it as YYYY-MM-DD")


def read_register(*folders: Path | None) -> Register:
    """Return the register that comes with reinfuse, and with it the studies of further folders of the same form.

    A folder may hold notices alone, to studies of the folders before it, as `reinfuse evidence update` writes them.

    Raises
    ------
    RegisterRefused
        With every problem of all folders.
    """
    studies = list(_published())
    problems: list[Problem] = []
    for folder in folders:
        if folder is not None:
            problems += _join(studies, folder)
    if problems:
        raise RegisterRefused(problems)
    order = sorted(studies, key=lambda s: (not s.is_reference, s.year or 9999, s.label.casefold()))
    return Register(tuple(order))


@cache
def _published() -> tuple[RegisteredStudy, ...]:
    """Return the studies of the register that comes with reinfuse."""
    studies: list[RegisteredStudy] = []
    if problems := _join(studies, Path(str(files(__package__).joinpath("published")))):
        raise RegisterRefused(problems)
    return tuple(studies)


def read_screening(folder: Path) -> list[ScreeningRow]:
    """Return the screening list of an earlier update, with the decisions on it; empty where there is none.

    Raises
    ------
    RegisterRefused
        With every problem.
    """
    problems: list[Problem] = []
    rows = list(_rows(folder / SCREENING, ScreeningRow, problems))
    if problems:
        raise RegisterRefused(problems)
    return rows


def _join(studies: list[RegisteredStudy], folder: Path) -> list[Problem]:
    """Add the studies of a folder to those before it; return what is wrong with it."""
    if kind(folder) != "folder":
        rule = "there is no such folder" if kind(folder) == "none" else "is no folder"
        return [Problem(value=str(folder), rule=rule, remedy="name a folder of published studies")]
    problems: list[Problem] = []
    paths = sorted(folder.glob("*.toml"))[: _MOST_STUDIES + 1]
    if len(paths) > _MOST_STUDIES:
        rule = f"holds more than {_MOST_STUDIES:,} studies, the limit"
        return [Problem(value=str(folder), rule=rule, remedy="divide it into several folders")]
    own = [study for path in paths if (study := _study(path, problems))]
    rows = list(_rows(folder / FIGURES, PublishedFigure, problems))
    problems += faults_of_studies(own, studies) + faults_of_figures(rows, own)
    notices = list(_rows(folder / NOTICES, Notice, problems))
    every = {s.name for s in (*studies, *own)}
    for notice in (n for n in notices if n.study not in every):
        problems.append(_unknown_study(NOTICES, notice.study, names=every))
    if not (paths or rows or notices or problems or kind(folder / SCREENING) == "file"):
        rule = f"holds neither a study (NAME.toml) nor {FIGURES} nor {NOTICES}"
        problems.append(Problem(value=str(folder), rule=rule, remedy="name a folder of published studies"))
    if not problems:
        joined = [*studies, *(_with_figures(s, rows) for s in own)]
        studies[:] = [_with_notices(s, notices) for s in joined]
    return problems


def _with_figures(study: RegisteredStudy, figures: list[PublishedFigure]) -> RegisteredStudy:
    """Return a study with its figures; each differs in what the study differs in, and is of its diseases by default."""
    own = [
        replace(
            f,
            diseases=f.diseases or study.diseases,
            differs_in=tuple(dict.fromkeys((*study.differs_in, *f.differs_in))),
            source=f.source or study.address,
        )
        for f in figures
        if f.study == study.name
    ]
    return replace(study, figures=tuple(own))


def with_notices(register: Register, notices: Sequence[Notice]) -> Register:
    """Return a register with further notices to its studies."""
    return Register(tuple(_with_notices(s, notices) for s in register.studies))


def _with_notices(study: RegisteredStudy, notices: Sequence[Notice]) -> RegisteredStudy:
    own = [n for n in notices if n.study == study.name and n not in study.notices]
    return replace(study, notices=(*study.notices, *own)) if own else study


def _study(path: Path, problems: list[Problem]) -> RegisteredStudy | None:
    """Read the file of one study."""
    try:
        contents = parse_toml(read_bytes(path, SETTINGS_BYTES))
    except (NotToml, Unreadable) as error:
        problems.append(Problem(table=path.name, rule=str(error), remedy="correct the file, or write it again"))
        return None
    return _validated(RegisteredStudy, contents, {"name": path.stem}, problems=problems, table=path.name)


def _rows(path: Path, form: type[T], problems: list[Problem]) -> Iterator[T]:
    """Yield what the rows of a file hold, those that are in order."""
    if kind(path) == "none":
        return
    try:
        delimited = read_delimited(read_bytes(path))
    except Unreadable as error:
        problems.append(Problem(table=path.name, rule=error.rule, remedy=error.remedy))
        return
    grid, before = delimited.grid, len(problems)
    header = [h.strip() for h in grid.header]
    problems += [Problem(table=path.name, column=name, rule="is the name of several columns", remedy="keep one")
                 for name in dict.fromkeys(h for h in header if header.count(h) > 1)]  # fmt: skip
    remedy = "put a text with commas into quotation marks"
    problems += [Problem(table=path.name, row=row, rule=f"has {count} cells, the header {len(header)}", remedy=remedy)
                 for row, count in delimited.uneven]  # fmt: skip
    problems += _unknown(header, form, table=path.name)
    problems += [Problem(table=path.name, column=name, rule="is missing", remedy="add the column")
                 for name in _required(form) - {*header}]  # fmt: skip
    if len(problems) > before:
        return
    for number, cells in grid.rows:
        filled = {h: c.strip() for h, c in zip(header, cells, strict=True) if c.strip()}
        values: dict[str, Any] = {
            h: tuple(x.strip() for x in c.split(";") if x.strip()) if h in LISTED else c for h, c in filled.items()
        }
        place = {"row": number} if form is PublishedFigure else {}
        one = _validated(form, values, place, problems=problems, table=path.name, row=number)
        if one is not None:
            yield one


def _required(form: type) -> set[str]:
    """Return the fields of a form that each file must give."""
    return {f.name for f in fields(form) if f.default is MISSING} - _BESIDE


def _unknown(names: list[str], form: type, *, table: str) -> list[Problem]:
    allowed = [f.name for f in fields(form) if f.name not in _BESIDE]
    problems = []
    for name in names:
        if name not in allowed:
            near = nearest(name, allowed)
            remedy = f"did you mean {near!r}?" if near else f"use: {', '.join(allowed)}"
            problems.append(Problem(table=table, column=name, rule=f"{name!r} is not known here", remedy=remedy))
    return problems


def _validated(
    form: type[T], values: Mapping[str, Any], beside: Mapping[str, Any], *, problems: list[Problem], table: str,
    row: int | None = None,
) -> T | None:  # fmt: skip
    """Make one study, figure or notice of what a file says; tell all that is wrong with it."""
    wrong = [] if row is not None else _unknown(list(values), form, table=table)
    wrong += [Problem(table=table, row=row, column=name, value=text, rule=why[0], remedy=why[1])
              for name, text in _texts(values) if (why := fault(" ".join(text.split("\n")), 2000))]  # fmt: skip
    try:
        one = None if wrong else cast(T, _adapter(cast(Hashable, form)).validate_python({**values, **beside}))
    except ValidationError as error:
        one = None
        wrong += [_in_words(dict(e), table=table, row=row) for e in error.errors(include_url=False)]
    problems += wrong
    return one


@cache
def _adapter(form: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, form))


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        yield from ((name, x) for x in (value if isinstance(value, list | tuple) else [value]) if isinstance(x, str))


def _in_words(error: Mapping[str, Any], *, table: str, row: int | None) -> Problem:
    """Return as a problem what pydantic says of one value."""
    kind_of_error = str(error["type"])
    rule, remedy = _FLAWS.get(kind_of_error, _NO_DATE if "date" in kind_of_error else (str(error["msg"]), "correct it"))
    place = [str(x) for x in error["loc"]]
    value = None if kind_of_error == "missing" else str(error["input"])
    rule = rule.format(expected=error.get("ctx", {}).get("expected", ""))
    return Problem(table=table, row=row, column=place[0] if place else None, value=value, rule=rule, remedy=remedy)


def _unknown_study(table: str, name: str, *, names: set[str]) -> Problem:
    near = nearest(name, names)
    remedy = f"did you mean {near!r}?" if near else "name a study of the register, by its file's name without .toml"
    return Problem(table=table, column="study", value=name, rule="is no study of the register", remedy=remedy)
