"""Exposure and outcome: response, and progression-free survival from day 28 on, per tenfold of peak and area."""

from __future__ import annotations

from dataclasses import replace

from reinfuse.analyses import association, landmark
from reinfuse.analyses.base import Analysis, ratios_of_counts
from reinfuse.analyses.exposure_predictors import PREDICTORS, lacking, predictors
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.post_baseline import at_landmark
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.day_28 import WINDOW
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate, joined

SAME_WEEKS = "counts and response cover the same weeks: an association, not a prediction"


def _outcome(counts: CohortKinetics, data: AnalysisSet, plan: Plan) -> list[Estimate]:
    records: list[Estimate] = []
    response, pfs = data.endpoint("response"), data.endpoint("pfs")
    for factor, measure in zip(predictors(counts, data, plan=plan), PREDICTORS.values(), strict=True):
        if response is not None:
            note = lacking(counts, data, plan, measure=measure, eligible=response.known)
            records += [
                replace(e, analysis="kinetics", note=joined([e.note, note, SAME_WEEKS]))
                for e in association.associations(response, [factor], "univariable", confidence=plan.confidence)
            ]
        if pfs is not None and pfs.entry is None:
            note = lacking(counts, data, plan, measure=measure, eligible=at_landmark(pfs, WINDOW)[0].known)
            effects, _ = landmark.landmark(pfs, factor, [], day=WINDOW, confidence=plan.confidence, ticks=[])
            records += [replace(e, analysis="kinetics", note=joined([e.note, note])) for e in effects]
    return records


ANALYSIS = Analysis(
    "exposure and outcome",
    records="kinetics",
    section="kinetics",
    steps=lambda inputs: ratios_of_counts("exposure and outcome", inputs, work=_outcome),
    what="exposure and outcome",
    method="Firth; response: counts of the same weeks; PFS: landmark at day 28, with counts by day 28",
    lacking="no CAR-T counts with response or progression-free survival",
    switches=("kinetics",),
)
