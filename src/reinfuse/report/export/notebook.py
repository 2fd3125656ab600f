"""The main tables of a study, for a notebook."""

from __future__ import annotations

from reinfuse.report.document.html import fragment
from reinfuse.report.sections.contents import title
from reinfuse.report.sections.key_findings import KeyFindings
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import with_own_labels
from reinfuse.results.findings import Findings


class Html(str):
    """A text that a notebook shows as HTML."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


def main_tables(findings: Findings) -> Html:
    """Return the key findings and the main tables: outcomes, response, time to event, toxicity, associations."""
    with printed_as(findings.plan.report):
        tables = StudyTables(with_own_labels(findings))
        statements = [f"{head}: {text}" for head, text in KeyFindings(tables).statements()]
        shown = (tables.outcomes(), tables.response(), tables.times(), tables.toxicity(), tables.associations())
    return Html(fragment(title(findings), statements, tables=[t for t in shown if t is not None]))
