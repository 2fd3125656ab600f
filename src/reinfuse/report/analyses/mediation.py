"""Mediation analysis in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield f"Natural direct and indirect effects were estimated by g-computation {cite('mediation')}."


SHOWN = Shown(_methods, references=cited("mediation"))
