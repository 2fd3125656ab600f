"""How good predicted probabilities of a yes/no outcome are: Brier score, calibration.

The Brier score is the mean squared difference of prediction and outcome (Brier, Mon Weather Rev 1950;78:1-3). It is
compared with that of the outcome's frequency in the other patients, the prediction that knows nothing of a patient, by
the patients' own differences (a paired t interval). Calibration is shown by groups of similar predictions, with exact
intervals, and by the slope of a logistic model on the logit of the prediction (Cox, Biometrika 1958;45:562-565): 1
where predictions are as far apart as they should be, below 1 where they are too far apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import t

from reinfuse.arrays import Bools, Floats
from reinfuse.statistics.clopper_pearson import clopper_pearson

_CERTAIN = 1e-3
"""Predictions are taken as that far from 0 and 1 where their logit is needed."""
_REACH = 20.0


@dataclass(frozen=True)
class BrierComparison:
    """A Brier score beside that of another prediction, and their difference with its interval (NaN of one patient)."""

    score: float
    reference: float
    difference: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class CalibrationGroup:
    """Patients of similar predictions: the mean prediction, and how many had the outcome, with its exact interval."""

    expected: float
    events: int
    n: int
    lower: float
    upper: float


def leave_one_out_rate(outcome: Bools) -> Floats:
    """Return, for each patient, the outcome's frequency in the others; two patients or more."""
    rate: Floats = (outcome.sum() - outcome) / (len(outcome) - 1)
    return rate


def compare_brier(expected: Floats, outcome: Bools, *, reference: Floats, confidence: float = 0.95) -> BrierComparison:
    """Return the Brier score of predictions beside that of a reference.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.probability_scores import compare_brier
    >>> compare_brier(np.array([0.8, 0.4]), np.array([True, False]), reference=np.array([0.5, 0.5])).difference
    -0.15
    """
    own, other = (expected - outcome) ** 2, (reference - outcome) ** 2
    gain, n = own - other, len(own)
    wide = float(t.ppf((1 + confidence) / 2, n - 1) * gain.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    middle = float(gain.mean())
    return BrierComparison(float(own.mean()), float(other.mean()), middle, middle - wide, middle + wide, n)


def recalibrated_on_the_others(expected: Floats, outcome: Bools) -> Floats:
    """Return predictions moved on the logit scale so that they agree, on average, with the outcomes of the others.

    Half an event is added to the others', of one more of them, so that none or all of them have a prediction too.
    """
    scale = logit(np.clip(expected, _CERTAIN, 1 - _CERTAIN))
    moved = np.empty(len(expected))
    for k in range(len(expected)):
        others = np.delete(scale, k)
        rate = (np.delete(outcome, k).sum() + 0.5) / (len(others) + 1)
        shift = brentq(lambda s, z=others, r=rate: float(expit(z + s).mean()) - r, -_REACH, _REACH)
        moved[k] = expit(scale[k] + shift)
    return moved


def prediction_logit(expected: Floats) -> Floats:
    """Return the logits of predictions, the one covariate of the calibration slope."""
    scale: Floats = logit(np.clip(expected, _CERTAIN, 1 - _CERTAIN))
    return scale


def calibration_groups(
    expected: Floats, outcome: Bools, groups: int, *, confidence: float = 0.95
) -> Iterator[CalibrationGroup]:
    """Yield groups of as many patients each, from the lowest predictions to the highest."""
    for who in np.array_split(np.argsort(expected, kind="stable"), groups):
        events, n = int(outcome[who].sum()), len(who)
        yield CalibrationGroup(
            float(expected[who].mean()), events, n, *clopper_pearson(events, n, confidence=confidence)
        )
