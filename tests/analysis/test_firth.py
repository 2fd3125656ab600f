"""Firth models against closed forms and against an independent maximiser."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2

from reinfuse.statistics import firth


def _table(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Exposed: a with and b without the event; not exposed: c with and d without."""
    x = np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])[:, None]
    return x, np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d])


@pytest.mark.parametrize("cells", [(5, 3, 2, 7), (6, 0, 10, 28), (0, 8, 9, 27), (16, 20, 1, 7)])
def test_two_by_two_table_adds_one_half_to_each_cell(cells):
    x, y = _table(*cells)
    fit = firth.fit("logistic", x, y, None, 0.95)
    a, b, c, d = (n + 0.5 for n in cells)
    assert fit.coef[0] == pytest.approx(math.log(a * d / (b * c)), abs=1e-7)
    # With no effect, all patients share one probability, the halves included.
    top = sum(n * math.log(n / m) for n, m in ((a, a + b), (b, a + b), (c, c + d), (d, c + d)))
    one, none, every = a + c, b + d, a + b + c + d
    null = one * math.log(one / every) + none * math.log(none / every)
    assert fit.p_value[0] == pytest.approx(chi2.sf(2 * (top - null), 1), abs=1e-6)


def test_separation_is_found_and_finite():
    fit = firth.fit("logistic", *_table(6, 0, 10, 28), None, 0.95)
    assert fit.infinite.tolist() == [True]
    assert np.isfinite([fit.coef[0], fit.lower[0], fit.upper[0], fit.p_value[0]]).all()


def test_no_separation_is_not_found():
    assert firth.fit("logistic", *_table(5, 3, 2, 7), None, 0.95).infinite.tolist() == [False]


def test_separation_by_hand_quasi_complete_and_along_a_sum():
    """Every 1 of the first lies at or above every 0: infinite, though one value is shared; the second is noise."""
    x, y = np.array([0.0, 1, 2, 2, 3, 4]), np.array([0.0, 0, 0, 1, 1, 1])
    noise = np.array([1.0, 0, 0, 0, 1, 0])
    assert firth.separated(x[:, None], y).tolist() == [True]
    assert firth.separated(noise[:, None], y).tolist() == [False]
    a, b = np.array([0.0, 3, 1, 4, 2]), np.array([2.0, -2, 2, -2, 1])
    assert firth.separated(np.column_stack([a, b]), (a + b > 2.5).astype(float)).tolist() == [True, True]
    assert firth.separated(x[:, None], np.ones(6)).tolist() == [True]


def test_separation_beside_firthmodels():
    from firthmodels import detect_separation

    rng, seen, same = np.random.default_rng(11), [], 0
    for _ in range(150):
        n, k = int(rng.integers(6, 30)), int(rng.integers(1, 4))
        X = np.where(rng.random(k) < 0.5, rng.integers(0, 2, (n, k)), rng.normal(size=(n, k)).round(1) * 100)
        y = (X[:, 0] * rng.choice([0, 1, 5]) + rng.normal(size=n) * X[:, 0].std() > np.median(X[:, 0])).astype(float)
        if np.linalg.matrix_rank(np.column_stack([np.ones(n), X])) <= k or len(set(y)) < 2:
            continue
        seen.append(firth.separated(X, y))
        theirs = ~detect_separation(X / X.std(axis=0), y).is_finite[:k]
        assert seen[-1].any() == theirs.any()
        assert (seen[-1] >= theirs).all()  # of several directions the library looks at one
        same += bool((seen[-1] == theirs).all())
    assert same > 0.95 * len(seen)
    assert sum(s.any() for s in seen) > 20
    assert sum(not s.any() for s in seen) > 20


def _three(b: float) -> float:
    """The penalised log partial likelihood of times 1, 2, 3, all events, x = 1, 1, 0, written out by hand."""
    e = math.exp(b)
    information = 2 * e / (2 * e + 1) ** 2 + e / (e + 1) ** 2
    return 2 * b - math.log(2 * e + 1) - math.log(e + 1) + 0.5 * math.log(information)


def test_cox_of_three_patients_by_hand():
    best = minimize_scalar(lambda b: -_three(b), bracket=(-1, 3), tol=1e-12)
    quantile = chi2.ppf(0.95, 1)
    limits = [brentq(lambda b: 2 * (-best.fun - _three(b)) - quantile, *ends) for ends in ((-8, best.x), (best.x, 20))]
    fit = firth.fit("cox", np.array([[1.0], [1], [0]]), np.ones(3), np.array([1.0, 2, 3]), 0.95)
    assert fit.coef[0] == pytest.approx(best.x, abs=1e-6)
    assert [fit.lower[0], fit.upper[0]] == pytest.approx(limits, abs=1e-4)
    assert fit.p_value[0] == pytest.approx(chi2.sf(2 * (-best.fun - _three(0)), 1), abs=1e-6)
    assert fit.infinite.tolist() == [True]


