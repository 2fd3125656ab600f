"""Problems in words: equal ones once, at the row and under the header that the user sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from reinfuse.problems import Problem

ROWS, TEXTS, REMEDIES = 5, 6, 3
"""Rows, different texts and different remedies that are shown of equal problems."""


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: `1 patient`, `1,200 patients`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def grouped(problems: Iterable[Problem]) -> list[list[Problem]]:
    """Return problems in order, with all of one kind together: table, column, rule and severity are the same."""
    kinds: dict[tuple[str | None, ...], list[Problem]] = {}
    for p in problems:
        kinds.setdefault((p.table, p.column, p.rule, p.severity), []).append(p)
    return list(kinds.values())


def lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield a line for each kind of problem: where, what, which values, and what would mend it."""
    for group in grouped(problems):
        first = group[0]
        where = ", ".join(
            x for x in (first.table, rows_in_words(group) if len(group) == 1 else "", _column(first)) if x
        )
        what, remedy = _one(first) if len(group) == 1 else _several(group)
        yield f"{first.severity.upper()}: {where + ': ' if where else ''}{what} → {remedy}"


def rows_in_words(problems: Sequence[Problem]) -> str:
    """Return the rows of problems, as the user's spreadsheet program numbers them where there is one."""
    rows = [p.row if p.sheet_row is None else p.sheet_row for p in problems]
    numbers = list(dict.fromkeys(r for r in rows if r is not None))
    if not numbers:
        return ""
    labels = {p.row: p.index for p in problems if p.index is not None}
    shown = ", ".join(f"{n} (index {labels[n]})" if n in labels else str(n) for n in numbers[:ROWS])
    more = f" and {len(numbers) - ROWS:,} more" if len(numbers) > ROWS else ""
    of_sheet = " of the sheet" if any(p.sheet_row is not None for p in problems) else ""
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{more}{of_sheet}"


def _column(problem: Problem) -> str:
    if problem.header is None:
        return problem.column or ""
    return f"{problem.header} (read as {problem.column})"


def _one(problem: Problem) -> tuple[str, str]:
    return problem.rule + (f" [{problem.value}]" if problem.value else ""), problem.remedy


def _several(group: Sequence[Problem]) -> tuple[str, str]:
    """Return what is wrong with several cells, and the remedies."""
    texts = Counter(p.value for p in group if p.value)
    what = f"{len(group):,} cells, {len(texts):,} different texts" if len(texts) > 1 else f"{len(group):,} times"
    shown = [f"{text}{f' ({count} times)' if count > 1 else ''}" for text, count in texts.most_common(TEXTS)]
    more = f", and {len(texts) - TEXTS:,} more" if len(texts) > TEXTS else ""
    values = f" [{'; '.join(shown)}{more}]" if shown else ""
    rows = rows_in_words(group)
    remedies = [r for r, _ in Counter(p.remedy for p in group).most_common()]
    others = f"; and {len(remedies) - REMEDIES:,} more" if len(remedies) > REMEDIES else ""
    return f"{what}: {group[0].rule}{values}{f' ({rows})' if rows else ''}", "; ".join(remedies[:REMEDIES]) + others
