"""Random-effects models: R's metafor and lme4, cases by hand, and integrals taken another way."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom, norm, poisson

from reinfuse.statistics import binomial_normal
from reinfuse.statistics.binomial_normal import fit_binomial_normal
from reinfuse.statistics.inverse_variance import compare_subgroups, fit_inverse_variance, log_odds, log_ratio
from reinfuse.statistics.study_likelihood import (
    ProportionCounts,
    RateCounts,
    log_likelihood,
    marginal_likelihood,
    modes,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "synthesis.json").read_text(encoding="utf-8"))
Z = np.linspace(-12, 12, 4801)


def by_trapezoid(log_density, mean, tau):
    """Integrate one study's parameter out on a fine even grid: the mean of f(mean + tau z)."""
    return np.log((np.exp(log_density(mean + tau * Z)) * norm.pdf(Z)).sum() * (Z[1] - Z[0]))


@pytest.mark.parametrize("case", GOLDEN["mixed"], ids=lambda c: c["name"])
def test_the_binomial_normal_model_is_that_of_metafor(case):
    fit = fit_binomial_normal(events=np.array(case["events"]), n=np.array(case["n"]))
    assert fit.mean == pytest.approx(case["mean"], abs=1e-5)
    assert fit.tau**2 == pytest.approx(case["tau2"], abs=1e-5, rel=1e-5)
    assert fit.se == pytest.approx(case["se"], abs=1e-5)
    assert fit.heterogeneity == pytest.approx(case["lrt"], abs=1e-6)
    assert fit.p_value == pytest.approx(case["p"], abs=1e-6)
    assert expit(fit.wald) == pytest.approx(expit(case["wald"]), abs=1e-5)
    assert expit(fit.prediction) == pytest.approx(expit(case["prediction"]), abs=1e-5)
    assert fit.log_likelihood == pytest.approx(case["marginal"], abs=1e-7)
    assert fit.log_likelihood >= case["marginal"] - 1e-11  # at least as high as lme4's maximum
    counts = ProportionCounts(np.array(case["events"]), np.array(case["n"]))
    # metafor's logLik is conditional, of first order in an estimate at which lme4's simplex stopped early: at that one
    theta = modes(counts, mean=np.array(case["mean"]), tau=np.array(case["tau2"] ** 0.5))
    assert counts.log_likelihood(theta).sum() == pytest.approx(case["conditional"], abs=1e-5)
    assert fit.at_boundary == (case["tau2"] == 0)


@pytest.mark.parametrize("case", GOLDEN["normal"], ids=lambda c: c["name"])
def test_restricted_maximum_likelihood_with_hartung_and_knapp_is_that_of_metafor(case):
    fit = fit_inverse_variance(effects=np.array(case["effects"]), variances=np.array(case["variances"]))
    for name in ("mean", "se", "tau2"):
        assert getattr(fit, name) == pytest.approx(case[name], abs=1e-6)
    assert fit.heterogeneity == pytest.approx(case["q"], abs=1e-8)
    assert fit.p_value == pytest.approx(case["p"], abs=1e-8)
    assert fit.i_squared == pytest.approx(case["i2"], abs=1e-6)
    assert fit.interval == pytest.approx(case["interval"], abs=1e-6)
    assert fit.prediction == pytest.approx(case["prediction"], abs=1e-6)
    assert fit.tau2_interval == pytest.approx(case["tau2_interval"], rel=1e-3, abs=1e-3)


def test_the_test_of_subgroups_is_that_of_metafor():
    case = GOLDEN["subgroups"]
    test = compare_subgroups(means=np.array(case["means"]), variances=np.array(case["variances"]))
    assert (test.statistic, test.df) == (pytest.approx(case["q"], abs=1e-10), 2)
    assert test.p_value == pytest.approx(case["p"], abs=1e-10)


def test_two_studies_of_equal_variance_can_be_solved_by_hand():
    fit = fit_inverse_variance(effects=np.array([-1.0, 1.0]), variances=np.array([0.5, 0.5]))
    assert fit.mean == pytest.approx(0, abs=1e-12)
    assert fit.tau2 == pytest.approx(2 - 0.5, abs=1e-9)  # (y1 - y2)^2 / 2 - v
    assert fit.se == pytest.approx(1, abs=1e-9)  # |y1 - y2| / 2
    assert fit.variance_ratio == pytest.approx(1, abs=1e-9)
    assert fit.heterogeneity == pytest.approx(4, abs=1e-12)


def test_studies_that_agree_have_an_interval_of_no_width_and_a_modified_one_that_has():
    fit = fit_inverse_variance(effects=np.array([0.5, 0.5, 0.5]), variances=np.array([1.0, 1.0, 1.0]))
    assert fit.interval == pytest.approx((0.5, 0.5), abs=1e-12)
    assert fit.modified == pytest.approx((0.5 - 4.302653 / 3**0.5, 0.5 + 4.302653 / 3**0.5), abs=1e-5)
    assert fit.at_boundary
    one = fit_binomial_normal(events=np.array([2.0, 2.0, 2.0]), n=np.array([10.0, 10.0, 10.0]))
    assert one.scaled == pytest.approx((one.mean, one.mean), abs=1e-9)
    assert one.interval == one.common
    assert expit(one.mean) == pytest.approx(0.2)
    at_limit = [binom.logpmf(6, 30, expit(x)) for x in (one.mean, *one.common)]
    assert 2 * (at_limit[0] - np.array(at_limit[1:])) == pytest.approx([3.841459, 3.841459], abs=1e-4)


