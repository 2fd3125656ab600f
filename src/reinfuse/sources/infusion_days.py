"""The days of infusions, and what a map places after them: a response on day 28 after infusion 2."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.schema import DAYS
from reinfuse.sources.meanings import Meaning
from reinfuse.sources.source_map import OWN_INFUSION, Field
from reinfuse.tabular.cell_parsing import YEARS, read_number

_INFUSION = re.compile(r"infusion (\d+)")
_DAY = re.compile(r"-?\d{1,6}")
PLACED = "placed by the map"
"""In the rule of a day that neither a column nor the cell tells."""
NO_INFUSION = "counted from {after}, which the patient has not had, or not with a date"
NO_DAY = "no day or date is given, and none by the map"
TOO_FAR = "more than 100 years from {after}"
UNPLACED = {
    TOO_FAR: "correct the day, or `unit` or `day` of {line} in the map",
    NO_INFUSION: "correct `after` of {line} in the map, or enter the infusion's date",
    NO_DAY: "add day = 28, or another day, to {line} in the map, or enter the day",
}
"""Rule of a cell that could not be placed -> remedy."""


@dataclass
class Infusions:
    """When infusions were given, for what is placed after them.

    Attributes
    ----------
    days
        Patient and number -> date (ISO) or day; None where it was not understood, which is told already.
    own
        Name of the source's table, and row -> patient and number.
    unknown
        The dates or numbers of infusions are open in the map: nothing can be placed, and that is told already.
    """

    days: dict[tuple[str, str], str | None] = field(default_factory=dict)
    own: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    unknown: bool = False

    def day(self, after: str, patient: str, *, table: str, row: int) -> str | None:
        """Return the date or day of an infusion; empty: there is none; None: it cannot be known yet."""
        if self.unknown:
            return None
        match = _INFUSION.fullmatch(after)
        if match:
            return self.days.get((patient, match[1]), "")
        if after == OWN_INFUSION and (table, row) in self.own:
            return self.days.get(self.own[table, row], "")
        return ""

    def placed(self, filled: Field, meaning: Meaning, patient: str, *, table: str, row: int) -> tuple[str, str]:
        """Return the date or day that a line of the map places after an infusion, and the rule.

        Parameters
        ----------
        filled
            The line.
        meaning
            What the cell says: its own `day` or `month` prevails over the line's day.
        patient, table, row
            Whose it is, and where it stands in the source.

        Returns
        -------
        text, rule
            Empty and one of `UNPLACED`, if it cannot be placed: a problem where its row is written.
        """
        days, rule = _days(filled, meaning.parts)
        if days is None:
            return "", NO_DAY if meaning.rule or meaning.parts else ""
        day = self.day(filled.after, patient, table=table, row=row)
        if day is None:
            return "", ""
        if not day:
            return "", NO_INFUSION
        if not DAYS[0] <= days <= DAYS[1]:
            return "", TOO_FAR
        told = bool({"day", "month"} & set(meaning.parts))
        later, rule_of_day = _later(day, days), f"day {days} after {filled.after}"
        following = "" if told else self._following(filled.after, patient, table=table, row=row)
        if following and in_time(day) < in_time(following) <= in_time(later):
            later, rule_of_day = _later(following, -1), f"the day before the next infusion, as {rule_of_day} is not"
        said = "" if told else "; ".join(filter(None, (PLACED, filled.said)))
        return later, "; ".join(r for r in (rule_of_day, rule, said) if r)

    def _following(self, after: str, patient: str, *, table: str, row: int) -> str:
        """Return the date or day of the infusion behind the one that a day is counted from; empty: there is none."""
        match = _INFUSION.fullmatch(after)
        number = match[1] if match else self.own.get((table, row), ("", ""))[1]
        return self.days.get((patient, str(int(number) + 1)), "") or "" if number.isdigit() else ""


def _days(filled: Field, parts: Mapping[str, str]) -> tuple[int | None, str]:
    """Return the days after the infusion that a cell tells, or else the map; and how they were read."""
    days, months = number_of(parts.get("day", "")), number_of(parts.get("month", ""))
    if "day" in parts:
        rule = "" if days is None or days.is_integer() else "rounded to whole days"
        return None if days is None else round(days) + filled.shift, rule
    if "month" in parts:
        return None if months is None else round(months * DAYS_A_MONTH), f"{parts['month']} months"
    return filled.day, ""


def number_of(text: str) -> float | None:
    """Return the number that a plain text is, None if it is none."""
    number = read_number(text).value if text else None
    return number if isinstance(number, float) else None


def is_time(text: str) -> bool:
    """Tell whether a text is a date in ISO form or a number of days, from which other days can be counted."""
    try:
        return bool(_DAY.fullmatch(text)) or YEARS[0] <= date.fromisoformat(text).year <= YEARS[1]
    except ValueError:
        return False


def in_time(text: str) -> tuple[bool, float, str]:
    """Order numbers by size, dates by time, empty texts last."""
    try:
        return (not text, float(text), "")
    except ValueError:
        return (not text, 0.0, text)


def _later(day: str, days: int) -> str:
    if _DAY.fullmatch(day):
        return str(int(day) + days)
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
