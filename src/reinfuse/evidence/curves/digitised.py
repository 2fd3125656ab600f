"""Curves as points: a CSV file of times and heights, and the numbers at risk that stand under a figure."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.exceptions import Problem, nearest

MOST_BYTES = 5_000_000
_PAIR = re.compile(r"\s*(?P<time>\d+(?:\.\d*)?|\.\d+)\s*:\s*(?P<number>\d+)\s*")
_COLUMNS = ("time", "survival", "percent", "arm", "kind")
_OWN = ("endpoint", "population", "group")
"""What tells the curves apart in `curves.csv` of a folder of results."""
_RISK_COLUMNS = ("time", "at_risk", "arm")


@dataclass(frozen=True)
class DigitisedArm:
    """One arm's curve as it was read off: times, heights from 1 to 0, times of censoring marks (None: not given)."""

    name: str
    time: Floats
    survival: Floats
    marks: Floats | None = None


@dataclass(frozen=True)
class PrintedRisk:
    """Numbers at risk of an arm, as they are printed; an arm of no name belongs to a figure of one curve."""

    arm: str
    time: tuple[float, ...]
    number: tuple[int, ...]


def read_points(path: Path, problems: list[Problem]) -> list[DigitisedArm]:
    """Return the curves of a CSV file with columns `time`, `survival` or `percent`, and, if need be, `arm` and `kind`.

    Parameters
    ----------
    path
        The file; `kind` is `censored` for a censoring mark, else empty or `step`. Or `curves.csv` of results.
    problems
        Takes all that is wrong.
    """
    rows, columns = _rows(path, _COLUMNS, problems)
    if not rows:
        return []
    height = next((c for c in ("survival", "percent") if c in columns), None)
    for column in ("time", *(() if height else ("survival",))):
        if column not in columns:
            problems.append(_missing(path, column, columns))
    if height is None or "time" not in columns:
        return []
    points: dict[str, list[tuple[float, float]]] = {}
    marks: dict[str, list[float]] = {}
    for k, row in enumerate(rows, 1):
        arm = (row.get("arm") or ", ".join(t for c in _OWN if (t := (row.get(c) or "").strip()))).strip()
        time = _number(path, row, "time", k, problems=problems)
        if (row.get("kind") or "").strip().lower() in ("censored", "mark"):
            if time is not None:
                marks.setdefault(arm, []).append(time)
            continue
        value = _number(path, row, height, k, problems=problems, most=100.0 if height == "percent" else 1.0)
        if time is not None and value is not None:
            points.setdefault(arm, []).append((time, value / (100 if height == "percent" else 1)))
    return [_arm(path, name, points[name], marks=marks.get(name), problems=problems) for name in points]


def _arm(path: Path, name: str, points: Sequence[tuple[float, float]], *, marks: list[float] | None,
         problems: list[Problem]) -> DigitisedArm:  # fmt: skip
    time, survival = (np.array(column, float) for column in zip(*points, strict=True))
    back = np.flatnonzero(np.diff(time) < 0)
    if len(back):
        rule = f"times of {name or 'the curve'} go back {len(back)} times, first after time {time[back[0]]:g}"
        problems.append(Problem(table=path.name, column="time", rule=rule, remedy="sort the points by time"))
    return DigitisedArm(name, time, survival, None if marks is None else np.sort(np.array(marks, float)))


def read_risk(given: Iterable[str], problems: list[Problem]) -> list[PrintedRisk]:
    """Return numbers at risk: of texts `0:22,6:15` or `A=0:22,6:15`, or of CSV files with `time`, `at_risk`, `arm`.

    Parameters
    ----------
    given
        One text an arm, or names of files.
    problems
        Takes all that is wrong.
    """
    printed: list[PrintedRisk] = []
    for text in given:
        if text.lower().endswith(".csv"):
            printed += _risk_file(Path(text), problems)
            continue
        name, _, pairs = text.rpartition("=")
        matches = [_PAIR.fullmatch(part) for part in pairs.split(",")]
        if not all(matches):
            remedy = "write times and numbers as 0:22,6:15,12:9, with the arm's name and = before them if there are two"
            problems.append(_of_option("--at-risk", text, "is no list of times and numbers", remedy=remedy))
            continue
        times, numbers = zip(*((float(m["time"]), int(m["number"])) for m in matches if m), strict=True)
        printed.append(PrintedRisk(name.strip(), times, numbers))
    for one in printed:
        _check_risk(one, problems)
    return printed


