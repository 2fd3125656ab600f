"""Predictions of the twins beside what was observed, for the group: Brier score, calibration. No patient's is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.statistics import firth
from reinfuse.statistics.probability_scores import (
    calibration_groups,
    compare_brier,
    leave_one_out_rate,
    prediction_logit,
    recalibrated_on_the_others,
)

ANALYSIS = "virtual_predictions"
BASE_RATE = "response rate of the other patients"
RECALIBRATED = "own second infusion, predicted and recalibrated on the other patients"
_A_GROUP, _MOST_GROUPS = 10, 5
"""Patients of a group of similar predictions, at least but for the smallest cohorts; most groups."""
_CONFIDENCE = 0.95
_METHOD = "mean squared difference of prediction and response; no response to CART2 entered a prediction"
_PAIRED = "difference of Brier scores in the same patients, paired t interval"
_SLOPE = "Firth logistic on the logit of the prediction, profile penalised likelihood CI"


def score_records(expected: Floats, responded: Bools, *, population: str, group: str) -> Iterator[Estimate]:
    """Yield Brier score, beside the base rate's, and calibration of predicted responses.

    Parameters
    ----------
    expected, responded
        Predicted probability and observed response of each patient; two or more.
    population, group
        What the records are of.
    """
    base = leave_one_out_rate(responded)
    for name, predicted in ((group, expected), (RECALIBRATED, recalibrated_on_the_others(expected, responded))):
        one = compare_brier(predicted, responded, reference=base, confidence=_CONFIDENCE)
        yield Estimate(ANALYSIS, "response", "brier_score", population=population, group=name, estimate=one.score,
                       n=one.n, events=int(responded.sum()), method=_METHOD)  # fmt: skip
        yield Estimate(ANALYSIS, "response", "brier_difference", population=population, group=name, term=BASE_RATE,
                       estimate=one.difference, lower=one.lower, upper=one.upper, confidence=_CONFIDENCE, n=one.n,
                       method=_PAIRED)  # fmt: skip
    yield Estimate(ANALYSIS, "response", "brier_score", population=population, group=BASE_RATE,
                   estimate=float(np.mean((base - responded) ** 2)), n=len(base), events=int(responded.sum()),
                   method="mean squared difference of the others' rate and response")  # fmt: skip
    yield _slope(expected, responded, population, group=group)
    groups = min(_MOST_GROUPS, max(len(expected) // _A_GROUP, 1))
    for k, one_group in enumerate(calibration_groups(expected, responded, groups, confidence=_CONFIDENCE), 1):
        place = f"group {k} of {groups} by prediction"
        yield Estimate(ANALYSIS, "response", "mean_prediction", population=population, group=group, term=place,
                       estimate=one_group.expected, n=one_group.n, method="mean over the group's patients")  # fmt: skip
        yield Estimate(ANALYSIS, "response", "proportion", population=population, group=group, term=place,
                       estimate=one_group.events / one_group.n, lower=one_group.lower, upper=one_group.upper,
                       confidence=_CONFIDENCE, n=one_group.n, events=one_group.events,
                       method="as observed; Clopper-Pearson")  # fmt: skip


def _slope(expected: Floats, responded: Bools, population: str, *, group: str) -> Estimate:
    scale, events = prediction_logit(expected), int(responded.sum())
    if not 0 < events < len(responded) or np.ptp(scale) == 0:
        return Estimate(ANALYSIS, "response", "calibration_slope", population=population, group=group,
                        n=len(responded), events=events, method=_SLOPE, note=NOT_ESTIMABLE)  # fmt: skip
    fitted = firth.fit("logistic", scale[:, None], responded.astype(np.float64), confidence=_CONFIDENCE)
    slope, low, high = (finite(float(a[0])) for a in (fitted.coef, fitted.lower, fitted.upper))
    return Estimate(ANALYSIS, "response", "calibration_slope", population=population, group=group,
                    estimate=slope, lower=low, upper=high, confidence=_CONFIDENCE, n=len(responded), events=events,
                    method=_SLOPE, note=None if slope is not None else NOT_ESTIMABLE)  # fmt: skip
