"""Standardisation and power: what can be solved by hand, support, and that the numbers are of the same patients."""

import numpy as np
import pytest
from columns import binary, drawn, number, timed, yes_no

from reinfuse.analyses import power, simulated_inference, standardization
from reinfuse.statistics import firth


def _run(endpoint, exposures, confounders=(), day=None, fewest=2, draws=100):
    records = standardization.standardised(
        endpoint,
        exposures,
        confounders,
        day=day,
        fewest=fewest,
        draws=draws,
        confidence=0.95,
        rng=np.random.default_rng(1),
    )
    letters = {standardization.G_COMPUTATION: "g", standardization.WEIGHTING: "w"}
    return {(e.group, letters[e.method]): e for e in records if e.method in letters}


def test_without_confounders_weighting_gives_the_raw_shares():
    """6 of 8 exposed and 2 of 10 others respond."""
    x, y = [1] * 8 + [0] * 10, [1] * 6 + [0] * 2 + [1] * 2 + [0] * 8
    made = _run(binary(y), [yes_no(x)])
    assert made["x=yes", "w"].estimate == pytest.approx(6 / 8)
    assert made["x=no", "w"].estimate == pytest.approx(2 / 10)
    assert (made["x=yes", "w"].n, made["x=yes", "w"].events) == (8, 6)
    assert made["x=yes", "w"].lower < 0.75 < made["x=yes", "w"].upper


def test_predictions_average_to_what_was_observed():
    """Firth's log odds of the 2 x 2 table, 6.5 * 8.5 / (2.5 * 2.5), with the intercept at which 8 of 18 respond."""
    x, y = np.array([1] * 8 + [0] * 10), [1] * 6 + [0] * 2 + [1] * 2 + [0] * 8
    made = _run(binary(y), [yes_no(x)])
    yes, no = (made[g, "g"].estimate for g in ("x=yes", "x=no"))
    assert 8 * yes + 10 * no == pytest.approx(8)
    assert yes / (1 - yes) * (1 - no) / no == pytest.approx(6.5 * 8.5 / (2.5 * 2.5), rel=1e-6)


def test_a_confounder_is_taken_out():
    """Severe patients get the exposure more often and respond less; within them it does nothing."""
    rng = np.random.default_rng(2)
    severe = np.arange(800) % 2
    x = (rng.random(800) < np.where(severe, 0.8, 0.2)).astype(int)
    y = (rng.random(800) < np.where(severe, 0.2, 0.7)).astype(int)
    crude = _run(binary(y), [yes_no(x)])
    for method in "gw":
        made = _run(binary(y), [yes_no(x)], [number(severe.astype(float))])
        assert crude["x=no", "w"].estimate - crude["x=yes", "w"].estimate > 0.2
        assert made["x=no", method].estimate == pytest.approx(made["x=yes", method].estimate, abs=0.06)
        assert made["x=no", method].estimate == pytest.approx(0.45, abs=0.05)


def test_survival_of_a_lone_exposure_is_its_kaplan_meier_curve():
    """Exposed: events at 1 and 3 of four, one censored at 2: 3/4 * 1/2 at day 3.5."""
    time, event, x = [1, 2, 3, 5, 1, 2, 4, 6], [1, 0, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0]
    made = _run(timed(time, event), [yes_no(x)], day=3.5)
    assert made["x=yes", "w"].estimate == pytest.approx(3 / 8)
    assert made["x=no", "w"].estimate == pytest.approx(1 / 2)
    assert made["x=yes", "g"].at == 3.5
    assert 0 < made["x=yes", "g"].lower < made["x=yes", "g"].upper < 1


def test_combinations_without_support_say_so():
    x, _, y, time, event = drawn(40)
    other = [0] * 38 + [1] * 2
    made = _run(binary(y), [yes_no(x), yes_no(other, "o")], fewest=4)
    lonely = made["x=no, o=yes", "g"]
    assert lonely.estimate is None
    assert lonely.note == "not estimable: positivity violated, fewer than 4 patients received this protocol"
    assert (lonely.n, lonely.events) == (2, int(y[38:].sum()))
    assert made["x=yes, o=yes", "w"].n == 0
    assert made["x=yes, o=no", "g"].estimate is not None
    [late] = standardization.standardised(
        timed(time, event), [yes_no(x)], [], day=1e6, fewest=4, draws=10, confidence=0.95, rng=np.random.default_rng(1)
    )
    assert late.note.startswith("not estimable: beyond the last follow-up")


def test_the_same_outcome_in_every_patient_has_no_interval():
    x = [1] * 6 + [0] * 6
    made = _run(binary([1] * 6 + [0, 0, 0, 1, 1, 0]), [yes_no(x)])
    assert made["x=yes", "w"].estimate == 1
    assert made["x=yes", "w"].lower is None
    assert made["x=yes", "w"].note.startswith("interval not estimable")


def test_power_grows_with_the_effect_and_with_the_patients():
    found = {}
    for n in (30, 120):
        x, _, y, _, _ = drawn(n, 3, 0.5)
        records = power.power(binary(y), [yes_no(x)], "u", 400, 0.95, np.random.default_rng(1))
        for e in records:
            if e.statistic == "power" and e.method == simulated_inference.METHODS["logistic"]:
                found[n, e.group] = e.estimate
    assert found[30, "ratio=2"] < found[30, "ratio=10"]
    assert found[30, "ratio=4"] < found[120, "ratio=4"]
    assert found[120, "ratio=10"] > 0.9


@pytest.mark.parametrize("kind", ["binary", "time"])
def test_the_null_rejects_about_as_often_as_it_should(kind):
    x, z, y, time, event = drawn(60, 5, 0.5)
    end = binary(y) if kind == "binary" else timed(time, event)
    records = power.power(end, [yes_no(x), number(z)], "m", 2000, 0.95, np.random.default_rng(1), ratios=(1.0, 3.0))
    by = {(e.statistic, e.term, e.method, e.group): e for e in records}
    for term in ("x", "z"):
        for methods in (firth.METHODS, simulated_inference.METHODS):
            method = methods["logistic" if kind == "binary" else "cox"]
            assert by["type_1_error", term, method, None].estimate == pytest.approx(0.05, abs=0.02)
            assert by["coverage", term, method, "ratio=3"].estimate == pytest.approx(0.95, abs=0.025)
    assert by["type_1_error", "z", method, None].note.endswith("ratio per standard deviation")


def test_the_detectable_ratio_lies_where_power_crosses():
    reject = {1.0: 0.05, 2.0: 0.5, 4.0: 0.9}
    own = power.Estimate("power", "os", "power")
    e = power._detectable(own, reject, (1.0, 2.0, 4.0), side=1)
    # probit scale: 0.0 at 2, 1.2816 at 4, 0.8416 wanted: 2 ** (1 + 0.8416 / 1.2816)
    assert e.estimate == pytest.approx(2 ** (1 + 0.8416212 / 1.2815516), rel=1e-5)
    assert power._detectable(own, reject, (1.0, 2.0), side=1).note == "power below 80% up to a ratio of 2"


def test_power_of_what_cannot_be_fitted():
    [e] = power.power(binary([0, 0, 0]), [yes_no([1, 0, 1])], "u", 50, 0.95, np.random.default_rng(1))
    assert e.note == "not estimable: no event"
