"""What the brief says: chosen from the records, in the words of the translation files.

It shows counts of people first (natural frequencies with their denominators), each with how sure it is; it calls links
links; it always says that it informs and is no medical advice, at both ends, and no setting can take that away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.report.brief.citations import Linked
from reinfuse.report.brief.findings import OutcomeSentences
from reinfuse.report.brief.published import OtherStudies
from reinfuse.report.brief.readability import assess
from reinfuse.report.brief.sentences import Telling, capital
from reinfuse.report.document.model import Block, Bullets, Document, Pairs, Paragraph, Picture, Section
from reinfuse.report.text import number_format
from reinfuse.results.findings import Findings

FEW = 100
"""Below so many people a group is called small."""
_MARKS = (".", "!", "?")


def brief(findings: Findings, language: str = "en") -> Document:
    """Return the brief.

    Raises
    ------
    KeyError
        If the language has no translation.
    TooHard
        If the text is harder to read than it may be.
    """
    return _Brief(findings, language).document()


class _Brief(Telling):
    """One brief in the making."""

    def document(self) -> Document:
        provenance, language = self.findings.provenance, self.words.language
        sections = [self._section(name, blocks) for name, blocks in self._sections() if blocks]
        title = self.say("page", "title", ordinal=self._ordinal())
        draft = Document(
            self.say("page", "synthetic_title", title=title) if provenance["synthetic"] else title,
            self.say("page", "subtitle", date=self.words.date(str(provenance["date"]))),
            tuple(sections), language, "brief", self._banners(), words=self.words.all["words"],
        )  # fmt: skip
        hard = assess(measured(draft), language)  # before the texts that are not ours
        return replace(
            draft,
            sections=(*sections[:-1], replace(sections[-1], blocks=(*sections[-1].blocks, *self._end()))),
            facts={"generator": f"reinfuse {provenance['reinfuse']}", "date": str(provenance["date"]),
                   "language": language, "readability": hard},
        )  # fmt: skip

    def _banners(self) -> tuple[str, ...]:
        synthetic = (self.say("page", "synthetic"),) if self.findings.provenance["synthetic"] else ()
        return (*synthetic, self.say("page", "informs"))

    def _ordinal(self) -> str:
        names = self.words.all["ordinal"]
        return str(names.get(str(self.findings.plan.index_infusion), names["more"]))

    def _section(self, name: str, blocks: list[Block]) -> Section:
        return Section(name, self.say("section", name), tuple(blocks))

    def _sections(self) -> Iterator[tuple[str, list[Block]]]:
        language = self.words.language
        results = OutcomeSentences(self.findings, language)
        yield "short", list(self._short(results))
        yield "studied", [*self._studied(), *self._people()]
        yield "happened", [*results.happened(), *OtherStudies(self.findings, language).published()]
        yield "lived", list(results.lived())
        yield "side_effects", list(results.side_effects())
        yield "linked", list(Linked(self.findings, language).linked())
        yield "not_mean", [Bullets(tuple(self.words.items("not_mean")))]
        yield "questions", [Bullets(tuple(self.words.items("questions")))]
        yield "glossary", [Pairs(tuple((term, meaning) for term, meaning in self.words.items("glossary")))]
        yield "about", list(self._about())

    def _number(self) -> tuple[str, str]:
        """Return which text fits the number of people, and the number."""
        every = self.look.one("flow", None, "count", term="analysed")
        if every is None or every.estimate is None:
            return "number_hidden", ""
        n = self.words.number(every.estimate)
        return ("one" if n == "1" else "number"), n

    def _short(self, results: OutcomeSentences) -> Iterator[Paragraph]:
        name, n = self._number()
        response = results.response()
        few = self.findings.described.patients < FEW
        yield Paragraph(" ".join([
            self.say("short", name, n=n, ordinal=self._ordinal()),
            *([] if response is None else [response]),
            *([self.say("short", "few")] if few else []),
            self.say("short", "you"),
        ]))  # fmt: skip

    def _studied(self) -> Iterator[Paragraph]:
        which = "first" if self.findings.plan.index_infusion == 1 else "again"
        yield Paragraph(" ".join([self.say("studied", "cells"),
                                  self.say("studied", which, ordinal=self._ordinal())]))  # fmt: skip

    def _people(self) -> Iterator[Block]:
        name, n = self._number()
        sentences = [self.say("people", name, n=n)]
        age = self.look.one("baseline", None, "median", term="age_years")
        if age is not None and age.estimate is not None and name == "number":
            sentences.append(self.say("people", "age", age=f"{age.estimate:.0f}"))
        for population in self.types:
            share = self.look.one(
                "baseline", None, "proportion", term=factor_of(population), level=level_of(population)
            )
            if share is not None and (population not in self.others or len(self.others) == 1):
                count = capital(self.words.count(share, short=True))
                sentences.append(self.say("people", "type", count=count, type=self.type(population)))
        if len(self.others) > 1:
            sentences.append(self.say("people", "others"))
        yield Paragraph(" ".join(sentences))

    def _about(self) -> Iterator[Block]:
        dated = str(self.findings.provenance["date"])
        later = self.words.date(_a_year_after(dated))
        hidden = any(number_format.hidden(e) for e in self.findings.estimates)
        yield Paragraph(" ".join([
            self.say("about", "date", date=self.words.date(dated), later=later), self._reviewed(dated),
            *([self.say("about", "hidden")] if hidden else []), self.say("about", "report"),
        ]))  # fmt: skip

    def _reviewed(self, dated: str) -> str:
        """Say when the centre last reviewed the page; of a day after the analysis, that it is to come."""
        day = self.findings.plan.brief.reviewed
        if day is None:
            return self.say("about", "not_reviewed")
        made = date.fromisoformat(dated if len(dated) == 10 else f"{dated}-12-31")
        name = "review_to_come" if day > made else "reviewed" if day == made else "reviewed_before"
        return self.say("about", name, date=self.words.date(day.isoformat()))

    def _end(self) -> Iterator[Block]:
        """Yield the centre's and the cohort's own texts, then what must stand at both ends."""
        about, own = self.findings.described.about, self.findings.plan.brief
        texts = [
            *([self.say("about", "centre", centre=own.centre)] if own.centre else []),
            *([self.say("about", "contact", contact=own.contact)] if own.contact else []),
            self.say("about", "data", cohort=about.title or self.findings.provenance["cohort"]),
            *([self.say("about", "source", source=about.source)] if about.source else []),
        ]  # fmt: skip
        yield Paragraph(" ".join(texts), "aside")
        yield from (Paragraph(banner, "banner") for banner in self._banners())


def measured(document: Document) -> Iterator[str]:
    """Yield what is read as sentences: banners, paragraphs, lists, captions, what the glossary says; no headings.

    A list of fragments is one sentence with the words that open it.
    """
    yield from document.banners
    for block in document.blocks():
        if isinstance(block, Paragraph):
            yield document.text(block.text)
        elif isinstance(block, Bullets):
            texts = [document.text(item) for item in block.items]
            yield ", ".join(texts) + "." if not all(s.endswith(_MARKS) for s in texts) else " ".join(texts)
        elif isinstance(block, Pairs):
            yield from (document.text(texts) for _, texts in block.items)
        elif isinstance(block, Picture):
            yield block.caption


def _a_year_after(dated: str) -> str:
    """Return the date a year later, or the next year of a year."""
    if len(dated) == 4:
        return str(int(dated) + 1)
    day = date.fromisoformat(dated)
    return day.replace(year=day.year + 1, day=min(day.day, 28) if day.month == 2 else day.day).isoformat()
