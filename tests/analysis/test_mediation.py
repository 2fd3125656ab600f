"""Mediation: a case that integrates by hand, a simulation with known effects, and what cannot be estimated."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from reinfuse.analyses.mediation import STATISTICS, mediation
from reinfuse.analyses.standardization import flic
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.statistics import firth_batch
from reinfuse.statistics.logistic_normal import ERROR, expected_share

NONE = np.empty((0, 0))


def split(y, x, m, C=None, draws=50, seed=1):
    C = np.empty((len(y), 0)) if C is None else C
    records = mediation(
        "response",
        "dose_increase",
        y,
        x=x,
        m=m,
        confounders=C,
        confidence=0.95,
        draws=draws,
        random=np.random.default_rng(seed),
    )
    return {e.statistic: e for e in records}


def planted(n, seed, direct, a, b):
    random = np.random.default_rng(seed)
    x = (random.random(n) < 0.5).astype(float)
    m = a * x + random.normal(size=n)
    y = (random.random(n) < 1 / (1 + np.exp(0.5 - direct * x - b * m))).astype(float)
    return y, x, m


def truth(direct, a, b):
    def expected(at, of):
        def density(m):
            return stats.norm.pdf(m, a * of) / (1 + np.exp(0.5 - direct * at - b * m))

        return integrate.quad(density, -12, 14)[0]

    return expected(1, 1) - expected(0, 0), expected(1, 0) - expected(0, 0), expected(1, 1) - expected(1, 0)


def test_effects_of_a_large_sample_are_those_of_its_model():
    found = split(*planted(40_000, 3, 0.7, 1.2, 0.9), draws=20)
    for statistic, value in zip(STATISTICS, truth(0.7, 1.2, 0.9), strict=True):
        assert found[statistic].estimate == pytest.approx(value, abs=0.015)


def test_the_estimate_integrates_its_own_models_prediction():
    """The same two models fitted by another library (no penalty matters at this size), integrated by quadrature."""
    y, x, m = planted(20_000, 5, 0.4, 0.8, 1.1)
    D = np.column_stack([np.ones_like(x), x])
    line = np.linalg.lstsq(D, m, rcond=None)[0]
    spread = (m - D @ line).std()
    model = LogisticRegression(C=1e10, tol=1e-10).fit(np.column_stack([x, m]), y)
    (bx, bm), b0 = model.coef_[0], model.intercept_[0]

    def expected(at, of):
        def density(v):
            return stats.norm.pdf(v, line[0] + line[1] * of, spread) / (1 + np.exp(-b0 - bx * at - bm * v))

        return integrate.quad(density, -15, 15)[0]

    found = split(y, x, m, draws=2)
    assert found["indirect_effect"].estimate == pytest.approx(expected(1, 1) - expected(1, 0), abs=2e-4)
    assert found["direct_effect"].estimate == pytest.approx(expected(1, 0) - expected(0, 0), abs=2e-4)


def test_effects_add_up_and_the_total_is_the_difference_of_shares_without_a_mediators_say():
    y = np.repeat([1.0, 0, 1, 0], [1200, 800, 600, 1400])
    x = np.repeat([1.0, 0], 2000)
    m = np.tile([-1.0, 1, 1, -1], 1000)  # the same in both groups: nothing can go through it
    found = split(y, x, m)
    total, direct, indirect = (found[s].estimate for s in STATISTICS)
    assert total == pytest.approx(direct + indirect, abs=1e-12)
    assert indirect == pytest.approx(0, abs=1e-12)
    assert total == pytest.approx(0.3, abs=5e-4)  # 1,200 of 2,000 against 600 of 2,000; Firth's penalty is small


def test_a_difference_in_favour_of_neither_has_an_interval_that_holds_zero_about_as_often_as_it_says():
    holds = 0
    for seed in range(60):
        found = split(*planted(120, 100 + seed, 0.0, 1.0, 0.0), draws=200, seed=seed)["indirect_effect"]
        holds += found.lower <= 0 <= found.upper
    assert 50 <= holds <= 60  # 95 % of 60 is 57; 50 or fewer has probability 0.0003


@pytest.mark.parametrize(
    ("n", "why"), [(9, "9 patients, fewer than 10"), (12, "fewer than 3 patients with or without the outcome")]
)
def test_too_few_are_not_estimable_and_say_why(n, why):
    y = np.zeros(n)
    y[:2] = 1
    for e in split(y, np.tile([0.0, 1], n)[:n], np.arange(float(n))).values():
        assert e.estimate is None
        assert e.note == f"{NOT_ESTIMABLE}: {why}"


def test_missing_values_are_left_out_and_told():
    y, x, m = planted(80, 9, 0.5, 1.0, 1.0)
    m[:7] = np.nan
    found = split(y, x, m)["total_effect"]
    assert (found.n, found.events) == (73, int(y[7:].sum()))
    assert "7 patients left out" in found.note


@pytest.mark.parametrize("spread", [0.0, 0.3, 0.99, 1.01, 2.0, 5.0, 30.0, 1e3])
def test_the_share_expected_of_a_mediator_of_any_strength(spread):
    """Against adaptive quadrature; 15 Gauss-Hermite nodes were 0.008 off at 5 and 0.16 at 1,000."""
    middles = np.array([-40.0, -5, -1, 0, 0.4, 2, 7.3])

    def shares(z, m):
        return expit(m + spread * z) * stats.norm.pdf(z)

    found = expected_share(middles[None], np.array([spread]))[0]
    for m, value in zip(middles, found, strict=True):
        bends = [(-m + d) / spread for d in (-20, -4, 0, 4, 20)] if spread else []
        ends = sorted({-12.0, 12.0, *np.clip(bends, -12, 12)})
        right = sum(integrate.quad(shares, a, b, (m,), epsabs=1e-13)[0] for a, b in pairwise(ends))
        assert value == pytest.approx(right, abs=ERROR)


def test_a_strong_mediator_is_integrated_out():
    """The models are strong (response is nearly a step of the mediator); effects by quadrature of the fitted models."""
    y, x, m = planted(4_000, 7, 0.5, 1.0, 12.0)
    D = np.column_stack([np.ones_like(x), x])
    line = np.linalg.lstsq(D, m, rcond=None)[0]
    spread = (m - D @ line).std()
    fitted = firth_batch.logistic(np.column_stack([x, m, np.ones_like(x)]), y[None]).coef[0]
    intercept = flic(fitted[None, :2] @ np.column_stack([x, m]).T, y[None], weights=np.ones((1, len(y))))[0]

    def expected(at, of):
        mean = intercept + fitted[0] * at + fitted[1] * (line[0] + line[1] * of)

        def share(z):
            return expit(mean + fitted[1] * spread * z) * stats.norm.pdf(z)

        return integrate.quad(share, -10, 10, epsabs=1e-12, points=[-mean / (fitted[1] * spread)], limit=200)[0]

    found = split(y, x, m, draws=2)
    right = expected(1, 1) - expected(0, 0), expected(1, 0) - expected(0, 0), expected(1, 1) - expected(1, 0)
    for statistic, value in zip(STATISTICS, right, strict=True):
        assert found[statistic].estimate == pytest.approx(value, abs=1e-6)
