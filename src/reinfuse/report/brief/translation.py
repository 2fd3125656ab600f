"""The brief's words: one translation file a language, with what stands in braces filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

LANGUAGES = ("en", "es")
UNITS = {"days": 1.0, "months": DAYS_A_MONTH, "years": 12 * DAYS_A_MONTH}
"""Days of each unit of time."""
_ALL_IN_DAYS, _ALL_IN_YEARS = 120.0, 36 * DAYS_A_MONTH
"""Up to which longest time all are told in days, and from which shortest time all in years."""
_WHOLE = 10
"""From so many months or years they are told without a decimal."""


def unit_of(days: Sequence[float]) -> str:
    """Return the one unit in which all times of a brief are told."""
    if not days or max(days) <= _ALL_IN_DAYS:
        return "days"
    return "years" if min(days) >= _ALL_IN_YEARS else "months"


@cache
def translation(language: str) -> dict[str, Any]:
    """Return the contents of a language's file.

    Raises
    ------
    KeyError
        If there is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    return tomllib.loads(files("reinfuse.report.brief").joinpath(f"{language}.toml").read_text(encoding="utf-8"))


class Words:
    """Says things in one language, and all times in one unit."""

    def __init__(self, language: str, unit: str = "months") -> None:
        self.language = language
        self.unit = unit
        self.all = translation(language)

    def say(self, section: str, name: str, **filled: object) -> str:
        """Return one text, filled in."""
        return str(self.all[section][name]).format(**filled)

    def items(self, section: str) -> list[Any]:
        """Return the texts of a list."""
        return list(self.all[section]["items"])

    def number(self, value: float | None) -> str:
        """Return a whole number, its thousands set apart as the language does."""
        if value is None:
            return number_format.NOT_SHOWN
        return f"{value:,.0f}".replace(",", self.say("number", "thousands"))

    def count(self, record: Estimate, short: bool = False) -> str:
        """Return `3 of 9 people`, or what stands in place of a small number."""
        hidden = number_format.hidden(record)
        if hidden is not None:
            k = hidden.rsplit(" ", 1)[-1]
            if not k.isdigit():
                return self.say("count", "not_shown_short" if short else "not_shown")
            return self.say("count", "hidden", k=k, n=record.n) if record.n else self.say("count", "hidden_alone", k=k)
        of = "short" if short else "of"
        return self.say("count", of, x=self.number(record.events), n=self.number(record.n))

    def of_100(self, share: float) -> str:
        """Return a share as so many of 100; a share that is not 0 or 1 is never told as none or all."""
        rounded = int(number_format.hundredths(share))
        if rounded == 0 < share:
            return self.say("number", "few_of_100")
        return self.say("number", "most_of_100") if rounded == 100 and share < 1 else str(rounded)

    def time(self, days: float) -> str:
        """Return a time: `61 days`, `about 2 months`."""
        n = self._amount(days)
        if n[:1].isdigit():
            return self.say("time", self.unit.removesuffix("s")) if n == "1" else self.say("time", self.unit, n=n)
        return f"{n} {self.say('unit', self.unit)}"

    def span(self, low: float, high: float) -> str:
        """Return what lies between two times: `from 1.4 to 3.1 months`."""
        unit = self.say("unit", self.unit)
        return self.say("time", "span", low=self._amount(low), high=f"{self._amount(high)} {unit}")

    def _amount(self, days: float) -> str:
        value = days / UNITS[self.unit]
        least = 1.0 if self.unit == "days" else 0.1
        if 0 < value < least / 2:
            return self.say("time", "least", n=self._decimal(least))
        return self._decimal(value if self.unit != "days" else round(value))

    def _decimal(self, value: float) -> str:
        """Return a number with a decimal where it is small, and where that is not 0."""
        decimals = 1 if round(value, 1) < _WHOLE else 0
        plain = number_format.hundredths(value / 100, decimals=decimals)
        return plain.removesuffix(".0").replace(".", self.say("number", "point"))

    def listed(self, section: str, texts: Sequence[str]) -> str:
        """Return texts one after the other: `a, b or c`."""
        *first, last = texts
        return self.say(section, "and", one=", ".join(first), other=last) if first else last

    def date(self, iso_date: str) -> str:
        """Return an ISO date as people write it; a year stays a year."""
        if len(iso_date) == 4:
            return iso_date
        day = date.fromisoformat(iso_date)
        return self.say("date", "full", month=self.say("date", str(day.month)), day=day.day, year=day.year)
