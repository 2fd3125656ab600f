"""Firth's models by sums of centres: the same as of the patients in one table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reinfuse.statistics import firth, firth_left_truncated
from reinfuse.statistics.likelihood_sums import (
    DEGREES,
    LikelihoodSums,
    cox_sums,
    full,
    logistic_sums,
    numbers_at_a_point,
)
from reinfuse.statistics.pooled_firth import COLLINEAR, CONSTANT, pooled_fit

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "pooling.json").read_text(encoding="utf-8"))
APART = 1e5
"""Between the times of one centre and the next: then risk sets of entry and exit hold patients of one centre alone."""


def with_intercept(X):
    return np.column_stack([X, np.ones(len(X))])


def pooled(kind, X, event, time=None, *, site, alone=False):
    """Return the fit, given the sums of each centre alone, and how many exchanges it took."""

    def sums(points):
        parts = []
        for s in np.unique(site):
            own = site == s
            if kind == "logistic":
                parts.append(logistic_sums(with_intercept(X[own]), event[own], points=points))
            else:
                parts.append(cox_sums(X[own], time[own], event[own], points=points))
        return LikelihoodSums.total(parts)

    fitting = pooled_fit(kind, X.shape[1] + (kind == "logistic"), alone=alone)
    points, exchanges = next(fitting), 0
    while True:
        exchanges += 1
        try:
            points = fitting.send(sums(points))
        except StopIteration as end:
            return end.value, exchanges


def in_one_table(kind, X, event, time, *, site):
    if kind == "logistic":
        return firth.fit("logistic", X, event)
    entry = site * APART
    return firth_left_truncated.fit(X, entry, entry + time, event, 0.95)


def assert_same(mine, other):
    np.testing.assert_allclose(mine.coef, other.coef, rtol=0, atol=1e-8)
    for name in ("lower", "upper", "p_value"):
        np.testing.assert_allclose(getattr(mine, name), getattr(other, name), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["logistic", "cox"])
def test_each_sum_is_the_derivative_of_the_one_before(kind):
    rng = np.random.default_rng(1)
    X, event = rng.normal(size=(12, 3)), np.tile([1.0, 1.0, 0.0], 4)
    time = rng.integers(1, 7, 12).astype(float)  # ties

    def at(b):
        sums = logistic_sums(X, event, points=b) if kind == "logistic" else cox_sums(X, time, event, points=b)
        return [sums.value, *(full(c, 3, d) for c, d in zip(sums.cumulants, DEGREES, strict=True))]

    b, h = rng.normal(size=3), 1e-5
    here = at(b[None])
    for r in range(3):
        step = h * np.eye(3)[r]
        higher, lower = at((b + step)[None]), at((b - step)[None])
        for degree in range(4):
            slope = (higher[degree][0] - lower[degree][0]) / (2 * h)
            sign = -1 if degree == 1 else 1  # the information is minus the score's derivative
            np.testing.assert_allclose(sign * slope, here[degree + 1][0][..., r], atol=2e-7)


def test_the_sums_of_three_patients_by_hand():
    """Patient 1 (x = 1) dies first among three, patient 2 (x = 0) among two; at b = log 2 the hazards are 2, 1, 2."""
    X, time, event = np.array([[1.0], [0.0], [1.0]]), np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0])
    sums = cox_sums(X, time, event, points=np.array([[np.log(2.0)]]))
    assert np.exp(sums.value[0]) == pytest.approx(2 / 5 * 1 / 3)
    p, q = 4 / 5, 2 / 3  # the share of those at risk who have the factor, weighted by their hazards
    by_hand = [(1 - p) + (0 - q), p * (1 - p) + q * (1 - q), p * (1 - p) * (1 - 2 * p) + q * (1 - q) * (1 - 2 * q)]
    assert [float(c[0, 0]) for c in sums.cumulants[:3]] == pytest.approx(by_hand)


def test_separated_in_a_case_that_can_be_solved_by_hand():
    """Firth's penalty adds half a patient to each cell of a fourfold table: 3 of 3 and 1 of 4 of two centres."""
    X = np.array([[1.0], [1.0], [1.0], [0.0], [0.0], [0.0], [0.0]])
    response = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    site = np.array([0, 1, 0, 0, 1, 1, 0])
    by_centres, _ = pooled("logistic", X, response, site=site)
    assert np.exp(by_centres.fit.coef[0]) == pytest.approx((3.5 / 0.5) / (1.5 / 3.5))
    assert_same(by_centres.fit, firth.fit("logistic", X, response))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["logistic", "cox"])
