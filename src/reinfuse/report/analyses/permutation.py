"""Permutation in the report: its p-values stand beside the small-sample answers."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    yield (
        f"Permutation p-values permute the factor given the other factors of the model {cite('randomisation')}, "
        f"exhaustively or at least {findings.plan.analyses.draws} times, with a studentised statistic "
        f"{cite('studentised')}."
    )


SHOWN = Shown(
    _methods,
    references=cited("randomisation", "studentised"),
    strobe=(Strobe("12e", "permutation", "permutation", "associations"),),
)
