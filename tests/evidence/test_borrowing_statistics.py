"""Predictive priors, mixtures and effective sample sizes: cited numbers, closed forms, and sums taken another way."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, ndtr
from scipy.stats import beta, betabinom, binom, gamma, nbinom, norm

from reinfuse.statistics.borrowing import commensurate_prior, power_prior, prior_data_conflict, probability_greater
from reinfuse.statistics.conjugate_mixture import BetaMixture, GammaMixture
from reinfuse.statistics.effective_sample_size import elir_size, moment_size, morita_size
from reinfuse.statistics.meta_analytic_predictive import predictive_distribution
from reinfuse.statistics.mixture_fit import fit_beta_mixture, fit_gamma_mixture
from reinfuse.statistics.study_likelihood import ProportionCounts, RateCounts

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "borrowing.json").read_text(encoding="utf-8"))
LOGITS = np.linspace(-12, 12, 601)


def one(a, b, kind=BetaMixture):
    return kind(np.ones(1), np.array([float(a)]), np.array([float(b)]))


def counts(events, n):
    return ProportionCounts(np.atleast_1d(np.array(events, dtype=float)), np.atleast_1d(np.array(n, dtype=float)))


@pytest.mark.parametrize("case", GOLDEN["map"], ids=lambda c: c["name"])
def test_predictive_priors_are_those_of_the_golden_file(case):
    prior = predictive_distribution(counts(case["events"], case["n"]), tau_scale=case["tau_scale"])
    predicted, tau = prior.predicted(), prior.heterogeneity()
    known = {"tau_mean": tau.mean, "tau_sd": tau.sd, **{n: getattr(predicted, n) for n in
             ("mean", "sd", "lower", "median", "upper")}}  # fmt: skip
    for name, value in known.items():
        assert value == pytest.approx(case.get(name, value), abs=case["tolerance"]), name
    assert predicted.mean * (1 - predicted.mean) / predicted.sd**2 - 1 == pytest.approx(case["moment"], abs=0.01)
    if "own" in case:
        own = prior.updated(counts(*case["own"])).summary()
        assert own.mean == pytest.approx(case["own_mean"], abs=case["tolerance"])
    if "median_vignette" in case:
        assert round(predicted.median, 3) == case["median_vignette"]
        assert direct_cdf(case, predicted.median) == pytest.approx(0.5, abs=1e-4)


def direct_cdf(case, p):
    """Sum the predictive distribution with Gauss-Legendre in tau and every study's likelihood on an even grid."""
    theta, mu = np.arange(-10, 8, 0.02), np.arange(-4, 2, 0.02)
    likelihood = np.stack([binom.pmf(y, n, expit(theta)) for y, n in zip(case["events"], case["n"], strict=True)], 1)
    node, weight = np.polynomial.legendre.leggauss(40)
    total = below = 0.0
    for tau, w in zip(1.5 * (node + 1), weight, strict=True):
        z, wz = np.polynomial.hermite_e.hermegauss(31)
        at = mu[:, None] + tau * z
        smooth = [(np.interp(at, theta, likelihood[:, i]) if tau > 1 else binom.pmf(y, n, expit(at))) @ wz
                  for i, (y, n) in enumerate(zip(case["events"], case["n"], strict=True))]  # fmt: skip
        mass = np.prod(smooth, axis=0) / wz.sum() ** len(smooth)
        mass = mass * norm.pdf(mu, 0, 2) * norm.pdf(tau, 0, case["tau_scale"]) * w
        total += mass.sum()
        below += (ndtr((np.log(p / (1 - p)) - mu) / tau) * mass).sum()
    return below / total


def test_effective_sample_sizes_are_those_of_the_golden_file():
    case = GOLDEN["size"]
    mixture = BetaMixture(*(np.array(case[n]) for n in ("weights", "a", "b")))
    assert elir_size(mixture) == pytest.approx(case["elir"], abs=0.01)
    assert round(elir_size(mixture)) == case["elir_printed"]
    assert moment_size(mixture) == pytest.approx(case["moment"], abs=case["tolerance"])
    assert round(morita_size(mixture)) == case["morita"]
    robust = mixture.robust(weight=case["robust_weight"])
    assert elir_size(robust) == pytest.approx(case["robust_elir"], abs=0.01)


