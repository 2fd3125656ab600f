"""Profile limits: each on its own side of the estimate, and where the likelihood has fallen by what it should.

The likelihoods here are written out plainly, and maximised by scipy from many starts: slow, and independent.
"""

import math

import numpy as np
import pytest
from columns import binary, number
from scipy.optimize import minimize
from scipy.stats import chi2

from reinfuse.analyses.association import associations
from reinfuse.analyses.sensitivity import e_values
from reinfuse.statistics import firth, firth_left_truncated
from reinfuse.statistics.firth_profile import ModelData, profiled
from reinfuse.statistics.profile_likelihood import Peak, limits

QUANTILE = float(chi2.ppf(0.95, 1))
OUTLYING = [0.38, 2.4, 10.84, 2.1, 0.99, 1.11]


def _half_log_det(information):
    sign, value = np.linalg.slogdet(information)
    return np.where(sign > 0, value / 2, -1e6)


def _logistic(X, y):
    """Penalised log-likelihood of coefficients of shape (m, k), the intercept first."""
    full = np.column_stack([np.ones(len(y)), X])

    def value(b):
        eta = b @ full.T
        p = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        information = np.einsum("ni,mn,nj->mij", full, p * (1 - p), full)
        return eta @ y - np.logaddexp(0, eta).sum(axis=1) + _half_log_det(information)

    return value


def _cox(X, event, start, stop):
    """Penalised log partial likelihood of coefficients of shape (m, k), summed over the risk sets."""

    def value(b):
        total, information = np.zeros(len(b)), np.zeros((len(b), X.shape[1], X.shape[1]))
        for i in np.flatnonzero(event):
            risk = X[(start < stop[i]) & (stop >= stop[i])]
            eta = b @ risk.T
            w = np.exp(eta - eta.max(axis=1, keepdims=True))
            total += b @ X[i] - eta.max(axis=1) - np.log(w.sum(axis=1))
            w /= w.sum(axis=1, keepdims=True)
            away = risk[None] - (w @ risk)[:, None]
            information += np.einsum("mni,mn,mnj->mij", away, w, away)
        return total + _half_log_det(information)

    return value


GRID = np.array([s * x for x in (0, 0.5, 1, 2, 3, 4.5, 6.5, 9, 13, 18) for s in (-1, 1)][1:])


def _greatest(value, k, held=None):
    """The greatest value, one coefficient held or none: the best of a grid, then Nelder and Mead's steps from those."""
    free = [i for i in range(k) if held is None or i != held[0]]

    def full(rest):
        b = np.zeros((len(rest), k))
        b[:, free] = rest
        if held is not None:
            b[:, held[0]] = held[1]
        return b

    if not free:
        return float(value(full(np.zeros((1, 0))))[0])
    grid = np.array(np.meshgrid(*[GRID] * len(free))).reshape(len(free), -1).T
    first = grid[np.argsort(-value(full(grid)))[:2]]
    options = {"xatol": 1e-8, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000}

    def down(rest):
        return -float(value(full(rest[None]))[0])

    return max(-minimize(down, start, method="Nelder-Mead", options=options).fun for start in first)


def test_six_patients_with_an_outlying_value():
    """The issue's patients: R gives 0.00704 to 1.257 (also among the golden numbers)."""
    endpoint, factor = binary([1, 0, 0, 0, 0, 1]), number(OUTLYING, "marker")
    [records] = associations(endpoint, [factor], "univariable", confidence=0.95)
    assert records.estimate == pytest.approx(0.874, abs=5e-4)
    assert [records.lower, records.upper] == [pytest.approx(0.00704, abs=5e-6), pytest.approx(1.257, abs=5e-4)]
    [_, of_limit] = e_values([records])
    assert (of_limit.statistic, of_limit.estimate) == ("e_value_of_limit", 1.0)


COHORTS = 15


