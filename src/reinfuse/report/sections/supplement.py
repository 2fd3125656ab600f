"""The supplement: all that the report leaves out, with endpoint definitions, checklist, warnings and provenance."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from reinfuse.analyses.execution import NOT_RUN
from reinfuse.report.document.model import Block, Bullets, Pairs, Paragraph, Section, Table, Text, with_citations
from reinfuse.report.document.split import without
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.strobe import checklist
from reinfuse.report.sections.study_sections import StudySections
from reinfuse.report.text.narrative import Prose
from reinfuse.report.text.plan_history import versions
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import FAILED

ABOUT = {
    FAILED: "Failed",
    NOT_RUN: "Not run",
    "rules and data": "Endpoint rules applied and missing data",
    "check": "Validation warnings",
    "reading": "Values normalised on reading",
}


FULL = ", all endpoints and subgroups"
"""Marks a table of which the report shows less."""


def remaining(sections: StudySections, taken: Collection[str], partly: Collection[str]) -> dict[str, Section]:
    """Return the sections of analyses without the tables and figures that the report holds, by name.

    Parameters
    ----------
    partly
        Tables of which the report holds a part: they are here in full.
    """
    left = {name: without(section, taken) for name, section in sections.results.items()}
    return {name: _marked(section, partly) for name, section in left.items() if section is not None}


def _marked(section: Section, partly: Collection[str]) -> Section:
    blocks = tuple(
        _marked(b, partly) if isinstance(b, Section)
        else replace(b, caption=f"{b.caption}{FULL}") if isinstance(b, Table) and b.name in partly else b
        for b in section.blocks
    )  # fmt: skip
    return replace(section, blocks=blocks)


def methods(prose: Prose) -> Iterator[Block]:
    """Yield the methods in full, the definitions of the endpoints and the references."""
    yield Paragraph(with_citations(" ".join(prose.methods())))
    yield Section("rules", "Endpoint definitions", (Pairs(tuple(prose.rules())),))
    yield references(prose)


def references(prose: Prose) -> Section:
    """Return the list of the references that were cited."""
    return Section("references", "References", (Bullets(tuple(prose.references), numbered=True),))


def supplement_sections(
    sections: StudySections, results: Mapping[str, Section], *, prose: Prose, answered: Mapping[str, str]
) -> Iterator[tuple[str, Section | None]]:
    """Yield names and sections of the supplement, in order; None where there is nothing to show.

    Parameters
    ----------
    results
        The sections of analyses, by name.
    answered
        Module of an analysis, or name of a section -> the documents that show it, for the checklist.
    """
    findings = sections.findings
    own = {
        "asked": lambda: (Paragraph(p) for p in prose.objectives()),
        "methods": lambda: methods(prose),
        "warnings": lambda: warnings(sections),
        "strobe": lambda: (checklist(findings, answered),),
        "provenance": lambda: (Pairs(tuple(provenance(findings))),),
    }
    for name in HEADINGS:
        if name in own:
            yield name, sections.of_blocks(name, own[name])
        elif name in results or name not in MAIN:
            yield name, results.get(name)


def warnings(sections: StudySections) -> Iterator[Block]:
    """Yield the warnings, by what they are about."""
    for about, head in ABOUT.items():
        texts = tuple(w["text"] for w in sections.warnings if w["about"] == about)
        if texts:
            yield Section(f"warnings_{about.replace(' ', '_')}", head, (Bullets(texts),))
    if not sections.warnings:
        yield Paragraph("None.")


def provenance(findings: Findings) -> Iterator[tuple[str, Text]]:
    """Yield where the numbers come from."""
    of, about = findings.provenance, findings.described.about
    if about.description:
        yield "Cohort", f"{about.title}. {about.description}"
    if about.source:
        yield "Source", about.source
    yield from ((f"{name} (SHA-256)", str(digest)) for name, digest in of["inputs"].items())
    yield "Plan (SHA-256)", str(of["plan"])
    yield from versions(of)
    yield "Seed", str(of["seed"])
    packages = "".join(f", {name} {version}" for name, version in of["packages"].items())
    yield "Versions", f"reinfuse {of['reinfuse']}, Python {of['python']}{packages}"
    yield "Date", str(of["date"])
    yield "Records", "every number is in findings.json and estimates.csv; every figure's data in figures/"
