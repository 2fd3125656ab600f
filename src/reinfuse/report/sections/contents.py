"""The documents of a study: report and supplement, and the report on the CAR-T counts alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Document, Pairs, Paragraph, Section, with_citations
from reinfuse.report.document.split import referring
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.main_report import left_out, main_sections
from reinfuse.report.sections.results import section
from reinfuse.report.sections.selection import selected, shelf
from reinfuse.report.sections.study_sections import Placed, StudySections
from reinfuse.report.sections.supplement import provenance, references, remaining, supplement_sections
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import with_own_labels
from reinfuse.report.text.narrative import Prose
from reinfuse.report.text.narrowing import narrowed
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import Boundary

REPORT, SUPPLEMENT = "report", "supplement"
"""Names of the documents' files, and how the checklist calls them."""


def documents(
    findings: Findings, figures: Sequence[Placed], *, boundary: Boundary | None = None
) -> dict[str, Document]:
    """Return report and supplement, by name; each table and figure stands in one of them.

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
        return _documents(StudySections(with_own_labels(findings), figures, boundary))


def kinetic_report(findings: Findings, figures: Sequence[Placed]) -> Document:
    """Return the report on the CAR-T counts alone."""
    with printed_as(findings.plan.report):
        return _of_counts(StudySections(with_own_labels(findings), figures))


def title(findings: Findings) -> str:
    """Return the report's title, which says where data are synthetic."""
    own_title = str(findings.provenance["title"])
    return f"{own_title} (synthetic data)" if findings.provenance["synthetic"] else own_title


def _documents(sections: StudySections) -> dict[str, Document]:
    findings = sections.findings
    shown = sections.of(narrowed(findings)) if findings.plan.report.narrowed else sections
    every = shelf(sections)
    on = {**every, **{name: placed for name, placed in shelf(shown).items() if placed[0] in MAIN}}
    selection = selected(shown, on, findings=findings)
    partly = {name for name in selection.items if on[name] != every[name]}
    own, full = Prose(findings), Prose(findings)
    further = remaining(sections, selection.items.keys() - partly, partly)
    left = left_out(sections, selection, prose=full)
    main = dict(main_sections(shown, on, selection, full=sections, further=further | left, prose=own))
    answered = _answered(shown, selection.items.keys(), [name for name, one in main.items() if one is not None])
    rest = dict(supplement_sections(sections, further | left, prose=full, answered=answered))
    name = title(findings)
    report = sections.document(name, main, cited=own.cited, contents=False)
    supplement = sections.document(f"Supplement: {name}", rest, cited=full.cited, mark="S")
    return {REPORT: referring(report, supplement), SUPPLEMENT: referring(supplement, report)}


def _of_counts(sections: StudySections) -> Document:
    findings = sections.findings
    prose = Prose(findings)
    sentences = registry.methods(findings, prose.cite, section="kinetics")
    text = Paragraph(with_citations(" ".join(sentences)))
    titles = {name: HEADINGS[name].title for name in ("kinetics", "methods", "provenance")}
    own = {"kinetics": section(HEADINGS["kinetics"], sections.tables, sections.drawn),
           "methods": Section("methods", titles["methods"], (text, references(prose))),
           "provenance": Section("provenance", titles["provenance"], (Pairs(tuple(provenance(findings))),)),
           }  # fmt: skip
    mark = " (synthetic data)" if findings.provenance["synthetic"] else ""
    return sections.document(f"{titles['kinetics']}{mark}", own, cited=prose.cited)


def _answered(sections: StudySections, items: Collection[str], main: Sequence[str]) -> dict[str, str]:
    """Return the document of each section of the report, and of each analysis that shows something."""
    owners = sections.owners
    modules = dict.fromkeys(registry.shown(), "Supplement") | {owners[i]: "Report" for i in items if i in owners}
    return {**dict.fromkeys(main, "Report"), "methods": "Supplement", **modules}
