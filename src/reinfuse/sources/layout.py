"""Where the header and the data of a sheet stand: told from what the rows below have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from reinfuse.sources.headers import compose
from reinfuse.sources.sheet_lines import Lines, SheetLine, kind_of, shape_of
from reinfuse.sources.source_table import SheetLayout

_LOOKED_AT = 200
"""Rows of which the columns' contents are told."""
_DEEPEST = 40
"""Rows among which the first one of data is looked for."""
_WHOLE = 0.8
"""Share of the columns over which a title stands, and no group of columns does."""
_ENOUGH = 0.5
"""Share of the filled columns that have a header."""
_SOME = 0.3
_MOST = 0.6
_LONGEST_GROUP = 30
"""Letters of a text that is not merged over its columns, above which it is a title or a remark and groups none."""
_GROUP = re.compile(
    r"CAR[- ]?T|infus|cycle|course|baseline|outcome|follow|tox|demograph|patient|disease|respon|treatment|therap"
    r"|condition|lympho|#\s*\d|zyklus|behandlung|verlauf|stamm|nachsorge|labor",
    re.IGNORECASE,
)


class _Contents:
    """What the cells of each column look like, over rows from which rows can be taken away."""

    def __init__(self, rows: Sequence[SheetLine], width: int) -> None:
        self._kinds = [Counter[str]() for _ in range(width)]
        self._texts = [Counter[str]() for _ in range(width)]
        self._shapes = [Counter[str]() for _ in range(width)]
        self.count = 0
        for line in rows:
            self._add(line, 1)

    def take_away(self, line: SheetLine) -> None:
        """Forget a row."""
        self._add(line, -1)

    def _add(self, line: SheetLine, sign: int) -> None:
        self.count += sign
        for j in line.filled:
            text = line.texts[j]
            self._kinds[j][kind_of(text)] += sign
            self._texts[j][text] += sign
            self._shapes[j][shape_of(text)] += sign

    @property
    def filled(self) -> list[int]:
        """Columns that hold anything."""
        return [j for j, kinds in enumerate(self._kinds) if any(n > 0 for n in kinds.values())]

    def strangeness(self, line: SheetLine) -> float:
        """Return how unlike these rows a row is: 1 as a header over numbers and dates, below 0 as one of them."""
        weights = [self._strange(j, line.texts[j]) for j in line.filled]
        return sum(weights) / len(weights) if weights else 0.0

    def _strange(self, j: int, text: str) -> float:
        kinds = self._kinds[j]
        usual = kinds["number"] + kinds["date"] + kinds["text"]
        kind = kind_of(text)
        if kind == "missing" or not usual:
            return 0.0
        if kind == "text":
            if kinds["number"] + kinds["date"] >= _MOST * usual:
                return 1.0
            shape = shape_of(text)
            alike = "9" in shape and self._shapes[j][shape] >= _SOME * usual
            return -1.0 if self._texts[j][text] > 0 or alike else 0.25
        return -1.0 if kinds[kind] >= _SOME * usual else -0.25


def propose_layout(sheet: str, lines: Lines) -> SheetLayout | None:
    """Tell the header's rows and the first row of data of a sheet; None where it holds no table.

    The first row of data is the first one that is like the rows below it while the row above it is not, and the
    columns have names. The header then grows upward over rows that group columns; titles above it do not belong to it.
    """
    contents = _Contents(lines.rows[: _LOOKED_AT + _DEEPEST], len(lines.columns))
    for i, line in enumerate(lines.rows[:_DEEPEST]):
        filled = contents.filled
        contents.take_away(line)
        if i and contents.count >= 0 and _is_first(lines, i, contents=contents, filled=filled):
            first = _below_the_earliest(lines, _above_a_section(lines, i))
            return SheetLayout(sheet, _header_rows(lines, first), lines.rows[first].number)
    return _plain(sheet, lines)


def _above_a_section(lines: Lines, first: int) -> int:
    """Return the row of a lone word between header and data: it heads the first rows, and is no part of the header."""
    alone = lines.rows[first - 1].filled == [0]
    return (
        first - 1 if alone and first > 1 and len(lines.rows[first - 2].filled) >= _MOST * len(lines.columns) else first
    )


def _below_the_earliest(lines: Lines, first: int) -> int:
    """Return the row below the earliest one that reads as the header does: data may stand between the two."""
    header = lines.rows[first - 1].texts
    return 1 + next(i for i, line in enumerate(lines.rows) if line.texts == header)


def _is_first(lines: Lines, i: int, *, contents: _Contents, filled: Sequence[int]) -> bool:
    """Tell whether row `i` is the first one of data; `contents`: the rows below it, `filled`: their columns."""
    line = lines.rows[i]
    below = contents if contents.count else _Contents([line], len(lines.columns))
    if contents.count and contents.strangeness(line) > 0:
        return False
    if below.strangeness(lines.rows[i - 1]) <= 0:
        return False
    rows = _header_rows(lines, i)
    if len(rows) == 1 and len(list(lines.labels(lines.rows[i - 1]))) == 1:  # a title
        return False
    names = compose(lines, rows).names
    return sum(bool(names[j]) for j in filled) >= _ENOUGH * len(filled)


def _plain(sheet: str, lines: Lines) -> SheetLayout | None:
    """Take the first row that fills most columns for the header, where contents do not tell."""
    widest = max((len(line.filled) for line in lines.rows), default=0)
    for i, line in enumerate(lines.rows[:-1]):
        if widest > 1 and len(line.filled) >= _MOST * widest:
            return SheetLayout(sheet, (line.number,), lines.rows[i + 1].number)
    return None


def _header_rows(lines: Lines, first: int) -> tuple[int, ...]:
    """Return the numbers of the rows above row `first` that make up the header."""
    i = first - 1
    rows = [lines.rows[i].number]
    while i and lines.rows[i - 1].number == rows[0] - 1 and _heads(lines, lines.rows[i - 1], below=rows):
        i -= 1
        rows.insert(0, lines.rows[i].number)
    return tuple(rows)


def _heads(lines: Lines, line: SheetLine, *, below: Sequence[int]) -> bool:
    """Tell whether a row groups the columns named below it, or names them itself; a title does neither."""
    labels = list(lines.labels(line))
    width = len(lines.columns)
    if any(x.merged and x.last - x.first + 1 >= _WHOLE * width for x in labels):
        return False
    if len(labels) > 1 and len(line.filled) >= _ENOUGH * width:
        return sum(kind_of(x.text) == "text" for x in labels) >= _ENOUGH * len(labels)
    if any(kind_of(x.text) in ("number", "date") and not x.merged for x in labels):
        return False
    if any(x.merged for x in labels):
        return len(labels) > 1 or labels[0].first > 0
    if any(len(x.text) > _LONGEST_GROUP or "=" in x.text for x in labels):
        return False
    twice = compose(lines, below).ambiguous
    if len(labels) == 1:
        return labels[0].first > 0 and (twice or bool(_GROUP.search(labels[0].text)))
    grouping = sum(bool(_GROUP.search(x.text)) for x in labels) >= _ENOUGH * len(labels)
    return (twice or grouping) and not any(x.text.endswith(":") for x in labels)
