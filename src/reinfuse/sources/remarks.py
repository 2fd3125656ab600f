"""What a reader sees in a sheet and its texts do not carry: told, so that nothing is lost without a word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from reinfuse.sources.sheet_lines import UNCALCULATED, Lines, SheetLine
from reinfuse.tabular.cell_parsing import is_fault
from reinfuse.tabular.grid import Place, letters
from reinfuse.tabular.workbook import Sheet

_SHOWN = 5


def places(texts: Sequence[str]) -> str:
    """Name places, the first few of many."""
    more = f" and {len(texts) - _SHOWN:,} more" if len(texts) > _SHOWN else ""
    return f"{', '.join(texts[:_SHOWN])}{more}"


def of_sheet(sheet: Sheet, lines: Lines, *, rows: Sequence[SheetLine], header: Sequence[str]) -> Iterator[str]:
    """Yield what a workbook's sheet shows and its texts do not tell, of rows of data."""
    numbers = {line.number for line in rows}
    if sheet.hidden:
        yield "the sheet is hidden"
    if hidden := [number + 1 for number in sheet.hidden_rows if number + 1 in numbers]:
        yield f"hidden and read as the others are: row {places([str(n) for n in hidden])}"
    columns = dict(zip(lines.columns, header, strict=True))
    if hidden := [column for column in sheet.hidden_columns if columns.get(column)]:
        named = [f"{letters(column)} ({columns[column]!r})" for column in hidden]
        yield f"hidden and read as the others are: column {places(named)}"
    if filled := [text for number, text in sorted(lines.filled_down) if number in numbers]:
        yield f"merged cells, the text of the first taken for each of them: {places(filled)}"
    yield from _struck(sheet.marks.struck, rows)
    yield from _cells("comments, which are not carried over", sheet.marks.comments, numbers, whole=True)
    yield from _cells("shown in thousands or millions of the number that is read", sheet.marks.scaled, numbers)
    yield from _colours(sheet, lines, rows=rows, header=header)


def faults(lines: Lines, rows: Sequence[SheetLine]) -> Iterator[str]:
    """Yield where a formula failed, or was never calculated."""
    failed: list[str] = []
    unstored: list[str] = []
    for line in rows:
        for j, text in enumerate(line.texts):
            if text[:1] in "#EL" and text and is_fault(text):
                (unstored if text == UNCALCULATED else failed).append(f"{lines.place(line.number, j)} ({text})")
    if failed:
        yield f"formulas that failed: {places(failed)}"
    if unstored:
        yield f"formulas without a stored result (open the file in a spreadsheet program, save it): {places(unstored)}"


def _cells(what: str, cells: Collection[Place], numbers: Collection[int], *, whole: bool = False) -> Iterator[str]:
    named = [f"{letters(j)}{i + 1}" for i, j in sorted(cells) if whole or i + 1 in numbers]
    if named:
        yield f"{what}: {places(named)}"


def _struck(struck: Collection[Place], rows: Iterable[SheetLine]) -> Iterator[str]:
    """Yield rows struck through, and single cells."""
    by_row: dict[int, list[int]] = defaultdict(list)
    for i, j in sorted(struck):
        by_row[i + 1].append(j)
    whole, single = [], []
    for line in rows:
        cells = by_row.get(line.number, [])
        if len(cells) > 1 and len(cells) >= 0.5 * len(line.filled):
            whole.append(f"row {line.number}")
        else:
            single += [f"{letters(j)}{line.number}" for j in cells]
    for named in (whole, single):
        if named:
            yield f"struck through, and read as the others are: {places(named)}"


def _colours(sheet: Sheet, lines: Lines, *, rows: Sequence[SheetLine], header: Sequence[str]) -> Iterator[str]:
    """Yield rows and columns in which some cells have another colour than others: colours may stand for something."""
    fills = sheet.marks.fills
    if not fills:
        return
    whole: dict[int, str] = {}
    mixed: dict[int, set[str]] = defaultdict(set)
    for line in rows:
        own = {j: fills.get((line.number - 1, lines.columns[j]), "") for j in line.filled}
        if len(set(own.values())) == 1:
            whole[line.number] = next(iter(own.values()))
        else:
            for j, colour in own.items():
                mixed[j].add(colour)
    if len(set(whole.values())) > 1 and not _banded(rows, whole):
        coloured = [str(number) for number, colour in whole.items() if colour]
        yield f"colours of whole rows, which are not carried over: row {places(coloured)}"
    usual = {colour for colour, _ in Counter(whole.values()).most_common(1)}
    named = [f"{letters(lines.columns[j])} ({header[j]!r})" for j in sorted(mixed) if len(mixed[j] | usual) > 1]
    if named:
        yield f"colours of cells, which are not carried over: column {places(named)}"


def _banded(rows: Sequence[SheetLine], whole: dict[int, str]) -> bool:
    """Tell whether two colours take turns from row to row, as for reading ease."""
    colours = [whole.get(line.number) for line in rows]
    return len(set(colours)) == 2 and all(one != other for one, other in pairwise(colours))
