"""Weibull model of interval-censored times: beside R, by hand, and where the likelihood has no maximum."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2, weibull_min

from reinfuse.analyses.weibull_aft import METHOD, effects, fit
from reinfuse.cohort.factors import FactorColumn

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "kinetics.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["weibull"], ids=lambda c: c["name"])
def test_beside_r(case):
    fitted = fit(case["left"], case["right"], np.array(case["X"], dtype=float))
    assert fitted.reason is None
    assert fitted.intercept == pytest.approx(case["intercept"], rel=1e-6)
    assert fitted.coef == pytest.approx(case["coef"], rel=1e-6)
    assert fitted.scale == pytest.approx(case["scale"], rel=1e-6)
    assert fitted.loglik == pytest.approx(case["loglik"], abs=1e-8)
    assert fitted.p_value == pytest.approx(case["p"], rel=1e-6)
    assert fitted.lower == pytest.approx(case["lower"], rel=1e-6)
    assert fitted.upper == pytest.approx(case["upper"], rel=1e-6)


NONE = np.empty((20, 0))
GRID = ([0] * 6 + [7] * 9 + [28] * 5, [7] * 6 + [28] * 9 + [None] * 5)


def test_counts_on_two_days_give_the_observed_shares():
    """Two parameters for two shares: 14 of 20 persist beyond day 7, 5 of 20 beyond day 28."""
    fitted = fit(*GRID, NONE)
    slope = np.log(np.log(5 / 20) / np.log(14 / 20)) / np.log(28 / 7)
    assert fitted.scale == pytest.approx(1 / slope, rel=1e-7)
    assert fitted.intercept == pytest.approx(np.log(7) - np.log(-np.log(14 / 20)) / slope, rel=1e-7)
    assert fitted.loglik == pytest.approx(6 * np.log(6 / 20) + 9 * np.log(9 / 20) + 5 * np.log(5 / 20), abs=1e-9)


def test_times_three_times_as_long_by_hand():
    """The same shares on days 7 and 28, and on days 21 and 84: ratio 3; held at 1, both groups share four days."""
    left, right = [*GRID[0], *(3 * a for a in GRID[0])], [*GRID[1], *(b and 3 * b for b in GRID[1])]
    x = np.repeat([0.0, 1.0], 20)[:, None]
    fitted = fit(left, right, x)
    assert fitted.coef == pytest.approx([np.log(3)], abs=1e-7)
    assert fitted.loglik == pytest.approx(2 * fit(*GRID, NONE).loglik, abs=1e-8)
    alone = fit(left, right, np.empty((40, 0)))
    assert fitted.p_value == pytest.approx([chi2.sf(2 * (fitted.loglik - alone.loglik), 1)])


def test_limits_solve_their_equation_at_each_level():
    case = GOLDEN["weibull"][0]
    X = np.array(case["X"], dtype=float)
    left, right = np.array(case["left"]), np.array([np.nan if r is None else r for r in case["right"]])
    for level in (0.5, 0.9, 0.99):
        fitted = fit(left, case["right"], X, level)
        for b in (fitted.lower[1], fitted.upper[1]):
            shift = np.exp(-b * X[:, 1])
            held = fit(left * shift, [None if np.isnan(r) else r for r in right * shift], X[:, :1])
            assert 2 * (fitted.loglik - held.loglik) == pytest.approx(chi2.ppf(level, 1), abs=1e-6)
        assert fitted.lower[1] < fitted.coef[1] < fitted.upper[1]


def test_unit_of_a_column_and_of_time():
    case = GOLDEN["weibull"][0]
    X = np.array(case["X"], dtype=float)
    one = fit(case["left"], case["right"], X)
    two = fit([24 * a for a in case["left"]], [b and 24 * b for b in case["right"]], X * [1, 1e4] + [0, 7e4])
    assert two.coef * [1, 1e4] == pytest.approx(one.coef, rel=1e-7)
    assert two.upper * [1, 1e4] == pytest.approx(one.upper, rel=1e-7)
    assert two.intercept + 7e4 * two.coef[1] == pytest.approx(one.intercept + np.log(24), rel=1e-7)
    assert two.p_value == pytest.approx(one.p_value, rel=1e-7)


def _separated():
    """Return twenty who are as in GRID, and six in whom the cells were never lost."""
    return [*GRID[0], *[28] * 6], [*GRID[1], *[None] * 6], np.repeat([0.0, 1.0], [20, 6])


def test_a_group_in_which_nobody_lost_the_cells_has_a_lower_limit_alone():
    left, right, x = _separated()
    fitted = fit(left, right, x[:, None])
    assert fitted.infinite.tolist() == [True]
    assert np.isnan([fitted.coef[0], fitted.upper[0], fitted.intercept]).all()
    assert fitted.loglik == pytest.approx(fit(*GRID, NONE).loglik, abs=1e-7)
    held = fit(np.array(left) * np.exp(-fitted.lower[0] * x), right, np.empty((26, 0)))
    assert 2 * (fitted.loglik - held.loglik) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-6)
    alone = fit(left, right, np.empty((26, 0)))
    assert fitted.p_value == pytest.approx([chi2.sf(2 * (fitted.loglik - alone.loglik), 1)], rel=1e-6)
    turned = fit(left, right, 1 - x[:, None])
    assert turned.upper == pytest.approx(-fitted.lower, rel=1e-6)
    assert np.isnan(turned.lower).all()


def test_another_column_keeps_its_estimate_beside_a_separated_one():
    case = GOLDEN["weibull"][0]
    X = np.array(case["X"], dtype=float)
    alone = fit(case["left"], case["right"], X)
    left, right = [*case["left"], 90, 180, 28], [*case["right"], None, None, None]
    more = np.vstack([np.column_stack([X, np.zeros(len(X))]), [[0, 0.3, 1], [1, -0.5, 1], [0, 0.1, 1]]])
    fitted = fit(left, right, more)
    assert fitted.infinite.tolist() == [False, False, True]
    assert fitted.coef[:2] == pytest.approx(alone.coef, rel=1e-6)
    assert fitted.lower[:2] == pytest.approx(alone.lower, rel=1e-5)
    assert fitted.upper[:2] == pytest.approx(alone.upper, rel=1e-5)


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        ([7, 28, 14], [None, None, None], "no loss observed"),
        ([0, 7, 14, 14], [28, 28, None, 60], "the intervals are compatible with zero variance"),
        ([0, 28, 28], [28, None, None], "the intervals do not identify the shape"),
        ([28, 28, 28, 0, 0], [None, None, None, 7, 7], "the intervals do not identify the shape"),
    ],
)
def test_what_cannot_be_fitted(left, right, reason):
    fitted = fit(left, right, np.empty((len(left), 0)))
    assert fitted.reason == reason
    assert np.isnan(fitted.scale)


@pytest.mark.parametrize(("left", "right"), [([5], [5]), ([5], [3]), ([-1], [3])])
def test_impossible_intervals_are_refused(left, right):
    with pytest.raises(ValueError, match="intervals must end after they begin"):
        fit(left, right, np.empty((1, 0)))


def _yes_no(values, name="second"):
    words = [None if v is None else "yes" if v else "no" for v in values]
    return FactorColumn(name, name, "binary", pl.Series(words, dtype=pl.String), ("no", "yes"))


def test_records():
    case = GOLDEN["weibull"][0]
    X = np.array(case["X"], dtype=float)
    dose = FactorColumn("dose", "dose", "number", pl.Series(X[:, 1]))
    second, records = effects(
        case["left"], case["right"], [_yes_no(X[:, 0]), dose], model="multivariable", confidence=0.95
    )
    for e, j in ((second, 0), (records, 1)):
        assert (e.lower, e.estimate, e.upper) == pytest.approx(
            (np.exp(case["lower"][j]), np.exp(case["coef"][j]), np.exp(case["upper"][j])), rel=1e-6)  # fmt: skip
        assert e.p_value == pytest.approx(case["p"][j])
        assert (e.analysis, e.endpoint, e.statistic, e.unit) == ("kinetics", "persistence", "time_ratio", "ratio")
        assert (e.n, e.events, e.method, e.note) == (48, sum(r is not None for r in case["right"]), METHOD, None)
    assert (second.term, records.term) == ("second", "dose")


def test_records_where_something_cannot_be_given():
    left, right, x = _separated()
    one = effects(left, right, [_yes_no([None, *x[1:]])], model="univariable", confidence=0.95)[0]
    assert (one.n, one.events, one.estimate, one.upper) == (25, 14, None, None)
    assert one.lower is not None
    assert one.note == (
        "separation: the likelihood has no maximum, only a lower limit can be given; 1 patient excluded, factor missing"
    )
    records = effects([28] * 4, [None] * 4, [_yes_no([1, 0, 1, 0])], model="univariable", confidence=0.95)[0]
    assert records.note.startswith("not estimable: no event")
    same = effects(left, right, [_yes_no([1] * 26)], model="univariable", confidence=0.95)[0]
    assert same.note.startswith("not estimable: constant in these patients")
    flat = effects([0, 7, 14, 14], [28, 28, None, 60], [_yes_no([1, 0, 1, 0])], model="univariable", confidence=0.95)[0]
    assert flat.note.startswith("not estimable: the intervals are compatible with zero variance")


def test_limits_that_the_likelihood_never_reaches():
    """Lost by day 28 in one of three, by day 60 in two, in both groups: a slope near 0 agrees with any ratio."""
    left, right = [0, 28, 28, 0, 0, 60], [28, None, None, 60, 60, None]
    records = effects(
        [*left, *left], [*right, *right], [_yes_no([0] * 6 + [1] * 6)], model="univariable", confidence=0.95
    )[0]
    assert (records.estimate, records.p_value) == pytest.approx((1, 1), abs=1e-6)
    assert (records.lower, records.upper) == (None, None)
    assert records.note.startswith("a limit is not estimable")
    own = fit(left, right, np.empty((6, 0)))
    assert own.scale == pytest.approx(np.log(60 / 28) / np.log(np.log(1 / 3) / np.log(2 / 3)), rel=1e-6)


def test_it_is_a_maximum_of_the_likelihood_written_out():
    case = GOLDEN["weibull"][0]
    X, left = np.array(case["X"], dtype=float), np.array(case["left"], dtype=float)
    right = np.array([np.inf if r is None else r for r in case["right"]])
    fitted = fit(left, case["right"], X)

    def likelihood(at):
        of = weibull_min(1 / at[3], scale=np.exp(at[0] + X @ at[1:3]))
        return np.log(of.sf(left) - of.sf(right)).sum()

    best = np.array([fitted.intercept, *fitted.coef, fitted.scale])
    assert likelihood(best) == pytest.approx(fitted.loglik, abs=1e-10)
    for step in 1e-4 * np.eye(4):
        assert abs(likelihood(best + step) - likelihood(best - step)) / 2e-4 < 1e-5
        assert likelihood(best + step) < fitted.loglik
        assert likelihood(best - step) < fitted.loglik
