"""The brief's words: one translation file a language, with what stands in braces filled in."""

from __future__ import annotations

import tomllib
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
_LONGEST = {"days": 120.0, "months": 36 * DAYS_A_MONTH}
"""Up to how many days a unit is used."""
_LEAST = 2
"""Of months or years; what is shorter is told in a smaller unit."""


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
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.all = translation(language)

    def say(self, section: str, name: str, **filled: object) -> str:
        """Return one text, filled in."""
        return str(self.all[section][name]).format(**filled)

    def items(self, section: str) -> list[Any]:
        """Return the texts of a list."""
        return list(self.all[section]["items"])

    def number(self, value: float | None) -> str:
        """Return a whole number, its thousands set apart as the language does."""
        return number_format.count(value).replace(",", self.say("number", "thousands"))

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

    def times(self, *days: float) -> list[str]:
        """Return times that are compared, in one unit: `43 days`, `94 days`; `about 5 months`, `about 21 months`.

        The longest gives the unit; where another would be less than `_LEAST` of it, each has its own.
        """
        unit = _unit(max(days))
        if unit != "days" and min(days) < _LEAST * UNITS[unit]:
            return [self._time(x, _unit(x)) for x in days]
        return [self._time(x, unit) for x in days]

    def _time(self, days: float, unit: str) -> str:
        value = days / UNITS[unit]
        if unit == "years":
            n = f"{value:.1f}".removesuffix(".0").replace(".", self.say("number", "point"))
            return self.say("time", unit, n=n)
        if unit == "days" and round(value) == 1:
            return self.say("time", "day")
        return self.say("time", unit, n=f"{value:.0f}")

    def date(self, iso_date: str) -> str:
        """Return an ISO date as people write it; a year stays a year."""
        if len(iso_date) == 4:
            return iso_date
        day = date.fromisoformat(iso_date)
        return self.say("date", "full", month=self.say("date", str(day.month)), day=day.day, year=day.year)


def _unit(days: float) -> str:
    return next((unit for unit, most in _LONGEST.items() if days <= most), "years")
