"""Scores of predicted probabilities: against R, and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from reinfuse.simulation.twins.prediction_scores import BASE_RATE, score_records
from reinfuse.statistics.probability_scores import (
    calibration_groups,
    compare_brier,
    leave_one_out_rate,
    recalibrated_on_the_others,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "predictions.json").read_text(encoding="utf-8"))
CASES = pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: c["name"])


def arrays(case):
    return np.array(case["expected"]), np.array(case["outcome"], dtype=bool)


@CASES
def test_brier_scores_and_their_paired_interval_are_those_of_r(case):
    expected, outcome = arrays(case)
    one = compare_brier(expected, outcome, reference=leave_one_out_rate(outcome))
    for name, value in (("brier", one.score), ("reference", one.reference), ("difference", one.difference),
                        ("lower", one.lower), ("upper", one.upper)):  # fmt: skip
        assert value == pytest.approx(case[name], rel=1e-9, abs=1e-12), name


@CASES
def test_groups_are_those_of_r(case):
    groups = list(calibration_groups(*arrays(case), len(case["groups"])))
    for own, golden in zip(groups, case["groups"], strict=True):
        assert (own.events, own.n) == (golden["events"], golden["n"])
        assert [own.expected, own.lower, own.upper] == pytest.approx(
            [golden[k] for k in ("expected", "lower", "upper")], rel=1e-7, abs=1e-9
        )


@CASES
def test_the_slope_is_that_of_rs_firth_model(case):
    records = list(score_records(*arrays(case), population="p", group="g"))
    (slope,) = (e for e in records if e.statistic == "calibration_slope")
    assert slope.estimate == pytest.approx(case["slope"], rel=1e-5)
    assert slope.lower < slope.estimate < slope.upper


def test_two_predictions_by_hand():
    one = compare_brier(np.array([0.8, 0.4]), np.array([True, False]), reference=np.array([0.5, 0.5]))
    assert (one.score, one.reference) == pytest.approx(((0.04 + 0.16) / 2, 0.25))
    assert leave_one_out_rate(np.array([True, False, False])).tolist() == [0.0, 0.5, 0.5]


def test_predictions_are_moved_to_agree_with_the_others():
    expected, outcome = np.array([0.2, 0.5, 0.5, 0.5]), np.array([True, True, True, False])
    moved = recalibrated_on_the_others(expected, outcome)
    # of the first one: the others' predictions are 0.5, and 2.5 of 4 of them (half an event of one more) responded
    assert moved[0] == pytest.approx(expit(logit(0.2) + logit(2.5 / 4)))
    others = expected[1:]
    shift = logit(moved[0]) - logit(0.2)
    assert expit(logit(others) + shift).mean() == pytest.approx(2.5 / 4)
    assert np.isfinite(recalibrated_on_the_others(expected, np.ones(4, dtype=bool))).all()


def test_no_response_has_no_slope_and_still_a_score():
    records = list(score_records(np.array([0.2, 0.3, 0.4]), np.zeros(3, dtype=bool), population="p", group="g"))
    (slope,) = (e for e in records if e.statistic == "calibration_slope")
    assert (slope.estimate, slope.note) == (None, "not estimable")
    (base,) = (e for e in records if e.group == BASE_RATE)
    assert base.estimate == 0
