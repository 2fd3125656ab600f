"""What every part of the brief needs: the records, the words, and the types of cancer in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.report.brief.translation import Words
from reinfuse.report.text import number_format
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings


class Telling:
    """Tells one part of a study's findings."""

    def __init__(self, findings: Findings, words: Words) -> None:
        self.findings = findings
        self.words = words
        self.say = words.say
        self.look = Lookup(findings.estimates)
        self.types = [p for p in findings.described.populations if factor_of(p) == "diagnosis"]
        self.others = [p for p in self.types if level_of(p) not in words.all["type"]]

    def by_type(self, analysis: str, endpoint: str, *, statistic: str) -> Iterator[tuple[str, Estimate]]:
        """Yield the short name of each type of cancer and its record, if it tells anything.

        Several other cancers have one name here, and are left to the report.
        """
        for population in self.types:
            record = self.look.one(analysis, endpoint, statistic, population)
            own_name = population not in self.others or len(self.others) == 1
            if own_name and record is not None and tells(record):
                yield self.type(population, "type_short"), record

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
