"""What the brief says: chosen from the records, in the words of the translation files.

It shows counts of people first (natural frequencies with their denominators), each with how sure it is; it calls links
links; it always says that it informs and is no medical advice, at both ends, and no setting can take that away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from reinfuse.analysis.estimate import Estimate
from reinfuse.findings import Findings
from reinfuse.report import numbers
from reinfuse.report.brief.icons import icons
from reinfuse.report.brief.readability import assess
from reinfuse.report.brief.words import Words
from reinfuse.report.document import Block, Bullets, Document, Pairs, Paragraph, Picture, Section
from reinfuse.report.lookup import Lookup

FACTORS = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase")
FEW = 100
ALPHA = 0.05
UNMEASURED = frozenset({"about"})
"""Sections with citations, which are left out of the measure of how hard the text is."""


def brief(findings: Findings, language: str = "en") -> Document:
    """Return the brief.

    Raises
    ------
    KeyError
        If the language has no translation.
    TooHard
        If the text is harder to read than it may be.
    """
    return _Brief(findings, Words(language)).document()


class _Brief:
    """One brief in the making."""

    def __init__(self, findings: Findings, words: Words) -> None:
        self.findings = findings
        self.words = words
        self.say = words.say
        self.look = Lookup(findings.estimates)
        self.index = findings.plan.index_infusion
        self.types = [p for p in findings.described.populations if p.startswith("diagnosis=")]
        names = words.all["ordinal"]
        self.ordinal = names.get(str(self.index), names["more"])

    def document(self) -> Document:
        provenance, language = self.findings.provenance, self.words.language
        sections = tuple(self._section(name, blocks) for name, blocks in self._sections() if blocks)
        made = Document(
            self.say("page", "title", ordinal=self.ordinal),
            self.say("page", "subtitle", date=provenance["date"]),
            sections, language, "brief",
            (*((self.say("page", "synthetic"),) if provenance["synthetic"] else ()), self.say("page", "informs")),
            words=self.words.all["words"],
        )  # fmt: skip
        facts = {"generator": f"reinfuse {provenance['reinfuse']}", "date": str(provenance["date"]),
                 "readability": assess(list(measured(made)), language)}  # fmt: skip
        return replace(made, facts=facts)

    def _section(self, name: str, blocks: list[Block]) -> Section:
        return Section(name, self.say("section", name), tuple(blocks))

    def _sections(self) -> Iterator[tuple[str, list[Block]]]:
        yield "studied", list(self._studied())
        yield "people", list(self._people())
        yield "happened", list(self._happened())
        yield "lived", list(self._lived())
        yield "side_effects", list(self._side_effects())
        yield "linked", list(self._linked())
        yield "not_mean", [Bullets(tuple(self.words.items("not_mean")))]
        yield "questions", [Bullets(tuple(self.words.items("questions")))]
        yield "glossary", [Pairs(tuple((term, said) for term, said in self.words.items("glossary")))]
        yield "about", list(self._about())

    def _studied(self) -> Iterator[Paragraph]:
        yield Paragraph(self.say("studied", "cells"))
        yield Paragraph(self.say("studied", "first" if self.index == 1 else "again", ordinal=self.ordinal))
        yield Paragraph(self.say("studied", "chemo"))
        yield Paragraph(self.say("studied", "asked"))

    def _people(self) -> Iterator[Block]:
        every = self.look.one("flow", None, "count", term="analysed")
        shown = every is not None and every.estimate is not None
        n = numbers.count(every.estimate) if every and shown else ""
        said = [self.say("people", "number_hidden" if not shown else "one" if n == "1" else "number", n=n)]
        age = self.look.one("baseline", None, "median", term="age_years")
        if age is not None and age.estimate is not None:
            said.append(self.say("people", "age", age=f"{age.estimate:.0f}"))
        yield Paragraph(" ".join(said))
        kinds = [(t, self.look.one("baseline", None, "proportion", term=t)) for t in self.types]
        items = [self._capital(self.say("people", "type", count=self.words.count(e, short=True), type=self._type(t)))
                 for t, e in kinds if e is not None]  # fmt: skip
        if items:
            yield Bullets(tuple(items))
        if self.findings.described.patients < FEW:
            yield Paragraph(self.say("people", "few"))

    def _type(self, population: str, short: bool = False) -> str:
        names = self.words.all["type_short" if short else "type"]
        return str(names.get(population.partition("=")[2], names["other"]))

    @staticmethod
    def _capital(text: str) -> str:
        return text[:1].upper() + text[1:]

    def _happened(self) -> Iterator[Block]:
        for endpoint in ("response", "cr", "umrd_day28"):
            found = self.look.one("response", endpoint, "proportion")
            if found is None or not (found.n or numbers.hidden(found)):
                continue
            said = self.say("happened", endpoint, count=self.words.count(found))
            yield Paragraph(" ".join([said, *self._sure(found)]))
            if found.events is not None and found.n:
                title = self.say("icons", endpoint, count=self.words.count(found))
                yield Picture(icons(f"icons_{endpoint}", title, found.events, found.n))
            if endpoint == "response":
                yield from self._by_type()

    def _sure(self, found: Estimate) -> Iterator[str]:
        if found.lower is not None and found.upper is not None:
            low, high = (f"{100 * x:.0f}" for x in (found.lower, found.upper))
            yield self.say("happened", "sure", low=low, high=high)

    def _by_type(self) -> Iterator[Block]:
        found = [(t, self.look.one("response", "response", "proportion", t)) for t in self.types]
        items = [self.say("happened", "by_type_item", type=self._type(t, True), count=self.words.count(e))
                 for t, e in found if e is not None and (e.n or numbers.hidden(e))]  # fmt: skip
        if len(items) > 1:
            yield Paragraph(self.say("happened", "by_type"))
            yield Bullets(tuple(items))

    def _lived(self) -> Iterator[Block]:
        for endpoint in ("pfs", "os", "dor"):
            found = self.look.one("survival", endpoint, "median")
            if found is None or not found.n or numbers.hidden(found):
                continue
            if found.estimate is None:
                yield Paragraph(self.say("lived", f"{endpoint}_not_reached"))
            else:
                said = self.say("lived", endpoint, time=self.words.time(found.estimate))
                yield Paragraph(" ".join([said, *self._between(found)]))
            if endpoint == "pfs":
                yield from self._lived_by_type()

    def _between(self, found: Estimate) -> Iterator[str]:
        if found.lower is not None and found.upper is not None:
            low, high = self.words.time(found.lower), self.words.time(found.upper)
            yield self.say("lived", "between", low=low, high=high)
        elif found.lower is not None:
            yield self.say("lived", "at_least", low=self.words.time(found.lower))

    def _lived_by_type(self) -> Iterator[Block]:
        items = []
        for population in self.types:
            e = self.look.one("survival", "pfs", "median", population)
            if e is None or not e.n or numbers.hidden(e):
                continue
            name, days = self._type(population, True), e.estimate
            items.append(self.say("lived", "by_type_not_reached", type=name) if days is None
                         else self.say("lived", "by_type_item", type=name, time=self.words.time(days)))  # fmt: skip
        if len(items) > 1:
            yield Paragraph(self.say("lived", "by_type"))
            yield Bullets(tuple(items))

    def _side_effects(self) -> Iterator[Block]:
        said = []
        for kind in ("CRS", "ICANS", "NT"):
            found = self.look.one("toxicity", None, "proportion", term=f"{kind}>=3")
            if found is not None and (found.n or numbers.hidden(found)):
                said.append(Paragraph(self.say("side_effects", kind, count=self.words.count(found))))
        if said:
            yield Paragraph(self.say("side_effects", "intro"))
            yield from said

    # What was linked

    def _linked(self) -> Iterator[Block]:
        told = [b for factor in FACTORS for b in self._factor(factor)]
        if told:
            yield Paragraph(self.say("linked", "intro"))
            yield from told
            yield Paragraph(self.say("linked", "cause"))
        yield Paragraph(self.say("linked", "more"))

    def _factor(self, factor: str) -> Iterator[Block]:
        items = [*self._counts(factor), *self._times(factor)]
        if items:
            yield Bullets(tuple(items))

    def _counts(self, factor: str) -> Iterator[str]:
        one, other = (self.look.one("response", "response", "proportion", group=f"{factor}={level}")
                      for level in ("yes", "no"))  # fmt: skip
        if one is not None and other is not None and all(e.n or numbers.hidden(e) for e in (one, other)):
            yield " ".join([
                self.say("linked", "with", **{"with": self.say("with", factor)}, count=self.words.count(one)),
                self.say("linked", "without", without=self.say("without", factor), count=self.words.count(other)),
                self._verdict("response", "odds_ratio", factor),
            ])  # fmt: skip

    def _times(self, factor: str) -> Iterator[str]:
        one, other = (self.look.one("survival", "pfs", "median", group=f"{factor}={level}") for level in ("yes", "no"))
        if one is not None and other is not None and all(e.n and not numbers.hidden(e) for e in (one, other)):
            times = [self.say("linked", "time_not_reached") if e.estimate is None else self.words.time(e.estimate)
                     for e in (one, other)]  # fmt: skip
            yield " ".join([
                self.say("linked", "pfs_with", **{"with": self.say("with", factor)}, time=times[0]),
                self.say("linked", "pfs_without", without=self.say("without", factor), time=times[1]),
                self._verdict("pfs", "hazard_ratio", factor),
            ])  # fmt: skip

    def _verdict(self, endpoint: str, statistic: str, factor: str) -> str:
        """Say whether chance explains it: by the model with most factors, and only where every test agrees."""
        for model in ("multivariable", "univariable"):
            where = {"term": factor, "model": model}
            found = [r.p_value for analysis in ("calibrated", "association")
                     for r in self.look.all(analysis, endpoint, statistic, **where)
                     if r.p_value is not None]  # fmt: skip
            permuted = self.look.all("permutation", endpoint, "p_value", **where)
            p = [*found, *(r.p_value for r in permuted if r.p_value is not None)]
            if found:
                sides = {x < ALPHA for x in p}
                return self.say("linked", "unsure" if len(sides) > 1 else "yes" if sides == {True} else "no")
        return self.say("linked", "untested")

    def _about(self) -> Iterator[Block]:
        told, about = self.findings.provenance, self.findings.described.about
        made = str(told["date"])
        yield Paragraph(self.say("about", "date", date=made, later=_a_year_after(made)))
        if any(numbers.hidden(e) for e in self.findings.estimates):
            yield Paragraph(self.say("about", "hidden"))
        yield Paragraph(self.say("about", "report"))
        yield Paragraph(self.say("about", "data", cohort=about.title or told["cohort"]))
        if about.source:
            yield Paragraph(self.say("about", "source", source=about.source))
        yield Paragraph(self.say("page", "informs"), "banner")


def measured(document: Document) -> Iterator[str]:
    """Yield the texts that tell how hard a brief is to read: all that is read as sentences, citations left out."""
    yield from document.banners
    for section in document.sections:
        if section.name in UNMEASURED:
            continue
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield document.text(block.text)
            elif isinstance(block, Bullets):
                yield from (document.text(item) for item in block.items)
            elif isinstance(block, Pairs):
                yield from (document.text(said) for _, said in block.items)


def _a_year_after(made: str) -> str:
    """Return the date a year later, or the next year of a year."""
    if len(made) == 4:
        return str(int(made) + 1)
    day = date.fromisoformat(made)
    return day.replace(year=day.year + 1, day=min(day.day, 28) if day.month == 2 else day.day).isoformat()