def _skewed(rng):
    """Columns, outcome and times of one small cohort with skewed numbers and rare groups."""
    while True:
        n, k = int(rng.integers(4, 26)), int(rng.integers(1, 3))
        kinds = [lambda n=n: np.exp(1.5 * rng.normal(size=n)), lambda n=n: (rng.random(n) < 0.3) * 1.0,
                 lambda n=n: rng.normal(size=n)]  # fmt: skip
        X = np.column_stack([kinds[int(rng.integers(3))]() for _ in range(k)])
        event, time = (rng.random(n) < 0.5).astype(float), np.ceil(rng.exponential(30, n))
        if 0 < event.sum() < n and all(np.linalg.matrix_rank(np.column_stack([np.ones(n), X])[rows], tol=1e-6) == k + 1
                                       for rows in (slice(None), time >= time[event == 1].min())):  # fmt: skip
            return (X - X.mean(axis=0)) / X.std(axis=0), event, time


def _fitted(kind, rng):
    """The fit, an independent likelihood, how many coefficients it has, and the place of the first column's."""
    X, event, time = _skewed(rng)
    k = X.shape[1]
    if kind == "logistic":
        return firth.fit("logistic", X, event, None, 0.95), _logistic(X, event), k + 1, 1
    start = np.floor(time * rng.uniform(0, 0.9, len(time))) if kind == "late entry" else time * 0 - 1
    fit = (
        firth_left_truncated.fit(X, start, time, event, 0.95)
        if kind == "late entry"
        else firth.fit("cox", X, event, time, 0.95)
    )
    return fit, _cox(X, event, start, time), k, 0


@pytest.mark.parametrize("kind", ["logistic", "cox", "late entry"])
def test_limits_of_random_small_cohorts(kind):
    rng = np.random.default_rng([3, len(kind)])
    fits = [_fitted(kind, rng) for _ in range(COHORTS)]
    good = [(fit, value, size, first) for fit, value, size, first in fits if fit.converged]
    assert len(good) >= COHORTS - 2
    seen = 0
    for fit, value, size, first in good:
        top = _greatest(value, size)
        for j in range(size - first):
            for side, limit in ((-1, fit.lower[j]), (1, fit.upper[j])):
                if np.isfinite(limit):
                    seen += 1
                    assert side * (limit - fit.coef[j]) > 0
                    fall = 2 * (top - _greatest(value, size, (first + j, limit)))
                    assert fall == pytest.approx(QUANTILE, abs=2e-3)
            fall = 2 * (top - _greatest(value, size, (first + j, 0.0)))
            assert fit.p_value[j] == pytest.approx(chi2.sf(max(fall, 0.0), 1), abs=1e-3)
    assert seen >= 2 * len(good)


def test_a_second_summit_is_taken_into_account():
    """Two summits, the nearer one lower at the limit: the profile is the higher of both."""

    def profile(values):
        return np.maximum(-(values**2), -((values - 3) ** 2) / 4 - 0.5)

    lower, upper = limits(profile, Peak(0.0, 0.0, 1.5), quantile=QUANTILE)
    assert lower == pytest.approx(-math.sqrt(QUANTILE / 2), abs=1e-6)
    assert upper == pytest.approx(3 + 2 * math.sqrt(QUANTILE / 2 - 0.5), abs=1e-6)


def test_a_profile_that_never_falls_so_far_has_no_limit():
    lower, upper = limits(lambda b: np.where(b > 0, -np.tanh(b), -(b**2)), Peak(0.0, 0.0, 1.0), quantile=QUANTILE)
    assert np.isnan(upper)
    assert lower == pytest.approx(-math.sqrt(QUANTILE / 2), abs=1e-6)


def test_a_profile_that_leaps_over_the_limit_has_none():
    lower, upper = limits(lambda b: np.where(np.abs(b) < 1, -(b**2), -50.0), Peak(0.0, 0.0, 1.0), quantile=QUANTILE)
    assert np.isnan([lower, upper]).all()


def test_every_limit_is_where_the_profile_says():
    rng = np.random.default_rng(8)
    X = np.column_stack([np.exp(2 * rng.normal(size=12)), rng.normal(size=12)])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    data = ModelData(np.column_stack([X, np.ones(12)]), np.array([1.0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0]))
    profiles = profiled(data, QUANTILE)
    assert profiles is not None
    top, along = profiles
    assert all(a.lower < b < a.upper for a, b in zip(along, top.coef, strict=False))
