"""The age at an infusion from a date of birth, which itself is not carried over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from reinfuse.sources.imported import ImportedCell

_OLDEST = 120
_CENTURY = re.compile(r"(?:18|19|20)\d\d")
IMPOSSIBLE = f"the date of birth does not lie 0 to {_OLDEST} years before the infusion"
"""Rule of a cell that is a problem."""
_UNDATED = "no date of"
"""Begins the rule of a cell that stays empty."""
UNTOLD_DAY = "of the date of birth the day is not told"
"""Rule of an age that stays empty, unless the map says how such an age is reckoned."""


def completed_years(birth: date, day: date) -> int:
    """Return the years of age that are completed on a day.

    Examples
    --------
    >>> completed_years(date(1960, 6, 2), date(2020, 6, 1)), completed_years(date(1960, 6, 2), date(2020, 6, 2))
    (59, 60)
    """
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def ages_at(
    cells: Sequence[ImportedCell], patients: Sequence[str], infusions: Mapping[tuple[str, str], str | None], *, at: str
) -> list[ImportedCell]:
    """Return ages in whole years in place of dates of birth; without the text of the source.

    Parameters
    ----------
    cells
        Dates of birth (ISO).
    patients
        Whose they are.
    infusions
        Patient and number of an infusion -> its date (ISO).
    at
        The infusion: ``infusion 1``.

    Returns
    -------
    list of ImportedCell
        Empty, with the reason as its rule, where no date of the infusion is known or the age is impossible.
    """
    number = at.removeprefix("infusion ")
    return [_aged(cell, infusions.get((patient, number)), at=at) for cell, patient in zip(cells, patients, strict=True)]


def _aged(cell: ImportedCell, given: str | None, *, at: str) -> ImportedCell:
    if not cell.text:
        return cell._replace(raw="")
    by_year = len(cell.text) < len("1947-05-01")
    try:
        day = date.fromisoformat(given or "")
        years = day.year - int(cell.text[:4]) if by_year else completed_years(date.fromisoformat(cell.text), day)
    except ValueError:
        return cell._replace(text="", raw="", rule=f"{_UNDATED} {at}")
    if years < 0 and not _CENTURY.search(cell.raw):
        years += 100  # 12.05.48 is of 1948
    if not 0 <= years <= _OLDEST:
        return cell._replace(text="", raw="", rule=IMPOSSIBLE)
    if by_year:
        rule = f"calendar year of {at} less that of birth, whose day is not told"
        return cell._replace(text=str(years), raw="", rule=rule)
    partial = "; not all of the date is told" * bool("day taken" in cell.rule)
    return cell._replace(text=str(years), raw="", rule=f"completed years from the date of birth to {at}{partial}")


def undated(cells: Sequence[ImportedCell], column: str, *, at: str) -> Iterator[str]:
    """Yield how many ages are empty for want of a date of the infusion, if any is."""
    count = sum(c.rule.startswith(_UNDATED) for c in cells)
    if count:
        yield f"{count} without {column}: no date of {at}"
    if count := sum(c.rule == UNTOLD_DAY for c in cells):
        yield f'{count} without {column}: {UNTOLD_DAY} (partial = "year": the calendar years are subtracted)'
