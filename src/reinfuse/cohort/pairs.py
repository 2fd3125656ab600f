"""The index infusion and the one before it, in the same patients: outcomes of both by the same rules."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.cohort import endpoints
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.design import Rules

Floats = NDArray[np.float64]
ID = endpoints.ID


@dataclass(frozen=True)
class Pairs:
    """Outcomes of patients who had both infusions, in the order of their ids.

    Attributes
    ----------
    response, cr
        1 or 0, shape (patients, 2): after the infusion before, after the index infusion.
    days, event
        Progression-free survival in days and 1 or 0, of the same shape.
    """

    ids: tuple[str, ...] = field(repr=False)
    response: Floats = field(repr=False)
    cr: Floats = field(repr=False)
    days: Floats = field(repr=False)
    event: Floats = field(repr=False)


def pairs(cohort: Cohort, index: int, rules: Rules) -> Pairs | None:
    """Derive the outcomes of both infusions; None of a wide sheet, a first infusion, or without responses."""
    if cohort.wide or index < 2 or "responses" not in cohort.tables:
        return None
    both = [_outcomes(cohort, number, rules) for number in (index - 1, index)]
    joined = both[1].join(both[0], on=ID, how="inner", suffix="_before").sort(ID)

    def columns(name: str) -> Floats:
        return joined.select(f"{name}_before", name).cast(pl.Float64).to_numpy().astype(np.float64)

    return Pairs(tuple(joined[ID]), *(columns(name) for name in ("response", "cr", "days", "event")))


def _outcomes(cohort: Cohort, index: int, rules: Rules) -> pl.DataFrame:
    """Return response, complete response and progression-free survival after one infusion."""
    frame = endpoints.derive(cohort, index, rules)
    frame = frame.join(cohort.tables["patients"].select(ID, "diagnosis"), on=ID, how="left")
    return frame.select(
        ID,
        cr=pl.col("response").is_in(list(rules.complete)).fill_null(False),
        response=endpoints.is_responder(rules),
        days=pl.col("pfs_days"),
        event=pl.col("pfs_event") == "yes",
    )
