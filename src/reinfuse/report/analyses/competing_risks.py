"""Gray's test and the Fine-Gray model in the report; their table stands with the competing events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.analyses import competing_risks
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.analyses.cumulative_incidence import COMPETING
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any(e.method == competing_risks.FINE_GRAY for e in findings.estimates):
        yield (
            f"Cumulative incidence was compared by Gray's test {cite('gray')} and the Fine-Gray model with robust "
            f"standard errors {cite('fine_gray')}."
        )


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield replace(COMPETING, tables=(tables.effects_on_incidence(),))


SHOWN = Shown(
    _methods,
    references=cited("gray", "fine_gray"),
    strobe=(
        Strobe("17", "competing p_value", "Gray's test"),
        Strobe("17", "competing subdistribution_hazard_ratio", "Fine and Gray's model"),
    ),
    parts=_parts,
    tables_named=("fine_gray",),
)
