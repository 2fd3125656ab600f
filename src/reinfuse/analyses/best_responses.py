"""Best responses: how many patients had each, in each population and at each level of each factor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from reinfuse.analyses.base import Analysis, Inputs, Step, level_masks, without_curves
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.schema import RESPONSES
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import Estimate

NOT_ASSESSED = "not assessed"


def best_responses(data: AnalysisSet) -> list[Estimate]:
    """Count each best response in each population and group; a patient without an assessment is `not assessed`."""
    if data.endpoint("response") is None:
        return []
    best = data.frame["response"].cast(pl.String).fill_null(NOT_ASSESSED)
    categories = [c for c in (*RESPONSES, NOT_ASSESSED) if (best == c).any()]
    records = []
    every = [*((p, None, m) for p, m in data.populations.items()), *(("all", g, m) for g, m in level_masks(data))]
    for population, group, mask in every:
        here = best.filter(pl.Series(mask))
        records += [Estimate("response", "response", "count", population, group, term=Stratum("best", c),
                             estimate=float((here == c).sum()), unit="patients", method="count", n=len(here),
                             events=int((here == c).sum())) for c in categories]  # fmt: skip
    return records


def _steps(inputs: Inputs) -> Iterator[Step]:
    yield without_curves("best responses", partial(best_responses, inputs.data))


ANALYSIS = Analysis(
    "best responses",
    records="response",
    section="response",
    steps=_steps,
    what="patients with each best response",
    method="counts; a patient without an assessment is `not assessed`",
    lacking="no best response in the data",
    disclosure="counts",
)
