"""The table of estimands: a row an endpoint of the plan, a column an intercurrent event."""

from __future__ import annotations

from reinfuse.cohort.estimands import INTERCURRENT, NOT_READ, UNTESTED, estimands
from reinfuse.report.document.model import Row, Table
from reinfuse.results.findings import Findings

_NOTE = (
    "Strategies of ICH E9(R1): treatment policy, it does not matter; composite, it is an outcome; while on treatment, "
    "what came before it counts; hypothetical, censored there. A transplant is a new therapy or not as the plan says. "
    f"{UNTESTED.capitalize()}: the patient is left out; {NOT_READ}: from last contact and death."
)


def estimand_table(findings: Findings) -> Table | None:
    """Return the estimands of the endpoints that the study holds; None of a wide sheet, whose rules nobody knows."""
    labels = {e.name: e.label for e in findings.described.endpoints}
    if findings.described.wide:
        return None
    rows = [Row(f"{labels[one.name]}: {one.summary}", (f"{one.variable}; {one.population}", *one.strategies))
            for one in estimands(findings.plan.rules) if one.name in labels]  # fmt: skip
    heads = ("Endpoint and summary", "Variable; population", *INTERCURRENT)
    return Table("estimands", "Estimands", heads, tuple(rows), (_NOTE,)) if rows else None