def test_a_hazard_ratio_and_its_interval_give_its_variance():
    y, v = log_ratio(ratio=np.array([0.5]), lower=np.array([0.25]), upper=np.array([1.0]))
    assert y == pytest.approx(np.log(0.5))
    assert v == pytest.approx((np.log(4) / (2 * 1.959964)) ** 2, rel=1e-6)
    with pytest.raises(ValueError, match="within its own limits"):
        log_ratio(ratio=np.array([0.5]), lower=np.array([0.6]), upper=np.array([1.0]))


def test_the_log_odds_of_a_study_without_event_have_half_an_event_added():
    y, v = log_odds(events=np.array([0.0, 3.0]), n=np.array([4.0, 9.0]))
    assert y == pytest.approx([np.log(0.5 / 4.5), np.log(3 / 6)])
    assert v == pytest.approx([1 / 0.5 + 1 / 4.5, 1 / 3 + 1 / 6])


@pytest.mark.parametrize(("mean", "tau", "error"), [
    (-1.0, 0.0, 1e-9), (-1.0, 0.4, 1e-9), (0.5, 2.0, 2e-5), (-5.0, 5.0, 0.01), (3.0, 8.0, 0.01),
])  # fmt: skip
def test_adaptive_quadrature_agrees_with_a_fine_even_grid(mean, tau, error):
    events, n = np.array([0.0, 3.0, 40.0, 9.0]), np.array([8.0, 9.0, 45.0, 9.0])
    counts = ProportionCounts(events, n)
    direct = [by_trapezoid(lambda x, y=y, m=m: binom.logpmf(y, m, expit(x)), mean, tau)
              for y, m in zip(events, n, strict=True)]  # fmt: skip
    part = marginal_likelihood(counts, mean=np.array(mean), tau=np.array(tau))
    assert part.log == pytest.approx(direct, abs=error)
    assert log_likelihood(counts, mean=np.array(mean), tau=np.array(tau)) == pytest.approx(part.log.sum(), abs=1e-9)
    step = 1e-5
    both = [marginal_likelihood(counts, mean=np.array(mean + s), tau=np.array(tau)).log for s in (step, -step)]
    assert part.by_mean == pytest.approx((both[0] - both[1]) / (2 * step), abs=max(1e-6, 2 * error))


def test_rates_are_integrated_alike():
    events, exposure = np.array([0.0, 4.0, 30.0]), np.array([10.0, 40.0, 90.0])
    counts = RateCounts(events, exposure)
    direct = [by_trapezoid(lambda x, y=y, t=t: poisson.logpmf(y, t * np.exp(x)), -2.0, 0.7)
              for y, t in zip(events, exposure, strict=True)]  # fmt: skip
    assert marginal_likelihood(counts, mean=np.array(-2.0), tau=np.array(0.7)).log == pytest.approx(direct, abs=1e-8)


def test_at_the_maximum_both_slopes_are_zero_and_the_profile_has_fallen_at_its_limits():
    counts = ProportionCounts(np.array([9.0, 5.0, 13.0, 4.0]), np.array([44.0, 18.0, 19.0, 13.0]))
    fit = fit_binomial_normal(events=counts.events, n=counts.n)
    part = marginal_likelihood(counts, mean=np.array(fit.mean), tau=np.array(fit.tau))
    assert [part.by_mean.sum(), part.by_tau.sum()] == pytest.approx([0, 0], abs=1e-7)
    taus = np.linspace(0, 4, 4001)
    for end in fit.profile:
        best = log_likelihood(counts, mean=np.array(end), tau=taus).max()
        assert 2 * (fit.log_likelihood - best) == pytest.approx(3.841459, abs=1e-3)


def test_the_scaled_interval_has_the_variance_ratio_of_its_formula_where_there_is_no_heterogeneity():
    y, n = np.array([11.0, 3.0, 7.0]), np.array([21.0, 9.0, 13.0])
    fit = fit_binomial_normal(events=y, n=n)
    p = 21 / 43
    assert (fit.tau, expit(fit.mean)) == (0, pytest.approx(p))
    pearson = ((y - n * p) ** 2 / (n * p * (1 - p))).sum() / 2
    assert fit.variance_ratio == pytest.approx(pearson, rel=1e-9)
    half = 4.302653 * np.sqrt(pearson / (43 * p * (1 - p)))
    assert fit.scaled == pytest.approx((fit.mean - half, fit.mean + half), abs=1e-5)


@pytest.mark.parametrize(("events", "n", "reason"), [
    ([0, 0], [5, 6], binomial_normal.NO_EVENT),
    ([5, 6], [5, 6], binomial_normal.EVENTS_ALONE),
    ([3], [9], binomial_normal.ONE_STUDY),
    ([0, 8, 0], [8, 8, 9], binomial_normal.TOO_HETEROGENEOUS),
])  # fmt: skip
def test_what_cannot_be_estimated_says_why(events, n, reason):
    fit = fit_binomial_normal(events=np.array(events), n=np.array(n))
    assert fit.reason == reason
    assert np.isnan(fit.interval).all()


@pytest.mark.parametrize(("events", "n"), [([3, 4], [9, 3]), ([3], [9, 9]), ([-1], [4]), ([], []), ([1], [np.nan])])
def test_what_are_no_counts_is_refused(events, n):
    with pytest.raises(ValueError, match="events"):
        ProportionCounts(np.array(events), np.array(n))
