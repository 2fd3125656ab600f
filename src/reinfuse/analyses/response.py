"""Response and other binary endpoints: proportions in each population and at each level of each factor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses.base import Analysis, Inputs, Step, level_masks, of_endpoint
from reinfuse.analyses.proportion import proportion
from reinfuse.arrays import Bools
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.results.estimate import Estimate


def proportions(data: AnalysisSet, end: EndpointColumn, *, confidence: float) -> list[Estimate]:
    """Return counts and proportions of an endpoint among the patients evaluated."""
    records: list[Estimate] = []

    def add(mask: Bools, population: str, group: str | None) -> None:
        values = end.event[mask & end.known]
        records.extend(proportion(int(values.sum()), len(values), confidence, analysis="response", endpoint=end.name,
                                  population=population, group=group))  # fmt: skip

    for population, mask in data.populations.items():
        add(mask, population, None)
    for group, mask in level_masks(data):
        add(mask, "all", group)
    return records


def _steps(inputs: Inputs) -> Iterator[Step]:
    data, confidence = inputs.data, inputs.plan.confidence
    for end in (e for e in data.endpoints if e.kind == "binary"):
        yield of_endpoint("response", end, work=partial(proportions, data, end, confidence=confidence))


ANALYSIS = Analysis(
    "response",
    records="response",
    section="response",
    steps=_steps,
    first=True,
    what="proportions of binary endpoints",
    method="Clopper-Pearson interval (Biometrika 1934;26:404)",
    lacking="no binary endpoint in the data",
    disclosure="counts",
)
