"""The index infusion and the one before it, in the same patients: outcomes of both by the same rules.

Sources of the rules: see `endpoints` (PFS, FDA guidance 2018; best response, iwCLL 2018, Lugano 2014, NCCN).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.cohort import endpoint_derivation, responders
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.data_notes import filled
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.study_days import ID


@dataclass(frozen=True)
class PairedOutcomes:
    """Outcomes of patients who had both infusions, in the order of their ids.

    Each array has the shape (patients, 2): after the infusion before, after the index infusion.

    Attributes
    ----------
    response, cr
        1 or 0; a patient without an assessment has no response, as in every analysis of the index infusion.
    pfs_days, pfs_event
        Progression-free survival in days, and 1 or 0; NaN where unknown.
    assessed
        1 where the patient had an assessment that can be evaluated, 0 where not.
    """

    ids: tuple[str, ...] = field(repr=False)
    response: Floats = field(repr=False)
    cr: Floats = field(repr=False)
    pfs_days: Floats = field(repr=False)
    pfs_event: Floats = field(repr=False)
    assessed: Floats = field(repr=False)


def pairs(cohort: Cohort, index: int, *, rules: Rules) -> PairedOutcomes | None:
    """Derive the outcomes of both infusions.

    Parameters
    ----------
    cohort
        A checked cohort.
    index
        Number of the index infusion; compared with the one before it.
    rules
        The plan's rules, used for both.

    Returns
    -------
    PairedOutcomes or None
        None of a wide sheet, of a first infusion, or where nobody's response is known after one of the two.
    """
    if cohort.wide or index < 2 or "responses" not in cohort.tables:
        return None
    before, after = (_outcomes(cohort, number, rules=rules) for number in (index - 1, index))
    both = after.join(before, on=ID, how="inner", suffix="_before").sort(ID)
    if both.height and not (filled(both, "best_before") and filled(both, "best")):
        return None

    def columns(name: str) -> Floats:
        return both.select(f"{name}_before", name).cast(pl.Float64).to_numpy().astype(np.float64)

    return PairedOutcomes(
        tuple(both[ID]), *(columns(n) for n in ("response", "cr", "pfs_days", "pfs_event", "assessed"))
    )


def _outcomes(cohort: Cohort, index: int, *, rules: Rules) -> pl.DataFrame:
    """Return best response, response, complete response and progression-free survival after one infusion."""
    frame = endpoint_derivation.derive(cohort, index, rules=rules)
    frame = frame.join(cohort.tables["patients"].select(ID, "diagnosis"), on=ID, how="left")
    return frame.select(
        ID,
        "pfs_days",
        best="response",
        response=responders.is_responder(rules),
        cr=responders.is_complete(rules),
        pfs_event=pl.col("pfs_event") == "yes",
        assessed=(pl.col("response") != "NE").fill_null(False),
    )
