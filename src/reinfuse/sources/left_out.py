"""Rows below a header that are no patients: totals and means, repeated headers, notes below the table."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from reinfuse.exceptions import Problem
from reinfuse.sources.sheet_lines import UNCALCULATED, Lines, SheetLine, kind_of, shape_of
from reinfuse.sources.source_table import SheetLayout
from reinfuse.tabular.cell_parsing import decimal_mark, read_number
from reinfuse.tabular.summaries import BESIDE, COUNTED, SUMMARY

_AFTER = (
    r"(?:\s*[:.=]?\s*(?:[(\[]?[\s\d.,/%=±+–-]*\s*"
    r"(?:n|sd|range|iqr|total|patients?|pts?\.?|patienten|pa[cz]ient(?:es|i)|cases|infusi\w{1,6}|products?|values?)?"
    r"[\s\d.,/%=±–-]*[)\]]?))*"
)
_STRONG_LABEL = re.compile(rf"(?:{SUMMARY}){_AFTER}", re.IGNORECASE)
_STRONG_START = re.compile(rf"(?:{SUMMARY})[\s(:=].*", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,4}\s*(?:[^\W\d]{1,10}\.?)?(?:\s*\(?\s*\d{1,3}(?:[.,]\d+)?\s*%\s*\)?)?")
"""``14``, ``15例``, ``8 pts``, ``4 (22 %)``."""
_WEAK_LABEL = re.compile(rf"(?:{BESIDE}|{COUNTED}){_AFTER}", re.IGNORECASE)
_NOTE = re.compile(r"[=:*†‡§]|\S+\s+\S+\s+\S+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONGEST_LABEL = 60
_HEADING = "a heading over the rows below it"
_FEWEST = 3
"""Rows from which sums and means are told."""
_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sums": sum, "means": statistics.fmean, "medians": statistics.median, "numbers of filled cells": len,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that are data, and what became of the others.

    Attributes
    ----------
    drop_rows
        Texts in the first filled cell of the rows that were left out, for the map.
    """

    rows: Sequence[SheetLine]
    drop_rows: tuple[str, ...]
    remarks: tuple[str, ...]
    problems: tuple[Problem, ...]


def sort_rows(
    lines: Lines, layout: SheetLayout, header: Sequence[str], *, summaries: Collection[tuple[int, int]], fixed: bool
) -> Kept:
    """Tell rows of data from others.

    Parameters
    ----------
    lines, layout
        The sheet, and where its header and data stand.
    header
        Names of its columns.
    summaries
        Cells with a formula over several rows: row and column in the sheet, from 0.
    fixed
        The layout was confirmed: only its `drop_rows` are left out by their text, and others like them are problems.
    """
    rows = [line for line in lines.rows if line.number >= layout.data_from]
    heads = {tuple(line.texts) for number in layout.header_rows if (line := lines.line(number))}
    reasons: dict[int, str] = {}
    for line in rows:
        if tuple(line.texts) in heads or tuple(line.texts) == tuple(header):
            reasons[line.number] = "the header once more"
        elif (label := _label(line)) in layout.drop_rows:
            reasons[line.number] = f"the map leaves out rows that begin with {label!r}"
    rest = [line for line in rows if line.number not in reasons]
    keep = [line for line in rest if _label(line) in layout.keep_rows]
    reasons_given = _told(lines, [line for line in rest if line not in keep], summaries=summaries)
    problems: list[Problem] = []
    drop = list(layout.drop_rows)
    for line in rest:
        if line.number not in reasons_given:
            continue
        label = _label(line)
        if fixed and line.texts[0]:
            problems.append(_asked(layout.sheet, line, header=header, why=reasons_given[line.number]))
            continue
        reasons[line.number] = reasons_given[line.number]
        if line.texts[0] and label not in drop:
            drop.append(label)
    kept_rows = [line for line in rows if line.number not in reasons]
    return Kept(kept_rows, tuple(drop), tuple(_remarks(rows, reasons)), tuple(problems))


def _asked(sheet: str, line: SheetLine, *, header: Sequence[str], why: str) -> Problem:
    label = _label(line)
    remedy = f"write drop_rows = [{label!r}] for this sheet in the map, or keep_rows = [{label!r}] if it is a patient"
    return Problem(table=sheet or None, row=line.number, column=next(iter(header), None) or None, value=label,
                   rule=f"looks like {why}, and the map does not say what becomes of it", remedy=remedy)  # fmt: skip


def _label(line: SheetLine) -> str:
    return next(text for text in line.texts if text)