def test_a_robust_prior_gives_the_probability_of_a_difference_of_the_golden_file():
    case, size = GOLDEN["difference"], GOLDEN["size"]
    prior = BetaMixture(*(np.array(size[n]) for n in ("weights", "a", "b"))).robust(weight=case["robust_weight"])
    y, n = case["control"]
    control = prior.posterior(events=y, n=n)
    y, n = case["treatment"]
    treatment = one(*case["treatment_prior"]).posterior(events=y, n=n)
    assert probability_greater(treatment, control) == pytest.approx(case["probability"], abs=case["tolerance"])


def test_the_power_prior_has_its_closed_form():
    case = GOLDEN["power_prior"]
    (y0, n0), (y, n), (a, b) = case["other"], case["own"], case["prior"]
    for discount, mean in zip(case["discounts"], case["means"], strict=True):
        posterior = power_prior(events=y0, n=n0, discount=discount, a=a, b=b).posterior(events=y, n=n)
        assert posterior.mean == pytest.approx((a + discount * y0 + y) / (a + b + discount * n0 + n), abs=1e-12)
        assert round(posterior.mean, 5) == mean
    with pytest.raises(ValueError, match="between 0 and 1"):
        power_prior(events=3, n=9, discount=1.5)


def test_without_heterogeneity_the_predictive_prior_is_the_pooled_posterior():
    prior = predictive_distribution(counts([3, 4], [9, 12]), tau_scale=1e-3).predicted()
    theta = np.linspace(-8, 8, 4001)
    weight = binom.pmf(7, 21, expit(theta)) * norm.pdf(theta, 0, 2)
    assert prior.mean == pytest.approx((weight * expit(theta)).sum() / weight.sum(), abs=1e-5)


def test_own_counts_change_the_prior_by_bayes_theorem():
    prior = predictive_distribution(counts([9, 13], [44, 19]), tau_scale=1.0)
    theta = np.linspace(-14, 14, 1001)
    weight = prior.density(theta) * binom.pmf(3, 9, expit(theta))
    posterior = prior.updated(counts(3, 9))
    assert posterior.summary().mean == pytest.approx((weight * expit(theta)).sum() / weight.sum(), abs=1e-6)
    assert np.exp(posterior.log_evidence) == pytest.approx(weight.sum() * (theta[1] - theta[0]), rel=1e-5)
    direct = predictive_distribution(counts([9, 13, 3], [44, 19, 9]), tau_scale=1.0)
    assert posterior.shared.average().mean == pytest.approx(direct.average().mean, abs=2e-5)


def test_a_mixture_of_betas_is_that_of_scipy():
    mixture = BetaMixture(np.array([2.0, 6.0]), np.array([2.0, 9.0]), np.array([5.0, 3.0]))
    p = np.array([0.1, 0.5, 0.9])
    assert np.exp(mixture.log_pdf(p)) == pytest.approx(0.25 * beta.pdf(p, 2, 5) + 0.75 * beta.pdf(p, 9, 3))
    assert mixture.cdf(p) == pytest.approx(0.25 * beta.cdf(p, 2, 5) + 0.75 * beta.cdf(p, 9, 3))
    assert float(mixture.cdf(np.array(mixture.quantile(0.3)))) == pytest.approx(0.3, abs=1e-10)
    y = np.arange(8)
    assert mixture.predictive(n=7) == pytest.approx(0.25 * betabinom.pmf(y, 7, 2, 5) + 0.75 * betabinom.pmf(y, 7, 9, 3))
    after = mixture.posterior(events=1, n=7)
    odds = 0.25 * betabinom.pmf(1, 7, 2, 5) / (0.75 * betabinom.pmf(1, 7, 9, 3))
    assert after.weights[0] / after.weights[1] == pytest.approx(odds)
    assert (after.a.tolist(), after.b.tolist()) == ([3, 10], [11, 9])


def test_a_mixture_of_gammas_has_the_negative_binomial_as_its_prediction():
    mixture = GammaMixture(np.array([0.4, 0.6]), np.array([2.0, 5.0]), np.array([30.0, 40.0]))
    y = np.arange(6)
    direct = 0.4 * nbinom.pmf(y, 2, 30 / 42) + 0.6 * nbinom.pmf(y, 5, 40 / 52)
    assert mixture.predictive(exposure=12, most=5) == pytest.approx(direct)
    after = mixture.posterior(events=3, exposure=12)
    assert (after.a.tolist(), after.b.tolist()) == ([5, 8], [42, 52])
    assert one(2, 30, GammaMixture).posterior(events=3, exposure=12).mean == pytest.approx(5 / 42)


