"""Proportions of binary endpoints in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def proportions(findings: Findings, cite: Cite) -> Iterator[str]:
    """Yield the sentence on exact intervals."""
    level = f"{100 * findings.plan.confidence:g}%"
    yield f"Proportions have exact (Clopper-Pearson) {level} confidence intervals {cite('clopper')}."


SHOWN = Shown(
    proportions,
    cited("clopper"),
    (Strobe("15", "response"), Strobe("16c", "response proportion", "proportions")),
)
