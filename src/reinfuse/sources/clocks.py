"""Times to events as trials write them: numbers whose first day is 0 or 1, or two dates."""

from __future__ import annotations

import re
from datetime import date

from reinfuse.sources.meanings import Meaning
from reinfuse.sources.source_map import FIRST_DAYS, Field
from reinfuse.sources.values.dates import completed, read_source_date
from reinfuse.sources.values.understood import number_text
from reinfuse.sources.values.units import days_in
from reinfuse.tabular.cell_parsing import clean, is_missing, read_number

DAYS_SUFFIX = "_days"
_OUTSIDE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T.*")


def is_time(column: str, filled: Field) -> bool:
    """Tell whether a line fills a number of days of a clock."""
    return column.endswith(DAYS_SUFFIX) and bool(filled.since or filled.first)


def days_of(filled: Field, text: str, *, since: str, wanted: str, mark: str | None, column: str) -> Meaning:
    """Return the days that a cell tells.

    Parameters
    ----------
    text, since
        The cell, and the date from which its days count.
    wanted
        Which number the first day is to have.
    mark
        Decimal mark of a number.
    """
    text, since = clean(text), clean(since)
    if is_missing(text):
        return Meaning()
    if filled.since and is_missing(since):
        return Meaning(rule=f"{filled.since} is empty")
    if wanted not in FIRST_DAYS:
        return Meaning(gap="open")
    if filled.since:
        return _between(filled, since, text, wanted=wanted, column=column)
    number = read_number(text, mark).value
    if not isinstance(number, float):
        return Meaning(gap="unread")
    factor = days_in(filled.unit or "days") or 1.0
    shift = int(wanted) - int(filled.first) + filled.shift
    rules = [f"{filled.unit} x {factor:g} days" if factor != 1 else "", _shift_in_words(shift)]
    return Meaning({column: number_text(number * factor + shift)}, "; ".join(r for r in rules if r))


def _between(filled: Field, since: str, text: str, *, wanted: str, column: str) -> Meaning:
    days = []
    for one in (since, text):
        read = read_source_date(_OUTSIDE_TIME.sub(r"\1", one), filled.order)
        whole = completed(read.iso, filled.partial or "refuse") if read is not None else None
        if whole is None:
            return Meaning(gap="unread" if read is None else "partial")
        days.append(date.fromisoformat(whole))
    shift = int(wanted) + filled.shift
    rule = f"days since {filled.since} ({days[0].isoformat()})"
    return Meaning({column: str((days[1] - days[0]).days + shift)},
                   "; ".join(r for r in (rule, _shift_in_words(shift)) if r))  # fmt: skip


def _shift_in_words(shift: int) -> str:
    return "" if not shift else f"{shift:+d} day: the first day is day {1 if shift > 0 else 0}"
