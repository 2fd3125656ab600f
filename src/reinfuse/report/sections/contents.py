"""The report: which sections it has, and what stands in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from reinfuse.analyses.execution import NOT_RUN
from reinfuse.report.analyses.registry import methods
from reinfuse.report.document.model import (
    ENGLISH,
    Block,
    Bullets,
    Document,
    Pairs,
    Paragraph,
    Picture,
    Section,
    Text,
    with_citations,
)
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.headings import HEADINGS, Heading
from reinfuse.report.sections.key_findings import key_findings
from reinfuse.report.sections.results import section
from reinfuse.report.sections.strobe import checklist
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.journal_style import in_force, printed_as
from reinfuse.report.text.labels import with_own_labels
from reinfuse.report.text.narrative import Prose
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import FAILED, Boundary

Placed = tuple[str, Drawn]
"""A section's name and a figure that stands in it."""
ABOUT = {
    FAILED: "Failed",
    NOT_RUN: "Not run",
    "rules and data": "Endpoint rules applied and missing data",
    "check": "Validation warnings",
    "reading": "Values normalised on reading",
}
SYNTHETIC = "Synthetic data. This report includes no real patient and supports no clinical conclusion."


def report(findings: Findings, figures: Sequence[Placed], *, boundary: Boundary | None = None) -> Document:
    """Return the whole report.

    Parameters
    ----------
    findings
        What to show.
    figures
        Section and figure, in order.
    boundary
        Where figures, and now sections, that fail are kept.
    """
    with printed_as(findings.plan.report):
        return _Report(with_own_labels(findings), figures, boundary=boundary).document()


def kinetic_report(findings: Findings, figures: Sequence[Placed]) -> Document:
    """Return the report on the CAR-T counts alone."""
    with printed_as(findings.plan.report):
        return _Report(with_own_labels(findings), figures).of_counts()


def title(findings: Findings) -> str:
    """Return the report's title, which says where data are synthetic."""
    own_title = str(findings.provenance["title"])
    return f"{own_title} (synthetic data)" if findings.provenance["synthetic"] else own_title


