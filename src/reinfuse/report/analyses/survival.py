"""Kaplan-Meier curves in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses import survival
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text import number_format
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    used = {e.method for e in findings.estimates}
    level = number_format.confidence_level(findings.plan.confidence)
    if survival.METHOD in used:
        yield (
            f"Time-to-event endpoints were estimated by the Kaplan-Meier method with log-log {level} confidence "
            f"intervals {cite('kaplan')}; intervals of medians were obtained by inversion {cite('brookmeyer')}."
        )
    if survival.FOLLOW_UP_METHOD in used:
        yield f"Median follow-up was estimated by the reverse Kaplan-Meier method {cite('follow_up')}."
    if survival.LOG_RANK in used:
        yield f"Groups were compared by the log-rank test {cite('log_rank')}."


SHOWN = Shown(
    _methods,
    references=cited("kaplan", "brookmeyer", "follow_up", "log_rank"),
    strobe=(Strobe("15", "survival"), Strobe("16c", "survival rate_at", "rates at fixed times")),
)
