"""The patients' flow: how many came in, were left out for each reason, and are analysed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import polars as pl

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import Estimate


def flow(data: AnalysisSet) -> list[Estimate]:
    """Return how many patients came in, were left out for each reason, and are analysed."""
    reasons = data.flow.filter(pl.col("status") == "excluded")["reason"].to_list()
    total = data.flow.height
    rows: Sequence[tuple[str, int]] = [
        ("in the cohort", total),
        *((Stratum("excluded", str(reason)), reasons.count(reason)) for reason in sorted(set(reasons))),
        ("analysed", total - len(reasons)),
    ]
    return [Estimate("flow", None, "count", term=term, estimate=float(x), unit="patients", method="count", n=total,
                     events=x) for term, x in rows]  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    yield without_curves("flow", partial(flow, inputs.data))


ANALYSIS = Analysis(
    "flow",
    records="flow",
    section="patients",
    steps=_steps,
    first=True,
    what="patients in the cohort, excluded with each reason, and analysed",
    method="counts",
    disclosure="counts",
)
