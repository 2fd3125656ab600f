"""The header of a sheet, composed of one or several rows: `CART #1 | Date`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reinfuse.sources.sheet_lines import Label, Lines, SheetLine, shape_of
from reinfuse.sources.source_table import HEADER_JOINT
from reinfuse.tabular.grid import letters


@dataclass(frozen=True, slots=True)
class Header:
    """Composed names, one a column of the sheet (empty where none stands there), and what to tell of them.

    `ambiguous`: some would occur more than once without the letters that were added.
    """

    names: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    ambiguous: bool = False


def compose(lines: Lines, numbers: Sequence[int]) -> Header:
    """Compose the header from rows of a sheet.

    Parameters
    ----------
    lines
        The sheet.
    numbers
        Numbers of the header's rows, from top to bottom; blank rows among them hold nothing.

    Returns
    -------
    Header
        Names that occur once each: the column's letters are added to those that would not.
    """
    rows = [line for number in numbers if (line := lines.line(number))]
    if not rows:
        return Header(("",) * len(lines.columns))
    leaf = _lowest_name(rows)
    remarks: list[str] = []
    spread = []
    for i, line in enumerate(rows):
        texts = list(line.texts)
        if i < leaf and not lines.spans.get(line.number):
            texts, spans = _spread(lines, line, leaf=rows[leaf])
            remarks += spans
        spread.append(texts)
    names = [_joined([texts[j] for texts in spread]) for j in range(len(lines.columns))]
    return _told_apart(lines, names, remarks=remarks)


def _lowest_name(rows: Sequence[SheetLine]) -> int:
    """Return the position of the row that names columns: the lowest with a name where no row above has one.

    Units may stand below it. Where rows above stand over all columns, it is the one that fills most.
    """
    above: set[int] = set(rows[0].filled)
    lowest = None
    for i, line in enumerate(rows[1:], 1):
        if set(line.filled) - above:
            lowest = i
        above |= set(line.filled)
    return lowest if lowest is not None else max(range(len(rows)), key=lambda i: (len(rows[i].filled), i))


def _joined(texts: Sequence[str]) -> str:
    parts: list[str] = []
    for text in texts:
        if text and text not in parts[-1:]:
            parts.append(text)
    return HEADER_JOINT.join(parts)


def _spread(lines: Lines, line: SheetLine, *, leaf: SheetLine) -> tuple[list[str], list[str]]:
    """Let the labels of a row without merged cells stand over the columns to their right, up to the next label."""
    labels = list(lines.labels(line))
    texts, remarks = list(line.texts), []
    for k, label in enumerate(labels):
        end = labels[k + 1].first if k + 1 < len(labels) else len(texts)
        inner = [j for j in range(label.first, end) if leaf.texts[j]]
        if not leaf.texts[label.first]:
            continue
        if k and k + 1 == len(labels):
            inner = _like_the_one_before(leaf, labels[k - 1], label=label, inner=inner)
        for j in inner:
            texts[j] = label.text
        if len(inner) > 1:
            first, last = letters(lines.columns[inner[0]]), letters(lines.columns[inner[-1]])
            remarks.append(
                f"row {line.number}: {label.text!r} is not merged, and is taken to stand over columns {first} to {last}"
            )
    return texts, remarks


def _like_the_one_before(leaf: SheetLine, before: Label, *, label: Label, inner: Sequence[int]) -> list[int]:
    """Return the columns of the last label: where it is numbered as the one before, only those named as there."""
    if shape_of(before.text) != shape_of(label.text):
        return list(inner)
    names = {leaf.texts[j] for j in range(before.first, label.first)}
    alike = [j for j in inner if leaf.texts[j] in names]
    return [j for j in inner if j <= alike[-1]] if alike else list(inner)


def _told_apart(lines: Lines, names: Sequence[str], *, remarks: Sequence[str]) -> Header:
    """Add the column's letters to names that occur more than once."""
    twice = {name for name, count in Counter(names).items() if name and count > 1}
    apart = [f"{n} (column {letters(lines.columns[j])})" if n in twice else n for j, n in enumerate(names)]
    repeated = [f"{name!r} is the header of several columns: each is named with its letters" for name in sorted(twice)]
    return Header(tuple(apart), (*remarks, *repeated), bool(twice))