def _told(lines: Lines, rows: Sequence[SheetLine], *, summaries: Collection[tuple[int, int]]) -> dict[int, str]:
    """Return the numbers of rows that are no data, each with what it is instead."""
    reasons: dict[int, str] = {}
    ids = _Identifiers(rows)
    for line in rows:
        if ids.is_of_totals(line):
            reasons[line.number] = "a row of totals"
        elif _calculated(lines, line, summaries=summaries):
            reasons[line.number] = "a row of totals (formulas over other rows)"
        elif _is_heading(lines, line) or ids.heads_a_section(line):
            reasons[line.number] = _HEADING
    reasons = _last_headings(rows, reasons, ids) | reasons
    suspects = [line for line in rows if line.number not in reasons and (not line.texts[0] or ids.strange(line))]
    numbers = _Numbers([line for line in rows if line.number not in reasons]) if suspects else None
    for line in suspects:
        statistic = numbers.statistic(line) if numbers else ""
        weak = _WEAK_LABEL.fullmatch(_label(line)) is not None and len(_label(line)) <= _LONGEST_LABEL
        beside = line.number - 1 in reasons or line.number + 1 in reasons
        if statistic or (weak and beside):
            reasons[line.number] = f"a row of totals{f' ({statistic} of the other rows)' * bool(statistic)}"
    return reasons | _last_rows(rows, reasons, ids)


def _last_rows(rows: Sequence[SheetLine], reasons: Mapping[int, str], ids: _Identifiers) -> dict[int, str]:
    """Return the last rows that are notes below the table or count its rows, up to the first one of data."""
    last: dict[int, str] = {}
    for line in reversed(rows):
        if line.number in reasons:
            continue
        if ids.counts_rows(line):
            last[line.number] = "a row of totals (numbers of rows)"
        elif ids.note(line):
            last[line.number] = "a note below the table"
        else:
            break
    return last


def _last_headings(rows: Sequence[SheetLine], reasons: Mapping[int, str], ids: _Identifiers) -> dict[int, str]:
    """Return words alone among the last rows, which are headings of nothing where other rows are headings."""
    headed = _HEADING in reasons.values()
    return {line.number: _HEADING for line in rows if headed and ids.is_word_alone(line)}


def _is_heading(lines: Lines, line: SheetLine) -> bool:
    """Tell whether a row is one text over most columns, which are merged."""
    spans = lines.spans.get(line.number, ())
    if len(spans) != 1 or len(set(line.texts) - {""}) != 1:
        return False
    return spans[0][1] - spans[0][0] + 1 >= max(3, 0.5 * len(line.texts))


def _calculated(lines: Lines, line: SheetLine, *, summaries: Collection[tuple[int, int]]) -> bool:
    if not summaries:
        return False
    numeric = [j for j in line.filled if kind_of(line.texts[j]) == "number" or line.texts[j] == UNCALCULATED]
    formulas = sum((line.number - 1, lines.columns[j]) in summaries for j in numeric)
    return formulas > 0 and formulas >= 0.5 * len(numeric)


