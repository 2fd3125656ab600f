"""The brief's words: one translation file a language, with what stands in braces filled in."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from reinfuse.analysis.estimate import SO_THAT, Estimate
from reinfuse.cohort.declared import DAYS_A_MONTH
from reinfuse.report import numbers

LANGUAGES = ("en", "es")
_DAYS_BEFORE_MONTHS = 90
_MONTHS_BEFORE_YEARS = 24


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

    def count(self, record: Estimate, short: bool = False) -> str:
        """Return `3 of 9 people`, or what stands in place of a small number."""
        hidden = numbers.hidden(record)
        if hidden is not None:
            if (record.note or "").startswith(SO_THAT) or not hidden.rsplit(" ", 1)[-1].isdigit():
                return self.say("count", "not_shown")
            k = hidden.rsplit(" ", 1)[-1]
            return self.say("count", "hidden", k=k, n=record.n) if record.n else self.say("count", "hidden_alone", k=k)
        of = "short" if short else "of"
        return self.say("count", of, x=numbers.count(record.events), n=numbers.count(record.n))

    def time(self, days: float) -> str:
        """Return a time as people say it: `61 days`, `about 8 months`, `about 3 years`."""
        months = days / DAYS_A_MONTH
        if days < _DAYS_BEFORE_MONTHS:
            return self.say("time", "days", n=f"{days:.0f}")
        if months < _MONTHS_BEFORE_YEARS:
            return self.say("time", "months", n=f"{months:.0f}")
        return self.say("time", "years", n=f"{months / 12:.1f}".removesuffix(".0").replace(".", self.point))

    @property
    def point(self) -> str:
        """The decimal sign."""
        return "," if self.language == "es" else "."
