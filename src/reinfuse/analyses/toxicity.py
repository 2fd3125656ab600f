"""Toxicity: worst grade of each kind after the index infusion."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.proportion import proportion
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.strata import Stratum
from reinfuse.cohort.wide_format import GRADE_SUFFIX, TOXICITY_PREFIX
from reinfuse.results.estimate import Estimate

SEVERE = 3


def kind_of(column: str) -> str:
    """Return the name of a kind of toxicity from its column: `crs_grade` -> `CRS`."""
    if column.startswith(TOXICITY_PREFIX):
        return column.removeprefix(TOXICITY_PREFIX).removesuffix(GRADE_SUFFIX).replace("_", " ")
    return column.removesuffix(GRADE_SUFFIX).upper()


def toxicity(data: AnalysisSet, confidence: float) -> list[Estimate]:
    """Return patients by grade, and with any grade and grade 3 or more with exact intervals."""
    records = []
    for column in data.grades:
        kind = kind_of(column)
        every = data.frame[column].fill_null(-1).to_numpy()
        for population, mask in data.populations.items():
            grades = every[mask & (every >= 0)]
            for grade in range(6):
                x = int(np.sum(grades == grade))
                records.append(Estimate("toxicity", None, "count", population, term=Stratum(kind, str(grade)),
                                        estimate=float(x), unit="patients", method="count", n=len(grades),
                                        events=x))  # fmt: skip
            for least in (1, SEVERE):
                x = int(np.sum(grades >= least))
                records += proportion(
                    x,
                    len(grades),
                    confidence,
                    analysis="toxicity",
                    endpoint=None,
                    population=population,
                    term=Stratum.at_least(kind, least),
                )
    return records


def _steps(inputs: Inputs) -> Iterator[Step]:
    yield without_curves("toxicity", partial(toxicity, inputs.data, inputs.plan.confidence))


ANALYSIS = Analysis(
    "toxicity",
    records="toxicity",
    section="toxicity",
    steps=_steps,
    first=True,
    what="worst grade of each kind; any grade, and grade 3 or more",
    method="Clopper-Pearson interval",
    lacking="no toxicity in the data",
    disclosure="counts",
)
