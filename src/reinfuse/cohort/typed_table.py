"""From texts to typed columns, by the declaration of the table; every cell that is not understood is a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from reinfuse.cohort.listed import listed
from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.cohort.near_columns import plain_name, strangers
from reinfuse.cohort.raw_tables import DERIVED, ROW, RawTable, Reading
from reinfuse.cohort.schema import DAYS, Column, TableSchema
from reinfuse.exceptions import Problem, Severity, nearest
from reinfuse.tabular import cell_parsing, limits
from reinfuse.tabular.cell_parsing import Read
from reinfuse.texts import LONGEST_NAME, fault

LONGEST_HEADER = 1000
CLASS_SUFFIX = f"{DERIVED}class"
FAULT = ("is a spreadsheet error", "correct the formula or enter the value")
DTYPES: Mapping[str, type[pl.DataType]] = {"number": pl.Float64, "integer": pl.Int64, "date": pl.Int64, "day": pl.Int64,
                                           "when": pl.Int64}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """A table with typed columns (dates as whole days since 1970-01-01), and what reading it brought up.

    Columns that are not declared stay texts; `extra` names them.
    """

    frame: pl.DataFrame
    extra: tuple[str, ...]
    readings: tuple[Reading, ...]
    problems: tuple[Problem, ...]


def interpret(
    raw: RawTable, table: TableSchema, *, dated: bool = False, used: Sequence[str] = (), own: bool = False
) -> Typed:
    """Type the columns of a raw table.

    Parameters
    ----------
    raw
        Texts.
    table
        The declaration.
    dated
        The cohort uses dates: columns of kind ``when`` hold dates rather than days.
    used
        Names of undeclared columns that the plan uses: no warning for these.
    own
        The table may have many columns of its own: no warning for these either, unless they look like declared ones.
    """
    frame, readings, twins = _rename(raw, table)
    problems = twins + _missing_columns(frame, table)
    columns = {c: table.column(c) for c in frame.columns if c != ROW}
    extra = tuple(name for name, column in columns.items() if column is None)
    wanted = frozenset(used)
    problems += _unwritable_names(table.name, [n for n in columns if DERIVED not in n])
    problems += strangers([n for n in extra if n not in wanted and DERIVED not in n], table, columns, own=own)
    typed, rows = {ROW: frame[ROW]}, frame[ROW].to_list()
    for name, column in columns.items():
        if column is None:
            typed[name], wrong = _texts(raw.name, rows, frame[name], wanted=name in wanted)
        else:
            series, more, wrong = _column(raw, rows, frame[name].to_list(), column=column, dated=dated)
            typed |= series
            readings += more
        problems += wrong
    return Typed(pl.DataFrame(typed), extra, tuple(readings), tuple(problems))


def _texts(table: str, rows: list[int], series: pl.Series, *, wanted: bool) -> tuple[pl.Series, list[Problem]]:
    """Clean an undeclared column; an error of the spreadsheet program, or what no document can show, is no text."""
    cleaned = {t: cell_parsing.clean(t) for t in series.unique().to_list()}
    severity: Severity = "error" if wanted else "warning"
    faults: dict[str, Any] = {}
    for text, clean in cleaned.items():
        if cell_parsing.is_fault(clean):
            faults[text] = {"rule": f"{series.name} {FAULT[0]}", "remedy": FAULT[1], "severity": severity}
        elif wrong := fault(clean):
            faults[text] = {"rule": wrong[0], "remedy": wrong[1], "severity": "error"}
    texts = series.to_list()
    problems: list[Problem] = []
    for kind in {f["severity"] for f in faults.values()}:
        faulty = [(row, t) for row, t in zip(rows, texts, strict=True) if t in faults and faults[t]["severity"] == kind]
        each = (Problem(table=table, row=row, column=series.name, value=t, **faults[t]) for row, t in faulty)
        problems += listed(each, len(faulty))
    read = {t: None if t in faults or cell_parsing.is_missing(c) else c for t, c in cleaned.items()}
    return pl.Series(series.name, [read[t] for t in texts], dtype=pl.String), problems


def _unwritable_names(table: str, names: Sequence[str]) -> list[Problem]:
    faults = {name: wrong for name in names if (wrong := fault(name, LONGEST_HEADER))}
    return [Problem(table=table, column=name, rule=f"the column's name {rule}", remedy=remedy)
            for name, (rule, remedy) in faults.items()]  # fmt: skip


def _rename(raw: RawTable, table: TableSchema) -> tuple[pl.DataFrame, list[Reading], list[Problem]]:
    """Give declared names to columns that differ in case, spaces or punctuation only; two for one are a problem."""
    declared = {c.name for c in (*table.columns, *table.also)}
    plain = {plain_name(n): n for n in declared}
    taken = {n: n for n in raw.frame.columns if n in declared}
    readings, problems = [], []
    for name in raw.frame.columns:
        target = plain.get(plain_name(name), name)
        if target == name:
            continue
        if target in taken:
            rule = f"the columns {taken[target]!r} and {name!r} are both read as {target}"
            problems.append(Problem(table=table.name, column=name, rule=rule, remedy="rename or remove one of the two"))
            continue
        taken[target] = name
        readings.append(Reading(table.name, target, "column name", 1, (f"{name} → {target}",)))
    renamed = {name: target for target, name in taken.items() if name != target}
    return raw.frame.rename(renamed), readings, problems


def _missing_columns(frame: pl.DataFrame, table: TableSchema) -> list[Problem]:
    problems = []
    unknown = [c for c in frame.columns if table.column(c) is None]
    for column in table.columns:
        if column.required and column.name not in frame.columns:
            near = nearest(column.name, unknown)
            hint = f"is it {near!r}? rename it" if near else f"add it: {column.meaning}"
            problems.append(Problem(table=table.name, column=column.name, rule="the column is missing", remedy=hint))
    times = [c for c in ("date", "day") if c in frame.columns]
    if table.timed == "must" and not times:
        problems.append(
            Problem(table=table.name, column="date", rule="has neither a date nor a day column", remedy="add one")
        )
    if len(times) == 2:
        problems.append(
            Problem(table=table.name, column="day", rule="has both a date and a day column", remedy="keep one of them")
        )
    return problems


def _reader(column: Column, texts: Sequence[str], raw: RawTable, *, dated: bool) -> Callable[[str], Read]:
    if column.kind in ("id", "text"):
        return lambda text: Read(text)
    if column.kind == "yes_no":
        return cell_parsing.read_yes_no
    if column.kind == "choice":
        return _choices(column)
    if column.kind == "regimen":
        return _read_regimen
    if column.kind == "date" or (column.kind == "when" and dated):
        return cell_parsing.read_date
    mark = cell_parsing.decimal_mark(texts, raw.dialect)
    whole = column.kind != "number"
    return lambda text: _read_in_range(text, column, mark, whole=whole)


def _choices(column: Column) -> Callable[[str], Read]:
    return lambda text: cell_parsing.read_choice(text, column.choices, column.words, free=column.free)


def _read_regimen(text: str) -> Read:
    if text.casefold() == cell_parsing.UNKNOWN:
        return Read(None, "missing")
    if regimen_class(text) is None:
        remedy = "name the agents, such as `fludarabine + cyclophosphamide`; begin with `other` for anything else"
        return Read(rule="holds an unrecognised regimen or agent", remedy=remedy)
    return Read(text)


def _read_in_range(text: str, column: Column, mark: str | None, *, whole: bool) -> Read:
    read = Read(None, "missing") if text.casefold() == cell_parsing.UNKNOWN else cell_parsing.read_number(text, mark)
    number = read.value
    if not isinstance(number, float):
        return read
    if whole and not number.is_integer():
        return Read(rule="is not a whole number", remedy=f"write a whole number: {column.meaning}")
    low, high = DAYS if column.kind in ("day", "when") else (column.low, column.high)
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = f"from {low:g} to {high:g}" if low is not None and high is not None else f"{low:g} or more"
        unit = f" {column.unit}" if column.unit else ""
        return Read(rule=f"is outside the possible range, {bounds}{unit}", remedy=f"correct it: {column.meaning}")
    return Read(int(number) if whole else number, read.how)


def _column(raw: RawTable, rows: list[int], texts: list[str], *, column: Column,
            dated: bool) -> tuple[dict[str, pl.Series], list[Reading], list[Problem]]:  # fmt: skip
    """Type one column; each different text is read once."""
    cleaned = {t: cell_parsing.clean(t) for t in dict.fromkeys(texts)}
    unsaid = cell_parsing.UNSAID if column.empty_tells else frozenset()
    empty = {t for t, c in cleaned.items() if cell_parsing.is_missing(c) and c.casefold() not in unsaid}
    present = [c for t, c in cleaned.items() if t not in empty]
    read = _reader(column, present, raw, dated=dated)
    longest = LONGEST_NAME if column.kind == "id" or column.free else None
    cells = _read(cleaned, empty, lambda c: _refused(c, unsaid, longest=longest) or read(c))
    if column.free:
        cells = _one_spelling(texts, cells)
    rules = {t: f"{column.name} {read.rule}" for t, read in cells.items() if read.rule}
    wrong = [(row, t) for row, t in zip(rows, texts, strict=True) if t in rules]
    each = (Problem(table=raw.name, row=row, column=column.name, value=cleaned[t], rule=rules[t],
                    remedy=cells[t].remedy) for row, t in wrong)  # fmt: skip
    problems = list(listed(each, len(wrong)))
    if column.filled:
        rule, remedy = f"{column.name} is missing", f"fill it: {column.meaning}"
        missing = [(row, t) for row, t in zip(rows, texts, strict=True) if cells[t].value is None and t not in rules]
        each = (Problem(table=raw.name, row=row, column=column.name, value=t or None, rule=rule, remedy=remedy)
                for row, t in missing)  # fmt: skip
        problems += listed(each, len(missing))
    series = pl.Series(column.name, [cells[t].value for t in texts], dtype=DTYPES.get(column.kind, pl.String))
    typed = {column.name: series}
    if column.kind == "regimen":
        classes = {t: regimen_class(str(r.value)) if r.value is not None else None for t, r in cells.items()}
        name = column.name + CLASS_SUFFIX
        typed[name] = pl.Series(name, [classes[t] for t in texts], dtype=pl.String)
    return typed, _readings(raw.name, column, texts, cleaned=cleaned, cells=cells, empty=empty), problems


def _read(cleaned: Mapping[str, str], empty: set[str], read: Callable[[str], Read]) -> dict[str, Read]:
    """Read each different text, in the order of the rows, until so many are wrong that no more are told one by one."""
    cells, wrong = {}, 0
    for text, clean in cleaned.items():
        if text in empty:
            cells[text] = Read()
            continue
        cells[text] = read(clean) if wrong < limits.LISTED else Read(rule="was not looked at")
        wrong += cells[text].rule is not None
    return cells


def _refused(text: str, unsaid: frozenset[str], *, longest: int | None) -> Read | None:
    """Return why a text is understood in no column of this kind, or None."""
    if wrong := fault(text, longest):
        return Read(rule=wrong[0], remedy=wrong[1])
    if text.casefold() in unsaid:
        return Read(rule="is entered as unknown", remedy="an empty cell means that it did not happen: fill it")
    if cell_parsing.is_fault(text):
        return Read(rule=FAULT[0], remedy=FAULT[1])
    return None


def _one_spelling(texts: Sequence[str], cells: Mapping[str, Read]) -> dict[str, Read]:
    """Give free texts that differ in case only the spelling that is met most often."""
    counts: Counter[str] = Counter(str(cells[t].value) for t in texts if cells[t].value is not None)
    chosen: dict[str, str] = {}
    for spelling, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        chosen.setdefault(spelling.casefold(), spelling)
    out = dict(cells)
    for text, read in cells.items():
        if read.value is not None and chosen[str(read.value).casefold()] != read.value:
            out[text] = Read(chosen[str(read.value).casefold()], "spelling")
    return out


def _readings(table: str, column: Column, texts: list[str], *, cleaned: Mapping[str, str], cells: Mapping[str, Read],
              empty: set[str]) -> list[Reading]:  # fmt: skip
    """Tell, by kind, what was normalised; examples only where no text can point at a patient."""
    counts: Counter[str] = Counter()
    examples: dict[str, set[str]] = {}
    for text, count in Counter(texts).items():
        read = cells[text]
        how = read.how
        if text in empty:
            how = "missing" if cleaned[text] else None
        if how:
            counts[how] += count
            if column.kind not in ("id", "date", "day", "when"):
                examples.setdefault(how, set()).add(f"{cleaned[text]} → {_shown(read.value)}")
        if text != cleaned[text]:
            counts["spaces"] += count
    return [
        Reading(table, column.name, how, counts[how], tuple(sorted(examples.get(how, ()))[:3]))
        for how in sorted(counts)
    ]


def _shown(value: object) -> str:
    """Return a value as plainly as it can be written: 2000000 rather than 2e+06."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "missing" if value is None else str(value)
