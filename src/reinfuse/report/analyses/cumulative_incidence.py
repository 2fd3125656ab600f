"""Cumulative incidence in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses import competing_risks
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any(e.method == competing_risks.CUMULATIVE for e in findings.estimates):
        yield (
            "Relapse and non-relapse mortality were treated as competing events, with Aalen-Johansen cumulative "
            f"incidence {cite('aalen')}."
        )


SHOWN = Shown(_methods, references=cited("aalen"), strobe=(Strobe("15", "competing rate_at", "competing events"),))