class _Identifiers:
    """What the first column's texts look like."""

    def __init__(self, rows: Sequence[SheetLine]) -> None:
        texts = [line.texts[0] for line in rows if line.texts[0] and len(line.filled) > 1]
        self._numbered = sum(any(c.isdigit() for c in text) for text in texts) >= 0.8 * max(1, len(texts))
        self._usual = {shape for shape, count in Counter(map(shape_of, texts)).items() if count > 1}
        self._last = [line.number for line in rows[-3:]]
        self._rows, self._numbers = len(rows), {line.number for line in rows}
        self._filled = statistics.median(len(line.filled) for line in rows) if rows else 0.0
        full = [line.texts[0] for line in rows if line.texts[0] and not self._is_sparse(line)]
        self._digits = sum(any(c.isdigit() for c in text) for text in full) >= 0.8 * max(1, len(full))
        self._texts = Counter(texts)

    def is_of_totals(self, line: SheetLine) -> bool:
        """Tell whether a row is called a total; with further words where it is no identifier: `Total perfusions`."""
        label = _label(line)
        if len(label) > _LONGEST_LABEL or self.common(line):
            return False
        word = self._digits and not any(c.isdigit() for c in label) and label == line.texts[0]
        pattern = _STRONG_START if word and self._is_sparse(line) else _STRONG_LABEL
        return _STRONG_LABEL.fullmatch(label) is not None or pattern.fullmatch(label) is not None

    def counts_rows(self, line: SheetLine) -> bool:
        """Tell whether the last rows count the others: a word or nothing as identifier, else few numbers: `male`, 14.

        Identifiers have digits, a row of data is twice as full, and no number is above that of the rows.
        """
        own = [line.texts[j] for j in line.filled if j > 0]
        counts = [int(re.findall(r"\d+", t)[0]) for t in own if _COUNT.fullmatch(t)]
        beside = not line.texts[0] and line.number - 1 in self._numbers
        worded = self._digits and not any(c.isdigit() for c in line.texts[0])
        return (worded and self._is_sparse(line) and bool(own) and len(counts) == len(own)
                and max(counts) <= self._rows and not beside)  # fmt: skip

    def _is_sparse(self, line: SheetLine) -> bool:
        return 2 * len(line.filled) <= self._filled

    def common(self, line: SheetLine) -> bool:
        """Tell whether a text stands in the first column again and again, so that it is no label of one row."""
        return self._texts[line.texts[0]] > max(3, 0.2 * self._texts.total())

    def strange(self, line: SheetLine) -> bool:
        """Tell whether the first text may be no identifier."""
        if self._numbered:
            return shape_of(line.texts[0]) not in self._usual and not any(c.isdigit() for c in line.texts[0])
        return line.number in self._last

    def heads_a_section(self, line: SheetLine) -> bool:
        """Tell whether a row holds a word or a year alone, where identifiers have digits: `LYMPHOMA`, `2021`."""
        text = line.texts[0]
        if len(line.filled) != 1 or not text:
            return False
        if _YEAR.fullmatch(text):
            return shape_of(text) not in self._usual
        return self.is_word_alone(line) and line.number not in self._last

    def is_word_alone(self, line: SheetLine) -> bool:
        """Tell whether a row holds nothing but a word, where identifiers have digits."""
        text = line.texts[0]
        return len(line.filled) == 1 and bool(text) and self._numbered and not any(c.isdigit() for c in text)

    def note(self, line: SheetLine) -> bool:
        """Tell whether a row is a note: one or two texts alone, worded, and not like an identifier."""
        label = _label(line)
        if len(set(line.texts) - {""}) > 2 or (line.texts[0] and shape_of(label) in self._usual):
            return False
        return kind_of(label) == "text" and _NOTE.search(label) is not None


class _Numbers:
    """The numbers of each column, to which those of a row are compared."""

    def __init__(self, rows: Sequence[SheetLine]) -> None:
        self._rows = rows
        self._columns: dict[int, dict[int, float]] = {}

    def statistic(self, line: SheetLine) -> str:
        """Name what all numbers of a row are of those in the other rows: sums, means, ...; empty where they are not."""
        own = [j for j in line.filled if kind_of(line.texts[j]) == "number"]
        if any(kind_of(line.texts[j]) in ("text", "date") for j in line.filled[1:]):
            return ""
        for name, function in _STATISTICS.items():
            answers = [self._fits(line, j, function=function, name=name) for j in own]
            decided = [answer for answer in answers if answer is not None]
            if decided and all(decided) and (len(decided) > 1 or not line.texts[0]):
                return name
        return ""

    def _fits(self, line: SheetLine, j: int, *, function: Callable[[Sequence[float]], float], name: str) -> bool | None:
        column = self._column(j)
        others = [value for number, value in column.items() if number != line.number]
        if len(others) < _FEWEST or line.number not in column:
            return None
        if len(set(others)) == 1 and (name != "sums" or others[0] == 0):  # each is its own mean
            return None
        value = column[line.number]
        decimals = len(line.texts[j].replace(",", ".").rpartition(".")[2]) if re.search("[.,]", line.texts[j]) else 0
        rounded = 0.5 * 10.0**-decimals if decimals and name in ("means", "medians") else 0.0
        exact = function(others)
        return abs(exact - value) <= rounded + 1e-9 * abs(exact)

    def _column(self, j: int) -> dict[int, float]:
        if j not in self._columns:
            texts = {line.number: line.texts[j] for line in self._rows if kind_of(line.texts[j]) == "number"}
            mark = decimal_mark(texts.values(), "either") or "."
            read = {number: read_number(text, mark).value for number, text in texts.items()}
            self._columns[j] = {number: value for number, value in read.items() if isinstance(value, float)}
        return self._columns[j]


def _remarks(rows: Sequence[SheetLine], reasons: Mapping[int, str]) -> list[str]:
    """Tell which rows were left out: rows with one reason together."""
    together: dict[str, list[SheetLine]] = {}
    for line in rows:
        if line.number in reasons:
            together.setdefault(reasons[line.number], []).append(line)
    remarks = []
    for why, lines in together.items():
        places = ", ".join(f"row {line.number} ({_label(line)[:40]!r})" for line in lines[:5])
        more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
        remarks.append(f"left out: {places}{more}: {why}")
    return remarks
