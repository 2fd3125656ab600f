"""What every part of the brief needs: the records, the words, and the types of cancer in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names
from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.report.brief.translation import Words, unit_of
from reinfuse.report.text import number_format
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

ALL_OR_NOTHING = "ALL"
"""The type of cancer in which a response leaves no sign of it, in so far as all responses were complete."""


class Telling:
    """Tells one part of a study's findings."""

    def __init__(self, findings: Findings, language: str) -> None:
        self.findings = findings
        self.look = Lookup(findings.estimates)
        self.words = words = Words(language)
        self.say = words.say
        self.types = [p for p in findings.described.populations if factor_of(p) == "diagnosis"]
        self.others = [p for p in self.types if level_of(p) not in words.all["type"]]
        words.unit = unit_of([t for e in self._medians() for t in (e.estimate, e.lower, e.upper) if t is not None])

    def _medians(self) -> Iterator[Estimate]:
        """Yield the records whose times are told: overall, and by type of cancer."""
        for endpoint in names(kind="time", brief=True):
            by_type = self.types if ENDPOINTS[endpoint].brief == "by type" else []
            for population in ("all", *by_type):
                record = self.look.one("survival", endpoint, "median", population)
                if record is not None and tells(record) and not number_format.hidden(record):
                    yield record if population == "all" else replace(record, lower=None, upper=None)

    def by_type(self, analysis: str, endpoint: str, *, statistic: str) -> Iterator[tuple[str, Estimate]]:
        """Yield the short name of each type of cancer and its record, if it tells anything.

        Several other cancers have one name here, and are left to the report.
        """
        for population in self.types:
            record = self.look.one(analysis, endpoint, statistic, population)
            own_name = population not in self.others or len(self.others) == 1
            if own_name and record is not None and tells(record):
                yield self.type(population, "type_short"), record

    def responded(self, population: str = "all") -> str:
        """Return what a response is: in the words of a type of cancer, or of all."""
        kinds = {self._kind(p) for p in self.types} if population == "all" else {self._kind(population)}
        kind = kinds.pop() if len(kinds) == 1 else "other"
        if kind == ALL_OR_NOTHING and not self._complete(population):
            kind = "other"
        return self.say("responded", kind)

    def _kind(self, population: str) -> str:
        level = level_of(population)
        return level if level in self.words.all["responded"] else "other"

    def _complete(self, population: str) -> bool:
        """Tell whether every response was complete."""
        either = self.look.one("response", "response", "proportion", population)
        complete = self.look.one("response", "cr", "proportion", population)
        return either is not None and complete is not None and either.events == complete.events is not None

    def type(self, population: str, how: str = "type") -> str:
        """Return a type of cancer in plain words."""
        names = self.words.all[how]
        return str(names.get(level_of(population), names["other"]))


def tells(record: Estimate) -> bool:
    """Tell whether anybody stands behind a record, enough for a number; a suppressed one says so itself."""
    if (record.note or "").startswith(NOT_ESTIMABLE):
        return False
    return bool(record.n) or number_format.hidden(record) is not None


def everyone(record: Estimate | None) -> bool:
    """Tell whether a proportion counts all people, more than one."""
    return record is not None and record.n is not None and record.n > 1 and record.events == record.n


def capital(text: str) -> str:
    """Return a text that begins a sentence."""
    return text[:1].upper() + text[1:]


def inner(text: str) -> str:
    """Return a text that stands within a sentence."""
    return text[:1].lower() + text[1:]
