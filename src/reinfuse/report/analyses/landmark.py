"""Landmark analyses in the report, in one table with time-dependent factors."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.cohort.post_baseline import ASSESSED, FIRST_DAY, LABELS
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_TEXT = (
    "A factor known only after the infusion cannot be compared from day 0, because patients who live longer have more "
    "time to respond (immortal-time bias). Landmark: patients still at risk at the landmark day, grouped by their "
    "status on that day. Time-dependent: the factor changes from no to yes on the day of the event."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    days = _days(findings)
    yield f"Post-baseline factors were studied by landmark analysis {cite('landmark')}{days}."


def _days(findings: Findings) -> str:
    """State the landmark of each factor, and the rule of the default."""
    marks = findings.plan.landmarks
    names = {m.factor: lowered(LABELS.get(m.factor, m.factor.replace("_", " "))) for m in marks}
    pairs = {(e.term, e.at) for e in findings.estimates if e.analysis == "landmark" and e.estimate is not None}
    days = [f"{names[term]} at day {day:g}" for term, day in sorted(pairs, key=str) if term in names and day]
    rule = (
        f"; the default landmark is day {FIRST_DAY:g}, or later for response (the end of the week by which {ASSESSED}% "
        "of assessed patients had their first assessment) and for factors known later"
    )
    return f" ({', '.join(days)}{rule if any(m.day is None for m in marks) else ''})" if days else ""


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.later()


SHOWN = Shown(
    _methods,
    references=cited("landmark"),
    strobe=(Strobe("17", "landmark", "landmark"),),
    tables=_tables,
    text=lambda _: (_TEXT,),
)
