"""Simulated reference distributions: against full enumeration, and what must hold of test and interval."""

import itertools

import numpy as np
import pytest
from columns import binary, drawn, number, timed, yes_no

from reinfuse.analyses import simulated_inference
from reinfuse.analyses.design_matrix import design_of
from reinfuse.statistics import firth_batch, parametric_bootstrap


def _test(endpoint, factors, draws=400, j=0, seed=1):
    design = design_of(endpoint, factors)
    return simulated_inference.Test(simulated_inference.observed(design, j), j, draws, np.random.default_rng(seed))


def test_the_p_value_is_that_of_all_outcomes():
    """Six patients have 64 possible outcomes; each is weighed by its probability with the effect held at none."""
    x, y = [1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 1, 0]
    test = _test(binary(y), [yes_no(x)], draws=40_000)
    ratio, fits = test.ratio(np.array([0.0]))
    chance = 1 / (1 + np.exp(-test.data.X @ fits.coef[0]))
    every = np.array(list(itertools.product((0.0, 1.0), repeat=6)))
    weight = np.prod(np.where(every == 1, chance, 1 - chance), axis=1)
    full = firth_batch.logistic(test.data.X, every)
    held = firth_batch.logistic(test.data.X, every, held=(0, np.zeros(64)))
    statistic = 2 * (full.value - held.value)
    exact = weight[statistic > ratio[0] + 1e-6].sum() + weight[np.abs(statistic - ratio[0]) <= 1e-6].sum() / 2
    assert weight.sum() == pytest.approx(1)
    assert test.p_value(0.0) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


@pytest.mark.parametrize("seed", range(4))
def test_interval_and_p_value_agree(seed):
    x, z, y, time, event = drawn(40, seed)
    for endpoint in (binary(y), timed(time, event)):
        record = simulated_inference.calibrated(endpoint, [yes_no(x), number(z)], "multivariable", 0.95, 299,
                                    np.random.default_rng(seed))  # fmt: skip
        for e in record:
            assert e.estimate is not None
            assert e.lower is None or e.lower < e.estimate
            assert e.upper is None or e.upper > e.estimate
            leaves_out = (e.lower is not None and e.lower > 1) or (e.upper is not None and e.upper < 1)
            assert leaves_out == (e.p_value < 0.05)


def test_with_many_patients_it_is_the_chi_square_interval():
    from reinfuse.analyses.association import associations

    x, _, y, time, event = drawn(400, 5)
    for endpoint in (binary(y), timed(time, event)):
        [wide] = associations(endpoint, [yes_no(x)], "univariable", confidence=0.95)
        [own] = simulated_inference.calibrated(
            endpoint, [yes_no(x)], "univariable", 0.95, 2000, np.random.default_rng(1)
        )
        width = np.log(wide.upper / wide.lower)
        assert np.log([own.lower / wide.lower, own.upper / wide.upper]) == pytest.approx([0, 0], abs=0.06 * width)


def test_a_separated_factor_has_no_limit_on_the_far_side():
    x, y = [1] * 5 + [0] * 9, [1] * 5 + [0] * 8 + [1]
    [e] = simulated_inference.calibrated(binary(y), [yes_no(x)], "univariable", 0.95, 499, np.random.default_rng(1))
    assert e.lower > 1
    assert e.upper is None
    assert "no upper limit" in e.note
    assert e.p_value < 0.05


def test_the_same_seed_gives_the_same_numbers():
    x, z, y, _, _ = drawn(30)
    one, two = (simulated_inference.calibrated(binary(y), [yes_no(x), number(z)], "m", 0.9, 199,
                                                    np.random.default_rng(7))
                for _ in range(2))  # fmt: skip
    assert one == two


@pytest.mark.parametrize(
    ("y", "x"), [([0, 0, 0], [1, 0, 1]), ([1, 1], [1, 0]), ([1, 0, 1], [1, 1, 1]), ([1, 0], [1, None])]
)
def test_what_cannot_be_estimated_says_why(y, x):
    record = simulated_inference.calibrated(binary(y), [yes_no(x)], "univariable", 0.95, 99, np.random.default_rng(1))
    assert all(e.estimate is None and e.note.startswith("not estimable") for e in record)


def test_tiny_cohorts_have_an_answer_or_a_reason():
    for seed in range(20):
        x, _, y, time, event = drawn(5, seed)
        for endpoint in (binary(y), timed(time, event)):
            for e in simulated_inference.calibrated(endpoint, [yes_no(x)], "u", 0.95, 99, np.random.default_rng(1)):
                assert e.p_value is not None or e.note


def test_simulated_times_follow_the_baseline():
    """Cumulative hazard 1/4, 7/12, 13/12, 25/12 at 1 to 4: half of the way is half of the time between."""
    X, time = np.zeros((4, 1)), np.array([1.0, 2, 3, 4])
    baseline = parametric_bootstrap.Baseline.breslow(X, np.zeros(1), time, event=np.ones(4))
    assert baseline.hazard == pytest.approx([0, 1 / 4, 7 / 12, 13 / 12, 25 / 12])
    event_times = baseline.times(np.array([1 / 8, 1 / 4, 5 / 12, 2.2]))
    assert event_times == pytest.approx([0.5, 1.0, 1.5, np.inf])


def test_a_time_that_several_share_stays_one_time():
    X, time = np.zeros((4, 1)), np.array([1.0, 2, 2, 3])
    baseline = parametric_bootstrap.Baseline.breslow(X, np.zeros(1), time, event=np.ones(4))
    assert baseline.times(np.array([0.3, 0.5, 0.8])) == pytest.approx([2, 2, 2])


def test_censoring_is_drawn_after_the_event_and_within_the_stratum():
    time, event = np.array([1.0, 5, 7, 2, 30, 40]), np.array([1.0, 0, 0, 1, 0, 0])
    strata = np.array([0, 0, 0, 1, 1, 1])
    uniform = np.random.default_rng(1).random((500, 6))
    got = parametric_bootstrap.Censoring.drawn(time, event, strata, uniform).times
    assert set(got[:, 0]) == {5.0, 7.0}
    assert set(got[:, 3]) == {30.0, 40.0}
    assert (got[:, [1, 2, 4, 5]] == time[[1, 2, 4, 5]]).all()
    assert (got[:, 0] == 5).mean() == pytest.approx(0.5, abs=0.1)