class _Report:
    """One report in the making."""

    def __init__(self, findings: Findings, figures: Sequence[Placed], *, boundary: Boundary | None = None) -> None:
        self.findings = findings
        self.boundary = boundary or Boundary()
        self.figures = figures
        self.prose = Prose(findings)
        self.tables = StudyTables(findings)
        self.coarse = any(number_format.hidden(e) for e in findings.estimates)

    def document(self) -> Document:
        return self._document(title(self.findings), tuple(s for s in self._sections() if s.blocks))

    @property
    def _all_warnings(self) -> tuple[dict[str, str], ...]:
        return (*self.boundary.warnings, *self.findings.warnings)

    def of_counts(self) -> Document:
        sentences = methods(self.findings, self.prose.cite, section="kinetics")
        text = Paragraph(with_citations(" ".join(sentences)))
        references = Section("references", "References", (Bullets(tuple(self.prose.references), numbered=True),))
        titles = {name: HEADINGS[name].title for name in ("kinetics", "methods", "provenance")}
        sections = (section(HEADINGS["kinetics"], self.tables, self._drawn),
                    Section("methods", titles["methods"], (text, references)),
                    Section("provenance", titles["provenance"], (Pairs(tuple(self._provenance())),)))  # fmt: skip
        mark = " (synthetic data)" if self.findings.provenance["synthetic"] else ""
        return self._document(f"{titles['kinetics']}{mark}", sections)

    def _document(self, title: str, sections: tuple[Section, ...]) -> Document:
        provenance = self.findings.provenance
        version = str(provenance["reinfuse"])
        return Document(
            title,
            f"Cohort {provenance['cohort']} · {provenance['date']} · reinfuse {version}",
            sections,
            banners=(SYNTHETIC,) if provenance["synthetic"] else (),
            cited=self.prose.cited,
            words={**ENGLISH, "after_number": in_force().caption},
            facts={"generator": f"reinfuse {version}", "date": str(provenance["date"])},
        )

    def _sections(self) -> Iterable[Section]:
        prose = self.prose
        sentences = Paragraph(with_citations(" ".join(prose.methods())))  # first: it gives references their numbers
        of_no_analysis: dict[str, Callable[[], Iterable[Block]]] = {
            "summary": lambda: key_findings(self.tables),
            "asked": lambda: (Paragraph(p) for p in prose.objectives()),
            "methods": lambda: (sentences, *self._rules()),
            "limits": lambda: (Bullets(tuple(prose.limits())),),
            "warnings": self._warnings,
            "strobe": lambda: (checklist(self.findings),),
            "provenance": lambda: (Pairs(tuple(self._provenance())),),
        }
        headings = [heading.of(self.findings.plan.index_infusion) for heading in HEADINGS.values()]
        built = [s for heading in headings for s in self._built(heading, of_no_analysis.get(heading.name))]
        return (self._with_failures(s) for s in built)  # when all are built: a later one may have failed

    def _built(self, heading: Heading, blocks: Callable[[], Iterable[Block]] | None) -> Sequence[Section]:
        """Return a section, of blocks or of its analyses; an empty one where it, or all that stands in it, failed."""

        def build() -> Section:
            if blocks is None:
                return section(heading, self.tables, self._drawn)
            return Section(heading.name, heading.title, tuple(blocks()), heading.short)

        one = self.boundary.attempt(f"Section {heading.title}", heading.name, build, otherwise=None)
        if one is not None and one.blocks:
            return [one]
        return [Section(heading.name, heading.title, ())] if self._failed(heading.name) else []

    def _failed(self, name: str) -> tuple[str, ...]:
        """Return what is said of failures in a section."""
        failed = (w for w in self._all_warnings if w["about"] == FAILED)
        return tuple(w["text"] for w in failed if self._top(w.get("section", "")) == name)

    def _top(self, place: str) -> str:
        """Return the name of the section that holds a section or a figure's place."""
        first = place.partition("_")[0]
        return {"association": "associations"}.get(first, first)

    def _with_failures(self, one: Section) -> Section:
        failed = self._failed(one.name)
        if one.name == "summary":
            failed = tuple(w["text"] for w in self._all_warnings if w["about"] == FAILED)
        if one.name == "warnings":
            one = replace(one, blocks=tuple(self._warnings()))
        return replace(one, blocks=(*(Paragraph(text, "banner") for text in failed), *one.blocks))

    def _drawn(self, place: str) -> Iterator[Picture]:
        for where, drawn in self.figures:
            if where == place:
                yield Picture(drawn, self._note(drawn.name))

    def _note(self, name: str) -> str:
        if name.startswith(("km_", "landmark_")):
            marks = "" if self.coarse else "; vertical ticks: censored"
            return f"Shaded: pointwise {self.tables.ci}{marks}."
        if name.startswith("incidence"):
            return f"Shaded: pointwise {self.tables.ci}."
        return "Arrows: CI truncated at the axis limit." if name.startswith("forest_") else ""

    def _rules(self) -> Iterator[Section]:
        yield Section("rules", "Endpoint definitions", (Pairs(tuple(self.prose.rules())),))
        yield Section("references", "References", (Bullets(tuple(self.prose.references), numbered=True),))

    def _warnings(self) -> Iterator[Block]:
        for about, head in ABOUT.items():
            texts = tuple(w["text"] for w in self._all_warnings if w["about"] == about)
            if texts:
                yield Section(f"warnings_{about.replace(' ', '_')}", head, (Bullets(texts),))
        if not self._all_warnings:
            yield Paragraph("None.")

    def _provenance(self) -> Iterator[tuple[str, Text]]:
        provenance, about = self.findings.provenance, self.findings.described.about
        if about.description:
            yield "Cohort", f"{about.title}. {about.description}"
        if about.source:
            yield "Source", about.source
        yield from ((f"{name} (SHA-256)", str(digest)) for name, digest in provenance["inputs"].items())
        yield "Plan (SHA-256)", str(provenance["plan"])
        yield "Seed", str(provenance["seed"])
        packages = "".join(f", {name} {version}" for name, version in provenance["packages"].items())
        yield "Versions", f"reinfuse {provenance['reinfuse']}, Python {provenance['python']}{packages}"
        yield "Date", str(provenance["date"])
        yield "Records", "every number is in findings.json and estimates.csv; every figure's data in figures/"