def test_monotone_likelihood_is_not_seen_where_there_is_none():
    x = np.array([[1.0], [0], [1], [0]])
    assert firth.monotone(x, np.ones(4), time=np.array([1.0, 2, 3, 4])).tolist() == [False]


def test_one_column_is_as_monotone_as_beside_a_balanced_one():
    """Of one column it is read from the risk sets, of several from a linear program: the two say the same."""
    rng, seen = np.random.default_rng(3), []
    for _ in range(60):
        n = int(rng.integers(4, 12))
        x, event = rng.integers(0, 3, n).astype(float), (rng.random(n) < 0.6).astype(float)
        time = np.ceil(5 - 2 * x * rng.integers(0, 2) + rng.exponential(2, n))
        if x.std() == 0 or not event.any():
            continue
        seen.append(firth.monotone(x[:, None], event, time=time)[0])
        noise = np.array([1.0, -1.0])  # each patient twice, so that the second column tells none of them apart
        both = np.column_stack([np.repeat(x, 2), np.tile(noise, n)])
        assert seen[-1] == firth.monotone(both, np.repeat(event, 2), time=np.repeat(time, 2))[0]
    assert 5 < sum(seen) < len(seen) - 5


def _cohort(seed: int, n: int = 44) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.random(n) < 0.65, rng.random(n) < 0.85, rng.normal(size=n)]).astype(float)
    time = np.ceil(rng.exponential(120 * np.exp(0.8 * X[:, 0])))
    return X, (rng.random(n) < 0.7).astype(float), time


def _score(X: np.ndarray, event: np.ndarray, time: np.ndarray, b: np.ndarray) -> float:
    """Penalised log partial likelihood by loops over the risk sets, slow and independent."""
    total, information = 0.0, np.zeros((X.shape[1], X.shape[1]))
    for i in np.flatnonzero(event):
        risk = X[time >= time[i]]
        w = np.exp(risk @ b)
        mean = w @ risk / w.sum()
        total += X[i] @ b - math.log(w.sum())
        information += (risk.T * w) @ risk / w.sum() - np.outer(mean, mean)
    return total + 0.5 * math.log(np.linalg.det(information))


@pytest.mark.parametrize("seed", [1, 2])
def test_cox_against_an_independent_maximiser(seed):
    X, event, time = _cohort(seed)
    fit = firth.fit("cox", X, event, time, 0.95)
    optimum = minimize(lambda b: -_score(X, event, time, b), np.zeros(3), method="BFGS", options={"gtol": 1e-7})
    assert fit.coef == pytest.approx(optimum.x, abs=2e-5)
    held = minimize(lambda b: -_score(X, event, time, np.append(0.0, b)), np.zeros(2), options={"gtol": 1e-7})
    assert fit.p_value[0] == pytest.approx(chi2.sf(2 * (held.fun - optimum.fun), 1), abs=1e-5)


@pytest.mark.parametrize("kind", ["logistic", "cox"])
def test_interval_and_p_value_agree(kind):
    rng = np.random.default_rng(5)
    for _ in range(25):
        n = int(rng.choice([10, 20, 44]))
        X = np.column_stack([rng.permutation(np.arange(n) < max(2, n // 6)), rng.normal(size=n)]).astype(float)
        event = rng.permutation(np.arange(n) < n // 2).astype(float)
        fit = firth.fit(kind, X, event, np.ceil(rng.exponential(90, n)) if kind == "cox" else None, 0.95)
        outside = (fit.lower > 0) | (fit.upper < 0)
        assert outside.tolist() == (fit.p_value < 0.05).tolist()
        assert ((fit.lower < fit.coef) & (fit.coef < fit.upper)).all()


def test_scale_of_a_column_does_not_matter():
    X, event, time = _cohort(4)
    one = firth.fit("cox", X, event, time, 0.95)
    thousand = firth.fit("cox", X * [1, 1, 1000], event, time, 0.95)
    assert thousand.coef[2] * 1000 == pytest.approx(one.coef[2], abs=1e-7)
    assert thousand.p_value == pytest.approx(one.p_value, abs=1e-6)