def test_the_same_as_in_one_table_however_44_patients_are_split(kind, seed):
    rng = np.random.default_rng([seed, kind == "cox"])
    k, n = 1 + seed % 2, 44
    X = (rng.random((n, k)) < (0.12, 0.5)[seed % 2]).astype(float)
    X[:2] = [[1.0] * k, [0.0] * k]
    if seed % 3 == 2:
        X[:, 0] = rng.normal(60, 10, n) / 10
    chance = 1 / (1 + np.exp(-1.5 * (X - X.mean(axis=0)).sum(axis=1)))
    event = (rng.random(n) < chance).astype(float)
    time = np.ceil(rng.exponential(1 / chance) * 20)  # ties
    site = rng.permutation(np.arange(n) % (3 + seed % 4))
    by_centres, exchanges = pooled(kind, X, event, time, site=site)
    assert_same(by_centres.fit, in_one_table(kind, X, event, time, site=site))
    assert exchanges <= 20


@pytest.mark.parametrize("kind", ["logistic", "cox"])
def test_a_factor_that_separates_and_a_level_that_one_centre_lacks(kind):
    """All with the factor have the event, and the last centre has nobody with it."""
    X = np.array([[1.0, 0.0]] * 6 + [[0.0, 1.0]] * 6 + [[0.0, 0.0]] * 18)
    event = np.array([1.0] * 6 + [1.0, 0.0] * 3 + [1.0, 0.0, 0.0] * 6)
    time = np.array([2.0, 3.0, 5.0] * 10)
    site = np.array([0, 1, 0, 1, 0, 1] * 4 + [2] * 6)
    by_centres, _ = pooled(kind, X, event, time, site=site)
    assert_same(by_centres.fit, in_one_table(kind, X, event, time, site=site))
    assert np.isfinite(by_centres.fit.coef).all()


def test_what_no_centre_can_tell_has_a_reason_and_the_rest_its_estimate():
    rng = np.random.default_rng(3)
    site = np.repeat([0, 1, 2], 10)
    X = np.column_stack([(site == 1).astype(float), (rng.random(30) < 0.5).astype(float)])
    event, time = np.tile([1.0, 0.0, 1.0], 10), rng.permutation(30) + 1.0
    by_centres, _ = pooled("cox", X, event, time, site=site)
    alone, _ = pooled("cox", X[:, 1:], event, time, site=site)
    assert by_centres.reasons == {0: CONSTANT}
    assert np.isnan(by_centres.fit.coef[0])
    assert by_centres.fit.coef[1] == pytest.approx(alone.fit.coef[0], abs=1e-12)
    twice, _ = pooled("logistic", X[:, [1, 1]], event, site=site)
    assert twice.reasons == {0: COLLINEAR, 1: COLLINEAR}


def test_without_an_event_nothing_is_estimated():
    X, site = np.tile([[0.0], [1.0]], (6, 1)), np.repeat([0, 1, 2], 4)
    nothing, _ = pooled("cox", X, np.zeros(12), np.arange(12) + 1.0, site=site)
    assert nothing.summit is None
    assert np.isnan(nothing.fit.coef).all()


def test_how_many_numbers_a_point_tells():
    assert [numbers_at_a_point(k) for k in (1, 2, 3)] == [5, 15, 35]


def test_what_sums_of_a_logistic_model_disclose_is_what_the_docs_say():
    """From information and score at 0 the table of factor by response follows: sums are no protection."""
    X = np.array([[1.0]] * 4 + [[0.0]] * 5)
    response = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    sums = logistic_sums(with_intercept(X), response, points=np.zeros((1, 2)))
    with_factor, _, patients = (round(4 * float(v)) for v in sums.cumulants[1][0])
    responders = [round(float(u) + n / 2) for u, n in zip(sums.cumulants[0][0], (with_factor, patients), strict=True)]
    assert (with_factor, patients, responders) == (4, 9, [3, 4])


@pytest.mark.parametrize("case", [c for c in GOLDEN["log_rank"] if len(c["time"]) < 300], ids=lambda c: c["name"])
def test_cox_models_of_real_patients_of_many_centres_are_those_of_one_table(case):
    """R's data set lung, by institution: up to 18, some with one patient."""
    time, event, group, site = (np.array(case[name], dtype=float) for name in ("time", "event", "group", "stratum"))
    levels = np.arange(1, int(group.max()) + 1)
    X = (group[:, None] == levels).astype(float)
    by_centres, exchanges = pooled("cox", X, event, time, site=site)
    assert_same(by_centres.fit, in_one_table("cox", X, event, time, site=site))
    assert exchanges <= 15


def test_logistic_models_of_real_patients_are_those_of_one_table():
    """R's data set colon, death by treatment, in five centres by number of nodes; begun at one point alone."""
    case = next(c for c in GOLDEN["log_rank"] if c["name"].startswith("colon"))
    group, event, site = (np.array(case[name], dtype=float) for name in ("group", "event", "stratum"))
    X = (group[:, None] == [1, 2]).astype(float)
    by_centres, exchanges = pooled("logistic", X, event, site=site, alone=True)
    assert_same(by_centres.fit, firth.fit("logistic", X, event))
    assert exchanges <= 10
