"""Who is a responder by the plan's rules, and which assessments count towards a response."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.study_days import ID, before_therapy


def responder_set(rules: Rules, diagnosis: str | None) -> tuple[str, ...]:
    """Return the best responses that count as response in a diagnosis."""
    return rules.responders_by_diagnosis.get(diagnosis or "", rules.responders)


def is_responder(rules: Rules, response: str = "response", *, diagnosis: str = "diagnosis") -> pl.Expr:
    """Return the expression that tells whether a best response counts as response in its diagnosis."""
    expr = pl.col(response).is_in(list(rules.responders))
    for name, responses in rules.responders_by_diagnosis.items():
        of_diagnosis = pl.col(response).is_in(list(responses))
        expr = pl.when(pl.col(diagnosis) == name).then(of_diagnosis).otherwise(expr)
    return expr.fill_null(False)


def is_complete(rules: Rules) -> pl.Expr:
    """Return the expression that tells whether a best response counts as complete."""
    return pl.col("response").is_in(list(rules.complete)).fill_null(False)


BEST_RESPONSES: Mapping[str, Callable[[Rules], pl.Expr]] = {"response": is_responder, "cr": is_complete}
"""Of each endpoint that is a set of best responses, who has it."""


def counted(assessed: pl.DataFrame) -> pl.DataFrame:
    """Return the assessments that count towards a response: up to a new therapy, and none after a progression."""
    rows = assessed.filter(before_therapy())
    progression = pl.col("t").filter(pl.col("response") == "PD").min().over(ID)
    return rows.filter(progression.is_null() | (pl.col("t") < progression) | (pl.col("response") == "PD"))
