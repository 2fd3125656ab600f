"""c-index and calibration slope with their intervals: against R, by hand, and before there are data."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import binary, drawn, number, timed, yes_no

from reinfuse.analyses.bootstrap_stability import optimism
from reinfuse.evidence.design.precision import PrecisionRequest, plan_precision
from reinfuse.exceptions import RequestRefused
from reinfuse.report.designs.precision import precision_page
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.statistics.concordance import concordance
from reinfuse.statistics.precision_size import c_index_error

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "concordance.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["concordance"], ids=lambda c: c["name"])
def test_index_and_error_are_those_of_r(case):
    time = None if case["time"] is None else np.array(case["time"])
    ours = concordance(np.array(case["score"]), np.array(case["event"]), time)
    assert (ours.c, ours.error) == pytest.approx((case["c"], case["error"]), rel=1e-10)
    assert 0 < ours.lower < ours.c < ours.upper < 1


def test_four_patients_by_hand():
    """Pairs (2, 1), (4, 1), (4, 3) are ordered, (2, 3) is not: c = 3/4.

    Derivatives by the weight of each patient (ordered pairs less 3/4 of all pairs, over 4): 1/8, -1/8, -1/8, 1/8.
    """
    c = concordance(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert (c.c, c.error) == pytest.approx((0.75, 0.25))
    half = 1.959963984540054 * 0.25 / (0.75 * 0.25)
    assert np.log(c.lower / (1 - c.lower)) == pytest.approx(np.log(3) - half)
    certain = concordance(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    assert certain.c == 1
    assert np.isnan(certain.lower)
    assert np.isnan(concordance(np.array([1.0, 2.0]), np.zeros(2)).c)


def test_corrected_numbers_have_the_apparent_interval_shifted():
    x, z, y, time, event = drawn(50)
    for end in (binary(y), timed(time, event)):
        apparent, corrected, slope = optimism(end, [yes_no(x), number(z)], 20, rng=np.random.default_rng(1))
        shift = corrected.estimate - apparent.estimate
        assert shift < 0
        assert (corrected.lower, corrected.upper) == pytest.approx((apparent.lower + shift, apparent.upper + shift))
        assert slope.lower < slope.estimate < slope.upper
        assert apparent.confidence == corrected.confidence == slope.confidence == 0.95


def test_an_index_of_1_has_no_interval():
    y = [0.0] * 10 + [1.0] * 10
    records = optimism(binary(y), [number(np.arange(20.0)), yes_no([1, 0] * 10)], 10, rng=np.random.default_rng(1))
    assert records[0].estimate == 1
    assert records[0].lower is None
    assert f"interval {NOT_ESTIMABLE}" in records[0].note


def test_the_width_expected_before_the_study():
    request = PrecisionRequest(measure="c-index", rates=(0.7, 0.4), half_width=0.1)
    study = plan_precision(request)
    z = 1.959963984540054
    assert z * c_index_error(0.7, study.size.n, share=0.4) <= 0.1 < z * c_index_error(0.7, study.size.n - 1, share=0.4)
    assert f"{study.size.n} patients, 40.0% with the event" in precision_page(study).answer[0]
    with pytest.raises(RequestRefused):
        plan_precision(PrecisionRequest(measure="c-index", rates=(0.4, 0.4), half_width=0.1))


def test_the_expected_error_is_about_that_of_data():
    """Scores of two normal distributions apart by 0.74 have c = 0.7."""
    rng = np.random.default_rng(2)
    event = np.repeat([0.0, 1.0], [60, 40])
    errors = [concordance(rng.normal(size=100) + 0.742 * event, event).error for _ in range(100)]
    assert np.mean(errors) == pytest.approx(c_index_error(0.7, 100, share=0.4), rel=0.05)