def test_sizes_of_single_components_are_their_own():
    assert elir_size(one(3, 6)) == moment_size(one(3, 6)) == pytest.approx(9)
    assert elir_size(one(3, 20, GammaMixture)) == pytest.approx(20)
    assert moment_size(one(3, 20, GammaMixture)) == pytest.approx(20)
    twice = BetaMixture(np.array([0.5, 0.5]), np.array([3.0, 3.0]), np.array([6.0, 6.0]))
    assert elir_size(twice) == pytest.approx(9, abs=1e-6)
    twice = GammaMixture(np.array([0.5, 0.5]), np.array([3.0, 3.0]), np.array([20.0, 20.0]))
    assert elir_size(twice) == pytest.approx(20, abs=1e-6)
    assert elir_size(BetaMixture(np.array([0.5, 0.5]), np.array([0.5, 3.0]), np.array([6.0, 6.0]))) is None


def test_local_information_is_predictively_consistent():
    prior = BetaMixture(np.array([0.6, 0.4]), np.array([2.0, 9.0]), np.array([5.0, 3.0]))
    after = sum(chance * elir_size(prior.posterior(events=y, n=5)) for y, chance in enumerate(prior.predictive(n=5)))
    assert after - 5 == pytest.approx(elir_size(prior), abs=1e-6)


def test_a_mixture_is_found_again_by_its_fit():
    p = expit(LOGITS)
    target = 0.3 * beta.pdf(p, 2, 8) + 0.7 * beta.pdf(p, 20, 10)
    mixture, divergence = fit_beta_mixture(logits=LOGITS, weights=target * p * (1 - p), components=2)
    order = np.argsort(mixture.a)
    assert mixture.weights[order] == pytest.approx([0.3, 0.7], abs=2e-3)
    assert mixture.a[order] == pytest.approx([2, 20], rel=0.02)
    assert 0 <= divergence < 1e-5
    x = np.linspace(-9, 1, 501)
    single, divergence = fit_gamma_mixture(log_rates=x, weights=np.exp(3 * x - 20 * np.exp(x)))
    assert (single.a[0], single.b[0]) == (pytest.approx(3, rel=1e-3), pytest.approx(20, rel=1e-3))


def test_rates_have_a_predictive_prior_too():
    prior = predictive_distribution(RateCounts(np.array([5.0, 9.0]), np.array([60.0, 80.0])), tau_scale=0.5, mean=-2.0)
    theta = np.linspace(-8, 3, 601)
    mixture, divergence = fit_gamma_mixture(log_rates=theta, weights=prior.density(theta))
    assert divergence < 2e-3
    assert mixture.quantile(0.5) == pytest.approx(prior.predicted().median, rel=1e-2)
    own = RateCounts(np.array([2.0]), np.array([30.0]))
    assert mixture.posterior(events=2, exposure=30).mean == pytest.approx(prior.updated(own).summary().mean, rel=5e-3)


def test_a_commensurate_prior_lies_between_pooling_and_its_own_data():
    other, own = counts(31, 94), counts(8, 10)
    means = [commensurate_prior(other, sd_scale=s).updated(own).summary().mean for s in (0.01, 0.5, 3.0)]
    assert means[0] == pytest.approx((31 + 8) / (94 + 10), abs=0.01)
    assert means[0] < means[1] < means[2] < 0.8


def test_conflict_is_the_chance_of_what_is_no_more_probable():
    prior = one(1, 9)
    chance = prior.predictive(n=10)
    assert prior_data_conflict(predictive=chance, events=6) == pytest.approx(chance[6:].sum())
    assert prior_data_conflict(predictive=chance, events=0) == pytest.approx(1)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_component_without_weight_does_not_count(weight):
    prior = one(3, 6).robust(weight=weight)
    expected = beta(3, 6) if weight == 0 else beta(1, 1)
    assert prior.quantile(0.3) == pytest.approx(expected.ppf(0.3), abs=1e-12)
    rate = one(3, 20, GammaMixture).robust(weight=weight, a=1.0, b=2.0)
    assert rate.quantile(0.5) == pytest.approx(gamma(3, scale=1 / 20).median() if weight == 0 else np.log(2) / 2)
