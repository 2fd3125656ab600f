"""The sections of one study's results, built once for report and supplement, and what failed in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Self

from reinfuse.analyses.published_studies import retractions
from reinfuse.report.analyses import registry
from reinfuse.report.document.model import ENGLISH, Block, Document, Paragraph, Picture, Section
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.headings import HEADINGS, Heading
from reinfuse.report.sections.results import section
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.journal_style import in_force
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import FAILED, Boundary

Placed = tuple[str, Drawn]
"""A section's name and a figure that stands in it."""
SYNTHETIC = "Synthetic data. This report includes no real patient and supports no clinical conclusion."
OF_NO_ANALYSIS = ("summary", "asked", "methods", "limits", "warnings", "strobe", "provenance")


class StudySections:
    """The sections of one study.

    Parameters
    ----------
    findings
        What to show.
    figures
        Section and figure, in order.
    boundary
        Where figures, and now sections, that fail are kept.
    """

    def __init__(self, findings: Findings, figures: Sequence[Placed], boundary: Boundary | None = None) -> None:
        self.findings = findings
        self.boundary = boundary or Boundary()
        self.figures = figures
        self.tables = StudyTables(findings)
        self.coarse = any(number_format.hidden(e) for e in findings.estimates)

    def of(self, findings: Findings) -> Self:
        """Return the sections of other findings, with the same figures, what fails noted in the same place."""
        return type(self)(findings, self.figures, self.boundary)

    @property
    def warnings(self) -> tuple[dict[str, str], ...]:
        """Every warning, of the findings and of what was drawn and built since."""
        return (*self.boundary.warnings, *self.findings.warnings)

    def heading(self, name: str) -> Heading:
        """Return the heading of a section in this study."""
        return HEADINGS[name].of(self.findings.plan.index_infusion)

    @cached_property
    def results(self) -> dict[str, Section]:
        """The sections of analyses, in full, by name; those without anything to show left out."""
        names = [name for name in HEADINGS if name not in OF_NO_ANALYSIS]
        built = {name: self.built(name, partial(section, self.heading(name), self.tables, self.drawn))
                 for name in names}  # fmt: skip
        return {name: one for name, one in built.items() if one is not None}

    @cached_property
    def owners(self) -> dict[str, str]:
        """Name of each table and figure -> module of the analysis that shows it."""
        return registry.owners(self.tables)

    def of_blocks(self, name: str, blocks: Callable[[], Iterable[Block]]) -> Section | None:
        """Return a section of these blocks."""
        own = self.heading(name)
        return self.built(name, lambda: Section(name, own.title, tuple(blocks()), own.short))

    def built(self, name: str, build: Callable[[], Section]) -> Section | None:
        """Return a section; None where it has nothing to show, or failed."""
        what = f"Section {self.heading(name).title}"
        one = self.boundary.attempt(what, name, build, otherwise=None)
        return one if one is not None and one.blocks else None

    def _with_failures(self, one: Section) -> Section:
        """Return a section headed by what failed in it; the key findings by all that failed."""
        failed = [w for w in self.warnings if w["about"] == FAILED]
        own = [w["text"] for w in failed if one.name == "summary" or _top(w.get("section", "")) == one.name]
        return replace(one, blocks=(*(Paragraph(text, "banner") for text in own), *one.blocks))

    def _failed(self, name: str) -> Section | None:
        """Return a section that only says what failed in it; None where nothing did."""
        if not any(_top(w.get("section", "")) == name for w in self.warnings if w["about"] == FAILED):
            return None
        return Section(name, self.heading(name).title, (), self.heading(name).short)

    def drawn(self, place: str) -> Iterator[Picture]:
        """Yield the figures of a place."""
        for where, drawn in self.figures:
            if where == place:
                yield Picture(drawn, self._note(drawn.name))

    def _note(self, name: str) -> str:
        if name.startswith(("km_", "landmark_")):
            censored = self.findings.plan.report.figure_style.look_of(name).censor_marks and not self.coarse
            marks = "; vertical ticks: censored" if censored else ""
            return f"Shaded: pointwise {self.tables.ci}{marks}."
        if name.startswith("incidence"):
            return f"Shaded: pointwise {self.tables.ci}."
        return "Arrows: CI truncated at the axis limit." if name.startswith("forest_") else ""

    def document(self, title: str, sections: Mapping[str, Section | None], *, cited: tuple[str, ...], mark: str = "",
                 contents: bool = True) -> Document:  # fmt: skip
        """Return a document of these sections, with what every document of a study says of itself."""
        own = [self._failed(name) if one is None else one for name, one in sections.items()]
        provenance = self.findings.provenance
        version = str(provenance["reinfuse"])
        return Document(
            title,
            f"Cohort {provenance['cohort']} · {provenance['date']} · reinfuse {version}",
            tuple(self._with_failures(one) for one in own if one is not None),
            banners=(*synthetic_banner(provenance), *_partial(provenance), *_retracted(self.findings)),
            cited=cited,
            words={**ENGLISH, "after_number": in_force().caption},
            facts=facts_of(provenance),
            mark=mark,
            contents=contents,
        )


def synthetic_banner(provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what documents of synthetic data say of themselves."""
    return (SYNTHETIC,) if provenance["synthetic"] else ()


def facts_of(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return what a file says of itself beside its contents."""
    return {"generator": f"reinfuse {provenance['reinfuse']}", "date": str(provenance["date"])}


def _partial(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a part of an analysis must say of itself."""
    if provenance.get("only"):
        yield f"Part of an analysis. Nothing was estimated but: {', '.join(provenance['only'])}."


def _retracted(findings: Findings) -> Iterator[str]:
    """Yield the alarm of each published study that was retracted: on every document's first page, cited or not."""
    for label, where in retractions(findings.estimates).items():
        yield f"{label} was retracted ({where}): do not rely on what is cited from it."


def _top(place: str) -> str:
    """Return the name of the section that holds a section or a figure's place."""
    first = place.partition("_")[0]
    return {"association": "associations"}.get(first, first)
