"""The report: which sections it has, and what stands in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from reinfuse.analyses.execution import NOT_RUN
from reinfuse.report.analyses.registry import parts
from reinfuse.report.document.model import (
    Block,
    Bullets,
    Document,
    Pairs,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
    Text,
    with_citations,
)
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.kinetics import kinetic_sections
from reinfuse.report.sections.robustness import Part, more_sections
from reinfuse.report.sections.strobe import checklist
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.kinetics_methods import kinetic_methods
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
    return _Report(findings, figures, boundary=boundary).document()


def kinetic_report(findings: Findings, figures: Sequence[Placed]) -> Document:
    """Return the report on the CAR-T counts alone."""
    return _Report(findings, figures).of_counts()


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
        methods = Paragraph(with_citations(" ".join(kinetic_methods(self.findings, self.prose.cite))))
        references = Section("references", "References", (Bullets(tuple(self.prose.references), numbered=True),))
        sections = (*self._counts(), Section("methods", "Methods", (methods, references)),
                    Section("provenance", "Provenance", (Pairs(tuple(self._provenance())),)))  # fmt: skip
        mark = " (synthetic data)" if self.findings.provenance["synthetic"] else ""
        return self._document(f"CAR-T cell kinetics{mark}", sections)

    def _counts(self) -> Iterator[Section]:
        for section in kinetic_sections(self.findings, {place for place, _ in self.figures}):
            yield self._illustrated(section)

    def _document(self, title: str, sections: tuple[Section, ...]) -> Document:
        provenance = self.findings.provenance
        version = str(provenance["reinfuse"])
        return Document(
            title,
            f"Cohort {provenance['cohort']} · {provenance['date']} · reinfuse {version}",
            sections,
            banners=(SYNTHETIC,) if provenance["synthetic"] else (),
            cited=self.prose.cited,
            facts={"generator": f"reinfuse {version}", "date": str(provenance["date"])},
        )

    def _sections(self) -> Iterable[Section]:
        prose, tables = self.prose, self.tables
        methods = Paragraph(with_citations(" ".join(prose.methods())))  # first: its citations give references numbers
        places = {place for place, _ in self.figures}
        planned: list[Part] = [
            _part("summary", "Summary", self._summary),
            _part("asked", "Objectives", lambda: (Paragraph(p) for p in prose.objectives())),
            _part("patients", "Patients", self._patients),
            _part("course", "Clinical course of each patient", self._course, short="Clinical course"),
            _part("response", "Response", lambda: (*_shown(tables.response()), *self._drawn("response"))),
            _part("survival", "Time to event", self._times),
            _part("toxicity", "Toxicity", lambda: (*_shown(tables.toxicity()), *self._drawn("toxicity"))),
            _part("associations", "Factors associated with outcome", self._associations, short="Associations"),
            *more_sections(self.findings, tables, places, pictures=self._drawn),
            ("kinetics", "CAR-T cell kinetics", self._counts),
            _part("methods", "Methods", lambda: (methods, *self._rules())),
            _part("limits", "Limitations", lambda: (Bullets(tuple(prose.limits())),)),
            _part("warnings", "Data quality and warnings", self._warnings),
            _part("strobe", "STROBE checklist", lambda: (checklist(self.findings),)),
            _part("provenance", "Provenance", lambda: (Pairs(tuple(self._provenance())),)),
        ]
        built = [s for name, head, build in planned for s in self._built(name, head, build)]
        return (self._with_failures(s) for s in built)  # when all are built: a later one may have failed

    def _built(self, name: str, head: str, build: Callable[[], Iterable[Section]]) -> Sequence[Section]:
        """Return a part's sections; an empty one where it, or all that stands in it, failed."""
        sections: list[Section] = self.boundary.attempt(
            f"Section {head}", name, lambda: [s for s in build() if s.blocks], otherwise=[]
        )
        return sections or ([Section(name, head, ())] if self._failed(name) else [])

    def _failed(self, name: str) -> tuple[str, ...]:
        """Return what is said of failures in a section."""
        failed = (w for w in self._all_warnings if w["about"] == FAILED)
        return tuple(w["text"] for w in failed if self._top(w.get("section", "")) == name)

    def _top(self, place: str) -> str:
        """Return the name of the section that holds a section or a figure's place."""
        if place == "competing" or any(place == e.name for e in self.findings.described.endpoints if e.kind == "time"):
            return "survival"
        first = place.partition("_")[0]
        return {"association": "associations"}.get(first, first)

    def _with_failures(self, section: Section) -> Section:
        failed = self._failed(section.name)
        if section.name == "summary":
            failed = tuple(w["text"] for w in self._all_warnings if w["about"] == FAILED)
        if section.name == "warnings":
            section = replace(section, blocks=tuple(self._warnings()))
        return replace(section, blocks=(*(Paragraph(text, "banner") for text in failed), *section.blocks))

    def _illustrated(self, section: Section) -> Section:
        """Return a section with the figures of it and of the sections inside it, each before its tables."""
        inner = tuple(self._illustrated(b) if isinstance(b, Section) else b for b in section.blocks)
        first = next((i for i, b in enumerate(inner) if isinstance(b, Table | Section)), len(inner))
        return replace(section, blocks=(*inner[:first], *self._drawn(section.name), *inner[first:]))

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

    def _summary(self) -> Iterator[Block]:
        yield Bullets(tuple(self.prose.summary()))
        caution: Text = (
            "These are associations in one cohort: not treatment effects, and not advice for an individual patient. "
            "See ", Ref("section", "limits"), ".",
        )  # fmt: skip
        yield Paragraph(caution, "aside")

    def _patients(self) -> Iterator[Block]:
        figures = list(self._drawn("patients"))
        flow = [p for p in figures if p.name == "flow"]
        yield Paragraph((*((Ref("figure", "flow"), " shows the patient flow; ") if flow else ()),
                         Ref("table", "baseline"), " gives baseline characteristics."))  # fmt: skip
        yield from flow
        yield self.tables.baseline()
        yield from (p for p in figures if p not in flow)

    def _course(self) -> Iterator[Block]:
        figures = list(self._drawn("course"))
        if figures:
            yield Paragraph((Ref("figure", figures[0].name), " shows every infusion, response and event of each "
                             "patient, in months from the index infusion."))  # fmt: skip
        yield from figures

    def _times(self) -> Iterator[Section]:
        for end in self.findings.described.endpoints:
            if end.kind == "time" and not end.competing:
                blocks: tuple[Block, ...] = (*self._drawn(end.name), self.tables.survival(end.name))
                yield Section(f"survival_{end.name}", end.label, blocks)
        competing = (self.tables.competing(), self.tables.effects_on_incidence())
        more: tuple[Block, ...] = (*self._drawn("competing"), *(t for t in competing if t is not None))
        if more:
            yield Section("survival_competing", "Competing events", more)
        yield from parts("survival", self.tables)

    def _associations(self) -> Iterator[Block]:
        names = [m.endpoint for m in self.findings.plan.models]
        with_tables = [(e, self.tables.association(e.name)) for e in self.findings.described.endpoints]
        modelled = [t.name for e, t in with_tables if t is not None and e.name in names]
        if modelled:
            refs = [x for name in modelled for x in (", ", Ref("table", name))][1:]
            yield Paragraph(("Multivariable models: ", *refs, ". All other effects are univariable."))
        for end, table in with_tables:
            if table is not None:
                blocks: tuple[Block, ...] = (*self._drawn(f"association_{end.name}"), table)
                yield Section(f"association_{end.name}", end.label, blocks)

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


def _part(name: str, head: str, blocks: Callable[[], Iterable[Block]], *, short: str = "") -> Part:
    """Return a part of one section."""
    return name, head, lambda: [Section(name, head, tuple(blocks()), short)]


def _shown(table: Table | None) -> Iterable[Table]:
    return () if table is None else (table,)