def _risk_file(path: Path, problems: list[Problem]) -> list[PrintedRisk]:
    rows, columns = _rows(path, _RISK_COLUMNS, problems)
    if not rows:
        return []
    lacking = [c for c in ("time", "at_risk") if c not in columns]
    problems += [_missing(path, column, columns) for column in lacking]
    if lacking:
        return []
    arms: dict[str, list[tuple[float, int]]] = {}
    for k, row in enumerate(rows, 1):
        time = _number(path, row, "time", k, problems=problems)
        number = _number(path, row, "at_risk", k, problems=problems)
        if time is None or number is None:
            continue
        if number != int(number):
            problems.append(Problem(table=path.name, row=k, column="at_risk", value=str(number),
                                    rule="is no whole number", remedy="give a number of patients"))  # fmt: skip
            continue
        arms.setdefault((row.get("arm") or "").strip(), []).append((time, int(number)))
    return [PrintedRisk(name, *zip(*pairs, strict=True)) for name, pairs in arms.items()]


def _check_risk(risk: PrintedRisk, problems: list[Problem]) -> None:
    where = f"at risk{f' ({risk.arm})' if risk.arm else ''}"
    if risk.time[0] != 0:
        problems.append(_of_option("--at-risk", where, f"begins at time {risk.time[0]:g}",
                                   remedy="give the number of patients at time 0 first"))  # fmt: skip
    if risk.number[0] < 1:
        problems.append(_of_option("--at-risk", where, "begins with no patient", remedy="give the number of patients"))
    if any(a >= b for a, b in zip(risk.time, risk.time[1:], strict=False)):
        problems.append(_of_option("--at-risk", where, "has times that do not rise", remedy="sort them, each once"))
    if any(a < b for a, b in zip(risk.number, risk.number[1:], strict=False)):
        problems.append(_of_option("--at-risk", where, "has numbers that rise",
                                   remedy="numbers at risk cannot rise: look at the figure again"))  # fmt: skip


def _of_option(option: str, value: str, rule: str, *, remedy: str) -> Problem:
    return Problem(table="curve", column=option, value=value, rule=rule, remedy=remedy)


def _rows(path: Path, names: Sequence[str], problems: list[Problem]) -> tuple[list[dict[str, str]], set[str]]:
    """Return the rows of a CSV file, and its columns in small letters."""
    try:
        content = path.read_bytes()
    except OSError as error:
        rule = f"cannot be read ({(error.strerror or 'not possible').lower()})"
        problems.append(Problem(table=path.name, rule=rule, remedy="give the path of a file"))
        return [], set()
    if len(content) > MOST_BYTES:
        problems.append(Problem(table=path.name, rule="is larger than 5 MB", remedy="give the points of one figure"))
        return [], set()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem(table=path.name, rule="is no UTF-8 text", remedy="save it as CSV (UTF-8)"))
        return [], set()
    separator = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    table = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in row)]
    if len(table) < 2:
        problems.append(Problem(table=path.name, rule="has no rows", remedy=f"give columns {', '.join(names[:2])}"))
        return [], set()
    heads = [head.strip().lower() for head in table[0]]
    return [dict(zip(heads, row, strict=False)) for row in table[1:]], set(heads)


def _missing(path: Path, column: str, columns: set[str]) -> Problem:
    near = nearest(column, sorted(columns))
    hint = f"rename {near!r}" if near else f"there are: {', '.join(sorted(columns))}"
    extra = "; `percent` for heights from 0 to 100" if column == "survival" else ""
    return Problem(
        table=path.name, column=column, rule="is missing", remedy=f"name a column {column!r} ({hint}){extra}"
    )


def _number(path: Path, row: dict[str, str], column: str, k: int, *, problems: list[Problem],
            most: float = math.inf) -> float | None:  # fmt: skip
    text = (row.get(column) or "").strip()
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if 0 <= value <= most and math.isfinite(value):
        return value
    rule = (
        "is no number" if math.isnan(value) else f"is not from 0 to {most:g}" if math.isfinite(most) else "is below 0"
    )
    remedy = "correct or remove the row"
    if column == "survival" and 1 < value <= 100:
        remedy = "name the column `percent` if heights are percentages"
    problems.append(Problem(table=path.name, row=k, column=column, value=text, rule=rule, remedy=remedy))
    return None
