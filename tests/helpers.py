"""Cohorts from literal text, for the tests."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import openpyxl
import polars as pl

from reinfuse import Cohort, read_cohort
from reinfuse.cli import main as cli
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.plan.analysis_plan import Analyses, Plan

_COUNTER = itertools.count()


def csv_text(text: str) -> str:
    """Return literal rows without their indentation and with a line end after each."""
    return "".join(line.strip() + "\n" for line in text.strip().splitlines())


def cells(text: str) -> list[list[str]]:
    """Return literal rows as lists of cells, the header first."""
    return list(csv.reader(io.StringIO(csv_text(text))))


QUICK = """
[analyses]
calibrated = "none"
permutation = false
averaging = false
bootstraps = 0
influence = false
proportional_hazards = false
sensitivity = false
imputations = 0
competing = false
standardise = false
paired = false
power = 0
kinetics = false
endpoint_rules = false
"""
"""A plan's analyses, all of them switched off."""


def quick(plan: Plan, draws: int = 99, bootstraps: int = 10) -> Plan:
    """Return the plan with every analysis, but few draws."""
    few = {"draws": draws, "bootstraps": bootstraps, "power": 20, "imputations": 2}
    return plan.model_copy(update={"analyses": plan.analyses.model_copy(update=few)})


def plain(plan: Plan) -> Plan:
    """Return the plan without the analyses that draw random numbers or take long."""
    off = Analyses(calibrated="none", permutation=False, averaging=False, bootstraps=0, influence=False, imputations=0,
                   paired=False, power=0, endpoint_rules=False)  # fmt: skip
    return plan.model_copy(update={"analyses": off})


def write_folder(folder: Path, **tables: str) -> Path:
    """Write a new cohort folder inside `folder` from literal CSV rows, one argument a table."""
    made = folder / f"cohort_{next(_COUNTER)}"
    made.mkdir()
    for name, text in tables.items():
        (made / f"{name}.csv").write_text(csv_text(text), encoding="utf-8")
    return made


def write_sheet(folder: Path, text: str, name: str = "sheet.csv") -> Path:
    """Write a wide sheet from literal CSV rows."""
    path = folder / f"{next(_COUNTER)}_{name}"
    path.write_text(csv_text(text), encoding="utf-8")
    return path


def write_workbook(folder: Path, sheets: Mapping[str, list[list[object]]]) -> Path:
    """Write a workbook, one list of rows a sheet, with the types that the values have."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / f"book_{next(_COUNTER)}.xlsx"
    book.save(path)
    return path


def with_part(path: Path, old: bytes, new: bytes, part: str = "xl/worksheets/sheet1.xml") -> Path:
    """Return a copy of a workbook with other bytes in one of its parts."""
    out = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == part:
                assert old in data, data
                data = data.replace(old, new)
            target.writestr(name, data)
    return out


def problems_of(path: Path, columns: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """Return why a cohort is refused; fails if it is not."""
    try:
        cohort = read_cohort(path, columns or {})
    except CohortRefused as refused:
        return refused.problems
    raise AssertionError(f"the cohort was accepted: {cohort!r}")


def places(problems: tuple[Problem, ...]) -> list[tuple[str | None, int | None, str | None, str | None, str]]:
    """Return table, row, column, value and severity of each problem, in order."""
    return [(p.table, p.row, p.column, p.value, p.severity) for p in problems]


def read(folder: Path, **tables: str) -> Cohort:
    """Write and read a cohort."""
    return read_cohort(write_folder(folder, **tables))


def command(*arguments: object, cwd: Path | None = None, answers: str = "", encoding: str = "utf-8",
            **environment: str) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run the command line in this process, with what is typed into it: its exit status, output and errors.

    Its output is that of a console of an encoding, whose errors show letters that it lacks by their numbers.

    That a process of its own starts and ends as it should, tests/test_console.py, tests/test_cli.py (`_started`),
    tests/test_extras.py and tests/test_output_stopped.py show.
    """
    words, status = ["reinfuse", *map(str, arguments)], 0
    output, errors = (
        io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=lacking, newline="")
        for lacking in ("strict", "backslashreplace")
    )
    with (
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        mock.patch.object(sys, "argv", words),
        mock.patch.object(sys, "stdin", io.StringIO(answers)),
        mock.patch.dict(os.environ, environment),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
    texts = []
    for stream in (output, errors):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode(encoding, "replace"))
    return subprocess.CompletedProcess(words, status, *texts)


KEYS = ["analysis", "endpoint", "population", "group", "model", "term", "level", "statistic", "at"]
NUMBERS = ["at", "estimate", "lower", "upper", "confidence", "p_value"]


def estimates_agree(one: pl.DataFrame, other: pl.DataFrame, tolerance: float = 1e-9) -> None:
    """Fail unless two frames of estimates hold the same records, numbers within a relative tolerance."""
    frames = [f.sort(KEYS) for f in (one, other)]
    texts = [c for c in one.columns if c not in NUMBERS]
    assert one.height > 0
    assert frames[0].select(texts).rows() == frames[1].select(texts).rows()
    for column in NUMBERS:
        a, b = (f[column] for f in frames)
        assert a.is_null().equals(b.is_null()), column
        assert bool(((a - b).abs() <= tolerance * a.abs().clip(1)).fill_null(True).all()), column
